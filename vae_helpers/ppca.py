"""Probabilistic PCA: the linear-Gaussian model, whose best fit, posterior and likelihood are known exactly.

z ~ N(0, I), x = W z + mean + σ noise. Tipping & Bishop 1999. A linear VAE has its optimum here (Lucas et al. 2019).
"""

from math import log, pi
from typing import NamedTuple

import torch
from torch import Tensor

from vae_helpers import checks
from vae_helpers.data import to_float


class LinearGaussian(NamedTuple):
    """Probabilistic PCA with d latent dimensions in p pixels, all in float64.

    W (p, d), its columns along the leading eigenvectors; mean (p,); sigma2: the noise's variance, a float;
    eigenvalues (p,) of the data's covariance, largest first.
    """

    W: Tensor
    mean: Tensor
    sigma2: float
    eigenvalues: Tensor


def mean_and_covariance(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (784,) and covariance (784, 784), divided by n, of images (n, 1, 28, 28): float64, in parts."""
    checks.image_tensor(x)
    checks.image_values(x)
    total, squares = 0.0, 0.0
    for part in x.split(2000):
        flat = to_float(part).flatten(1).double()
        total, squares = total + flat.sum(0), squares + flat.T @ flat
    mean = total / len(x)
    return mean, squares / len(x) - torch.outer(mean, mean)


def ppca(mean: Tensor, covariance: Tensor, latent_dim: int) -> LinearGaussian:
    """The maximum-likelihood fit: σ² is the mean of the discarded eigenvalues, W = U (Λ − σ²I)^½.

    mean (p,), covariance (p, p) of the data; 1 ≤ latent_dim < p. Tipping & Bishop 1999, equations 7 and 8, rotation I.
    """
    checks.positive_int(latent_dim, "latent_dim")
    p = len(mean)
    if covariance.shape != (p, p) or latent_dim >= p:
        raise ValueError(
            f"covariance must be ({p}, {p}) and latent_dim below {p}, got {tuple(covariance.shape)} and {latent_dim}."
        )
    ascending, vectors = torch.linalg.eigh(covariance.double())
    eigenvalues = ascending.flip(0).clamp(min=0)
    sigma2 = eigenvalues[latent_dim:].mean().item()
    axes = vectors.flip(1)[:, :latent_dim]
    return LinearGaussian(axes * (eigenvalues[:latent_dim] - sigma2).sqrt(), mean.double(), sigma2, eigenvalues)


def training_log_likelihood(model: LinearGaussian) -> float:
    """Mean log p(x) of the data that the model was fitted to, in nats per image; may be positive: it is a density."""
    p, d = model.W.shape
    # −½ (p log 2π + Σ_{i ≤ d} log λ_i + (p − d) log σ² + p)
    return -0.5 * (p * log(2 * pi) + model.eigenvalues[:d].log().sum().item() + (p - d) * log(model.sigma2) + p)
