"""``pretended_gpu``: from here on there is a GPU."""

import contextlib
from unittest import mock

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._device import _device_constructors

from pretended_gpu.devices import Kind, Pretended
from pretended_gpu.kernels import Kernels
from pretended_gpu.replacements import all_of_them


class InOtherWords(TorchFunctionMode):
    """Asks for "cuda" where "mps" is asked for: a build for Linux stops at that name before it looks any further."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is not torch.device:
            args, kwargs = _renamed(args), {name: _renamed(value) for name, value in kwargs.items()}
        return func(*args, **kwargs)


def _renamed(value):
    if isinstance(value, tuple):
        return tuple(map(_renamed, value))
    is_apples = isinstance(value, (torch.device, str)) and str(value) in ("mps", "mps:0")
    return torch.device("cuda", 0) if is_apples else value


@contextlib.contextmanager
def pretended_gpu(name="cuda", capability=(8, 0)):
    """Within it PyTorch sees one GPU, "cuda" or "mps"; gives its ``Kernels``."""
    with contextlib.ExitStack() as undo:
        undo.enter_context(mock.patch.object(Pretended, "kind", Kind(name, capability)))
        kernels = Kernels()
        _device_constructors()  # remembers the true torch.tensor, for torch.set_default_device
        torch._C._ensureCUDADeviceGuardSet()  # else "cuda" without a number asks the driver which is meant
        undo.callback(torch._C._set_only_lift_cpu_tensors, torch._C._only_lift_cpu_tensors())
        torch._C._set_only_lift_cpu_tensors(True)  # what torch.tensor(…, device="cuda") made on the CPU is moved
        for where, attribute, value in [*all_of_them(kernels), (Kernels, "running", kernels)]:
            undo.enter_context(mock.patch.object(where, attribute, value))
        if name == "mps":
            undo.enter_context(InOtherWords())
        undo.enter_context(kernels)
        yield kernels
