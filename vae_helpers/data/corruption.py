"""Corruptions M(x̃ | x): ways to spoil an image at random, so that a network has something to mend.

Notebook 02 writes them out. All take images (n, 1, 28, 28) as floats in [0, 1] and return floats of that shape. With a
``generator`` (on the images' device) a draw can be repeated; without one the global random state is used. Raises
TypeError or ValueError for other shapes, for bytes, and for amounts out of range. Values are not looked at: that would
make a GPU wait at every step. Vincent et al. 2008 (masking) and 2010, section 3.3 (all three).
"""

import functools
import inspect
from collections.abc import Callable
from math import inf, isfinite

from vae_helpers.validation import objects, tensors

import torch
from torch import Tensor

_GENERATOR, _FLAG = objects.an(torch.Generator), objects.an(bool)


def _checked(corrupt: Callable, name: str, highest: float, meaning: str) -> Callable:
    """A corruption (x, amount, …) that refuses what is no float image, and an amount not from 0 to ``highest``."""
    signature = inspect.signature(corrupt)

    @functools.wraps(corrupt)
    def checked(*args: object, **kwargs: object) -> Tensor:
        arguments = signature.bind(*args, **kwargs).arguments
        tensors.float_images(arguments["x"])
        if arguments.get("generator") is not None:
            _GENERATOR(arguments["generator"], "generator")
        _FLAG(arguments.get("clip", False), "clip")
        amount = arguments[name]
        if isinstance(amount, bool) or not isinstance(amount, (int, float)):
            raise TypeError(f"{name} must be a plain number, got {amount!r} of type {type(amount).__name__}.")
        if not (0 <= amount <= highest and isfinite(amount)):
            raise ValueError(f"{name} must be {meaning}, got {amount}.")
        return corrupt(*args, **kwargs)

    return checked


def _takes_a_proportion(corrupt: Callable) -> Callable:
    return _checked(corrupt, "proportion", 1, "a share of the pixels, from 0 to 1 (25 % is 0.25)")


def _takes_a_sigma(corrupt: Callable) -> Callable:
    return _checked(corrupt, "sigma_noise", inf, "a standard deviation, finite and at least 0")


@_takes_a_proportion
def choose_pixels(x: Tensor, proportion: float, generator: torch.Generator | None = None) -> Tensor:
    """A mask like x, True at the *same number* of pixels in every image, round(784 · proportion), drawn anew for each.

    Any set of so many pixels is equally likely: those with the largest of 784 random numbers.
    """
    count = round(proportion * x[0].numel())
    lots = torch.rand(x.flatten(1).shape, generator=generator, device=x.device)
    chosen = lots.topk(count, dim=1, sorted=False).indices
    mask = torch.zeros_like(lots, dtype=torch.bool).scatter(1, chosen, True)
    return mask.view_as(x)


@_takes_a_proportion
def masking(x: Tensor, proportion: float, generator: torch.Generator | None = None) -> Tensor:
    """A fixed proportion of each image's pixels forced to 0. Range: stays in [0, 1], and can only get darker.

    Vincent et al. 2008, section 2.3. No pixel is scaled up to make amends, unlike in dropout.
    """
    return x.masked_fill(choose_pixels(x, proportion, generator), 0.0)


@_takes_a_sigma
def gaussian(x: Tensor, sigma_noise: float, generator: torch.Generator | None = None, clip: bool = False) -> Tensor:
    """x + σ ε with ε ~ N(0, I). Range: all real numbers; with ``clip`` back to [0, 1], where its mean is no longer 0.

    Clipped noise lifts black paper and dims white: its mean depends on the pixel.
    """
    eps = torch.randn(x.shape, generator=generator, device=x.device)
    x_noisy = x + sigma_noise * eps
    return x_noisy.clamp(0, 1) if clip else x_noisy


@_takes_a_proportion
def salt_and_pepper(x: Tensor, proportion: float, generator: torch.Generator | None = None) -> Tensor:
    """A fixed proportion of each image's pixels set to 0 or 1 by a fair coin. Range: stays in [0, 1].

    Vincent et al. 2010, section 3.3. A pixel may by luck be set to what it was.
    """
    coins = torch.rand(x.shape, generator=generator, device=x.device).round()
    return torch.where(choose_pixels(x, proportion, generator), coins, x)
