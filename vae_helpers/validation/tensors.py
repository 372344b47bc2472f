"""Checks of what is *in* a tensor whose type and shape are right: (value, name), and what else was given if it matters.

They raise ValueError (TypeError for another precision than the model's): what is wrong, where, how to mend it.
"""

from collections.abc import Mapping
from math import isfinite

from vae_helpers.validation.conditions import Condition
from vae_helpers.validation.looks import may_look

import torch
from jaxtyping import Shaped
from torch import Tensor

AnyTensor = Shaped[Tensor, "..."]
N_CLASSES = 10
TO_PRECISION = {torch.float32: "float()", torch.float64: "double()", torch.float16: "half()"}


@Condition
def something(value: AnyTensor, name: str) -> None:
    """Raise ValueError for a tensor without an entry."""
    if value.numel() == 0:
        raise ValueError(f"{name} holds nothing: shape {tuple(value.shape)}. Check how you selected it.")


@Condition
def finite(value: AnyTensor, name: str) -> None:
    """Raise ValueError where a tensor holds nothing, NaN or infinity."""
    something(value, name)
    if value.is_floating_point() and not (isfinite(value.amin().item()) and isfinite(value.amax().item())):
        raise ValueError(f"{name} must be finite, but holds NaN or infinity: look where it comes from.")


@Condition
def binary(value: AnyTensor, name: str) -> None:
    """Raise ValueError unless all are 0 or 1."""
    if not ((value == 0) | (value == 1)).all():
        raise ValueError(f"{name} must hold floats 0 and 1 only: draw it with torch.bernoulli(data.to_float(x)).")


@Condition
def binary_in_a_step(value: AnyTensor, name: str) -> None:
    """As ``binary``; but within ``looks.looked_at`` those on a GPU pass: a look would wait for it at every step."""
    if may_look(value.device):
        binary(value, name)


@Condition
def above_zero(value: AnyTensor, name: str) -> None:
    """Raise ValueError unless all entries are positive, and finite."""
    finite(value, name)
    if not value.amin() > 0:
        raise ValueError(f"{name} must be positive everywhere, got {value.amin():g}.")


@Condition
def increasing(value: AnyTensor, name: str) -> None:
    """Raise ValueError unless ``value`` is an increasing row of at least two numbers."""
    if len(value) < 2 or not (value.diff() > 0).all():
        raise ValueError(f"{name} must be an increasing row of at least two numbers.")


@Condition
def one_row_or_more(value: AnyTensor, name: str) -> None:
    """Raise ValueError unless ``value`` is (d,) or (n, d)."""
    if value.ndim > 2:
        raise ValueError(f"{name} must have shape (d,) or (n, d), got {tuple(value.shape)}.")


@Condition
def at_least_two(value: AnyTensor, name: str) -> None:
    """Raise ValueError for a single entry."""
    if len(value) < 2:
        raise ValueError(f"{name} must hold at least two, got shape {tuple(value.shape)}.")


@Condition
def positive_definite(value: AnyTensor, name: str) -> None:
    """Raise ValueError unless a matrix is symmetric and positive definite."""
    if not torch.allclose(value, value.T) or torch.linalg.cholesky_ex(value).info:
        raise ValueError(
            f"{name} must be symmetric and positive definite: "
            "a covariance is, if it comes from more draws than dimensions."
        )


@Condition
def labels(value: AnyTensor, name: str, given: Mapping[str, object]) -> None:
    """Raise ValueError unless labels run from 0 to below the ``n_classes`` given, or the model's, or 10."""
    if value.numel() == 0:
        return
    model = given.get("self", given.get("model"))
    n_classes = given.get("n_classes", getattr(model, "n_classes", N_CLASSES))
    low, high = value.min().item(), value.max().item()
    if low < 0 or high >= n_classes:
        raise ValueError(f"{name} must hold labels from 0 to {n_classes - 1}, but runs from {low} to {high}.")


@Condition
def labels_in_a_step(value: AnyTensor, name: str, given: Mapping[str, object]) -> None:
    """As ``labels``; but within ``looks.looked_at`` those on a GPU pass: a look would wait for it at every step."""
    if may_look(value.device):
        labels(value, name, given)


@Condition
def suits_the_model(value: AnyTensor, name: str, given: Mapping[str, object]) -> None:
    """Raise TypeError or ValueError where a tensor has another precision than the model's weights, or is elsewhere."""
    weight = next(given.get("self", given.get("model")).parameters(), value)
    if value.dtype != weight.dtype and value.is_floating_point() and not _cast_by_autocast(value, weight):
        theirs, own = (str(t.dtype).removeprefix("torch.") for t in (value, weight))
        mend = TO_PRECISION.get(weight.dtype, f"to({weight.dtype})")
        raise TypeError(f"{name} is {theirs}, the model's weights are {own}: convert it with {name}.{mend}.")
    if value.device != weight.device:
        mend = f"move it with {name}.to({str(weight.device)!r})"
        raise ValueError(f"{name} is on {value.device}, the model on {weight.device}: {mend}.")


def _cast_by_autocast(value: AnyTensor, weight: AnyTensor) -> bool:
    return torch.is_autocast_enabled(value.device.type) and torch.float64 not in (value.dtype, weight.dtype)
