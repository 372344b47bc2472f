"""torch's optimizers without its compiler, which nobody calls: they would load it, some 130 MiB and a second.

Methods of ``torch.optim`` ask torch._dynamo to leave them alone, and load it (with sympy, triton and a thousand other
modules) in order to ask. What they would ask of a compiler that isn't there is left out; where it is there, because
torch.compile or DistributedDataParallel brought it, they ask as torch wrote them.
"""

import functools
import sys
from collections.abc import Callable

import torch
from torch.optim import Optimizer

COMPILER = "torch._dynamo"


def without_compiler() -> None:
    """Let all optimizers of ``torch.optim`` work without loading the compiler; once is enough, twice is the same."""
    for name, method in list(vars(Optimizer).items()):
        if _is_made_by(method, "inner", "_compile.py"):  # torch._disable_dynamo
            setattr(Optimizer, name, _asking_if_there(method, method.__wrapped__))
    for kind in vars(torch.optim).values():
        step = vars(kind).get("step") if isinstance(kind, type) and issubclass(kind, Optimizer) else None
        if _is_made_by(step, "_use_grad", "optimizer.py"):
            kind.step = _asking_if_there(step, _recording_if_differentiable(step.__wrapped__))


def _is_made_by(method: object, decorated: str, file: str) -> bool:
    """Whether torch's decorator of that file made it: another version of torch, with another one, is left as it is."""
    code = getattr(method, "__code__", None)
    return code is not None and code.co_name == decorated and code.co_filename.endswith(file)


def _asking_if_there(asking: Callable, plain: Callable) -> Callable:
    @functools.wraps(plain)
    def checked(*args: object, **kwargs: object) -> object:
        """As torch wrote it where the compiler is loaded; else the function within."""
        return (asking if COMPILER in sys.modules else plain)(*args, **kwargs)

    return checked


def _recording_if_differentiable(step: Callable) -> Callable:
    @functools.wraps(step)
    def checked(self: Optimizer, *args: object, **kwargs: object) -> object:
        """A step, of which autograd takes note only where the optimizer was made to be differentiated."""
        with torch.set_grad_enabled(self.defaults["differentiable"]):
            return step(self, *args, **kwargs)

    return checked
