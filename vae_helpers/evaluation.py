"""Figures of merit. What scikit-learn has (PCA, mixtures, logistic regression) comes from there."""

from collections.abc import Callable

import torch
from torch import Tensor

from vae_helpers import checks
from vae_helpers.data import to_float

Batchwise = Callable[[Tensor], Tensor]


@torch.no_grad()
def in_batches(function: Batchwise, x: Tensor, batch_size: int = 2000) -> Tensor:
    """Apply a function of images or codes to all of ``x`` in batches, without gradients; uint8 images become floats."""
    results = [function(to_float(part)) for part in x.split(batch_size)]
    if not isinstance(results[0], Tensor) or results[0].ndim == 0:
        kind = type(results[0]).__name__
        raise TypeError(f"function must return a tensor (batch, …), got {kind}: for codes, use model.embed.")
    return torch.cat(results)


def mse(x_hat: Tensor, x: Tensor) -> float:
    """Mean squared error *per pixel* of x_hat from x, both (n, 1, 28, 28), uint8 or floats; x floats in [0, 1]."""
    checks.image_tensor(x_hat, "x_hat")
    checks.image_tensor(x, "x")
    checks.image_values(x, "x")
    if x_hat.shape != x.shape:
        raise ValueError(f"x_hat and x must have one shape, got {tuple(x_hat.shape)} and {tuple(x.shape)}.")
    pairs = zip(x_hat.split(2000), x.split(2000), strict=True)
    return sum((to_float(a) - to_float(b)).square().sum(dtype=torch.float64).item() for a, b in pairs) / x.numel()


@torch.no_grad()
def reconstruction_mse(
    reconstruct: Batchwise, x: Tensor, target: Tensor | None = None, batch_size: int = 2000
) -> float:
    """Mean squared error *per pixel* between reconstruct(x) and ``target`` (default x itself), in batches.

    x, target: images (n, 1, 28, 28), uint8 or floats in [0, 1]; reconstruct: floats (b, 1, 28, 28) → the same shape.
    """
    target = x if target is None else target
    pairs = zip(x.split(batch_size), target.split(batch_size), strict=True)
    return sum(mse(reconstruct(to_float(a)), b) * len(a) for a, b in pairs) / len(x)


def psnr(mean_squared_error: float) -> float:
    """Peak signal-to-noise ratio in dB of a (pooled) mean squared error, for images in [0, 1]: −10 log₁₀ MSE."""
    if not mean_squared_error > 0:
        raise ValueError(f"mean_squared_error must be positive, got {mean_squared_error}.")
    return -10 * torch.tensor(mean_squared_error, dtype=torch.float64).log10().item()


@torch.no_grad()
def mse_to_nearest(images: Tensor, bank: Tensor) -> Tensor:
    """For each image (n, 1, 28, 28), the MSE *per pixel* to the nearest in ``bank`` (m, 1, 28, 28): floats (n,).

    Both uint8 or floats in [0, 1]; in batches, so that a bank of 20,000 bytes stays bytes.
    """
    checks.image_tensor(images, "images")
    checks.image_tensor(bank, "bank")
    flat = to_float(images).flatten(1)
    nearest = [torch.cdist(flat, to_float(part).flatten(1)).amin(1) for part in bank.split(4000)]
    return torch.stack(nearest).amin(0).square() / 784


def frechet_distance(features: Tensor, reference: Tensor) -> float:
    """Squared Fréchet (2-Wasserstein) distance between Gaussians fitted to two sets of features (n, k), (m, k).

    ‖m − m'‖² + tr(S + S' − 2 (S S')^½). Dowson & Landau 1982; on features of a network, Heusel et al. 2017.
    Needs more rows than columns in both; fitted in float64.
    """
    features, reference = (torch.as_tensor(t).detach().cpu().double() for t in (features, reference))
    if features.ndim != 2 or reference.ndim != 2 or features.shape[1] != reference.shape[1]:
        raise ValueError(
            f"features and reference must be (n, k) and (m, k), "
            f"got {tuple(features.shape)} and {tuple(reference.shape)}."
        )
    if min(len(features), len(reference)) <= features.shape[1]:
        raise ValueError(f"Each set needs more than {features.shape[1]} rows to fit a covariance.")
    if not (features.isfinite().all() and reference.isfinite().all()):
        raise ValueError("features and reference must be finite, but hold NaN or infinity: look where they come from.")
    cov_a, cov_b = (torch.atleast_2d(torch.cov(t.T)) for t in (features, reference))
    # tr (S S')^½ is the sum of the roots of the eigenvalues of S S', which are real and ≥ 0
    root = torch.linalg.eigvals(cov_a @ cov_b).real.clamp(min=0).sqrt().sum()
    shift = features.mean(0) - reference.mean(0)
    return (shift.square().sum() + cov_a.trace() + cov_b.trace() - 2 * root).item()
