"""The verdict on an answer: its results are compared with the reference's and with those of known mistakes."""

import textwrap
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from vae_helpers.exercises.engine.exercise import Answer, Exercise
from vae_helpers.exercises.engine.probes import NotATensorError, NotAttemptedError, WrongShapeError, run

import torch
from jaxtyping import Float64
from torch import Tensor

Results = Sequence[Float64[Tensor, "..."]]  # one for each probe


@dataclass(frozen=True)
class Verdict:
    """What a check found. status: "passed", "not attempted", "mistake" (known), "wrong" (unknown) or "error"."""

    status: str
    message: str

    @property
    def passed(self) -> bool:
        """Whether the answer agreed with the reference on every probe."""
        return self.status == "passed"

    def __repr__(self) -> str:
        mark = {"passed": "✓ ", "not attempted": "○ "}.get(self.status, "✗ ")
        return textwrap.fill(mark + self.message, width=88)


def examine(exercise: Exercise, answer: object) -> Verdict:
    """Compare an answer with the reference and the known mistakes."""
    if not callable(answer):
        return Verdict(
            "error",
            f"{exercise.id}: hand the function itself to the check, without brackets: got {answer!r}.",
        )
    try:
        results = run(exercise, answer)
    except NotAttemptedError:
        return Verdict(
            "not attempted",
            f"{exercise.id}: not attempted yet. It should return {exercise.expects}. "
            "(Did you write it? Then look for a missing return.)",
        )
    except NotATensorError as error:
        return Verdict("error", f"{exercise.id}: it returns {error}, but it should return {exercise.expects}.")
    except WrongShapeError as error:
        return Verdict("wrong", f"{exercise.id}: it returns shape {error}, but it should return {exercise.expects}.")
    except Exception as error:
        return Verdict(
            "error", f"{exercise.id}: {_where(error, answer)} raised {type(error).__name__}: {str(error)[:200]}"
        )
    return judge(exercise, results)


def judge(exercise: Exercise, results: Results) -> Verdict:
    """The verdict on an answer's results."""
    expected = run(exercise, exercise.reference)
    if agree(results, expected, exercise.tolerance):
        return Verdict("passed", f"{exercise.id}: passed.")
    for mistake in exercise.mistakes:
        if agree(results, run(exercise, mistake.answer), exercise.tolerance):
            return Verdict("mistake", f"{exercise.id}: {mistake.message}")
    pairs = zip(results, expected, strict=True)
    i, pair = next((i, p) for i, p in enumerate(pairs) if not agree(p[:1], p[1:], exercise.tolerance))
    only_here = "right for the first inputs, but for others " if i else ""
    return Verdict("wrong", f"{exercise.id}: {only_here}{_difference(exercise, *pair)}")


def agree(results: Results, expected: Results, tolerance: float) -> bool:
    """Whether all results have the expected shapes and, within the tolerance, the expected values."""
    return all(
        a.shape == b.shape and torch.allclose(a, b, rtol=tolerance, atol=tolerance)
        for a, b in zip(results, expected, strict=True)
    )


def _difference(exercise: Exercise, result: Float64[Tensor, "..."], expected: Float64[Tensor, "..."]) -> str:
    if result.shape != expected.shape and exercise.measure is None:
        return f"it returns shape {tuple(result.shape)} where {tuple(expected.shape)} is expected: {exercise.expects}."
    if not result.isfinite().all():
        return "it returns NaN or infinity: look for the log of zero, a division by zero, or the exp of a large number."
    if exercise.measure is not None:
        return "its result is not right, and it is none of the mistakes known here. Print a small case and look."
    worst = (result - expected).abs().argmax()
    return (
        f"the shape is right, the values are not, and it is none of the mistakes known here. On a small case: "
        f"{result.flatten()[worst]:.4f} where {expected.flatten()[worst]:.4f} is right."
    )


def _where(error: Exception, answer: Answer) -> str:
    """The learner's line that raised: the last frame in the file or cell of the answer."""
    written_in = getattr(getattr(answer, "__code__", None), "co_filename", None)
    own = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == written_in]
    return f"line {own[-1].lineno} of your cell ({own[-1].line})" if own else "calling your function"
