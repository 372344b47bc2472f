"""What an annotation such as ``Float[Tensor, " n d"]`` asks of a value, and the sentence for what is something else.

An axis is a number, a name (one size wherever it stands in a signature), ``{expression}`` of the arguments, ``_`` (any
size), or, once, ``...`` or ``*name`` (any number of axes; ``*#name``: they may broadcast). A batch of images holds one.
"""

from collections.abc import Mapping
from math import prod
from types import CodeType

from vae_helpers.validation.tensors import something

import numpy as np
import torch
from torch import Tensor

Sizes = dict[str, tuple[object, str]]  # of each axis met so far: its size, and the argument that it was met in
DTYPES = {str(d).removeprefix("torch."): d for d in vars(torch).values() if isinstance(d, torch.dtype)}

BYTES_TO_FLOATS = "convert it with data.to_float({name})"
ONE_HOT = "one-hot labels become numbers of classes with {name}.argmax(1)"
MENDS = {
    "floats": "convert it with {name}.float()",
    "int64": "convert it with {name}.long()",
    "float64": "convert it with {name}.double()",
}


class ShapeError(ValueError):
    """An array of another shape than the annotation's."""


class ArrayCheck:
    """The check of one annotation: (value, name, what was given, sizes met so far) → nothing, TypeError, ValueError."""

    def __init__(self, annotation: type) -> None:
        self.kind = annotation.array_type
        names = set(annotation.dtypes if isinstance(annotation.dtypes, (list, tuple)) else DTYPES)  # Shaped takes all
        known = DTYPES if self.kind is Tensor else np.sctypeDict
        self.dtypes = {np.dtype(known[d]) if self.kind is np.ndarray else known[d] for d in names if d in known}
        self.numbers = getattr(annotation.dtype, "called", None) or _called(names)
        self.mend = getattr(annotation.dtype, "mend", MENDS.get(self.numbers))
        self.axes = [_axis(word) for word in annotation.dim_str.split()]
        rest = [i for i, axis in enumerate(self.axes) if isinstance(axis, str) and axis[0] in ".*"]
        self.before = rest[0] if rest else len(self.axes)
        self.after = len(self.axes) - rest[0] - 1 if rest else None
        self.look = getattr(annotation.dtype, "look", None)

    def __call__(self, value: object, name: str, given: Mapping[str, object], sizes: Sizes) -> None:
        """Raise TypeError for another type, ValueError for another shape, or for values that may not be."""
        if not isinstance(value, self.kind) or value.dtype not in self.dtypes:
            raise TypeError(self._wrong_type(value, name))
        shape = tuple(value.shape)
        if not self._fits(shape, name, given, sizes):
            raise ShapeError(self._wrong_shape(shape, name, given, sizes))
        if 0 in shape and self.axes[1:] == [1, 28, 28]:
            something(value, name)
        if self.look:
            self.look(value, name, given) if self.look.looks_around else self.look(value, name)

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
                met = sizes.setdefault(axis, (size, name))[0]
                if met != size and axis not in ("_", "...") and not (axis[:2] == "*#" and _broadcast(met, size)):
                    return False
            elif (axis if type(axis) is int else eval(axis, {}, given)) != size:
                return False
        return True

    def _wrong_type(self, value: object, name: str) -> str:
        if value is None:
            return f"{name} is missing: hand over a tensor of {self.numbers}."
        if not isinstance(value, self.kind):
            return f"{name} must be a tensor of {self.numbers}, got {type(value).__name__}: torch.as_tensor makes one."
        mend = BYTES_TO_FLOATS if self.numbers == "floats" and value.dtype == torch.uint8 else self.mend
        if self._takes_labels() and value.ndim == 2 and value.shape[1] > 1:
            mend = ONE_HOT
        return f"{name} must be a tensor of {self.numbers}, got {value.dtype}" + (
            f": {mend.format(name=name)}." if mend else "."
        )

    def _wrong_shape(self, shape: tuple[int, ...], name: str, given: Mapping[str, object], sizes: Sizes) -> str:
        others = {axis: (size, by) for axis, (size, by) in sizes.items() if by != name and axis in self.axes}
        wanted = [_shown(axis, given, others) for axis in self.axes]
        beside = " and ".join(sorted({by for _, by in others.values()}))
        why = (" for this model" if any(type(axis) is CodeType for axis in self.axes) else "") + (
            f", to go with {beside}" if beside else ""
        )
        mend = ""
        if self.axes[1:] == [1, 28, 28] != list(shape[1:]):
            mend = _mend_of_images(shape)
        elif self._takes_labels() and len(shape) == 2 and shape[1] > 1:
            mend = ": " + ONE_HOT
        elif len(shape) == len(self.axes) - 1 and self.after is None:
            mend = "; one alone needs {name}[None]"
        wanted = f"({', '.join(wanted)}{',' * (len(wanted) == 1)}){why}"
        return f"{name} must have shape {wanted}, got {shape}{mend.format(name=name)}."

    def _takes_labels(self) -> bool:
        return self.dtypes == {torch.int64} and len(self.axes) == 1


def _mend_of_images(shape: tuple[int, ...]) -> str:
    """What makes a batch of images of a tensor of another shape: one image, flat ones, coloured, larger or smaller."""
    if shape == (3, 28, 28):
        return (
            ": three images want {name}.view(-1, 1, 28, 28), and one in colour becomes a batch of one grey image with "
            "data.to_float({name}).mean(0)[None, None]"
        )
    if len(shape) < 4 and prod(shape) == 784:
        return ": one image alone is a batch of one, {name}.view(1, 1, 28, 28)"
    if prod(shape[1:]) == 784:
        return ": reshape it with {name}.view(-1, 1, 28, 28)"
    if len(shape) == 4 and shape[1:] == (3, 28, 28):
        return ": the course's images are grey, data.to_float({name}).mean(1, keepdim=True)"
    if len(shape) == 4 and shape[1:] == (28, 28, 3):
        return ": the course's images are grey, data.to_float({name}).mean(3)[:, None]"
    if len(shape) == 4 and shape[1] == 1:
        return ": resize it with torch.nn.functional.interpolate(data.to_float({name}), (28, 28))"
    return ""


def _called(names: set[str]) -> str:
    if {"float32", "int64"} <= names:
        return "numbers"
    return "floats" if {"float32", "float64"} <= names else " or ".join(sorted(names))


def _axis(word: str) -> int | str | CodeType:
    if word.isdigit():
        return int(word)
    return compile(word[1:-1], word, "eval") if word[0] == "{" else word


def _shown(axis: int | str | CodeType, given: Mapping[str, object], others: Sizes) -> str:
    if type(axis) is CodeType:
        return str(eval(axis, {}, given))
    size = others[axis][0] if axis in others else axis
    if type(size) is tuple:
        return ", ".join(map(str, size))
    return "…" if str(size)[0] in "*." else str(size)


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(i == j or 1 in (i, j) for i, j in zip(reversed(a), reversed(b), strict=False))
