"""What many draws from clouds N(μ, σ²) have in common: means, widths, and what is shared among them."""

from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

CALLS, ROWS = 100, 60
TOLERANCE = 0.06  # of a mean in units of σ, of a width: five standard errors of CALLS · ROWS draws


@dataclass(frozen=True)
class Clouds:
    """drawn (calls, rows, d); μ, log σ² (d,). Of each dimension the mean and the standard deviation over all draws."""

    drawn: Float64[Tensor, "calls rows d"]
    mu: Float64[Tensor, " d"]
    logvar: Float64[Tensor, " d"]

    @property
    def sigma(self) -> Float64[Tensor, " d"]:
        """σ = exp(½ log σ²)."""
        return (self.logvar / 2).exp()

    @property
    def mean(self) -> Float64[Tensor, " d"]:
        """Over calls and rows."""
        return self.drawn.mean(dim=(0, 1))

    @property
    def width(self) -> Float64[Tensor, " d"]:
        """Over calls and rows."""
        return self.drawn.std(dim=(0, 1))

    @property
    def eps(self) -> Float64[Tensor, "calls rows d"]:
        """The draws, centred and scaled by what they themselves say."""
        return (self.drawn - self.mean) / self.width.clamp(min=1e-9)

    @property
    def tolerance(self) -> float:
        """Larger where draws are shared, and so are fewer."""
        rows = shared(self.eps, dim=1)
        return TOLERANCE * (CALLS**0.5 if shared(self.eps, dim=0) else 1) * (ROWS**0.5 if rows else 1)

    def mean_is(self, other: Float64[Tensor, " d"]) -> bool:
        """Whether the mean is that, in each dimension."""
        scale = torch.maximum(self.width, torch.full_like(self.width, 0.2))
        return bool(((self.mean - other).abs() < self.tolerance * scale).all())

    def width_is(self, other: Float64[Tensor, " d"]) -> bool:
        """Whether the standard deviation is that, in each dimension."""
        return bool(((self.width - other).abs() < self.tolerance * (other.abs() + 0.02)).all())


def shared(eps: Float64[Tensor, "calls rows d"], dim: int) -> bool:
    """Whether ε is the same along an axis: then its averages over it vary far more than a mean of n numbers would."""
    return bool((eps.mean(dim=dim) ** 2).mean() * eps.shape[dim] > 1 + eps.shape[dim] / 3)
