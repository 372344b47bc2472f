"""Variational autoencoders: an image becomes a cloud q(z|x) of codes, a code the parameters of p(x|z).

``LinearVAE`` is written out in notebook 04, ``VAE`` in 05, ``SmoothVAE`` in 06: a test compares the definitions. What a
VAE's outputs mean is its likelihood's affair.
"""

from typing import Annotated

from vae_helpers.models.likelihoods import LIKELIHOODS
from vae_helpers.models.networks import Codes, Images, Pictures, Unused, mlp
from vae_helpers.validation import PositiveInt, Widths, objects, validated

import torch
from jaxtyping import Float
from torch import Tensor, nn

Outputs = Float[Tensor, " batch {self.likelihood.outputs_per_pixel} 28 28"]


class VAE(nn.Module):
    """Variational autoencoder 784-hidden-(μ, log σ²)-hidden-784; ``likelihood`` names what its pixels are.

    Kingma & Welling 2014, appendix C. Raises TypeError or ValueError for sizes that are not positive whole numbers, and
    for an unknown likelihood.
    """

    @validated
    def __init__(
        self,
        latent_dim: PositiveInt,
        hidden: Widths = (400,),
        likelihood: Annotated[str, objects.one_of(LIKELIHOODS)] = "bernoulli",
    ) -> None:
        super().__init__()
        self.latent_dim, self.likelihood = latent_dim, LIKELIHOODS[likelihood]()
        self.encoder = mlp(784, *hidden, 2 * latent_dim)
        self.decoder = mlp(latent_dim, *reversed(hidden), 784 * self.likelihood.outputs_per_pixel)

    @validated
    def encode(self, x: Images) -> tuple[Codes, Codes]:
        """Images → (mu, logvar) of q(z|x); logvar is kept in [−30, 20]."""
        mu, logvar = self.encoder(x.flatten(1)).chunk(2, dim=1)
        return mu, logvar.clamp(-30, 20)

    @validated
    def decode(self, z: Codes, y: Unused = None) -> Outputs:
        """Codes → x_logits, before the sigmoid; two planes where the likelihood has a σ_x per pixel."""
        return self.decoder(z).unflatten(1, (-1, 28, 28))

    @validated
    def embed(self, x: Images) -> Codes:
        """Images → posterior means μ: deterministic."""
        return self.encode(x)[0]

    @validated
    def generate(self, z: Codes, y: Unused = None) -> Pictures:
        """Codes → images x̂ in [0, 1]: the mean of p(x|z), not a draw from it."""
        return self.likelihood.mean(self.decode(z, y))


class LinearVAE(nn.Module):
    """Linear VAE 784-(μ, log σ²)-784 with Gaussian pixels: log σ² one per dimension, and a learned variance σ_x².

    Its optimum is probabilistic PCA (``ppca``): Lucas et al. 2019. ``decode`` gives x̂ itself, not logits.
    The decoder's bias stands for the mean image: set it before training. The clouds start narrow, log σ² = −4.
    Raises TypeError or ValueError for a size that is not a positive whole number.
    """

    @validated
    def __init__(self, latent_dim: PositiveInt) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = nn.Linear(784, latent_dim, bias=False)
        self.decoder = nn.Linear(latent_dim, 784)
        self.logvar = nn.Parameter(torch.full((latent_dim,), -4.0))
        self.logvar_x = nn.Parameter(torch.zeros(()))

    @validated
    def encode(self, x: Images) -> tuple[Codes, Codes]:
        """Images → (mu, logvar) of q(z|x); logvar is the same for all x."""
        mu = self.encoder(x.flatten(1) - self.decoder.bias)
        return mu, self.logvar.expand_as(mu)

    @validated
    def decode(self, z: Codes, y: Unused = None) -> Pictures:
        """Codes → x̂, the mean of p(x|z); it may leave [0, 1]."""
        return self.decoder(z).unflatten(1, (1, 28, 28))

    @validated
    def embed(self, x: Images) -> Codes:
        """Images → posterior means μ: deterministic."""
        return self.encode(x)[0]

    @validated
    def generate(self, z: Codes, y: Unused = None) -> Pictures:
        """Codes → images x̂, clamped to [0, 1]."""
        return self.decode(z, y).clamp(0, 1)


class SmoothVAE(VAE):
    """VAE of two hidden layers on each side and a smooth activation, SiLU. Raises as ``VAE`` does."""

    @validated
    def __init__(self, latent_dim: PositiveInt = 50, hidden: Widths = (400, 400)) -> None:
        super().__init__(latent_dim, hidden)
        self.encoder = mlp(784, *hidden, 2 * latent_dim, activation=nn.SiLU)
        self.decoder = mlp(latent_dim, *reversed(hidden), 784, activation=nn.SiLU)
