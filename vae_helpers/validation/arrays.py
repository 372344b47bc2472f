"""What an annotation such as ``Float[Tensor, " n d"]`` asks of a value, and the sentence for what is something else.

An axis is a number, a name (one size wherever it stands in a signature), ``{expression}`` of the arguments, ``_`` (any
size), or, once, ``...`` or ``*name`` (any number of axes). Empty arrays are refused.
"""

from collections.abc import Mapping
from types import CodeType

import numpy as np
import torch
from torch import Tensor

Sizes = dict[str, tuple[object, str]]  # of each axis met so far: its size, and the argument that it was met in
DTYPES = {str(d).removeprefix("torch."): d for d in vars(torch).values() if isinstance(d, torch.dtype)}
PIXELS, FLOATS, INTEGERS = "uint8 (0 to 255) or floats (0 to 1)", "floats", "int64"


class ShapeError(ValueError):
    """An array of another shape than the annotation's."""


class ArrayCheck:
    """The check of one annotation: (value, name, what was given, sizes met so far) → nothing, TypeError, ValueError."""

    def __init__(self, annotation: type) -> None:
        self.kind = annotation.array_type
        names = annotation.dtypes if isinstance(annotation.dtypes, (list, tuple)) else DTYPES  # Shaped takes all
        known = DTYPES if self.kind is Tensor else np.sctypeDict
        self.dtypes = {np.dtype(known[d]) if self.kind is np.ndarray else known[d] for d in names if d in known}
        self.numbers = _numbers(set(names))
        self.axes = [_axis(word) for word in annotation.dim_str.split()]
        rest = [i for i, axis in enumerate(self.axes) if isinstance(axis, str) and axis[0] in ".*"]
        self.before = rest[0] if rest else len(self.axes)
        self.after = len(self.axes) - rest[0] - 1 if rest else None
        self.look = getattr(annotation.dtype, "look", None)
        self.looks_around = self.look is not None and self.look.__code__.co_argcount == 3

    def __call__(self, value: object, name: str, given: Mapping[str, object], sizes: Sizes) -> None:
        """Raise TypeError for another type, ValueError for another shape, or for values that may not be."""
        if not isinstance(value, self.kind) or value.dtype not in self.dtypes:
            raise TypeError(self._wrong_type(value, name))
        shape = tuple(value.shape)
        if not self._fits(shape, name, given, sizes):
            raise ShapeError(self._wrong_shape(shape, name, given, sizes))
        if 0 in shape:
            raise ValueError(f"{name} holds nothing: shape {shape}. Check how you selected it.")
        if self.looks_around:
            self.look(value, name, given)
        elif self.look:
            self.look(value, name)

    def _fits(self, shape: tuple[int, ...], name: str, given: Mapping[str, object], sizes: Sizes) -> bool:
        axes = self.axes
        if self.after is not None:
            if len(shape) < len(axes) - 1:
                return False
            end = len(shape) - self.after
            shape = (*shape[: self.before], shape[self.before : end], *shape[end:])
        elif len(shape) != len(axes):
            return False
        for axis, size in zip(axes, shape, strict=True):
            if type(axis) is str:
                if sizes.setdefault(axis, (size, name))[0] != size and axis not in ("_", "..."):
                    return False
            elif (axis if type(axis) is int else eval(axis, {}, given)) != size:
                return False
        return True

    def _wrong_type(self, value: object, name: str) -> str:
        if not isinstance(value, self.kind):
            return f"{name} must be a tensor of {self.numbers}, got {type(value).__name__}: torch.as_tensor makes one."
        mends = {
            FLOATS: f"bytes become floats by data.to_float({name})",
            PIXELS: f"convert it with {name}.to(torch.uint8) if it counts to 255",
            INTEGERS: f"convert it with {name}.long()",
            "float64": f"convert it with {name}.double()",
        }
        mend = f": {mends[self.numbers]}" if self.numbers in mends else ""
        return f"{name} must be a tensor of {self.numbers}, got {value.dtype}{mend}."

    def _wrong_shape(self, shape: tuple[int, ...], name: str, given: Mapping[str, object], sizes: Sizes) -> str:
        others = {axis: (size, by) for axis, (size, by) in sizes.items() if by != name and axis in self.axes}
        wanted = [_shown(axis, given, others) for axis in self.axes]
        beside = " and ".join(sorted({by for _, by in others.values()}))
        why = (" for this model" if any(type(axis) is CodeType for axis in self.axes) else "") + (
            f", to go with {beside}" if beside else ""
        )
        mend = "."
        if self.axes[1:] == [1, 28, 28] and _product(shape[1:]) == 784:
            mend = f": reshape it with {name}.view(-1, 1, 28, 28)."
        elif len(shape) == len(self.axes) - 1 and self.after is None:
            mend = f"; one alone needs {name}[None]."
        return f"{name} must have shape ({', '.join(wanted)}{',' * (len(wanted) == 1)}){why}, got {shape}{mend}"


def _axis(word: str) -> int | str | CodeType:
    if word.isdigit():
        return int(word)
    return compile(word[1:-1], word, "eval") if word[0] == "{" else word


def _shown(axis: int | str | CodeType, given: Mapping[str, object], others: Sizes) -> str:
    if type(axis) is CodeType:
        return str(eval(axis, {}, given))
    size = others[axis][0] if axis in others else axis
    return "…" if size == "..." or str(size).startswith("*") else str(size).strip("()")


def _numbers(names: set[str]) -> str:
    if {"uint8", "float32"} <= names:
        return PIXELS if "int64" not in names else "numbers"
    return FLOATS if len(names) > 1 and "float32" in names else " or ".join(sorted(names))


def _product(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape)) if shape else 0
