"""The ELBO of each VAE of the course as a loss, −ELBO, and what a bound of several draws is made of.

``*_loss`` functions give a ``Loss``, averaged over the batch; log probabilities and weights are one per image.
Written out in notebooks 04 (linear VAE), 05, 06 and 08: a test compares the definitions.
"""

import functools
from collections.abc import Callable
from math import log, pi

from vae_helpers.losses.kl import kl_to_class_mean, kl_to_standard_normal
from vae_helpers.losses.loss import Loss
from vae_helpers.losses.reconstruction import bernoulli_nll, gaussian_nll
from vae_helpers.validation import objects, tensors, validate

import torch
from torch import Tensor, nn

_LABELLED = objects.model_with("encode", "decode", "n_classes")
_LINEAR = objects.model_with("encode", "decode", "logvar_x")


@validate.alike
def reparameterize(mu: Tensor, logvar: Tensor) -> Tensor:
    """z = μ + σ ε with ε ~ N(0, I), (batch, latent_dim): a sample that gradients reach μ and log σ² through."""
    sigma = torch.exp(0.5 * logvar)
    eps = torch.randn_like(sigma)
    return mu + sigma * eps


@validate.arguments(
    model=objects.model_with("encode", "decode", "likelihood"), x=tensors.float_images, beta=objects.not_negative
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


@validate.arguments(x=tensors.float_images)
def binarized_loss(model: nn.Module, x: Tensor, y: Tensor | None = None, beta: float = 1.0) -> Loss:
    """−ELBO of images binarized at random, anew at each call. x: grey images (batch, 1, 28, 28) in [0, 1]."""
    x_bin = torch.bernoulli(x)
    return vae_loss(model, x_bin, y, beta)


@validate.arguments(model=_LINEAR, x=tensors.float_images)
def linear_vae_loss(model: nn.Module, x: Tensor, y: Tensor | None = None) -> Loss:
    """−ELBO of a LinearVAE, one sample of z per image. x: (batch, 1, 28, 28). Negative where densities exceed 1."""
    mu, logvar = model.encode(x)
    z = reparameterize(mu, logvar)
    reconstruction = gaussian_nll(model.decode(z), x, model.logvar_x)
    kl = kl_to_standard_normal(mu, logvar)
    return Loss(reconstruction.mean(), kl.mean())


@validate.arguments(model=_LABELLED, x=tensors.float_images, beta=objects.not_negative)
def conditional_vae_loss(model: nn.Module, x: Tensor, y: Tensor, beta: float = 1.0) -> Loss:
    """Conditional −ELBO of a ConditionalVAE, a bound on −log p(x|y); one z per image. x (n, 1, 28, 28), y (n,)."""
    mu, logvar = model.encode(x, y)
    z = reparameterize(mu, logvar)
    reconstruction = bernoulli_nll(model.decode(z, y), x)
    kl = kl_to_standard_normal(mu, logvar)
    return Loss(reconstruction.mean(), kl.mean(), beta)


@validate.arguments(
    model=objects.model_with("encode", "decode", "place"), x=tensors.float_images, beta=objects.not_negative
)
def class_prior_loss(model: nn.Module, x: Tensor, y: Tensor, beta: float = 1.0) -> Loss:
    """Conditional −ELBO of a ClassPriorVAE, a bound on −log p(x|y); one z per image. x (n, 1, 28, 28), y (n,)."""
    mu, logvar = model.encode(x)
    z = reparameterize(mu, logvar)
    reconstruction = bernoulli_nll(model.decode(z), x)
    mu_y = model.place(torch.zeros_like(mu), y)
    kl = kl_to_class_mean(mu, logvar, mu_y)
    return Loss(reconstruction.mean(), kl.mean(), beta)


@validate.arguments(model=objects.model_with("decode", "latent_dim"), x=tensors.float_images)
def joint_log_prob(model: nn.Module, x: Tensor, z: Tensor, y: Tensor | None = None) -> Tensor:
    """log p(x, z) of a VAE, log p(x, z|y) of a conditional one, per row, (n,), in nats. x (n, 1, 28, 28), z (n, d)."""
    validate.code_of(model, z, "z")
    centre = model.place(torch.zeros_like(z), y) if hasattr(model, "place") else torch.zeros_like(z)
    # log N(z; centre, I) + log p(x|z, y)
    log_prior = -0.5 * ((z - centre).square() + log(2 * pi)).sum(dim=1)
    nll = model.likelihood.nll if hasattr(model, "likelihood") else bernoulli_nll
    return log_prior - nll(model.decode(z, y), x)


@validate.arguments(log_joint=objects.function, mu=tensors.rows)
@validate.of_one_shape("mu", "logvar", "eps")
def log_weight(log_joint: Callable[[Tensor], Tensor], mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    """log p(x, z) / q(z|x) of one draw z = μ + σ ε of each row, (n,), in nats; all three (n, d), ε from N(0, I).

    log_joint(z) → log p(x, z), (n,). Its mean over draws is the ELBO, the mean of its exponential p(x).
    """
    z = mu + torch.exp(0.5 * logvar) * eps
    # log N(z; μ, σ²)
    log_q = -0.5 * (eps.square() + logvar + log(2 * pi)).sum(dim=1)
    return log_joint(z) - log_q


@validate.arguments(log_weights=functools.partial(tensors.floats, least_ndim=1))
def log_mean_exp(log_weights: Tensor) -> Tensor:
    """log (1/K) Σ_k exp(log w_k) of K rows (K, n): (n,). Safe where every weight underflows."""
    return log_weights.logsumexp(dim=0) - log(len(log_weights))
