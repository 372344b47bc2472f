"""How a training of so many seconds is spent: schedules that go by the share of the time that is gone."""

from math import cos, pi
from typing import Annotated

from vae_helpers.validation import Condition, Positive, PositiveInt, objects, validated

START = 0.04  # of the peak: where the learning rate begins


@Condition
def _share(value: float, name: str) -> None:
    objects.number(value, name, low=0, high=1)


Share = Annotated[float, _share]


class Plan:
    """Learning rate, weight of the KL and draws of the bound, each at a share of the time, from 0 to 1.

    lr: the peak, reached after the share ``rise``, then lowered along a cosine to 0. warm_up: the share in which the
    weight of the KL rises from 0 to 1. draws: K of the bound from the share ``draws_from`` on, one before.
    """

    @validated
    def __init__(
        self,
        lr: Positive = 5e-3,
        batch_size: PositiveInt = 256,
        rise: Share = 0.1,
        warm_up: Share = 0.2,
        draws: PositiveInt = 1,
        draws_from: Share = 0.6,
    ) -> None:
        self.lr, self.batch_size, self.rise, self.warm_up = lr, batch_size, rise, warm_up
        self.draws, self.draws_from = draws, draws_from

    def __repr__(self) -> str:
        return f"Plan({', '.join(f'{name}={value:g}' for name, value in vars(self).items())})"

    @validated
    def lr_at(self, share: Share) -> float:
        """The learning rate when that share of the time is gone."""
        if share < self.rise:
            return self.lr * (START + (1 - START) * share / self.rise)
        fallen = (share - self.rise) / (1 - self.rise) if self.rise < 1 else 0.0
        return self.lr * 0.5 * (1 + cos(pi * fallen))

    @validated
    def beta_at(self, share: Share) -> float:
        """The weight of the KL when that share of the time is gone."""
        return min(1.0, share / self.warm_up) if self.warm_up else 1.0

    @validated
    def draws_at(self, share: Share) -> int:
        """How many draws the bound takes when that share of the time is gone."""
        return self.draws if share >= self.draws_from else 1
