"""What every loss of the course returns: its parts, in nats per image. Sums over pixels, means over the batch.

And the names of what the room takes and gives.
"""

from collections.abc import Callable
from typing import NamedTuple

from vae_helpers.validation import PixelsInAStep

from jaxtyping import Float, Int64
from torch import Tensor, nn

Images = PixelsInAStep[Tensor, " batch 1 28 28"]
Classes = Int64[Tensor, " batch"]
Rows = Float[Tensor, " batch d"]  # μ, log σ² or ε, one row for each image
PerImage = Float[Tensor, " batch"]


class Loss(NamedTuple):
    """Parts of a loss, in nats per image, each a scalar tensor (or a float): total = reconstruction + beta · kl."""

    reconstruction: Float[Tensor, ""] | float
    kl: Float[Tensor, ""] | float = 0.0
    beta: float = 1.0

    @property
    def total(self) -> Float[Tensor, ""] | float:
        """What the optimizer minimises; −ELBO where beta is 1."""
        return self.reconstruction + self.beta * self.kl

    def __str__(self) -> str:
        weight = "" if self.beta == 1 else f"{self.beta:g} · "
        return f"{self.total:.2f} = {self.reconstruction:.2f} + {weight}{self.kl:z.2f} nats per image"


LossFunction = Callable[[nn.Module, Tensor, Tensor | None], Loss]
