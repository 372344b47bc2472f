"""Errors per pixel, MSE and PSNR, and the standard error of a mean."""

from vae_helpers.data import to_float
from vae_helpers.evaluation.batchwise import Batchwise
from vae_helpers.validation import objects, tensors, validate

import torch
from torch import Tensor


@validate.arguments(x_hat=tensors.finite_images, x=tensors.images)
def mse(x_hat: Tensor, x: Tensor) -> float:
    """Mean squared error *per pixel* of x_hat from x, both (n, 1, 28, 28), uint8 or floats; x floats in [0, 1]."""
    if x_hat.shape != x.shape:
        raise ValueError(f"x_hat and x must have one shape, got {tuple(x_hat.shape)} and {tuple(x.shape)}.")
    pairs = zip(x_hat.split(2000), x.split(2000), strict=True)
    return sum((to_float(a) - to_float(b)).square().sum(dtype=torch.float64).item() for a, b in pairs) / x.numel()


@validate.arguments(
    reconstruct=objects.function, x=tensors.finite_images, target=tensors.images, batch_size=objects.positive_int
)
@torch.no_grad()
def reconstruction_mse(
    reconstruct: Batchwise, x: Tensor, target: Tensor | None = None, batch_size: int = 2000
) -> float:
    """Mean squared error *per pixel* between reconstruct(x) and ``target`` (default x itself), in batches.

    x, target: images (n, 1, 28, 28), uint8 or floats in [0, 1]; reconstruct: floats (b, 1, 28, 28) → the same shape.
    """
    target = x if target is None else target
    if target.shape != x.shape:
        raise ValueError(f"target and x must have one shape, got {tuple(target.shape)} and {tuple(x.shape)}.")
    pairs = zip(x.split(batch_size), target.split(batch_size), strict=True)
    return sum(mse(reconstruct(to_float(a)), b) * len(a) for a, b in pairs) / len(x)


@validate.arguments(mean_squared_error=objects.positive)
def psnr(mean_squared_error: float) -> float:
    """Peak signal-to-noise ratio in dB of a (pooled) mean squared error, for images in [0, 1]: −10 log₁₀ MSE."""
    return -10 * torch.tensor(mean_squared_error, dtype=torch.float64).log10().item()


@validate.arguments(values=tensors.row)
def mean_and_error(values: Tensor) -> tuple[float, float]:
    """Mean of one value per image (n,), n ≥ 2, and its standard error, σ/√n. For two models: of their differences."""
    if len(values) < 2:
        raise ValueError(f"values must be a row of at least two, one per image, got shape {tuple(values.shape)}.")
    values = values.double()
    return values.mean().item(), values.std().item() / len(values) ** 0.5
