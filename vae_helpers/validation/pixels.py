"""Checks of what is in images: where they run from and to, whether noise can have led them there, and the mend.

A look costs 30 µs on the CPU, once for a tensor however many doors it passes. On a GPU it waits for the device; there
``fit`` looks at all images once, at its door, and not at every step.
"""

import weakref
from contextlib import suppress

from vae_helpers.validation.conditions import Condition
from vae_helpers.validation.looks import may_look

import torch
from jaxtyping import Shaped
from torch import Tensor

AnyTensor = Shaped[Tensor, "..."]
PAPER = 0.02  # share of an image's pixels that are exactly alike: no noise does that


class _Ends:
    """The smallest and largest entry of a tensor; of the two that came by last, those seen then."""

    def __init__(self) -> None:
        self.seen = ()

    def __call__(self, value: AnyTensor) -> tuple[float, float]:
        if value.is_inference():  # its changes are not counted
            return self._look(value)
        for tensor, version, ends in self.seen:
            if tensor() is value and version == value._version:  # it grows with each change in place
                return ends
        ends = self._look(value)
        self.seen = ((weakref.ref(value), value._version, ends), *self.seen[:1])
        return ends

    def _look(self, value: AnyTensor) -> tuple[float, float]:
        low, high = torch.aminmax(value.detach())
        return low.item(), high.item()


_ends = _Ends()


@Condition
def in_unit_interval(value: AnyTensor, name: str) -> None:
    """Raise ValueError unless all floats are in [0, 1], and none is NaN (uint8 always passes)."""
    if not value.is_floating_point() or value.numel() == 0:
        return
    low, high = _ends(value)
    _no_nan(low, value, name)
    if low < 0 or high > 1:
        raise ValueError(f"{name} must lie in [0, 1], but runs from {low:g} to {high:g}: {_mend(value, name)}.")


@Condition
def perhaps_noisy(value: AnyTensor, name: str) -> None:
    """Raise ValueError for NaN, infinity, and images of another scale; what noise or a model led out of [0, 1] may."""
    if not value.is_floating_point() or value.numel() == 0:
        return
    low, high = _ends(value)
    _no_nan(low, value, name)
    if low == -torch.inf or high == torch.inf:
        raise ValueError(f"{name} must be finite, but holds infinity: look where it comes from.")
    if (low < 0 or high > 1) and scale_of(value):
        raise ValueError(
            f"{name} must hold images in [0, 1], which noise alone may leave, but runs from {low:g} to {high:g}: "
            f"{_mend(value, name)}."
        )


def scale_of(images: AnyTensor) -> str:
    """On which scale images are that noise can't have led out of [0, 1]: "bytes", "signed", "standardised", or ""."""
    low, high = _ends(images)
    if low >= 0:  # noise leads to both sides
        return "bytes" if high > 2 else ""
    if -1 <= low < -0.99 and 0.9 < high <= 1:
        return "signed"
    first = images.detach()[0]
    lowest = first.amin()
    return "standardised" if lowest < -0.2 and (first == lowest).float().mean() > PAPER else ""


def _mend(value: AnyTensor, name: str) -> str:
    return {
        "bytes": f"divide by 255 ({name} / 255)",
        "signed": f"it is scaled to [−1, 1], as by Normalize(0.5, 0.5): take ({name} + 1) / 2",
        "standardised": "leave out the transform that subtracts a mean and divides by a standard deviation",
        "": f"divide by 255, or clamp added noise with {name}.clamp(0, 1)",
    }[scale_of(value)]


def _no_nan(low: float, value: AnyTensor, name: str) -> None:
    if low != low:
        bad = int(value.isnan().flatten(1).any(1).sum())
        raise ValueError(f"{name} holds NaN in {bad} of {len(value)} images: drop or mend them.")


def _where_it_is_cheap(check: Condition) -> Condition:
    @Condition
    def checked(value: AnyTensor, name: str) -> None:
        """Ask where a look costs little; what can't be looked at, as inside torch.func.vmap, may pass."""
        if may_look(value.device):
            with suppress(RuntimeError):
                check(value, name)

    return checked


in_unit_interval_in_a_step = _where_it_is_cheap(in_unit_interval)
perhaps_noisy_in_a_step = _where_it_is_cheap(perhaps_noisy)
