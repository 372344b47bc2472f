"""Two mends for posterior collapse: a KL that warms up, and a KL with free bits.

The learner writes most of them in notebook 07.
"""

from collections.abc import Callable

from vae_helpers.losses.bounds import StandardVAE, reparameterize
from vae_helpers.losses.loss import Classes, Images, Loss
from vae_helpers.validation import NotNegative, PositiveInt, validated

from jaxtyping import Float
from torch import Tensor, nn


class WarmUp:
    """A loss whose β rises from 0 to 1 in the first ``steps`` training steps. Bowman et al. 2016; Sønderby et al. 2016.

    loss(model, x, y, beta=…) → Loss. It counts its calls in training mode, so each training wants a new one. Score the
    trained model with the loss itself, at β = 1.
    """

    @validated
    def __init__(self, loss: Callable[..., Loss], steps: PositiveInt) -> None:
        self.loss, self.steps, self.done = loss, steps, 0

    def __call__(self, model: nn.Module, x: Images, y: Classes | None = None) -> Loss:
        """The loss of a batch at the β of this step."""
        self.done += model.training
        beta = min(1.0, self.done / self.steps)
        return self.loss(model, x, y, beta=beta)


@validated
def free_bits(kl_each: Float[Tensor, " d"], free: NotNegative) -> Float[Tensor, ""]:
    """KL with free bits, from the mean KL of each dimension: Σ max(free, KL_j), in nats.

    Below ``free`` nats a dimension's KL has no gradient. Kingma et al. 2016, equation 15.
    """
    return kl_each.clamp(min=free).sum()


@validated
def free_bits_loss(
    model: StandardVAE,
    x: Images,
    y: Classes | None = None,
    free: NotNegative = 0.5,
) -> Loss:
    """Loss of a VAE with ``free`` nats free in each dimension, taken of the batch's mean KL.

    No bound: score the trained model with ``vae_loss``.
    """
    mu, logvar = model.encode(x)
    z = reparameterize(mu, logvar)
    reconstruction = model.likelihood.nll(model.decode(z, y), x)
    kl_each = 0.5 * (mu.square() + logvar.exp() - logvar - 1).mean(dim=0)
    return Loss(reconstruction.mean(), free_bits(kl_each, free))
