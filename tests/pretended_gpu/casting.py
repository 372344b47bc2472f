"""Autocast on the pretended GPU: PyTorch's C++ casts for devices that it knows, so here Python does."""

import functools
import re

import torch
from torch.overrides import TorchFunctionMode

from pretended_gpu.devices import kind
from pretended_gpu.nested import mapped, tensors_in
from pretended_gpu.private import autocast_header
from pretended_gpu.tensors import GpuTensor

SECTIONS = ("LOWER_PRECISION_FP", "FP32", "FP32_SET_OPT_DTYPE", "PROMOTE")
# what Python calls by another name than the header does
ALSO_LOWER, ALSO_FULL = {"rmatmul"}, {"norm", "square", "cross_entropy"}
REFUSED = "torch.nn.functional.binary_cross_entropy and torch.nn.BCELoss are unsafe to autocast."
true_enter, true_exit = torch.autocast.__enter__, torch.autocast.__exit__


@functools.cache
def casts():
    """Names of what is computed in half precision, of what in float32, and of what in the widest of its inputs."""
    text = autocast_header().read_text("utf-8")
    lists = dict(re.findall(r"#define AT_FORALL_(\w+)\(_\)(.*?)\n\n", text, flags=re.DOTALL))
    lower, full, summed, widest = (set(re.findall(r"_\((\w+)", lists[section])) for section in SECTIONS)
    return lower | ALSO_LOWER, full | summed | ALSO_FULL, widest


def is_cast(t):
    return isinstance(t, GpuTensor) and t.is_floating_point() and t.dtype != torch.float64


class Autocast(TorchFunctionMode):
    """Casts the GPU's tensors before a function of torch sees them."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        floats = [t for t in tensors_in((args, kwargs)) if is_cast(t)]
        if floats and torch.is_autocast_enabled(kind().name):
            dtype = self.dtype_for(getattr(func, "__name__", "").strip("_"), floats)
            if dtype is not None and kwargs.get("dtype") is None:
                args, kwargs = mapped(lambda t: t.to(dtype) if is_cast(t) else t, (args, kwargs))
        return func(*args, **kwargs)

    def dtype_for(self, name, floats):
        """What to cast to; None where all stay as they are."""
        lower, full, widest = casts()
        if name == "binary_cross_entropy":
            raise RuntimeError(REFUSED)
        if name in lower:
            return torch.get_autocast_dtype(kind().name)
        mixed = name in widest and any(t.dtype == torch.float32 for t in floats)
        return torch.float32 if mixed or name in full else None


def enter_autocast(self):
    """As torch.autocast begins; for the GPU with ``Autocast`` besides."""
    true_enter(self)
    if self.device == kind().name and self._enabled:
        self.pretended = Autocast()
        self.pretended.__enter__()
    return self


def exit_autocast(self, *error):
    """As torch.autocast ends."""
    if self.device == kind().name and self._enabled:
        self.pretended.__exit__(*error)
    return true_exit(self, *error)
