"""What to look at where nothing explains an answer: inputs, its value and the right one, side by side."""

import inspect
from collections.abc import Sequence

from vae_helpers.exercises.engine.exercise import Exercise
from vae_helpers.exercises.engine.outputs import Result, same

import torch
from torch import Tensor

Results = Sequence[Result]  # one for each probe
NOT_FINITE = "it returns NaN or infinity: look for the log of zero, a division by zero, or the exp of a large number."
WHERE_LOGS_END = (
    "right for numbers of moderate size, and NaN or infinite where exp under- or overflows or a log meets 0: "
    "stay with logarithms, and take the largest out of a sum of exponentials first, each row's own."
)
WHERE_NOTHING_IS = (
    "right where it is finite, and NaN or infinite elsewhere: look for a division by zero, such as the mean or the "
    "variance of no rows at all."
)


def unexplained(exercise: Exercise, probes: list[tuple], results: Results, expected: Results) -> str:
    """What to look at where nothing explains an answer: inputs, its value and the right one."""
    pairs = list(zip(results, expected, strict=True))
    i = next(k for k, (a, b) in enumerate(pairs) if not same(a, b, exercise.tolerance))
    result, right = pairs[i]
    if result.shape != right.shape and exercise.measure is None:
        return f"it returns shape {tuple(result.shape)} where {tuple(right.shape)} is expected: {exercise.expects}."
    if not result.isfinite().all():
        return NOT_FINITE
    if exercise.measure is not None:
        return "its draws are not right, in a way that has no name here. " + _measured(exercise, result, right)
    worst = (result - right).abs().argmax()
    place = ", ".join(str(int(k)) for k in torch.unravel_index(worst, right.shape))
    values = f"{result.flatten()[worst]:.4f} where {right.flatten()[worst]:.4f} is right"
    values += f", at [{place}]" if place else ""
    start = "right for the first inputs and not for others. There" if i else "the shape is right, the values are not"
    return f"{start}, and no simple change explains it: {values}. Inputs: {_excerpt(exercise, probes[i])}."


def _measured(exercise: Exercise, result: Tensor, right: Tensor) -> str:
    worst = (result - right).abs().argsort(descending=True)[:3]
    found = [
        f"{exercise.labels[k]} is {result[k]:.2f}, wanted {right[k]:.2f}" for k in worst if k < len(exercise.labels)
    ]
    said = "; ".join(found) or "Print a small case and look"
    return f"{said[0].upper()}{said[1:]}."


def _excerpt(exercise: Exercise, probe: tuple) -> str:
    names = list(inspect.signature(exercise.reference).parameters)
    return ", ".join(
        f"{name} = {_shown(value)}" for name, value in zip(names, probe, strict=False) if not callable(value)
    )


def _shown(value: object) -> str:
    if isinstance(value, Tensor) and value.ndim:
        rows = value.flatten(1)[:2, :3].tolist() if value.ndim > 1 else [value[:3].tolist()]
        numbers = "; ".join(" ".join(f"{number:.2f}" for number in row) for row in rows)
        return f"{tuple(value.shape)} [{numbers} …]"
    if isinstance(value, (int, float, Tensor)):
        return f"{value:.3g}"
    return repr(value) if isinstance(value, str) else getattr(value, "__name__", type(value).__name__)
