"""The loss of flow matching, and guidance: one network with and without the label."""

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


def _batches(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(1101 + 1000 * seed)
    probes = []
    for n, d in ((5, 3), (6, 4)):
        x, eps = torch.randn(2, n, d, generator=g)
        t, y = torch.rand(n, generator=g), torch.randint(10, (n,), generator=g)
        probes.append((SmallVelocity(d, g), x, y, t, eps))
    return probes


def _flow_loss(net: Callable, x: Tensor, y: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    share = t[:, None]
    z = (1 - share) * x + share * eps
    v = eps - x
    error = net(z, t, y) - v
    return error.square().sum(dim=1)


def _of(z: Tensor, v: Tensor) -> Tensor:
    return (z - v).square().sum(1)


def _between(x: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    return x + t[:, None] * (eps - x)


FLOW_LOSS = Exercise(
    id="flow-loss",
    expects="one value per code, (n,): the squared error of the network's velocity at z_t, summed over the dimensions",
    reference=_flow_loss,
    probes=_batches,
    words={"share": "t", "z": "z_t", "v": "v", "error": "the error"},
    mistakes=(
        Mistake(
            lambda net, x, y, t, eps: _of(net(_between(eps, t, x), t, y), eps - x),
            "x and ε have changed places in z_t: at t = 0 it must be the code, at t = 1 noise.",
        ),
        Mistake(
            lambda net, x, y, t, eps: _of(net(_between(x, t, eps), t, y), x - eps),
            "the velocity points from noise to code. As t grows z_t goes the other way: v = dz_t/dt = ε − x.",
        ),
        Mistake(
            lambda net, x, y, t, eps: _of(net(_between(x, t, eps), t, y), eps),
            "the target is ε: what is asked for is the velocity, how fast z_t moves from x to ε.",
        ),
        Mistake(
            lambda net, x, y, t, eps: _of(net(_between(x, t, eps), t, y), x),
            "the target is x: what is asked for is the velocity, how fast z_t moves from x to ε.",
        ),
        Mistake(
            lambda net, x, y, t, eps: _of(net(_between(x, t, eps), t, y), _between(x, t, eps)),
            "the target is z_t itself, which the network is handed: ask for the velocity, ε − x.",
        ),
        Mistake(
            lambda net, x, y, t, eps: _of(net(_between(x, t, eps), t), eps - x),
            "the label never reaches the network: it can't learn what a 7 is asked for.",
        ),
        Mistake(
            lambda net, x, y, t, eps: _of(net(_between(x, t, eps), torch.zeros_like(t), y), eps - x),
            "t never reaches the network: one velocity has to serve every noise level, their mean.",
        ),
        Mistake(
            lambda net, x, y, t, eps: _of(net(x, t, y), eps - x),
            "the network sees the clean code: hand it z_t.",
        ),
    ),
)


def _asked(seed: int = 0) -> list[tuple]:
    probes = _batches(seed + 7)
    return [(net, z, t, y, w) for (net, z, y, t, _), w in zip(probes, (0.7, 1.6), strict=True)]


def _guided(net: Callable, z: Tensor, t: Tensor, y: Tensor, w: float) -> Tensor:
    labelled = net(z, t, y)
    free = net(z, t)
    return labelled + w * (labelled - free)


GUIDED = Exercise(
    id="guided-velocity",
    expects="one velocity per code, (n, d): the labelled one, and w times the step from the unlabelled one to it beyond",
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
    ),
)
