"""The pretended GPU at work: each operation below autograd is refused, or computed on the CPU's numbers."""

import contextlib
import functools
import os
from collections import Counter

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from pretended_gpu.devices import CPU, kind
from pretended_gpu.generators import refuse_generator, state_after
from pretended_gpu.nested import mapped, tensors_in
from pretended_gpu.refusals import (
    ASSERTING,
    INDEXING,
    MOVES,
    OUT_OF_RANGE,
    is_made_of_others,
    refuse_kind,
    refuse_mixed,
)
from pretended_gpu.tensors import GpuTensor, moved_there, numbers_of

WAITING = {"_local_scalar_dense", "nonzero", "masked_select", "_unique2", "equal"}  # the host needs their result
LostError = getattr(torch, "AcceleratorError", RuntimeError)


class Kernels(TorchDispatchMode):
    """Sees every operation while a GPU is pretended.

    waits: how often the host waited for it, by operation. made: how many tensors it began, not by moving or computing.
    dead: whether a kernel's assertion has ended it.
    """

    running = None

    def __init__(self):
        super().__init__()
        self.dead, self.waits, self.made, self.process = False, Counter(), Counter(), os.getpid()
        self.seed(0)

    def seed(self, seed):
        """Seed the GPU's own chance."""
        self.random_state = state_after(seed)

    def refuse_after_a_fork(self):
        """Raise in a process that was forked from the one that began with the GPU."""
        if os.getpid() != self.process:
            raise RuntimeError("Cannot re-initialize CUDA in forked subprocess.")

    def get_random_state(self, device=None):
        """As torch.cuda.get_rng_state."""
        self.refuse_after_a_fork()
        return self.random_state.clone()

    def set_random_state(self, state, device=None):
        """As torch.cuda.set_rng_state: the state itself lies on the CPU."""
        self.refuse_after_a_fork()
        if isinstance(state, GpuTensor) or state.dtype != torch.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        self.random_state = state.clone()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return self.compute(func, args, kwargs or {})

    def compute(self, func, args, kwargs):
        """The result of an operation, if a GPU takes what it is given."""
        if is_made_of_others(func):  # only in inference mode: elsewhere autograd has done so already
            with self:
                return func.decompose(*args, **kwargs)
        name, place, tensors = func.overloadpacket.__name__, kwargs.get("device"), tensors_in((args, kwargs))
        on_gpu = any(isinstance(t, GpuTensor) for t in tensors)
        there = on_gpu if place is None else kind().holds(place)
        if name in ("is_pinned", "_pin_memory"):
            return _pinned(name, args[0])
        refuse_generator(kwargs.get("generator"), kind().name if there else "cpu")
        if not (on_gpu or there):
            return func(*args, **kwargs)
        self.refuse_after_a_fork()
        if kind().is_too_old:
            raise LostError("CUDA error: no kernel image is available for execution on the device")
        if self.dead:
            raise LostError("CUDA error: device-side assert triggered, by an earlier operation")
        written = _written_to(func, args)
        refuse_kind(func, name, args)
        if place is None and name not in MOVES:  # where a place is given, tensors are models for what is made
            refuse_mixed(func, name, args, tensors, written)
        self._count(name, args, kwargs, there, on_gpu)
        result = self._computed(func, name, args, kwargs, there)
        if len(written) == 1 and len(func._schema.returns) == 1:  # in place: what was handed in comes back
            return _of_the_same_shape(func, written[0])
        return mapped(moved_there, result) if there else result

    def _count(self, name, args, kwargs, there, on_gpu):
        comes_back = name == "_to_copy" and not there and not kwargs.get("non_blocking")
        by_mask = name in INDEXING and any(t.dtype in (torch.bool, torch.uint8) for t in tensors_in(args[1]))
        self.waits[name] += name in WAITING or comes_back or by_mask
        self.made[name] += there and not on_gpu and name not in MOVES

    def _computed(self, func, name, args, kwargs, there):
        """The operation on CPU tensors: with the GPU's chance, and its assertions in place of errors."""
        if there and kwargs.get("device") is not None:
            kwargs = kwargs | {"device": CPU} | ({"pin_memory": False} if "pin_memory" in kwargs else {})
        args, kwargs = mapped(numbers_of, (args, kwargs))
        draws = there and torch.Tag.nondeterministic_seeded in func.tags
        try:
            with self._own_chance() if draws else contextlib.nullcontext():
                return func(*args, **kwargs)
        except (IndexError, RuntimeError) as error:
            if name not in ASSERTING or not OUT_OF_RANGE.search(str(error)):
                raise
            self.dead = True
            raise LostError(f"CUDA error: device-side assert triggered: {error} ({func})") from error

    @contextlib.contextmanager
    def _own_chance(self):
        """The GPU's state of chance in the place of the CPU's."""
        of_the_cpu = torch.default_generator.get_state()
        torch.default_generator.set_state(self.random_state)
        try:
            yield
        finally:
            self.random_state = torch.default_generator.get_state()
            torch.default_generator.set_state(of_the_cpu)


@functools.cache
def _writes(func):
    return [s.alias_info is not None and s.alias_info.is_write for s in func._schema.arguments]


def _written_to(func, args):
    return [a for a, writes in zip(args, _writes(func), strict=False) if writes]


def _of_the_same_shape(func, t):
    if isinstance(t, GpuTensor) and t.shape != t.inner.shape:
        raise NotImplementedError(f"The pretended GPU can't change a tensor's shape in place ({func}).")
    return t


def _pinned(name, t):
    """Memory that a GPU reads by itself: here a copy. Only the CPU's can be pinned."""
    if name == "is_pinned":
        return False
    if isinstance(t, GpuTensor):
        raise RuntimeError("cannot pin 'torch.cuda.FloatTensor' only dense CPU tensors can be pinned")
    return t.clone()
