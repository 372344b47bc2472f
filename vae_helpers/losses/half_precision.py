"""Losses are sums of hundreds of terms: half precision, which autocast hands over, would lose what they differ by."""

import functools
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

HALF = (torch.bfloat16, torch.float16)
Function = TypeVar("Function", bound=Callable)


def in_float32(function: Function) -> Function:
    """Decorate a function of tensors: it is handed those of half precision as float32."""

    @functools.wraps(function)
    def checked(*args: object, **kwargs: object) -> object:
        """Hand over what is wide enough."""
        kwargs = {name: _at_least_float32(value) for name, value in kwargs.items()}
        return function(*(_at_least_float32(value) for value in args), **kwargs)

    return checked


def _at_least_float32(value: object) -> object:
    return value.float() if isinstance(value, Tensor) and value.dtype in HALF else value
