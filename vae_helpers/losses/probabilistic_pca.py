"""Probabilistic PCA: the linear-Gaussian model, whose best fit, posterior and likelihood are known exactly.

z ~ N(0, I), x = W z + mean + σ noise. Tipping & Bishop 1999. A linear VAE has its optimum here, and the number of
units that it uses is known too (Lucas et al. 2019).
"""

import functools
from collections.abc import Callable
from math import log, pi
from typing import NamedTuple

from vae_helpers.data import to_float
from vae_helpers.validation import objects, tensors, validate

import torch
from torch import Tensor
from torch.distributions import LowRankMultivariateNormal, MultivariateNormal, kl_divergence


class LinearGaussian(NamedTuple):
    """Probabilistic PCA with d latent dimensions in p pixels, all in float64.

    W (p, d), its columns along the leading eigenvectors; mean (p,); sigma2: the noise's variance, a float;
    eigenvalues (p,) of the data's covariance, largest first.
    """

    W: Tensor
    mean: Tensor
    sigma2: float
    eigenvalues: Tensor


@validate.arguments(x=tensors.images)
def mean_and_covariance(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (784,) and covariance (784, 784), divided by n, of images (n, 1, 28, 28): float64, in parts."""
    total, squares = 0.0, 0.0
    for part in x.split(2000):
        flat = to_float(part).flatten(1).double()
        total, squares = total + flat.sum(0), squares + flat.T @ flat
    mean = total / len(x)
    return mean, squares / len(x) - torch.outer(mean, mean)


@validate.arguments(mean=tensors.row, covariance=tensors.table, latent_dim=objects.positive_int)
def ppca(mean: Tensor, covariance: Tensor, latent_dim: int) -> LinearGaussian:
    """The maximum-likelihood fit: σ² is the mean of the discarded eigenvalues, W = U (Λ − σ²I)^½.

    mean (p,), covariance (p, p) of the data; 1 ≤ latent_dim < p. Tipping & Bishop 1999, equations 7 and 8, rotation I.
    """
    p = len(mean)
    if covariance.shape != (p, p) or latent_dim >= p:
        raise ValueError(
            f"covariance must be ({p}, {p}) and latent_dim below {p}, got {tuple(covariance.shape)} and {latent_dim}."
        )
    ascending, vectors = torch.linalg.eigh(covariance.double())
    eigenvalues = ascending.flip(0).clamp(min=0)
    sigma2 = eigenvalues[latent_dim:].mean().item()
    axes = vectors.flip(1)[:, :latent_dim]
    return LinearGaussian(
        axes * (eigenvalues[:latent_dim] - sigma2).clamp(min=0).sqrt(), mean.double(), sigma2, eigenvalues
    )


@validate.arguments(model=objects.an(LinearGaussian))
def training_log_likelihood(model: LinearGaussian) -> float:
    """Mean log p(x) of the data that the model was fitted to, in nats per image; may be positive: it is a density.

    Raises ValueError where σ² is 0: the density then has no bound.
    """
    p, d = model.W.shape
    if model.sigma2 <= 0:
        raise ValueError("model has no noise left, σ² = 0, and so a density without bound: take a smaller latent_dim.")
    # −½ (p log 2π + Σ_{i ≤ d} log λ_i + (p − d) log σ² + p)
    return -0.5 * (p * log(2 * pi) + model.eigenvalues[:d].log().sum().item() + (p - d) * log(model.sigma2) + p)


def _takes_rows(function: Callable) -> Callable:
    """Decorate a function of a linear-Gaussian model and images as rows (n, p): float64, p as the model's mean."""

    @functools.wraps(function)
    def checked(model: object, x: Tensor, *args: object, **kwargs: object) -> object:
        objects.model_with("W", "mean", "sigma2")(model, "model")
        if not isinstance(x, Tensor) or x.dtype != torch.float64:
            kind = x.dtype if isinstance(x, Tensor) else type(x).__name__
            raise TypeError(f"x must be a float64 tensor, got {kind}: data.to_float(x).flatten(1).double() makes one.")
        tensors.finite(x, "x")
        if x.ndim != 2 or x.shape[1] != len(model.mean):
            raise ValueError(f"x must have shape (n, {len(model.mean)}) for this model, got {tuple(x.shape)}.")
        return function(model, x, *args, **kwargs)

    return checked


@_takes_rows
def log_evidence(model: LinearGaussian, x: Tensor) -> Tensor:
    """Exact log p(x) of images as rows (n, p), float64: x ~ N(mean, W Wᵀ + σ²I). (n,), in nats."""
    noise = torch.full_like(model.mean, model.sigma2)
    return LowRankMultivariateNormal(model.mean, model.W, noise).log_prob(x)


@_takes_rows
def posterior(model: LinearGaussian, x: Tensor) -> MultivariateNormal:
    """Exact p(z|x) of images as rows (n, p): N(M⁻¹Wᵀ(x − mean), σ²M⁻¹) with M = WᵀW + σ²I. Tipping & Bishop 1999."""
    M = model.W.T @ model.W + model.sigma2 * torch.eye(model.W.shape[1]).to(model.W)
    mean = (x - model.mean) @ model.W @ M.inverse()
    return MultivariateNormal(mean, model.sigma2 * M.inverse())


@_takes_rows
@validate.arguments(q=objects.an(MultivariateNormal))
def linear_gaussian_elbo(model: LinearGaussian, x: Tensor, q: MultivariateNormal) -> Tensor:
    """ELBO of images as rows (n, p) under any Gaussian q(z|x), both expectations in closed form: (n,), in nats."""
    W, d = model.W, model.W.shape[1]
    # E ‖x − x̂‖² = ‖x − m − W μ‖² + tr(W S Wᵀ), where S is the covariance of q
    squares = (x - model.mean - q.mean @ W.T).square().sum(1)
    squares = squares + torch.einsum("...ij,pi,pj->...", q.covariance_matrix, W, W)
    reconstruction = -squares / (2 * model.sigma2) - 0.5 * len(W) * log(2 * pi * model.sigma2)
    prior = MultivariateNormal(torch.zeros(d).to(W), torch.eye(d).to(W))
    return reconstruction - kl_divergence(q, prior)


@validate.arguments(
    eigenvalues=tensors.row, sigma2=objects.positive, latent_dim=objects.positive_int, beta=objects.positive
)
def units_at_optimum(eigenvalues: Tensor, sigma2: float, latent_dim: int, beta: float = 1.0) -> int:
    """How many units a linear VAE with fixed noise variance σ_x² uses at its optimum: min(d, #{λ_i > βσ_x²}), exactly.

    eigenvalues (p,) of the data's covariance, in any order. Lucas et al. 2019; at β = 1 Tipping & Bishop 1999.
    """
    above = torch.as_tensor(eigenvalues) > beta * sigma2
    return min(latent_dim, int(above.sum()))
