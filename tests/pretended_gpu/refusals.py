"""What a GPU does not take. PyTorch is asked where it knows: its list of functions, and its dispatcher."""

import functools
import re

import torch

from pretended_gpu.devices import kind
from pretended_gpu.nested import tensors_in
from pretended_gpu.private import native_functions
from pretended_gpu.tensors import GpuTensor

MOVES = {"_to_copy", "copy_", "_foreach_copy_", "_local_scalar_dense", "fill_"}  # two devices meet here lawfully
INDEXING = {"index", "_unsafe_index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index_put"}
OF_FLOATS_ALONE = {"mm", "addmm", "bmm", "baddbmm", "addbmm", "mv", "addmv", "dot", "vdot"}
# Where a value out of range is no error on the host: the kernel asserts, and the process has lost its device
ASSERTING = INDEXING | {
    *("index_select", "index_add", "index_add_", "index_copy", "index_fill", "index_fill_", "gather", "take", "put_"),
    *("scatter", "scatter_", "scatter_add", "scatter_add_", "scatter_reduce", "embedding", "multinomial"),
    *("nll_loss_forward", "nll_loss2d_forward", "binary_cross_entropy", "bernoulli", "bernoulli_"),
}
OUT_OF_RANGE = re.compile(r"(?<!Dimension )out of (bounds|range)|between 0 and 1|p_in|probability tensor|multinomial")


def refuse_kind(func, name, args):
    """Raise where a GPU has no kernel for an operation, or none for this type of numbers."""
    if kind().name == "cuda" and not has_kernel(func):
        raise NotImplementedError(f"Could not run '{func.name()}' with arguments from the 'CUDA' backend.")
    first = args[0] if args else None
    if name in OF_FLOATS_ALONE and not (first.is_floating_point() or first.is_complex()):
        raise NotImplementedError(f'"{name}_cuda" not implemented for {str(first.dtype)!r}')
    if name == "linalg_lstsq" and len(args) > 3 and args[3] not in (None, "gels"):
        raise RuntimeError("torch.linalg.lstsq: parameter `driver` should be one of (gels)")


def refuse_mixed(func, name, args, tensors, written):
    """Raise where tensors of two devices meet in an operation that takes those of one."""
    if name in INDEXING:
        indices, tensors = tensors_in(args[1]), tensors_in((args[0], args[2:]))
        if not isinstance(args[0], GpuTensor) and any(isinstance(t, GpuTensor) for t in indices):
            raise RuntimeError("indices should be either on cpu or on the same device as the indexed tensor (cpu)")
    on_the_cpu = [t for t in tensors if not isinstance(t, GpuTensor)]
    if len(on_the_cpu) == len(tensors):
        return
    takes_scalars = name in INDEXING or func.name().removeprefix("aten::") in of_any_devices()
    for t in on_the_cpu:
        if not takes_scalars or t.ndim or any(t is w for w in written):
            found = f"found at least two devices, {kind().device} and cpu! ({func})"
            raise RuntimeError(f"Expected all tensors to be on the same device, but {found}")


@functools.cache
def has_kernel(func):
    """Whether the dispatcher has a CUDA kernel; a build without CUDA doesn't know."""
    return torch.version.cuda is None or torch._C._dispatch_has_computed_kernel_for_dispatch_key(func.name(), "CUDA")


@functools.cache
def is_made_of_others(func):
    """Whether an operation is taken apart into others, on every device."""
    has = functools.partial(torch._C._dispatch_has_kernel_for_dispatch_key, func.name())
    return has("CompositeImplicitAutograd") and not has("CUDA")


@functools.cache
def of_any_devices():
    """Functions that do not insist on one device: single numbers of the CPU may be among their tensors."""
    entries = re.split(r"^- func: ", native_functions().read_text("utf-8"), flags=re.MULTILINE)
    lenient = {entry.partition("(")[0] for entry in entries if "device_check: NoCheck" in entry}
    return frozenset(lenient - {"binary_cross_entropy"})  # the list says so, its kernel says no
