"""An answer is run on the probes of its exercise: the tensors it returns, or why there are none to compare."""

import copy
import inspect

from vae_helpers.exercises.engine.exercise import Answer, Exercise

import torch
from jaxtyping import Float64
from torch import Tensor


class NotAttemptedError(Exception):
    """The answer returned nothing at all."""


class NotATensorError(Exception):
    """The answer returned something that has no numbers in it."""


class WrongShapeError(Exception):
    """A random answer returned a tensor whose moments can't be taken, because of its shape."""


class NotFiniteError(Exception):
    """The answer returned NaN or infinity, of which nothing can be measured."""


class ChangedInputError(Exception):
    """The answer changed what it was handed; ``position``: the argument's number."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


def run(exercise: Exercise, answer: Answer, seed: int = 0) -> list[Float64[Tensor, "..."]]:
    """The answer's results, one per probe; inputs are copies and the random state is the same for every answer."""
    measure = exercise.measure or (lambda f, probe: result_of(f, probe))
    results = []
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        for i, probe in enumerate(exercise.probes(seed)):
            torch.manual_seed(i)
            results.append(measure(answer, probe))
    return results


def draws_the_same_twice(answer: Answer, probe: tuple) -> bool:
    """Whether two calls in a row give the same, where chance is asked for."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        first, second = (result_of(answer, probe) for _ in range(2))
    return torch.equal(first, second)


def without_gradient(exercise: Exercise, answer: Answer, probe: tuple) -> list[str]:
    """Which of the arguments that gradients must pass to get none, by name."""
    names = list(inspect.signature(exercise.reference).parameters)
    arguments = [
        copy.deepcopy(a.detach() if isinstance(a, Tensor) else a).requires_grad_() if name in exercise.graded else a
        for name, a in zip(names, probe, strict=True)
    ]
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())), torch.enable_grad():
        result = answer(*arguments)
    graded = isinstance(result, Tensor) and result.requires_grad
    missing = []
    for name, argument in zip(names, arguments, strict=True):
        if name in exercise.graded:
            leaves = [argument] if isinstance(argument, Tensor) else list(argument.parameters())
            total = result.sum() if graded else None
            found = torch.autograd.grad(total, leaves, retain_graph=True, allow_unused=True) if graded else [None]
            missing += [name] if any(g is None for g in found) else []
    return missing


def kind_of_numbers(answer: Answer, probe: tuple) -> str:
    """Which numbers an answer returns, if they are no floats: "torch.bool", "torch.int64"."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        result = answer(*(a.clone() if isinstance(a, Tensor) else a for a in probe))
    floats = not isinstance(result, Tensor) or result.is_floating_point()
    return "" if floats else str(result.dtype)


def result_of(answer: Answer, probe: tuple) -> Float64[Tensor, "..."]:
    """Call an answer on a copy of a probe; its result, in double precision.

    Raises NotAttemptedError, ChangedInputError or NotATensorError, and what the answer itself raises.
    """
    arguments = tuple(a.clone() if isinstance(a, Tensor) else a for a in probe)
    try:
        result = answer(*arguments)
    except NotImplementedError as error:
        if str(error):  # PyTorch's own, of an operation that a type lacks; a stub's bare one says nothing
            raise
        raise NotAttemptedError from None
    if result is None or result is Ellipsis:
        raise NotAttemptedError
    for k, (now, before) in enumerate(zip(arguments, probe, strict=True)):
        if isinstance(now, Tensor) and not torch.equal(now.detach(), before.detach()):
            raise ChangedInputError(k)
    try:
        return torch.as_tensor(result).detach().cpu().double()
    except (TypeError, ValueError, RuntimeError):
        hint = " (torch.stack makes one tensor of a list)" if isinstance(result, (list, tuple)) else ""
        raise NotATensorError(_a_or_an(type(result).__name__) + hint) from None


def _a_or_an(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
