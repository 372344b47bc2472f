"""Two VAEs that can be asked for a class, and their losses: labels concatenated, or a Gaussian of its own per class.

Both are written out in notebook 08; a test holds the definitions together. A *style* is a draw from N(0, I), (n, d):
``place`` makes the code z of it, so that one style can be shown in every class, whichever the model.
"""

import functools
from collections.abc import Callable
from math import log, pi

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vae_helpers import checks, plain, takes
from vae_helpers.losses import Loss, bernoulli_nll, kl_to_class_mean, kl_to_standard_normal, reparameterize
from vae_helpers.models import VAE, mlp

_LABELLED = plain.model_with("encode", "decode", "n_classes")


def _takes_labelled_rows(function: Callable) -> Callable:
    @functools.wraps(function)
    def checked(a: Tensor, y: Tensor, n_classes: int = 10) -> Tensor:
        checks.floats(a, "a", ndim=2)
        plain.positive_int(n_classes, "n_classes")
        takes.labels_of(a, y, n_classes)
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

    @takes.sizes
    def __init__(self, latent_dim: int, hidden: tuple[int, ...] = (400,), n_classes: int = 10) -> None:
        super().__init__()
        self.latent_dim, self.n_classes = latent_dim, n_classes
        self.encoder = mlp(784 + n_classes, *hidden, 2 * latent_dim)
        self.decoder = mlp(latent_dim + n_classes, *reversed(hidden), 784)

    @takes.images
    @takes.labels
    def encode(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Images (n, 1, 28, 28) and labels (n,) → (mu, logvar) of q(z|x, y), each (n, latent_dim)."""
        seen = join_label(x.flatten(1), y, self.n_classes)
        mu, logvar = self.encoder(seen).chunk(2, dim=1)
        return mu, logvar.clamp(-30, 20)

    @takes.codes
    @takes.labels
    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        """Codes (n, latent_dim) and labels (n,) → x_logits (n, 1, 28, 28), before the sigmoid."""
        seen = join_label(z, y, self.n_classes)
        return self.decoder(seen).unflatten(1, (1, 28, 28))

    @takes.codes
    @takes.labels
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

    @takes.sizes
    def __init__(self, latent_dim: int, hidden: tuple[int, ...] = (400,), n_classes: int = 10) -> None:
        super().__init__(latent_dim, hidden)
        self.n_classes = n_classes
        self.class_means = nn.Parameter(torch.randn(n_classes, latent_dim))

    @takes.codes
    @takes.labels
    def place(self, style: Tensor, y: Tensor) -> Tensor:
        """Styles (n, latent_dim), drawn from N(0, I), as codes z of class y: μ_y + style."""
        return self.class_means[y] + style


@takes.arguments(model=_LABELLED, x=checks.float_images, beta=plain.not_negative)
def conditional_vae_loss(model: nn.Module, x: Tensor, y: Tensor, beta: float = 1.0) -> Loss:
    """Conditional −ELBO of a ConditionalVAE, a bound on −log p(x|y); one z per image. x (n, 1, 28, 28), y (n,)."""
    mu, logvar = model.encode(x, y)
    z = reparameterize(mu, logvar)
    reconstruction = bernoulli_nll(model.decode(z, y), x)
    kl = kl_to_standard_normal(mu, logvar)
    return Loss(reconstruction.mean(), kl.mean(), beta)


@takes.arguments(model=plain.model_with("encode", "decode", "place"), x=checks.float_images, beta=plain.not_negative)
def class_prior_loss(model: nn.Module, x: Tensor, y: Tensor, beta: float = 1.0) -> Loss:
    """Conditional −ELBO of a ClassPriorVAE, a bound on −log p(x|y); one z per image. x (n, 1, 28, 28), y (n,)."""
    mu, logvar = model.encode(x)
    z = reparameterize(mu, logvar)
    reconstruction = bernoulli_nll(model.decode(z), x)
    mu_y = model.place(torch.zeros_like(mu), y)
    kl = kl_to_class_mean(mu, logvar, mu_y)
    return Loss(reconstruction.mean(), kl.mean(), beta)


@takes.arguments(model=plain.model_with("decode", "latent_dim"), x=checks.float_images)
def joint_log_prob(model: nn.Module, x: Tensor, z: Tensor, y: Tensor | None = None) -> Tensor:
    """log p(x, z) of a VAE, log p(x, z|y) of a conditional one, per row, (n,), in nats. x (n, 1, 28, 28), z (n, d)."""
    takes.code_of(model, z, "z")
    centre = model.place(torch.zeros_like(z), y) if hasattr(model, "place") else torch.zeros_like(z)
    # log N(z; centre, I) + log p(x|z, y)
    log_prior = -0.5 * ((z - centre).square() + log(2 * pi)).sum(dim=1)
    nll = model.likelihood.nll if hasattr(model, "likelihood") else bernoulli_nll
    return log_prior - nll(model.decode(z, y), x)
