"""KL divergences between Gaussians in closed form, in nats: any two on the line, in full, diagonal, from a prior."""

from vae_helpers.validation import tensors, validate

import torch
from torch import Tensor


@validate.arguments(mu=tensors.rows)
@validate.alike
def kl_to_standard_normal(mu: Tensor, logvar: Tensor) -> Tensor:
    """D_KL(N(μ, diag σ²) ‖ N(0, I)) per image, (batch,), in nats. Kingma & Welling 2014, appendix B."""
    # ½ Σ (μ² + σ² − log σ² − 1)
    return 0.5 * (mu.square() + logvar.exp() - logvar - 1).sum(dim=1)


@validate.arguments(mu=tensors.rows)
@validate.alike
def kl_to_class_mean(mu: Tensor, logvar: Tensor, mu_y: Tensor) -> Tensor:
    """D_KL(N(μ, diag σ²) ‖ N(μ_y, I)) per image, (batch,), in nats; mu_y (batch, d): each image's own class mean."""
    # ½ Σ ((μ − μ_y)² + σ² − log σ² − 1)
    return 0.5 * ((mu - mu_y).square() + logvar.exp() - logvar - 1).sum(dim=1)


@validate.arguments(mu=tensors.rows)
@validate.alike
def kl_diagonal(mu: Tensor, logvar: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    """D_KL(N(μ, diag σ²) ‖ N(μ_p, diag σ_p²)) per image, (batch,), in nats; all four (batch, d)."""
    # ½ Σ (σ²/σ_p² + (μ − μ_p)²/σ_p² + log σ_p² − log σ² − 1)
    squares = (logvar - logvar_p).exp() + (mu - mu_p).square() / logvar_p.exp()
    return 0.5 * (squares + logvar_p - logvar - 1).sum(dim=1)


@validate.arguments(sigma_q=tensors.above_zero, sigma_p=tensors.above_zero)
@validate.alike
def kl_normal(mu_q: Tensor, sigma_q: Tensor, mu_p: Tensor, sigma_p: Tensor) -> Tensor:
    """D_KL(N(μ_q, σ_q²) ‖ N(μ_p, σ_p²)) of Gaussians on the line, element by element, in nats; σ > 0."""
    # log σ_p/σ_q + (σ_q² + (μ_q − μ_p)²) / 2σ_p² − ½
    squares = sigma_q.square() + (mu_q - mu_p).square()
    return torch.log(sigma_p / sigma_q) + squares / (2 * sigma_p.square()) - 0.5


@validate.gaussian_pairs
def kl_full(mu_q: Tensor, cov_q: Tensor, mu_p: Tensor, cov_p: Tensor) -> Tensor:
    """D_KL(N(μ_q, Σ_q) ‖ N(μ_p, Σ_p)), a scalar, in nats; mu (d,), cov (d, d) symmetric positive definite."""
    # ½ (tr Σ_p⁻¹Σ_q + (μ_p − μ_q)ᵀ Σ_p⁻¹ (μ_p − μ_q) − d + log det Σ_p/det Σ_q)
    shift = mu_p - mu_q
    trace = torch.linalg.solve(cov_p, cov_q).trace()
    mahalanobis = shift @ torch.linalg.solve(cov_p, shift)
    logdet = torch.linalg.slogdet(cov_p).logabsdet - torch.linalg.slogdet(cov_q).logabsdet
    return 0.5 * (trace + mahalanobis - len(shift) + logdet)
