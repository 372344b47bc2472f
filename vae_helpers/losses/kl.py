"""KL divergences between Gaussians in closed form, in nats: any two on the line, in full, diagonal, from a prior."""

from typing import Annotated

from vae_helpers.losses.half_precision import in_float32
from vae_helpers.losses.loss import PerImage, Rows
from vae_helpers.validation import AboveZero, Finite, tensors, validated

import torch
from jaxtyping import Float
from torch import Tensor

Covariance = Annotated[Finite[Tensor, " d d"], tensors.positive_definite]


@validated
@in_float32
def kl_to_standard_normal(mu: Rows, logvar: Rows) -> PerImage:
    """D_KL(N(μ, diag σ²) ‖ N(0, I)) per image, in nats. Kingma & Welling 2014, appendix B."""
    # ½ Σ (μ² + σ² − log σ² − 1)
    return 0.5 * (mu.square() + logvar.exp() - logvar - 1).sum(dim=1)


@validated
@in_float32
def kl_to_class_mean(mu: Rows, logvar: Rows, mu_y: Rows) -> PerImage:
    """D_KL(N(μ, diag σ²) ‖ N(μ_y, I)) per image, in nats; mu_y: each image's own class mean."""
    # ½ Σ ((μ − μ_y)² + σ² − log σ² − 1)
    return 0.5 * ((mu - mu_y).square() + logvar.exp() - logvar - 1).sum(dim=1)


@validated
@in_float32
def kl_diagonal(mu: Rows, logvar: Rows, mu_p: Rows, logvar_p: Rows) -> PerImage:
    """D_KL(N(μ, diag σ²) ‖ N(μ_p, diag σ_p²)) per image, in nats."""
    # ½ Σ (σ²/σ_p² + (μ − μ_p)²/σ_p² + log σ_p² − log σ² − 1)
    squares = (logvar - logvar_p).exp() + (mu - mu_p).square() / logvar_p.exp()
    return 0.5 * (squares + logvar_p - logvar - 1).sum(dim=1)


@validated
@in_float32
def kl_normal(
    mu_q: Float[Tensor, " *n"],
    sigma_q: AboveZero[Tensor, " *n"],
    mu_p: Float[Tensor, " *n"],
    sigma_p: AboveZero[Tensor, " *n"],
) -> Float[Tensor, " *n"]:
    """D_KL(N(μ_q, σ_q²) ‖ N(μ_p, σ_p²)) of Gaussians on the line, element by element, in nats; σ > 0."""
    # log σ_p/σ_q + (σ_q² + (μ_q − μ_p)²) / 2σ_p² − ½
    squares = sigma_q.square() + (mu_q - mu_p).square()
    return torch.log(sigma_p / sigma_q) + squares / (2 * sigma_p.square()) - 0.5


@validated
def kl_full(
    mu_q: Finite[Tensor, " d"], cov_q: Covariance, mu_p: Finite[Tensor, " d"], cov_p: Covariance
) -> Float[Tensor, ""]:
    """D_KL(N(μ_q, Σ_q) ‖ N(μ_p, Σ_p)), in nats; cov_q and cov_p symmetric and positive definite."""
    # ½ (tr Σ_p⁻¹Σ_q + (μ_p − μ_q)ᵀ Σ_p⁻¹ (μ_p − μ_q) − d + log det Σ_p/det Σ_q)
    shift = mu_p - mu_q
    trace = torch.linalg.solve(cov_p, cov_q).trace()
    mahalanobis = shift @ torch.linalg.solve(cov_p, shift)
    logdet = torch.linalg.slogdet(cov_p).logabsdet - torch.linalg.slogdet(cov_q).logabsdet
    return 0.5 * (trace + mahalanobis - len(shift) + logdet)
