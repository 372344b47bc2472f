"""What PyTorch's Python side is told while a GPU is pretended: a driver's answers, and functions in C++'s place."""

import functools
from types import SimpleNamespace

import torch
from torch import nn

from pretended_gpu import casting
from pretended_gpu.devices import kind
from pretended_gpu.generators import Generator
from pretended_gpu.kernels import LostError
from pretended_gpu.nested import mapped
from pretended_gpu.tensors import GpuTensor

NAME = "a pretended GPU"
true_tensor, true_as_tensor, true_load = torch.tensor, torch.as_tensor, torch.load
true_one_hot = nn.functional.one_hot


def fetched(value):
    """A list of tensors, which torch.tensor would read one by one, as a list of numbers."""
    if isinstance(value, (list, tuple)):
        return [part.item() if isinstance(part, GpuTensor) else fetched(part) for part in value]
    return value


def tensor(data, **kwargs):
    return true_tensor(fetched(data), **kwargs)


def as_tensor(data, *args, **kwargs):
    return true_as_tensor(fetched(data), *args, **kwargs)


def load(file, map_location=None, **kwargs):
    """torch.load: to a device, or, without one, to where each tensor was saved from."""
    with torch.serialization.safe_globals([GpuTensor]):
        content = true_load(file, map_location="cpu", **kwargs)
    return content if map_location is None else mapped(lambda t: t.to(map_location), content)


def one_hot(tensor, num_classes=-1):
    """nn.functional.one_hot: on a GPU nobody looks at the range before the kernel that writes the ones."""
    if not isinstance(tensor, GpuTensor) or num_classes == -1:
        return true_one_hot(tensor, num_classes)
    return tensor.new_zeros(*tensor.shape, num_classes).scatter_(-1, tensor[..., None], 1)


def set_device(device):
    """torch.cuda.set_device: there is one."""
    if torch.device(device).index:
        raise LostError("CUDA error: invalid device ordinal")


def apply(self, fn, recurse=True):
    """nn.Module._apply, which keeps each Parameter the object that it is: what it holds is exchanged."""
    for child in self.children() if recurse else ():
        child._apply(fn)
    self._buffers.update({name: fn(buffer) for name, buffer in self._buffers.items() if buffer is not None})
    for weight in (w for w in self._parameters.values() if w is not None):
        with torch.no_grad():
            new = fn(weight)
        gradient, weight.grad = weight.grad, None
        if isinstance(new, GpuTensor) == isinstance(weight, GpuTensor):
            weight.data = new.data
        else:
            torch.utils.swap_tensors(weight, nn.Parameter(new, weight.requires_grad))
        weight.grad = None if gradient is None else fn(gradient)
    return self


def of_the_driver(kernels):
    """Answers to what PyTorch asks CUDA's driver."""
    k = kind()
    return {
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "_lazy_init": kernels.refuse_after_a_fork,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "set_device": set_device,
        "is_current_stream_capturing": lambda: False,
        "get_device_capability": lambda device=None: k.capability,
        "get_device_name": lambda device=None: NAME,
        "is_bf16_supported": lambda including_emulation=True: k.capability >= (8, 0),
        "get_device_properties": lambda device=None: SimpleNamespace(name=NAME, total_memory=k.bytes_in_all),
        "mem_get_info": lambda device=None: (k.bytes_free, k.bytes_in_all),
        "memory_allocated": lambda device=None: 0,
        "max_memory_allocated": lambda device=None: 0,
        "reset_peak_memory_stats": lambda device=None: None,
        "empty_cache": lambda: None,
        "synchronize": lambda device=None: kernels.waits.update(["synchronize"]),
        "manual_seed": kernels.seed,
        "manual_seed_all": kernels.seed,
        "get_rng_state": kernels.get_random_state,
        "set_rng_state": kernels.set_random_state,
    }


def of_apple(kernels):
    """The same of Apple's GPUs."""
    return {
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "current_allocated_memory": lambda: 0,
        "driver_allocated_memory": lambda: 0,
        "recommended_max_memory": lambda: kind().bytes_free,
        "empty_cache": lambda: None,
        "synchronize": lambda: kernels.waits.update(["synchronize"]),
        "manual_seed": kernels.seed,
        "get_rng_state": kernels.get_random_state,
        "set_rng_state": kernels.set_random_state,
    }


def all_of_them(kernels):
    """(where, name, what stands there meanwhile)."""
    if kind().name == "cuda":
        asked = [(torch.cuda, name, answer) for name, answer in of_the_driver(kernels).items()]
    else:
        asked = [(torch.mps, name, answer) for name, answer in of_apple(kernels).items()]
        asked += [
            (torch.backends.mps, "is_available", functools.cache(lambda: True)),
            (torch.cuda, "is_available", lambda: False),
        ]
        asked += [(torch.cuda, "device_count", lambda: 0), (torch.cuda, "manual_seed_all", lambda seed: None)]
    return [
        *asked,
        (torch, "Generator", Generator),
        (torch, "load", load),
        (torch, "tensor", tensor),
        (torch, "as_tensor", as_tensor),
        (nn.functional, "one_hot", one_hot),
        (nn.Module, "_apply", apply),
        (torch.autocast, "__enter__", casting.enter_autocast),
        (torch.autocast, "__exit__", casting.exit_autocast),
    ]
