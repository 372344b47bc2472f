"""Tensors of the pretended GPU: what they are, and what they answer from Python."""

import copy

import torch

from pretended_gpu.devices import kind


class GpuTensor(torch.Tensor):
    """A tensor that says it lies on the GPU; ``inner`` are its numbers, on the CPU."""

    __torch_function__ = torch._C._disabled_torch_function_impl
    device = property(lambda self: kind().device)
    is_cuda = property(lambda self: kind().name == "cuda")
    is_mps = property(lambda self: kind().name == "mps")
    is_meta = property(lambda self: False)
    is_cpu = property(lambda self: False)

    @staticmethod
    def __new__(cls, inner):
        return torch.Tensor._make_wrapper_subclass(
            cls,
            inner.shape,
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device="meta",
        )

    def __init__(self, inner):
        self.inner = inner

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        from pretended_gpu.kernels import Kernels

        return Kernels.running.compute(func, args, kwargs or {})

    @property
    def data(self):
        return torch.Tensor.data.__get__(self)

    @data.setter
    def data(self, new):
        torch.Tensor.data.__set__(self, new)
        self.inner = new.inner

    def get_device(self):
        return kind().device.index

    def to(self, *args, **kwargs):
        names = {name: value for name, value in kwargs.items() if name != "copy"}
        device, dtype, *_ = torch._C._nn._parse_to(*args, **names)
        moves = device is not None and not kind().holds(device)
        if moves or dtype not in (None, self.dtype) or kwargs.get("copy"):
            return super().to(*args, **kwargs)
        return self

    def cuda(self, *args, **kwargs):
        return self.to("cuda")

    def new_tensor(self, data, *, dtype=None, device=None, **kwargs):
        return torch.tensor(data, dtype=dtype or self.dtype, device=device or self.device, **kwargs)

    def numpy(self, *, force=False):
        if force:
            return self.detach().cpu().numpy()
        raise TypeError(
            f"can't convert {self.device} device type tensor to numpy. "
            "Use Tensor.cpu() to copy the tensor to host memory first."
        )

    def quantile(self, q, *how, **named):
        """As Tensor.quantile, whose C++ changes a shape in place: that can't be pretended. Without gradients."""
        if isinstance(q, torch.Tensor) and not isinstance(q, GpuTensor):
            raise RuntimeError("quantile() q tensor must be on the same device as the input tensor")
        return moved_there(self.inner.quantile(numbers_of(q), *how, **named))

    def tolist(self):
        return self.detach().cpu().tolist()

    def __format__(self, spec):
        return format(self.item(), spec) if self.ndim == 0 else object.__format__(self, spec)

    def __repr__(self, **kwargs):
        numbers = repr(self.inner)[:-1]
        return f"{numbers}, device='{self.device}'{', requires_grad=True' if self.requires_grad else ''})"

    def __reduce_ex__(self, protocol):
        return GpuTensor, (self.inner,)

    def __deepcopy__(self, memo):
        if id(self) in memo:
            return memo[id(self)]
        if not self.is_leaf:
            raise RuntimeError("Only Tensors created explicitly by the user support the deepcopy protocol.")
        twin = memo[id(self)] = GpuTensor(self.inner.clone()).requires_grad_(self.requires_grad)
        more = {name: value for name, value in vars(self).items() if name != "inner"}
        vars(twin).update(copy.deepcopy(more, memo))
        twin.grad = copy.deepcopy(self.grad, memo)
        return twin


def numbers_of(t):
    """What a tensor is computed with, on the CPU."""
    return t.inner if isinstance(t, GpuTensor) else t


def moved_there(t):
    """A CPU tensor as one of the GPU. Raises TypeError for numbers that it can't hold."""
    if isinstance(t, GpuTensor):
        return t
    if t.dtype in kind().lacks:
        raise TypeError(
            f"Cannot convert a {kind().name.upper()} Tensor to {str(t.dtype).removeprefix('torch.')} dtype as the "
            f"{kind().name.upper()} framework doesn't support it. Please use float32 instead."
        )
    return GpuTensor(t)
