"""Errors per pixel, MSE and PSNR, and the standard error of a mean."""

from math import log10
from typing import Annotated

from vae_helpers.data import in_float64, to_float
from vae_helpers.evaluation.batchwise import Batchwise
from vae_helpers.validation import Finite, FinitePixels, Pixels, Positive, PositiveInt, tensors, validated

import torch
from torch import Tensor


@validated
def mse(x_hat: FinitePixels[Tensor, " n 1 28 28"], x: Pixels[Tensor, " n 1 28 28"]) -> float:
    """Mean squared error *per pixel* of x_hat from x."""
    pairs = zip(x_hat.split(2000), x.split(2000), strict=True)
    return sum(in_float64((to_float(a) - to_float(b)).square()).sum().item() for a, b in pairs) / x.numel()


@validated
@torch.no_grad()
def reconstruction_mse(
    reconstruct: Batchwise,
    x: FinitePixels[Tensor, " n 1 28 28"],
    target: Pixels[Tensor, " n 1 28 28"] | None = None,
    batch_size: PositiveInt = 2000,
) -> float:
    """Mean squared error *per pixel* between reconstruct(x) and ``target`` (default x itself), in batches.

    reconstruct: floats (b, 1, 28, 28) → the same shape.
    """
    target = x if target is None else target
    pairs = zip(x.split(batch_size), target.split(batch_size), strict=True)
    return sum(mse(reconstruct(to_float(a)), b) * len(a) for a, b in pairs) / len(x)


@validated
def psnr(mean_squared_error: Positive) -> float:
    """Peak signal-to-noise ratio in dB of a (pooled) mean squared error, for images in [0, 1]: −10 log₁₀ MSE."""
    return -10 * log10(mean_squared_error)


@validated
def mean_and_error(values: Annotated[Finite[Tensor, " n"], tensors.at_least_two]) -> tuple[float, float]:
    """Mean of one value per image and its standard error, σ/√n. For two models: of their differences."""
    values = in_float64(values)
    return values.mean().item(), values.std().item() / len(values) ** 0.5
