"""Losses in nats per image: summed over pixels and latent dimensions, averaged over the batch.

Every loss returns its parts. Functions that return (batch,) give one value per image;
``*_loss`` functions give a ``Loss``.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vae_helpers.checks import takes_a_pair


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


@takes_a_pair
def squared_error(x_hat: Tensor, x: Tensor) -> Tensor:
    """‖x − x̂‖² per image, (batch,), in nats: up to a constant the −log-likelihood of a Gaussian with variance ½."""
    return (x_hat - x).square().flatten(1).sum(dim=1)


@takes_a_pair
def bernoulli_nll(x_logits: Tensor, x: Tensor) -> Tensor:
    """−Σ x log p + (1 − x) log(1 − p) with p = sigmoid(x_logits), per image, (batch,), in nats.

    For grey x this is the *expected* negative log-likelihood of the image binarized at random, b ~ Bernoulli(x).
    """
    nll = F.binary_cross_entropy_with_logits(x_logits, x, reduction="none")
    return nll.flatten(1).sum(dim=1)


@takes_a_pair
def kl_to_standard_normal(mu: Tensor, logvar: Tensor) -> Tensor:
    """D_KL(N(μ, diag σ²) ‖ N(0, I)) per image, (batch,), in nats. Kingma & Welling 2014, appendix B."""
    # ½ Σ (μ² + σ² − log σ² − 1)
    return 0.5 * (mu.square() + logvar.exp() - logvar - 1).sum(dim=1)


@takes_a_pair
def reparameterize(mu: Tensor, logvar: Tensor) -> Tensor:
    """z = μ + σ ε with ε ~ N(0, I), (batch, latent_dim): a sample that gradients reach μ and log σ² through."""
    sigma = torch.exp(0.5 * logvar)
    eps = torch.randn_like(sigma)
    return mu + sigma * eps


def autoencoder_loss(model: nn.Module, x: Tensor, y: Tensor | None = None) -> Loss:
    """Squared error of an autoencoder, summed over pixels, averaged over the batch. x: (batch, 1, 28, 28)."""
    x_hat = model.generate(model.encode(x))
    return Loss(squared_error(x_hat, x).mean())


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


def vae_loss(model: nn.Module, x: Tensor, y: Tensor | None = None, beta: float = 1.0) -> Loss:
    """−ELBO of a VAE with Bernoulli pixels, one sample of z per image. x: (batch, 1, 28, 28) in [0, 1].

    Kingma & Welling 2014, equation 10; beta as in Higgins et al. 2017 (1: the ELBO itself).
    """
    mu, logvar = model.encode(x)
    z = reparameterize(mu, logvar)
    reconstruction = bernoulli_nll(model.decode(z, y), x)
    kl = kl_to_standard_normal(mu, logvar)
    return Loss(reconstruction.mean(), kl.mean(), beta)
