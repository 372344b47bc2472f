"""Variational autoencoders: an image becomes a cloud q(z|x) of codes, a code the parameters of p(x|z).

``LinearVAE`` is written out in notebook 04, ``VAE`` in 05, ``SmoothVAE`` in 06: a test compares the definitions. What a
VAE's outputs mean is its likelihood's affair.
"""

from vae_helpers.models.likelihoods import LIKELIHOODS
from vae_helpers.models.networks import mlp
from vae_helpers.validation import validate

import torch
from torch import Tensor, nn


class VAE(nn.Module):
    """Variational autoencoder 784-hidden-(μ, log σ²)-hidden-784; ``likelihood`` names what its pixels are.

    Kingma & Welling 2014, appendix C. Raises TypeError or ValueError for sizes that are not positive whole numbers, and
    for an unknown likelihood.
    """

    @validate.sizes
    @validate.one_of(likelihood=LIKELIHOODS)
    def __init__(self, latent_dim: int, hidden: tuple[int, ...] = (400,), likelihood: str = "bernoulli") -> None:
        super().__init__()
        self.latent_dim, self.likelihood = latent_dim, LIKELIHOODS[likelihood]()
        self.encoder = mlp(784, *hidden, 2 * latent_dim)
        self.decoder = mlp(latent_dim, *reversed(hidden), 784 * self.likelihood.outputs_per_pixel)

    @validate.images
    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images (batch, 1, 28, 28) → (mu, logvar) of q(z|x), each (batch, latent_dim); logvar kept in [−30, 20]."""
        mu, logvar = self.encoder(x.flatten(1)).chunk(2, dim=1)
        return mu, logvar.clamp(-30, 20)

    @validate.codes
    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Codes (batch, latent_dim) → x_logits (n, 1, 28, 28), before the sigmoid; 2 planes with a σ_x per pixel."""
        return self.decoder(z).unflatten(1, (-1, 28, 28))

    def embed(self, x: Tensor) -> Tensor:
        """Images → posterior means μ (batch, latent_dim): deterministic."""
        return self.encode(x)[0]

    def generate(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Codes → images x̂ (batch, 1, 28, 28) in [0, 1]: the mean of p(x|z), not a draw from it."""
        return self.likelihood.mean(self.decode(z, y))


class LinearVAE(nn.Module):
    """Linear VAE 784-(μ, log σ²)-784 with Gaussian pixels: log σ² one per dimension, and a learned variance σ_x².

    Its optimum is probabilistic PCA (``ppca``): Lucas et al. 2019. ``decode`` gives x̂ itself, not logits.
    The decoder's bias stands for the mean image: set it before training. The clouds start narrow, log σ² = −4.
    Raises TypeError or ValueError for a size that is not a positive whole number.
    """

    @validate.sizes
    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = nn.Linear(784, latent_dim, bias=False)
        self.decoder = nn.Linear(latent_dim, 784)
        self.logvar = nn.Parameter(torch.full((latent_dim,), -4.0))
        self.logvar_x = nn.Parameter(torch.zeros(()))

    @validate.images
    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images (batch, 1, 28, 28) → (mu, logvar) of q(z|x), each (batch, latent_dim); logvar the same for all x."""
        mu = self.encoder(x.flatten(1) - self.decoder.bias)
        return mu, self.logvar.expand_as(mu)

    @validate.codes
    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Codes (batch, latent_dim) → x̂ (batch, 1, 28, 28), the mean of p(x|z); it may leave [0, 1]."""
        return self.decoder(z).unflatten(1, (1, 28, 28))

    def embed(self, x: Tensor) -> Tensor:
        """Images → posterior means μ (batch, latent_dim): deterministic."""
        return self.encode(x)[0]

    def generate(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Codes → images x̂ (batch, 1, 28, 28), clamped to [0, 1]."""
        return self.decode(z, y).clamp(0, 1)


class SmoothVAE(VAE):
    """VAE of two hidden layers on each side and a smooth activation, SiLU. Raises as ``VAE`` does."""

    @validate.sizes
    def __init__(self, latent_dim: int = 50, hidden: tuple[int, ...] = (400, 400)) -> None:
        super().__init__(latent_dim, hidden)
        self.encoder = mlp(784, *hidden, 2 * latent_dim, activation=nn.SiLU)
        self.decoder = mlp(latent_dim, *reversed(hidden), 784, activation=nn.SiLU)
