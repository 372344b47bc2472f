"""Losses in nats per image: summed over pixels and latent dimensions, averaged over the batch.

Every loss returns its parts. Functions that return (batch,) give one value per image;
``*_loss`` functions give a ``Loss``.
"""

import functools
from collections.abc import Callable
from math import log, pi
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vae_helpers import checks, plain, takes

_BATCH = functools.partial(checks.floats, least_ndim=2)
_ROWS = functools.partial(checks.floats, ndim=2)
_VAE = plain.model_with("encode", "decode")
_LINEAR = plain.model_with("encode", "decode", "logvar_x")


class Loss(NamedTuple):
    """Parts of a loss, in nats per image, each a scalar tensor (or a float): total = reconstruction + beta · kl."""

    reconstruction: Tensor | float
    kl: Tensor | float = 0.0
    beta: float = 1.0

    @property
    def total(self) -> Tensor | float:
        """What the optimizer minimises; −ELBO where beta is 1."""
        return self.reconstruction + self.beta * self.kl

    def __str__(self) -> str:
        weight = "" if self.beta == 1 else f"{self.beta:g} · "
        return f"{self.total:.2f} = {self.reconstruction:.2f} + {weight}{self.kl:.2f} nats per image"


@takes.arguments(x_hat=_BATCH)
@takes.alike
def squared_error(x_hat: Tensor, x: Tensor) -> Tensor:
    """‖x − x̂‖² per image, (batch,), in nats: up to a constant the −log-likelihood of a Gaussian with variance ½."""
    return (x_hat - x).square().flatten(1).sum(dim=1)


@takes.arguments(x_logits=_BATCH)
@takes.alike
def bernoulli_nll(x_logits: Tensor, x: Tensor) -> Tensor:
    """−Σ x log p + (1 − x) log(1 − p) with p = sigmoid(x_logits), per image, (batch,), in nats.

    For grey x this is the *expected* negative log-likelihood of the image binarized at random, b ~ Bernoulli(x).
    """
    nll = F.binary_cross_entropy_with_logits(x_logits, x, reduction="none")
    return nll.flatten(1).sum(dim=1)


@takes.arguments(x_hat=_BATCH, x=_BATCH, logvar_x=checks.scalar)
def gaussian_nll(x_hat: Tensor, x: Tensor, logvar_x: Tensor) -> Tensor:
    """−log N(x; x̂, σ_x² I) per image, (batch,), in nats, negative where the density exceeds 1; logvar_x a scalar."""
    # ½ (‖x − x̂‖² / σ_x² + p log 2πσ_x²), p pixels
    constant = x[0].numel() * (log(2 * pi) + logvar_x)
    return 0.5 * (squared_error(x_hat, x) / logvar_x.exp() + constant)


@takes.arguments(mu=_ROWS)
@takes.alike
def kl_to_standard_normal(mu: Tensor, logvar: Tensor) -> Tensor:
    """D_KL(N(μ, diag σ²) ‖ N(0, I)) per image, (batch,), in nats. Kingma & Welling 2014, appendix B."""
    # ½ Σ (μ² + σ² − log σ² − 1)
    return 0.5 * (mu.square() + logvar.exp() - logvar - 1).sum(dim=1)


@takes.arguments(mu=_ROWS)
@takes.alike
def kl_to_class_mean(mu: Tensor, logvar: Tensor, mu_y: Tensor) -> Tensor:
    """D_KL(N(μ, diag σ²) ‖ N(μ_y, I)) per image, (batch,), in nats; mu_y (batch, d): each image's own class mean."""
    # ½ Σ ((μ − μ_y)² + σ² − log σ² − 1)
    return 0.5 * ((mu - mu_y).square() + logvar.exp() - logvar - 1).sum(dim=1)


@takes.arguments(mu=_ROWS)
@takes.alike
def kl_diagonal(mu: Tensor, logvar: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    """D_KL(N(μ, diag σ²) ‖ N(μ_p, diag σ_p²)) per image, (batch,), in nats; all four (batch, d)."""
    # ½ Σ (σ²/σ_p² + (μ − μ_p)²/σ_p² + log σ_p² − log σ² − 1)
    squares = (logvar - logvar_p).exp() + (mu - mu_p).square() / logvar_p.exp()
    return 0.5 * (squares + logvar_p - logvar - 1).sum(dim=1)


@takes.arguments(sigma_q=checks.above_zero, sigma_p=checks.above_zero)
@takes.alike
def kl_normal(mu_q: Tensor, sigma_q: Tensor, mu_p: Tensor, sigma_p: Tensor) -> Tensor:
    """D_KL(N(μ_q, σ_q²) ‖ N(μ_p, σ_p²)) of Gaussians on the line, element by element, in nats; σ > 0."""
    # log σ_p/σ_q + (σ_q² + (μ_q − μ_p)²) / 2σ_p² − ½
    squares = sigma_q.square() + (mu_q - mu_p).square()
    return torch.log(sigma_p / sigma_q) + squares / (2 * sigma_p.square()) - 0.5


@takes.gaussian_pairs
def kl_full(mu_q: Tensor, cov_q: Tensor, mu_p: Tensor, cov_p: Tensor) -> Tensor:
    """D_KL(N(μ_q, Σ_q) ‖ N(μ_p, Σ_p)), a scalar, in nats; mu (d,), cov (d, d) symmetric positive definite."""
    # ½ (tr Σ_p⁻¹Σ_q + (μ_p − μ_q)ᵀ Σ_p⁻¹ (μ_p − μ_q) − d + log det Σ_p/det Σ_q)
    shift = mu_p - mu_q
    trace = torch.linalg.solve(cov_p, cov_q).trace()
    mahalanobis = shift @ torch.linalg.solve(cov_p, shift)
    logdet = torch.linalg.slogdet(cov_p).logabsdet - torch.linalg.slogdet(cov_q).logabsdet
    return 0.5 * (trace + mahalanobis - len(shift) + logdet)


@takes.alike
def reparameterize(mu: Tensor, logvar: Tensor) -> Tensor:
    """z = μ + σ ε with ε ~ N(0, I), (batch, latent_dim): a sample that gradients reach μ and log σ² through."""
    sigma = torch.exp(0.5 * logvar)
    eps = torch.randn_like(sigma)
    return mu + sigma * eps


@takes.arguments(model=plain.model_with("encode", "generate"), x=checks.float_images)
def autoencoder_loss(model: nn.Module, x: Tensor, y: Tensor | None = None) -> Loss:
    """Squared error of an autoencoder, summed over pixels, averaged over the batch. x: (batch, 1, 28, 28)."""
    x_hat = model.generate(model.encode(x))
    return Loss(squared_error(x_hat, x).mean())


@takes.arguments(model=_VAE, x=checks.float_images, corrupt=plain.function)
def denoising_loss(
    model: nn.Module, x: Tensor, y: Tensor | None = None, *, corrupt: Callable[[Tensor], Tensor]
) -> Loss:
    """Cross-entropy between the clean x (batch, 1, 28, 28) and the model's answer to corrupt(x), in nats per image.

    A fresh corruption at each call; its best answer is E[x | x̃], as under squared error. Vincent et al. 2008, section
    2.3.
    """
    x_noisy = corrupt(x)
    x_logits = model.decode(model.encode(x_noisy))
    return Loss(bernoulli_nll(x_logits, x).mean())


@takes.arguments(
    model=plain.model_with("encode", "decode", "likelihood"), x=checks.float_images, beta=plain.not_negative
)
def vae_loss(model: nn.Module, x: Tensor, y: Tensor | None = None, beta: float = 1.0) -> Loss:
    """−ELBO of a VAE, one sample of z per image, under its own likelihood. x: (batch, 1, 28, 28) in [0, 1].

    Kingma & Welling 2014, equation 10; beta as in Higgins et al. 2017 (1: the ELBO itself).
    """
    mu, logvar = model.encode(x)
    z = reparameterize(mu, logvar)
    reconstruction = model.likelihood.nll(model.decode(z, y), x)
    kl = kl_to_standard_normal(mu, logvar)
    return Loss(reconstruction.mean(), kl.mean(), beta)


@takes.arguments(model=_LINEAR, x=checks.float_images)
def linear_vae_loss(model: nn.Module, x: Tensor, y: Tensor | None = None) -> Loss:
    """−ELBO of a LinearVAE, one sample of z per image. x: (batch, 1, 28, 28). Negative where densities exceed 1."""
    mu, logvar = model.encode(x)
    z = reparameterize(mu, logvar)
    reconstruction = gaussian_nll(model.decode(z), x, model.logvar_x)
    kl = kl_to_standard_normal(mu, logvar)
    return Loss(reconstruction.mean(), kl.mean())


@takes.arguments(model=_LINEAR, x=checks.float_images)
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
            checks.floats(t, name)
            if tuple(t.shape) != shape or t.dtype != weight.dtype:
                raise ValueError(f"{name} must be {shape}, {weight.dtype}, got {tuple(t.shape)}, {t.dtype}.")
        return function(model, mean, covariance)

    return checked


@takes.arguments(model=plain.model_with("encoder", "decoder", "logvar", "logvar_x"))
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


@takes.densities
def kl_on_grid(log_q: Tensor, log_p: Tensor, grid: Tensor) -> Tensor:
    """D_KL(q ‖ p) of log densities (…, n) on a grid (n,) of z, by the trapezoidal rule: (…,), in nats."""
    # ∫ q(z) (log q(z) − log p(z)) dz
    return torch.trapezoid(log_q.exp() * (log_q - log_p), grid)


@takes.densities
def elbo_on_grid(log_q: Tensor, log_joint: Tensor, grid: Tensor) -> Tensor:
    """ELBO of q, from log q(z) and log p(x, z) (…, n) on a grid (n,) of z, by the trapezoidal rule: (…,), in nats."""
    # ∫ q(z) (log p(x, z) − log q(z)) dz
    return torch.trapezoid(log_q.exp() * (log_joint - log_q), grid)


@takes.densities
def log_evidence_on_grid(log_joint: Tensor, grid: Tensor) -> Tensor:
    """log p(x) from log p(x, z) (…, n) on a grid (n,) of z, by the trapezoidal rule: (…,), in nats."""
    # log ∫ p(x, z) dz, the largest term taken out so that nothing underflows
    top = log_joint.amax(-1, keepdim=True)
    return torch.trapezoid((log_joint - top).exp(), grid).log() + top.squeeze(-1)
