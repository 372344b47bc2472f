"""Exercises of notebook 05, continued: the way from one code to another along the sphere."""

import torch
from torch import Tensor

from vae_helpers.exercises.core import Exercise, Mistake
from vae_helpers.walks import spherical, straight


def _pairs() -> list[tuple]:
    # the codes' lengths differ from 1 and from each other; their products stay below 1, so that every arccos is finite
    pairs = [([1.2, 0.3, -0.8], [0.4, -1.0, -0.5], 0.3), ([0.5, -0.2, 0.9, 0.1], [-0.3, 0.8, 0.4, 1.1], 0.8)]
    return [(torch.tensor(z_a), torch.tensor(z_b), t) for z_a, z_b, t in pairs]


def _angle(z_a: Tensor, z_b: Tensor) -> Tensor:
    return torch.arccos(torch.cosine_similarity(z_a, z_b, dim=0))


def _weighted(z_a: Tensor, z_b: Tensor, t: float, omega: Tensor) -> Tensor:
    return (torch.sin((1 - t) * omega) * z_a + torch.sin(t * omega) * z_b) / torch.sin(omega)


def _pulled_out(z_a: Tensor, z_b: Tensor, t: float) -> Tensor:
    z = straight(z_a, z_b, t)
    return z / z.norm() * ((1 - t) * z_a.norm() + t * z_b.norm())


SPHERICAL = Exercise(
    id="spherical",
    expects="one code (latent_dim,), (sin((1 − t) ω) z_a + sin(t ω) z_b) / sin ω, with ω the angle between z_a and z_b",
    reference=spherical,
    probes=_pairs,
    mistakes=(
        Mistake(
            straight,
            "that is the straight way. Half-way between unrelated codes it is too short by √2.",
        ),
        Mistake(
            _pulled_out,
            "that is the straight way pulled out to the sphere: the right arc, at another speed. "
            "Weigh the codes by sines of angles, not by 1 − t and t.",
        ),
        Mistake(
            lambda a, b, t: _weighted(a, b, t, _angle(a, b)) * torch.sin(_angle(a, b)),
            "the division by sin ω is missing: at t = 0 you don't stand on z_a, but on sin ω · z_a.",
        ),
        Mistake(
            lambda a, b, t: _weighted(a, b, t, torch.cosine_similarity(a, b, dim=0)),
            "the cosine was used as the angle. The angle is its arccos.",
        ),
        Mistake(
            lambda a, b, t: _weighted(a, b, t, torch.arccos(a @ b)),
            "the product z_a · z_b is a cosine only for codes of length 1: divide by both lengths before the arccos.",
        ),
        Mistake(
            lambda a, b, t: spherical(a / a.norm(), b / b.norm(), t),
            "the result has length 1: you used the directions only. Take them for the angle, but weigh the codes.",
        ),
        Mistake(
            lambda a, b, t: spherical(b, a, t),
            "the ends are swapped: t = 0 must give z_a, t = 1 z_b.",
        ),
        Mistake(
            lambda a, b, t: (
                (torch.cos((1 - t) * _angle(a, b)) * a + torch.cos(t * _angle(a, b)) * b) / torch.sin(_angle(a, b))
            ),
            "cosines stand where sines belong: at t = 1, sin((1 − t) ω) is 0, and z_a has no part in the result.",
        ),
    ),
)

EXERCISES = (SPHERICAL,)
