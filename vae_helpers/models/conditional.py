"""Two VAEs that can be asked for a class: labels concatenated, or a Gaussian of its own per class.

Both are written out in notebook 08; a test holds the definitions together. A *style* is a draw from N(0, I), (n, d):
``place`` makes the code z of it, so that one style can be shown in every class, whichever the model.
"""

import functools
from collections.abc import Callable

from vae_helpers.models.networks import mlp
from vae_helpers.models.vae import VAE
from vae_helpers.validation import objects, tensors, validate

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _takes_labelled_rows(function: Callable) -> Callable:
    @functools.wraps(function)
    def checked(a: Tensor, y: Tensor, n_classes: int = 10) -> Tensor:
        tensors.floats(a, "a", ndim=2)
        objects.positive_int(n_classes, "n_classes")
        validate.labels_of(a, y, n_classes)
        return function(a, y, n_classes)

    return checked


@_takes_labelled_rows
def join_label(a: Tensor, y: Tensor, n_classes: int = 10) -> Tensor:
    """Rows (n, k) with the one-hot label of each behind them, (n, k + n_classes); y int64 (n,)."""
    return torch.cat([a, F.one_hot(y, n_classes).to(a)], dim=1)


class ConditionalVAE(nn.Module):
    """Conditional VAE: the one-hot label stands beside the image in the encoder and beside z in the decoder.

    Prior N(0, I), the same for every class. Kingma et al. 2014 (M2), Sohn et al. 2015. Labels that are missing, of
    another type or shape, or not below ``n_classes`` raise TypeError or ValueError in every method.
    """

    @validate.sizes
    def __init__(self, latent_dim: int, hidden: tuple[int, ...] = (400,), n_classes: int = 10) -> None:
        super().__init__()
        self.latent_dim, self.n_classes = latent_dim, n_classes
        self.encoder = mlp(784 + n_classes, *hidden, 2 * latent_dim)
        self.decoder = mlp(latent_dim + n_classes, *reversed(hidden), 784)

    @validate.images
    @validate.labels
    def encode(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Images (n, 1, 28, 28) and labels (n,) → (mu, logvar) of q(z|x, y), each (n, latent_dim)."""
        seen = join_label(x.flatten(1), y, self.n_classes)
        mu, logvar = self.encoder(seen).chunk(2, dim=1)
        return mu, logvar.clamp(-30, 20)

    @validate.codes
    @validate.labels
    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        """Codes (n, latent_dim) and labels (n,) → x_logits (n, 1, 28, 28), before the sigmoid."""
        seen = join_label(z, y, self.n_classes)
        return self.decoder(seen).unflatten(1, (1, 28, 28))

    @validate.codes
    @validate.labels
    def place(self, style: Tensor, y: Tensor) -> Tensor:
        """Styles (n, latent_dim), drawn from N(0, I), as codes z of class y: here they are the codes."""
        return style

    def embed(self, x: Tensor, y: Tensor) -> Tensor:
        """Images and their labels → posterior means μ (n, latent_dim): deterministic."""
        return self.encode(x, y)[0]

    def generate(self, z: Tensor, y: Tensor) -> Tensor:
        """Codes and labels → images x̂ (n, 1, 28, 28) in [0, 1]: the mean of p(x|z, y), not a draw from it."""
        return self.decode(z, y).sigmoid()


class ClassPriorVAE(VAE):
    """VAE with a prior N(μ_y, I) per class, its mean learned; encoder and decoder are a VAE's and never see y.

    ``class_means`` (n_classes, latent_dim) is a weight like any other. Labels as of ``ConditionalVAE``.
    """

    @validate.sizes
    def __init__(self, latent_dim: int, hidden: tuple[int, ...] = (400,), n_classes: int = 10) -> None:
        super().__init__(latent_dim, hidden)
        self.n_classes = n_classes
        self.class_means = nn.Parameter(torch.randn(n_classes, latent_dim))

    @validate.codes
    @validate.labels
    def place(self, style: Tensor, y: Tensor) -> Tensor:
        """Styles (n, latent_dim), drawn from N(0, I), as codes z of class y: μ_y + style."""
        return self.class_means[y] + style
