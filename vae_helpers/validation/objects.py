"""Checks of what is no tensor: numbers, functions, models, devices. Errors as of ``tensors``."""

from collections.abc import Callable
from math import inf, isfinite
from numbers import Real

import torch
from torch import nn


def whole_number(value: object, name: str) -> None:
    """Raise TypeError or ValueError unless ``value`` is an int of at least 0: a seed, a gap."""
    _an_int(value, name)
    if not 0 <= value < 2**63:
        raise ValueError(f"{name} must be at least 0, and below 2⁶³, got {value}.")


def positive_int(value: object, name: str) -> None:
    """Raise TypeError or ValueError unless ``value`` is an int of at least 1."""
    _an_int(value, name)
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}.")


def _an_int(value: object, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, got {value!r} of type {type(value).__name__}.")


def number(value: object, name: str, low: float = -inf, high: float = inf) -> None:
    """Raise TypeError or ValueError unless ``value`` is a finite plain number from ``low`` to ``high``."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a plain number, got {value!r} of type {type(value).__name__}.")
    if not (isfinite(value) and low <= value <= high):
        limits = f"lie in [{low:g}, {high:g}]" if isfinite(high) else f"be finite and at least {low:g}"
        raise ValueError(f"{name} must {limits if isfinite(low) else 'be finite'}, got {value}.")


def not_negative(value: object, name: str) -> None:
    """Raise TypeError or ValueError unless ``value`` is a finite plain number of at least 0."""
    number(value, name, low=0)


def positive(value: object, name: str) -> None:
    """Raise TypeError or ValueError unless ``value`` is a finite plain number above 0."""
    number(value, name)
    if value <= 0:
        raise ValueError(f"{name} must be positive, got {value}.")


def an(*kinds: type) -> Callable[[object, str], None]:
    """A check that raises TypeError unless the value is of one of these types."""

    def checked(value: object, name: str) -> None:
        """Raise TypeError for another type."""
        if not isinstance(value, kinds):
            names = " or ".join(kind.__name__ for kind in kinds)
            raise TypeError(f"{name} must be of type {names}, got {type(value).__name__}.")

    return checked


def function(value: object, name: str) -> None:
    """Raise TypeError unless ``value`` can be called."""
    if not callable(value):
        raise TypeError(f"{name} must be the function itself, without brackets, got {type(value).__name__}.")


def model_with(*attributes: str) -> Callable[[object, str], None]:
    """A check that raises TypeError unless the value has these methods or attributes."""

    def checked(value: object, name: str) -> None:
        """Raise TypeError where one is missing."""
        lacking = [a for a in attributes if not hasattr(value, a)]
        if lacking or isinstance(value, type):
            what = f"{type(value).__name__} without {' and '.join(lacking)}" if lacking else "a class: call it first"
            raise TypeError(f"{name} must be a model with {' and '.join(attributes)}, got {what}.")

    return checked


def module(value: object, name: str) -> None:
    """Raise TypeError unless ``value`` is a torch.nn.Module."""
    if not isinstance(value, nn.Module):
        raise TypeError(f"{name} must be a torch.nn.Module, got {type(value).__name__}.")


def device(value: object, name: str) -> None:
    """Raise TypeError or ValueError unless ``value`` names a device, such as "cpu"."""
    if not isinstance(value, (str, torch.device)):
        raise TypeError(f'{name} must be a torch.device or a name such as "cpu", got {type(value).__name__}.')
    try:
        torch.device(value)
    except RuntimeError as error:
        raise ValueError(f'{name} must be a device such as "cpu" or "cuda", got {value!r}.') from error
