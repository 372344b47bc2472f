"""Without a draw: KL, ELBO and log p(x) on a grid of z, and the bound of a linear VAE in closed form."""

from math import log, pi
from typing import Annotated

from vae_helpers.losses.bounds import LinearVAELike
from vae_helpers.losses.kl import kl_to_standard_normal
from vae_helpers.losses.loss import Classes, Images, Loss
from vae_helpers.losses.reconstruction import gaussian_nll
from vae_helpers.validation import Finite, has, tensors, validated

import torch
from jaxtyping import Float
from torch import Tensor, nn

Grid = Annotated[Finite[Tensor, " n"], tensors.increasing]
LogDensities = Finite[Tensor, " *#rows n"]  # one for all rows of the other, or one for each
PerRow = Float[Tensor, " *#rows"]


@validated
def kl_on_grid(log_q: LogDensities, log_p: LogDensities, grid: Grid) -> PerRow:
    """D_KL(q ‖ p) of log densities on a grid of z, by the trapezoidal rule, in nats."""
    # ∫ q(z) (log q(z) − log p(z)) dz
    return torch.trapezoid(log_q.exp() * (log_q - log_p), grid)


@validated
def elbo_on_grid(log_q: LogDensities, log_joint: LogDensities, grid: Grid) -> PerRow:
    """ELBO of q, from log q(z) and log p(x, z) on a grid of z, by the trapezoidal rule, in nats."""
    # ∫ q(z) (log p(x, z) − log q(z)) dz
    return torch.trapezoid(log_q.exp() * (log_joint - log_q), grid)


@validated
def log_evidence_on_grid(log_joint: LogDensities, grid: Grid) -> PerRow:
    """log p(x) from log p(x, z) on a grid of z, by the trapezoidal rule, in nats."""
    # log ∫ p(x, z) dz, the largest term taken out so that nothing underflows
    top = log_joint.amax(-1, keepdim=True)
    return torch.trapezoid((log_joint - top).exp(), grid).log() + top.squeeze(-1)


@validated
def linear_vae_loss_exact(model: LinearVAELike, x: Images, y: Classes | None = None) -> Loss:
    """−ELBO of a LinearVAE, the expectation over ε in closed form: no sample, no noise."""
    mu, logvar = model.encode(x)
    at_mean = gaussian_nll(model.decode(mu), x, model.logvar_x)
    # E ‖x − W(μ + σε) − b‖² = ‖x − Wμ − b‖² + Σ σ_j² ‖w_j‖²
    spread = (logvar.exp() * model.decoder.weight.square().sum(dim=0)).sum(dim=1)
    reconstruction = at_mean + 0.5 * spread / model.logvar_x.exp()
    return Loss(reconstruction.mean(), kl_to_standard_normal(mu, logvar).mean())


@validated
def linear_vae_loss_of_moments(
    model: Annotated[nn.Module, has("encoder", "decoder", "logvar", "logvar_x")],
    mean: Annotated[Float[Tensor, " 784"], tensors.suits_the_model],
    covariance: Annotated[Float[Tensor, " 784 784"], tensors.suits_the_model],
) -> Loss:
    """−ELBO of a LinearVAE averaged over *all* images at once: their mean and covariance settle it.

    The expectations over ε and over the images are both in closed form; mean, covariance in the weights' dtype.
    """
    encoder, decoder = model.encoder.weight, model.decoder.weight  # V (d, p), W (p, d)
    shift = mean - model.decoder.bias
    coded = encoder @ covariance  # V C
    mean_code = encoder @ shift
    # E ‖x − W(μ + σε) − b‖² = tr (I − WV) C (I − WV)ᵀ + ‖(I − WV)(mean − b)‖² + Σ σ_j² ‖w_j‖²
    lost = covariance.trace() - 2 * (coded * decoder.T).sum() + ((coded @ encoder.T) * (decoder.T @ decoder)).sum()
    spread = (model.logvar.exp() * decoder.square().sum(dim=0)).sum()
    squares = lost + (shift - decoder @ mean_code).square().sum() + spread
    reconstruction = 0.5 * (squares / model.logvar_x.exp() + len(mean) * (log(2 * pi) + model.logvar_x))
    # E ‖μ‖² = tr V C Vᵀ + ‖V(mean − b)‖²
    mu_squared = (coded * encoder).sum() + mean_code.square().sum()
    kl = 0.5 * (mu_squared + (model.logvar.exp() - model.logvar - 1).sum())
    return Loss(reconstruction, kl)
