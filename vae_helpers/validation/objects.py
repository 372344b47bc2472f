"""Checks of what is no tensor: numbers, models, devices. All take (value, name), and raise TypeError or ValueError."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from math import inf, isfinite
from numbers import Real
from pathlib import Path

from vae_helpers.validation.conditions import Condition, named

import torch
from torch import nn


def whole_number(value: object, name: str) -> None:
    """Raise TypeError unless ``value`` is an int, and no bool."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, got {value!r} of type {type(value).__name__}.")


@Condition
def from_zero(value: int, name: str) -> None:
    """Raise ValueError for a whole number below 0, or above what torch takes as a seed."""
    if not 0 <= value < 2**63:
        raise ValueError(f"{name} must be at least 0, and below 2⁶³, got {value}.")


@Condition
def at_least_one(value: int, name: str) -> None:
    """Raise ValueError for a whole number below 1."""
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}.")


def number(value: object, name: str, low: float = -inf, high: float = inf) -> None:
    """Raise TypeError or ValueError unless ``value`` is a finite plain number from ``low`` to ``high``."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a plain number, got {value!r} of type {type(value).__name__}.")
    if not (isfinite(value) and low <= value <= high):
        limits = f"lie in [{low:g}, {high:g}]" if isfinite(high) else f"be finite and at least {low:g}"
        raise ValueError(f"{name} must {limits if isfinite(low) else 'be finite'}, got {value}.")


@Condition
def not_negative(value: float, name: str) -> None:
    """Raise ValueError for a number below 0."""
    number(value, name, low=0)


@Condition
def positive(value: float, name: str) -> None:
    """Raise ValueError for a number that is not above 0."""
    if value <= 0:
        raise ValueError(f"{name} must be positive, got {value}.")


@Condition
def widths(value: Sequence[object], name: str) -> None:
    """Raise TypeError or ValueError unless ``value`` holds positive whole numbers alone."""
    for width in value:
        whole_number(width, f"each width in {name}")
        at_least_one(width, f"each width in {name}")


def instance(*kinds: type) -> Callable[[object, str], None]:
    """A check that raises TypeError unless the value is of one of these types."""

    def checked(value: object, name: str) -> None:
        """Raise TypeError for another type."""
        if not isinstance(value, kinds):
            names = " or ".join(kind.__name__ for kind in kinds)
            raise TypeError(f"{name} must be of type {names}, got {type(value).__name__}.")

    return checked


def one_of(names: Iterable[object]) -> Condition:
    """A check that raises ValueError unless the value is one of these."""
    allowed = list(names)

    @named(f"one of {', '.join(map(str, allowed))}")
    def checked(value: object, name: str) -> None:
        """Raise ValueError for another name."""
        if value not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}.")

    return checked


def function(value: object, name: str) -> None:
    """Raise TypeError unless ``value`` can be called."""
    if not callable(value):
        raise TypeError(f"{name} must be the function itself, without brackets, got {type(value).__name__}.")


def module(value: object, name: str) -> None:
    """Raise TypeError unless ``value`` is a torch.nn.Module."""
    if not isinstance(value, nn.Module):
        got = f"the class {value.__name__}: call it first" if isinstance(value, type) else type(value).__name__
        raise TypeError(f"{name} must be a torch.nn.Module, got {got}.")


def has(*attributes: str) -> Condition:
    """A check that raises TypeError unless the value has these methods or attributes."""

    @named(f"has {', '.join(attributes)}")
    def checked(value: object, name: str) -> None:
        """Raise TypeError where one is missing."""
        lacking = [a for a in attributes if not hasattr(value, a)]
        if lacking:
            got = f"{type(value).__name__} without {' and '.join(lacking)}"
            raise TypeError(f"{name} must be a model with {' and '.join(attributes)}, got {got}.")

    return checked


@Condition
def device(value: str | torch.device, name: str) -> None:
    """Raise ValueError unless ``value`` names a device, such as "cpu"."""
    try:
        torch.device(value)
    except RuntimeError as error:
        raise ValueError(f'{name} must be a device such as "cpu" or "cuda", got {value!r}.') from error


def why_not(device: str | torch.device) -> str:
    """Why a device can't be used, as the end of a sentence; "" where it has just added two numbers."""
    kind, index = torch.device(device).type, torch.device(device).index or 0
    if kind == "cuda" and not torch.cuda.is_available():
        return "PyTorch sees no GPU here"
    if kind == "cuda" and index >= torch.cuda.device_count():
        return f"the GPUs here are numbered from 0 to {torch.cuda.device_count() - 1}"
    if kind == "mps" and not torch.backends.mps.is_available():
        return "PyTorch sees no GPU of Apple's here"
    try:
        (torch.ones(2, device=device) + 1).sum().item()
    except (RuntimeError, NotImplementedError, AssertionError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        return f"the device {device} fails at its first kernel ({said[:200]})"
    return ""


@Condition
def usable_device(value: str | torch.device, name: str) -> None:
    """Raise ValueError unless ``value`` names a device that computes."""
    device(value, name)
    if reason := why_not(value):
        raise ValueError(f'{name} is "{value}", but {reason}: take "cpu", or leave it out.')


@Condition
def no_folder(value: str | Path, name: str) -> None:
    """Raise ValueError for the path of a folder where a file is wanted."""
    if Path(value).is_dir():
        example = Path(value) / "model.pt"
        raise ValueError(f"{name} must be a file, and {value} is a folder: name one in it, such as {example}.")


def needs_no_labels(*methods: str) -> Condition:
    """A check that raises TypeError for a model without these methods, or one that needs labels for them."""

    @named("needs no labels")
    def checked(value: nn.Module, name: str) -> None:
        """Raise TypeError where a method can't do without a second argument."""
        has(*methods)(value, name)
        for method in methods:
            _, *others = inspect.signature(getattr(value, method)).parameters.values()
            if any(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in others):
                raise TypeError(
                    f"{name}: {type(value).__name__} needs labels, and this widget can't ask for a class: "
                    "use widgets.class_explorer for it."
                )

    return checked
