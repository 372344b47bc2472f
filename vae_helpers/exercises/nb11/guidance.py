"""Guidance: one network with and without the label, and beyond."""

from collections.abc import Callable

from vae_helpers.exercises.engine import Exercise, Mistake

import torch
from torch import Tensor


class SmallVelocity:
    """z (n, d), t (n,), y (n,) or None → (n, d): bends with z, moves with t, turns with the label."""

    def __init__(self, d: int, g: torch.Generator) -> None:
        self.a, self.b = torch.randn(d, d, generator=g), torch.randn(d, generator=g)
        self.c = torch.randn(11, d, generator=g)

    def __call__(self, z: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        """A velocity, another one for each label and for none."""
        k = torch.full((len(z),), 10) if y is None else y
        return torch.sin(z @ self.a) + (t[:, None] * self.b).cos() + self.c[k]


def _asked(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(1101 + 1000 * seed)
    probes = []
    for n, d, w in ((5, 3, 0.7), (6, 4, 1.6)):
        z, t, y = torch.randn(n, d, generator=g), torch.rand(n, generator=g), torch.randint(10, (n,), generator=g)
        probes.append((SmallVelocity(d, g), z, t, y, w))
    return probes


def _guided(net: Callable, z: Tensor, t: Tensor, y: Tensor, w: float) -> Tensor:
    labelled = net(z, t, y)
    free = net(z, t)
    return labelled + w * (labelled - free)


GUIDED = Exercise(
    id="guided-velocity",
    expects="one velocity per code, (n, d): the labelled one, and w times its difference from the unlabelled one",
    reference=_guided,
    probes=_asked,
    words={"labelled": "the labelled velocity", "free": "the unlabelled velocity"},
    mistakes=(
        Mistake(
            lambda net, z, t, y, w: net(z, t) + w * (net(z, t, y) - net(z, t)),
            "this is the other convention: here w = 0 would ignore the label, and w = 1 be the labelled model. In this "
            "notebook w = 0 is the labelled model, and w goes beyond it.",
        ),
        Mistake(
            lambda net, z, t, y, w: net(z, t, y) + w * (net(z, t) - net(z, t, y)),
            "the difference is the wrong way round: this steers towards what any digit has, away from the label.",
        ),
        Mistake(
            lambda net, z, t, y, w: net(z, t) + w * (net(z, t) - net(z, t, y)),
            "labelled and unlabelled have changed places: this steers away from what was asked for.",
        ),
        Mistake(
            lambda net, z, t, y, w: (1 + w) * net(z, t, y),
            "the unlabelled velocity is missing: this only walks faster, and past the codes.",
        ),
        Mistake(
            lambda net, z, t, y, w: net(z, t, y) + w * net(z, t, y) - net(z, t),
            "w reaches only a part of the difference: w (v_y − v) needs its brackets. At w = 0 it must be v_y.",
        ),
        Mistake(
            lambda net, z, t, y, w: net(z, t),
            "only the unlabelled velocity is left: what was asked for has no say.",
        ),
        Mistake(
            lambda net, z, t, y, w: net(z, t, y),
            "w has no say: this is the labelled model whatever w is.",
        ),
        Mistake(
            lambda net, z, t, y, w: net(z, t, y) + (w + 1) * (net(z, t, y) - net(z, t)),
            "w is taken as one more: at w = 0 this goes beyond the label already. The 1 + w of other books multiplies "
            "the difference where the *unlabelled* velocity stands before it.",
        ),
    ),
)
