"""Without a draw: KL, ELBO and log p(x) on a grid of z, and the bound of a linear VAE in closed form."""

import functools
from collections.abc import Callable
from math import log, pi

from vae_helpers.losses.kl import kl_to_standard_normal
from vae_helpers.losses.loss import Loss
from vae_helpers.losses.reconstruction import gaussian_nll
from vae_helpers.validation import objects, tensors, validate

import torch
from torch import Tensor, nn

_LINEAR = objects.model_with("encode", "decode", "logvar_x")


@validate.densities
def kl_on_grid(log_q: Tensor, log_p: Tensor, grid: Tensor) -> Tensor:
    """D_KL(q ‖ p) of log densities (…, n) on a grid (n,) of z, by the trapezoidal rule: (…,), in nats."""
    # ∫ q(z) (log q(z) − log p(z)) dz
    return torch.trapezoid(log_q.exp() * (log_q - log_p), grid)


@validate.densities
def elbo_on_grid(log_q: Tensor, log_joint: Tensor, grid: Tensor) -> Tensor:
    """ELBO of q, from log q(z) and log p(x, z) (…, n) on a grid (n,) of z, by the trapezoidal rule: (…,), in nats."""
    # ∫ q(z) (log p(x, z) − log q(z)) dz
    return torch.trapezoid(log_q.exp() * (log_joint - log_q), grid)


@validate.densities
def log_evidence_on_grid(log_joint: Tensor, grid: Tensor) -> Tensor:
    """log p(x) from log p(x, z) (…, n) on a grid (n,) of z, by the trapezoidal rule: (…,), in nats."""
    # log ∫ p(x, z) dz, the largest term taken out so that nothing underflows
    top = log_joint.amax(-1, keepdim=True)
    return torch.trapezoid((log_joint - top).exp(), grid).log() + top.squeeze(-1)


@validate.arguments(model=_LINEAR, x=tensors.float_images)
def linear_vae_loss_exact(model: nn.Module, x: Tensor, y: Tensor | None = None) -> Loss:
    """−ELBO of a LinearVAE, the expectation over ε in closed form: no sample, no noise. x: (batch, 1, 28, 28)."""
    mu, logvar = model.encode(x)
    at_mean = gaussian_nll(model.decode(mu), x, model.logvar_x)
    # E ‖x − W(μ + σε) − b‖² = ‖x − Wμ − b‖² + Σ σ_j² ‖w_j‖²
    spread = (logvar.exp() * model.decoder.weight.square().sum(dim=0)).sum(dim=1)
    reconstruction = at_mean + 0.5 * spread / model.logvar_x.exp()
    return Loss(reconstruction.mean(), kl_to_standard_normal(mu, logvar).mean())


def _takes_moments(function: Callable) -> Callable:
    @functools.wraps(function)
    def checked(model: nn.Module, mean: Tensor, covariance: Tensor) -> Loss:
        weight = model.decoder.weight
        for t, name, shape in ((mean, "mean", (len(weight),)), (covariance, "covariance", (len(weight),) * 2)):
            tensors.floats(t, name)
            if tuple(t.shape) != shape or t.dtype != weight.dtype:
                raise ValueError(f"{name} must be {shape}, {weight.dtype}, got {tuple(t.shape)}, {t.dtype}.")
        return function(model, mean, covariance)

    return checked


@validate.arguments(model=objects.model_with("encoder", "decoder", "logvar", "logvar_x"))
@_takes_moments
def linear_vae_loss_of_moments(model: nn.Module, mean: Tensor, covariance: Tensor) -> Loss:
    """−ELBO of a LinearVAE averaged over *all* images at once: their mean (784,) and covariance (784, 784) settle it.

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
