"""Autoencoders, deterministic: x → z → x̂. ``Autoencoder`` is written out in notebook 01, ``WideAutoencoder`` in 02."""

from vae_helpers.models.networks import mlp
from vae_helpers.validation import validate

from torch import Tensor, nn


class Autoencoder(nn.Module):
    """Deterministic autoencoder 784-hidden-latent_dim-hidden-784, smooth activation, sigmoid output.

    Hinton & Salakhutdinov 2006. Raises TypeError or ValueError for sizes that are not positive whole numbers.
    """

    @validate.sizes
    def __init__(self, latent_dim: int, hidden: tuple[int, ...] = (512, 256)) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = mlp(784, *hidden, latent_dim, activation=nn.SiLU)
        self.decoder = mlp(latent_dim, *reversed(hidden), 784, activation=nn.SiLU)

    @validate.images
    def encode(self, x: Tensor) -> Tensor:
        """Images (batch, 1, 28, 28) → codes z (batch, latent_dim)."""
        return self.encoder(x.flatten(1))

    @validate.codes
    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Codes (batch, latent_dim) → x_logits (batch, 1, 28, 28), before the sigmoid."""
        return self.decoder(z).unflatten(1, (1, 28, 28))

    def embed(self, x: Tensor) -> Tensor:
        """Images → codes, deterministic: the same as ``encode``."""
        return self.encode(x)

    def generate(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Codes → images x̂ (batch, 1, 28, 28) in [0, 1]."""
        return self.decode(z, y).sigmoid()


class WideAutoencoder(Autoencoder):
    """One hidden layer 784-latent_dim-784, its smooth activation the code; sigmoid output. Wide: latent_dim > 784.

    Vincent et al. 2008, section 2.3, without tied weights. Whether it copies or denoises is up to the loss. Raises
    TypeError or ValueError for a size that is not a positive whole number.
    """

    @validate.sizes
    def __init__(self, latent_dim: int = 1024) -> None:
        super().__init__(latent_dim, hidden=())
        self.encoder.append(nn.SiLU())
