"""What an argument must be, said by its annotation, and the sentence for what is something else.

``@validated`` reads the annotations of a function and refuses, in a learner's words, what they don't allow: what is
wrong, where, how to mend it. Shapes are jaxtyping's; ``kinds`` has names for the numbers that the course counts with.
"""

from vae_helpers.validation.annotations import validated
from vae_helpers.validation.conditions import Condition
from vae_helpers.validation.kinds import (
    AboveZero,
    Binary,
    BinaryInAStep,
    Device,
    Finite,
    FinitePixels,
    Grey,
    Labels,
    LabelsInAStep,
    NoisyPixelsInAStep,
    NotNegative,
    Pixels,
    PixelsInAStep,
    Positive,
    PositiveInt,
    Seed,
    UsableDevice,
    WholeNumber,
    Widths,
)
from vae_helpers.validation.objects import has

__all__ = [
    "AboveZero",
    "Binary",
    "BinaryInAStep",
    "Condition",
    "Device",
    "Finite",
    "FinitePixels",
    "Grey",
    "Labels",
    "LabelsInAStep",
    "NoisyPixelsInAStep",
    "NotNegative",
    "Pixels",
    "PixelsInAStep",
    "Positive",
    "PositiveInt",
    "Seed",
    "UsableDevice",
    "WholeNumber",
    "Widths",
    "has",
    "validated",
]
