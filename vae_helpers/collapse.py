"""Posterior collapse: two mends for training that falls into it, and the count of units where nothing can mend it.

Written out in notebook 07: a test compares the definitions.
"""

import functools
from collections.abc import Callable

import torch
from torch import Tensor, nn

from vae_helpers import checks, plain, takes
from vae_helpers.losses import Loss, reparameterize


class WarmUp:
    """A loss whose β rises from 0 to 1 in the first ``steps`` training steps. Bowman et al. 2016; Sønderby et al. 2016.

    loss(model, x, y, beta=…) → Loss. It counts its calls in training mode, so each training wants a new one. Score the
    trained model with the loss itself, at β = 1.
    """

    @takes.arguments(loss=plain.function, steps=plain.positive_int)
    def __init__(self, loss: Callable[..., Loss], steps: int) -> None:
        self.loss, self.steps, self.done = loss, steps, 0

    def __call__(self, model: nn.Module, x: Tensor, y: Tensor | None = None) -> Loss:
        """The loss of a batch at the β of this step."""
        self.done += model.training
        beta = min(1.0, self.done / self.steps)
        return self.loss(model, x, y, beta=beta)


@takes.arguments(kl_each=functools.partial(checks.floats, ndim=1), free=plain.not_negative)
def free_bits(kl_each: Tensor, free: float) -> Tensor:
    """KL with free bits, a scalar, from the mean KL of each dimension, (d,): Σ max(free, KL_j), in nats.

    Below ``free`` nats a dimension's KL has no gradient. Kingma et al. 2016, equation 15.
    """
    return kl_each.clamp(min=free).sum()


@takes.arguments(
    model=plain.model_with("encode", "decode", "likelihood"), x=checks.float_images, free=plain.not_negative
)
def free_bits_loss(model: nn.Module, x: Tensor, y: Tensor | None = None, free: float = 0.5) -> Loss:
    """Loss of a VAE with ``free`` nats free in each dimension, taken of the batch's mean KL. x: (batch, 1, 28, 28).

    No bound: score the trained model with ``vae_loss``.
    """
    mu, logvar = model.encode(x)
    z = reparameterize(mu, logvar)
    reconstruction = model.likelihood.nll(model.decode(z, y), x)
    kl_each = 0.5 * (mu.square() + logvar.exp() - logvar - 1).mean(dim=0)
    return Loss(reconstruction.mean(), free_bits(kl_each, free))


@takes.arguments(eigenvalues=checks.row, sigma2=plain.positive, latent_dim=plain.positive_int, beta=plain.positive)
def units_at_optimum(eigenvalues: Tensor, sigma2: float, latent_dim: int, beta: float = 1.0) -> int:
    """How many units a linear VAE with fixed noise variance σ_x² uses at its optimum: min(d, #{λ_i > βσ_x²}), exactly.

    eigenvalues (p,) of the data's covariance, in any order. Lucas et al. 2019; at β = 1 Tipping & Bishop 1999.
    """
    above = torch.as_tensor(eigenvalues) > beta * sigma2
    return min(latent_dim, int(above.sum()))
