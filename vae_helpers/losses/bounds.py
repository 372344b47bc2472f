"""The ELBO of each VAE of the course as a loss, −ELBO, and what a bound of several draws is made of.

``*_loss`` functions give a ``Loss``, averaged over the batch; log probabilities and weights are one per image.
Written out in notebooks 04 (linear VAE), 05, 06 and 08: a test compares the definitions.
"""

from collections.abc import Callable
from math import log, pi
from typing import Annotated

from vae_helpers.losses.half_precision import in_float32
from vae_helpers.losses.kl import kl_to_class_mean, kl_to_standard_normal
from vae_helpers.losses.loss import Classes, Images, Loss, PerImage, Rows
from vae_helpers.losses.reconstruction import bernoulli_nll, gaussian_nll
from vae_helpers.validation import Condition, LabelsInAStep, NotNegative, has, tensors, validated

import torch
from jaxtyping import Float
from torch import Tensor, nn

Codes = Annotated[Float[Tensor, " batch {model.latent_dim}"], tensors.suits_the_model]
VAELike = Annotated[nn.Module, has("encode", "decode", "likelihood")]


@Condition
def under_standard_normal(value: nn.Module, name: str) -> None:
    """Raise TypeError for a model with a prior of its own: a KL to N(0, I) would leave it out."""
    if hasattr(value, "prior"):
        raise TypeError(
            f"{name} has a prior of its own ({type(value.prior).__name__}), and this loss takes the KL to N(0, I): use "
            "losses.prior_loss, or losses.conditional_prior_loss."
        )


@Condition
def prior_with_density(value: nn.Module, name: str) -> None:
    """Raise TypeError for a model whose prior has no ``log_prob``: of a second layer there is a bound only."""
    if hasattr(value, "prior") and not hasattr(value.prior, "log_prob"):
        raise TypeError(
            f"{name} has a prior without log_prob ({type(value.prior).__name__}): of a second layer there is a bound "
            "only, losses.bottom_up_loss or losses.top_down_loss."
        )


StandardVAE = Annotated[VAELike, under_standard_normal]
LinearVAELike = Annotated[nn.Module, has("encode", "decode", "logvar_x")]


@validated
@in_float32
def reparameterize(mu: Float[Tensor, " *n"], logvar: Float[Tensor, " *n"]) -> Float[Tensor, " *n"]:
    """z = μ + σ ε with ε ~ N(0, I): a sample that gradients reach μ and log σ² through."""
    sigma = torch.exp(0.5 * logvar)
    eps = torch.randn_like(sigma)
    return mu + sigma * eps


@validated
def vae_loss(model: StandardVAE, x: Images, y: Classes | None = None, beta: NotNegative = 1.0) -> Loss:
    """−ELBO of a VAE, one sample of z per image, under its own likelihood. x in [0, 1].

    Kingma & Welling 2014, equation 10; beta as in Higgins et al. 2017 (1: the ELBO itself).
    """
    mu, logvar = model.encode(x)
    z = reparameterize(mu, logvar)
    reconstruction = model.likelihood.nll(model.decode(z, y), x)
    kl = kl_to_standard_normal(mu, logvar)
    return Loss(reconstruction.mean(), kl.mean(), beta)


@validated
def binarized_loss(model: StandardVAE, x: Images, y: Classes | None = None, beta: NotNegative = 1.0) -> Loss:
    """−ELBO of images binarized at random, anew at each call. x: grey images in [0, 1]."""
    x_bin = torch.bernoulli(x)
    return vae_loss(model, x_bin, y, beta)


@validated
def linear_vae_loss(model: LinearVAELike, x: Images, y: Classes | None = None) -> Loss:
    """−ELBO of a LinearVAE, one sample of z per image. Negative where densities exceed 1."""
    mu, logvar = model.encode(x)
    z = reparameterize(mu, logvar)
    reconstruction = gaussian_nll(model.decode(z), x, model.logvar_x)
    kl = kl_to_standard_normal(mu, logvar)
    return Loss(reconstruction.mean(), kl.mean())


@validated
def conditional_vae_loss(
    model: Annotated[nn.Module, has("encode", "decode", "n_classes"), under_standard_normal],
    x: Images,
    y: LabelsInAStep[Tensor, " batch"],
    beta: NotNegative = 1.0,
) -> Loss:
    """Conditional −ELBO of a ConditionalVAE, a bound on −log p(x|y); one z per image."""
    mu, logvar = model.encode(x, y)
    z = reparameterize(mu, logvar)
    reconstruction = bernoulli_nll(model.decode(z, y), x)
    kl = kl_to_standard_normal(mu, logvar)
    return Loss(reconstruction.mean(), kl.mean(), beta)


@validated
def class_prior_loss(
    model: Annotated[nn.Module, has("encode", "decode", "place"), under_standard_normal],
    x: Images,
    y: LabelsInAStep[Tensor, " batch"],
    beta: NotNegative = 1.0,
) -> Loss:
    """Conditional −ELBO of a ClassPriorVAE, a bound on −log p(x|y); one z per image."""
    mu, logvar = model.encode(x)
    z = reparameterize(mu, logvar)
    reconstruction = bernoulli_nll(model.decode(z), x)
    mu_y = model.place(torch.zeros_like(mu), y)
    kl = kl_to_class_mean(mu, logvar, mu_y)
    return Loss(reconstruction.mean(), kl.mean(), beta)


@validated
def joint_log_prob(
    model: Annotated[nn.Module, has("decode", "latent_dim"), prior_with_density],
    x: Images,
    z: Codes,
    y: LabelsInAStep[Tensor, " batch"] | None = None,
) -> PerImage:
    """log p(x, z) of a VAE, log p(x, z|y) of a conditional one, per image, in nats, under the prior that it has.

    That is ``model.prior`` where there is one; else N(μ_y, I), its centre by ``model.place``; else N(0, I).
    """
    nll = model.likelihood.nll if hasattr(model, "likelihood") else bernoulli_nll
    if hasattr(model, "prior"):
        return model.prior.log_prob(z, y) - nll(model.decode(z, y), x)
    centre = model.place(torch.zeros_like(z), y) if hasattr(model, "place") else torch.zeros_like(z)
    # log N(z; centre, I) + log p(x|z, y)
    log_prior = -0.5 * ((z - centre).square() + log(2 * pi)).sum(dim=1)
    return log_prior - nll(model.decode(z, y), x)


@validated
def log_weight(
    log_joint: Callable[[Tensor], Tensor], mu: Rows, logvar: Rows, eps: Rows
) -> Float[Tensor, " *models batch"]:
    """log p(x, z) / q(z|x) of one draw z = μ + σ ε of each row, in nats; ε from N(0, I).

    log_joint(z) → log p(x, z), of one model or of several at once. The mean over draws is the ELBO, that of its
    exponential p(x).
    """
    z = mu + torch.exp(0.5 * logvar) * eps
    # log N(z; μ, σ²)
    log_q = -0.5 * (eps.square() + logvar + log(2 * pi)).sum(dim=1)
    return log_joint(z) - log_q


@validated
def log_mean_exp(log_weights: Annotated[Float[Tensor, " k *n"], tensors.something]) -> Float[Tensor, " *n"]:
    """log (1/K) Σ_k exp(log w_k) over the K rows. Safe where every weight underflows."""
    return log_weights.logsumexp(dim=0) - log(len(log_weights))
