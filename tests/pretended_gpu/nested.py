"""Tensors within lists, tuples and dictionaries."""

from torch import Tensor


def mapped(function, value):
    """The same nest, with ``function`` of each tensor in its place."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, (list, tuple)):
        parts = [mapped(function, part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, dict):
        return type(value)((name, mapped(function, part)) for name, part in value.items())
    return value


def tensors_in(value):
    """All tensors of a nest, in order."""
    found = []
    mapped(found.append, value)
    return found
