"""Autoencoders, deterministic: x → z → x̂. ``Autoencoder`` is written out in notebook 01, ``WideAutoencoder`` in 02."""

from vae_helpers.models.networks import Codes, Images, Pictures, Unused, mlp
from vae_helpers.validation import PositiveInt, Widths, validated

from torch import nn


class Autoencoder(nn.Module):
    """Deterministic autoencoder 784-hidden-latent_dim-hidden-784, smooth activation, sigmoid output.

    Hinton & Salakhutdinov 2006. Raises TypeError or ValueError for sizes that are not positive whole numbers.
    """

    @validated
    def __init__(self, latent_dim: PositiveInt, hidden: Widths = (512, 256)) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = mlp(784, *hidden, latent_dim, activation=nn.SiLU)
        self.decoder = mlp(latent_dim, *reversed(hidden), 784, activation=nn.SiLU)

    @validated
    def encode(self, x: Images) -> Codes:
        """Images → codes z."""
        return self.encoder(x.flatten(1))

    @validated
    def decode(self, z: Codes, y: Unused = None) -> Pictures:
        """Codes → x_logits, before the sigmoid."""
        return self.decoder(z).unflatten(1, (1, 28, 28))

    @validated
    def embed(self, x: Images) -> Codes:
        """Images → codes, deterministic: the same as ``encode``."""
        return self.encode(x)

    @validated
    def generate(self, z: Codes, y: Unused = None) -> Pictures:
        """Codes → images x̂ in [0, 1]."""
        return self.decode(z, y).sigmoid()


class WideAutoencoder(Autoencoder):
    """One hidden layer 784-latent_dim-784, its smooth activation the code; sigmoid output. Wide: latent_dim > 784.

    Vincent et al. 2008, section 2.3, without tied weights. Whether it copies or denoises is up to the loss. Raises
    TypeError or ValueError for a size that is not a positive whole number.
    """

    @validated
    def __init__(self, latent_dim: PositiveInt = 1024) -> None:
        super().__init__(latent_dim, hidden=())
        self.encoder.append(nn.SiLU())
