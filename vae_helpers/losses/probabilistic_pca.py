"""Probabilistic PCA: the linear-Gaussian model, whose best fit, posterior and likelihood are known exactly.

z ~ N(0, I), x = W z + mean + σ noise. Tipping & Bishop 1999. A linear VAE has its optimum here, and the number of
units that it uses is known too (Lucas et al. 2019).
"""

from math import log, pi
from typing import Annotated, NamedTuple

from vae_helpers.data import in_float64, to_float
from vae_helpers.validation import Finite, Pixels, Positive, PositiveInt, tensors, validated

import torch
from jaxtyping import Float64
from torch import Tensor
from torch.distributions import LowRankMultivariateNormal, MultivariateNormal, kl_divergence


class LinearGaussian(NamedTuple):
    """Probabilistic PCA with d latent dimensions in p pixels, all in float64.

    W: its columns along the leading eigenvectors; sigma2: the noise's variance; eigenvalues: of the data's covariance,
    largest first.
    """

    W: Float64[Tensor, " p d"]
    mean: Float64[Tensor, " p"]
    sigma2: float
    eigenvalues: Float64[Tensor, " p"]


# images, flat, of as many pixels as the model's
Rows = Annotated[Float64[Tensor, " n {len(model.mean)}"], tensors.finite]
PerImage = Float64[Tensor, " n"]


@validated
def mean_and_covariance(
    x: Pixels[Tensor, " n 1 28 28"],
) -> tuple[Float64[Tensor, " 784"], Float64[Tensor, " 784 784"]]:
    """Mean and covariance, divided by n, of images; taken in parts, so that memory stays small."""
    total, squares = 0.0, 0.0
    for part in x.split(2000):
        flat = in_float64(to_float(part).flatten(1))
        total, squares = total + flat.sum(0), squares + flat.T @ flat
    mean = total / len(x)
    return mean, squares / len(x) - torch.outer(mean, mean)


@validated
def ppca(mean: Finite[Tensor, " p"], covariance: Finite[Tensor, " p p"], latent_dim: PositiveInt) -> LinearGaussian:
    """The maximum-likelihood fit: σ² is the mean of the discarded eigenvalues, W = U (Λ − σ²I)^½.

    mean, covariance: of the data; 1 ≤ latent_dim < p. Tipping & Bishop 1999, equations 7 and 8, rotation I.
    """
    if latent_dim >= len(mean):
        raise ValueError(f"latent_dim must be below {len(mean)}, the number of pixels, got {latent_dim}.")
    ascending, vectors = torch.linalg.eigh(in_float64(covariance))
    eigenvalues = ascending.flip(0).clamp(min=0)
    sigma2 = eigenvalues[latent_dim:].mean().item()
    axes = vectors.flip(1)[:, :latent_dim]
    return LinearGaussian(
        axes * (eigenvalues[:latent_dim] - sigma2).clamp(min=0).sqrt(), in_float64(mean), sigma2, eigenvalues
    )


@validated
def training_log_likelihood(model: LinearGaussian) -> float:
    """Mean log p(x) of the data that the model was fitted to, in nats per image; may be positive: it is a density.

    Raises ValueError where σ² is 0: the density then has no bound.
    """
    p, d = model.W.shape
    if model.sigma2 <= 0:
        raise ValueError("model has no noise left, σ² = 0, and so a density without bound: take a smaller latent_dim.")
    # −½ (p log 2π + Σ_{i ≤ d} log λ_i + (p − d) log σ² + p)
    return -0.5 * (p * log(2 * pi) + model.eigenvalues[:d].log().sum().item() + (p - d) * log(model.sigma2) + p)


@validated
def log_evidence(model: LinearGaussian, x: Rows) -> PerImage:
    """Exact log p(x) of images as rows: x ~ N(mean, W Wᵀ + σ²I), in nats."""
    noise = torch.full_like(model.mean, model.sigma2)
    return LowRankMultivariateNormal(model.mean, model.W, noise).log_prob(x)


@validated
def posterior(model: LinearGaussian, x: Rows) -> MultivariateNormal:
    """Exact p(z|x) of images as rows: N(M⁻¹Wᵀ(x − mean), σ²M⁻¹) with M = WᵀW + σ²I. Tipping & Bishop 1999."""
    M = model.W.T @ model.W + model.sigma2 * torch.eye(model.W.shape[1]).to(model.W)
    mean = (x - model.mean) @ model.W @ M.inverse()
    return MultivariateNormal(mean, model.sigma2 * M.inverse())


@validated
def linear_gaussian_elbo(model: LinearGaussian, x: Rows, q: MultivariateNormal) -> PerImage:
    """ELBO of images as rows under any Gaussian q(z|x), both expectations in closed form, in nats."""
    W, d = model.W, model.W.shape[1]
    # E ‖x − x̂‖² = ‖x − m − W μ‖² + tr(W S Wᵀ), where S is the covariance of q
    squares = (x - model.mean - q.mean @ W.T).square().sum(1)
    squares = squares + torch.einsum("...ij,pi,pj->...", q.covariance_matrix, W, W)
    reconstruction = -squares / (2 * model.sigma2) - 0.5 * len(W) * log(2 * pi * model.sigma2)
    prior = MultivariateNormal(torch.zeros(d).to(W), torch.eye(d).to(W))
    return reconstruction - kl_divergence(q, prior)


@validated
def units_at_optimum(
    eigenvalues: Finite[Tensor, " p"], sigma2: Positive, latent_dim: PositiveInt, beta: Positive = 1.0
) -> int:
    """How many units a linear VAE with fixed noise variance σ_x² uses at its optimum: min(d, #{λ_i > βσ_x²}), exactly.

    eigenvalues: of the data's covariance, in any order. Lucas et al. 2019; at β = 1 Tipping & Bishop 1999.
    """
    above = torch.as_tensor(eigenvalues) > beta * sigma2
    return min(latent_dim, int(above.sum()))
