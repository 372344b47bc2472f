"""Names for the numbers that the course counts with. Those of arrays stand where jaxtyping's ``Float`` stands.

``Finite[Tensor, " n d"]`` is a tensor (n, d) of floats without NaN. ``look`` is what ``@validated`` asks of the values;
jaxtyping, in the tests, sees type and shape alone.
"""

from typing import Annotated

from vae_helpers.validation import objects, pixels, tensors

import torch
from jaxtyping import AbstractDtype, Float

WholeNumber = Annotated[int, objects.from_zero]
Seed = WholeNumber
PositiveInt = Annotated[int, objects.at_least_one]
NotNegative = Annotated[float, objects.not_negative]
Positive = Annotated[float, objects.positive]
Device = Annotated[str | torch.device, objects.device]
UsableDevice = Annotated[str | torch.device, objects.usable_device]
Widths = Annotated[tuple[int, ...] | list[int], objects.widths]

FLOATS = tuple(Float.dtypes)


class Finite(AbstractDtype):
    """Floats, none of them NaN or infinite."""

    dtypes = FLOATS
    look = staticmethod(tensors.finite)


class AboveZero(AbstractDtype):
    """Finite floats, all of them positive."""

    dtypes = FLOATS
    look = staticmethod(tensors.above_zero)


class Binary(AbstractDtype):
    """Floats 0 and 1: a binarized image."""

    dtypes = FLOATS
    called, mend = "floats 0 and 1", "draw it with torch.bernoulli(data.to_float(x))"
    look = staticmethod(tensors.binary)


class BinaryInAStep(AbstractDtype):
    """Floats 0 and 1 where every training step passes, as PixelsInAStep."""

    dtypes, called, mend = FLOATS, Binary.called, Binary.mend
    look = staticmethod(tensors.binary_in_a_step)


class Grey(AbstractDtype):
    """Bytes, or floats; values are not looked at."""

    dtypes = ("uint8", *FLOATS)
    called, mend = "uint8 (0 to 255) or floats (0 to 1)", "convert it with {name}.to(torch.uint8) if it counts to 255"


class Pixels(AbstractDtype):
    """Bytes, or floats in [0, 1]."""

    dtypes, called, mend = Grey.dtypes, Grey.called, Grey.mend
    look = staticmethod(pixels.in_unit_interval)


class FinitePixels(AbstractDtype):
    """Bytes, or finite floats that noise or a model may have led out of [0, 1]."""

    dtypes, called, mend = Grey.dtypes, Grey.called, Grey.mend
    look = staticmethod(pixels.perhaps_noisy)


class PixelsInAStep(AbstractDtype):
    """Floats in [0, 1] where every training step passes: on a GPU ``fit`` looks once, at its door."""

    dtypes = FLOATS
    look = staticmethod(pixels.in_unit_interval_in_a_step)


class NoisyPixelsInAStep(AbstractDtype):
    """Floats that noise may have led out of [0, 1], where every training step passes, as PixelsInAStep."""

    dtypes = FLOATS
    look = staticmethod(pixels.perhaps_noisy_in_a_step)


class Labels(AbstractDtype):
    """Classes as int64, from 0 to below the model's ``n_classes`` (10 where no model is given)."""

    dtypes = ("int64",)
    called, mend = "int64 labels", "convert it with {name}.long()"
    look = staticmethod(tensors.labels)


class LabelsInAStep(AbstractDtype):
    """Labels where training steps pass: in a step of ``fit``, which has looked, a GPU's are not looked at again."""

    dtypes, called, mend = Labels.dtypes, Labels.called, Labels.mend
    look = staticmethod(tensors.labels_in_a_step)
