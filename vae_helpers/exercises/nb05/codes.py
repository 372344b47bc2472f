"""Exercises of notebook 05 on codes: the KL of each latent dimension, a grid of codes, walks."""

from collections.abc import Callable

from vae_helpers.evaluation import spherical, straight
from vae_helpers.exercises.engine import Exercise, Mistake

import torch
from torch import Tensor
from torch.distributions import Normal

PRIOR = Normal(0.0, 1.0)


def _code_probes(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(4 + 1000 * seed)
    return [(torch.randn(n, d, generator=g), torch.randn(n, d, generator=g) - 1) for n, d in ((5, 3), (6, 4))]


def _kl_terms(mu: Tensor, logvar: Tensor) -> Tensor:
    return 0.5 * (mu**2 + logvar.exp() - logvar - 1)


def _kl_per_dimension(mu: Tensor, logvar: Tensor) -> Tensor:
    return (0.5 * (mu.square() + logvar.exp() - logvar - 1)).mean(dim=0)


KL_PER_DIMENSION = Exercise(
    id="kl-per-dimension",
    expects="one value per latent dimension, (latent_dim,), averaged over the images",
    reference=_kl_per_dimension,
    probes=_code_probes,
    mistakes=(
        Mistake(
            lambda m, v: _kl_terms(m, v).sum(1),
            "that is one value per image, summed over dimensions. Average over images (dim 0), keep the dimensions.",
        ),
        Mistake(
            lambda m, v: 0.5 * (m**2 + v - v.exp().log() - 1).mean(0),
            "log σ² stands where σ² belongs, and a narrow cloud would cost nothing for its width: take exp(logvar).",
        ),
        Mistake(
            lambda m, v: 0.5 * (m**2 + (2 * v).exp() - 2 * v - 1).mean(0),
            "exp(logvar) was taken for σ and squared again. It is σ² already: as it stands, wide clouds cost too much.",
        ),
        Mistake(
            lambda m, v: _kl_terms(m.mean(0, keepdim=True), v.mean(0, keepdim=True))[0],
            "you averaged μ and log σ² first and took the KL of the average. Take each image's KL, then average.",
        ),
    ),
)


def _grid(values: Tensor, codes_of: Callable = PRIOR.icdf) -> Tensor:
    return torch.cartesian_prod(*2 * [codes_of(values)])


def _midpoints(n: int) -> Tensor:
    return (torch.arange(n) + 0.5) / n


def _quantile_grid(n: int) -> Tensor:
    q = (torch.arange(n) + 0.5) / n
    values = PRIOR.icdf(q)
    return torch.cartesian_prod(values, values)


QUANTILE_GRID = Exercise(
    id="quantile-grid",
    expects="codes (n·n, 2), all pairs of the n quantiles of N(0, 1) at (i + ½)/n, the second number changing fastest",
    reference=_quantile_grid,
    words={"q": "the probabilities", "values": "the quantiles"},
    probes=lambda seed=0: [(5 + seed % 11,), (4 + seed % 11,)],
    mistakes=(
        Mistake(
            lambda n: _grid(_midpoints(n), codes_of=lambda p: p),
            "these are probabilities between 0 and 1, not codes. Pass them through the inverse CDF: Normal(0, 1).icdf.",
        ),
        Mistake(
            lambda n: _grid(_midpoints(n), codes_of=PRIOR.cdf),
            "that is the CDF, which turns codes into probabilities. You want the inverse: Normal(0, 1).icdf.",
        ),
        Mistake(
            lambda n: _grid(torch.linspace(-3, 3, n), codes_of=lambda z: z),
            "the *codes* are evenly spaced, so that most lie where the prior is thin. Space the probabilities evenly.",
            alike=tuple(lambda n, end=end: _grid(torch.linspace(-end, end, n), lambda z: z) for end in (2, 2.5, 4, 5)),
        ),
        Mistake(
            lambda n: torch.stack([PRIOR.icdf(_midpoints(n))] * 2, dim=1),
            "that is the diagonal: n codes with z₁ = z₂. Combine every value with every value: n·n codes.",
        ),
        Mistake(
            lambda n: _grid(torch.linspace(0, 1, n)),
            "the quantiles at probability 0 and 1 are −∞ and ∞. Take the midpoints of n cells, (i + ½)/n.",
        ),
        Mistake(
            lambda n: _grid(torch.arange(n) / n),
            "the first quantile is −∞: it stands at probability 0. Take the midpoints of n cells, (i + ½)/n.",
        ),
        Mistake(
            lambda n: _grid(torch.linspace(0.05, 0.95, n)),
            "the quantiles run from 0.05 to 0.95. For n cells of equal probability take their midpoints, (i + ½)/n.",
        ),
        Mistake(
            lambda n: _grid((torch.arange(n) + 1) / (n + 1)),
            "(i + 1)/(n + 1) leaves more room at both ends than between two codes. Take the midpoints of n equal "
            "cells, (i + ½)/n.",
        ),
        Mistake(
            lambda n: _grid(torch.linspace(*PRIOR.icdf(_midpoints(n))[[0, -1]].tolist(), n), codes_of=lambda z: z),
            "the *codes* are evenly spaced. Space the probabilities evenly, (i + ½)/n, and take the quantile of each.",
        ),
    ),
)


def _pairs(seed: int = 0) -> list[tuple]:
    # the codes' lengths differ from 1 and from each other; their products stay below 1, so that every arccos is finite
    pairs = [
        ([1.2, 0.3, -0.8], [0.4, -1.0, -0.5], 0.3),
        ([0.5, -0.2, 0.9, 0.1], [-0.3, 0.8, 0.4, 1.1], 0.8),
        ([0.9, -0.4, 0.1], [-0.6, 0.7, 0.3], 0.4),  # more than a right angle apart
    ]
    return [(torch.tensor(z_a) / (1 + 0.05 * (seed % 20)), torch.tensor(z_b), t) for z_a, z_b, t in pairs]


def _angle(z_a: Tensor, z_b: Tensor) -> Tensor:
    return torch.arccos(torch.cosine_similarity(z_a, z_b, dim=0))


def _weighted(z_a: Tensor, z_b: Tensor, t: float, omega: Tensor, weight: Callable = torch.sin) -> Tensor:
    return (weight((1 - t) * omega) * z_a + weight(t * omega) * z_b) / torch.sin(omega)


def _spherical(z_a: Tensor, z_b: Tensor, t: float) -> Tensor:
    cosine = (z_a * z_b).sum() / (z_a.square().sum().sqrt() * z_b.square().sum().sqrt())
    omega = cosine.arccos()
    first = ((1 - t) * omega).sin() * z_a
    second = (t * omega).sin() * z_b
    return (first + second) / omega.sin()


SPHERICAL = Exercise(
    id="spherical",
    expects="one code (latent_dim,), (sin((1 − t) ω) z_a + sin(t ω) z_b) / sin ω, with ω the angle between z_a and z_b",
    reference=_spherical,
    words={"cosine": "the cosine", "omega": "ω", "first": "the share of z_a", "second": "the share of z_b"},
    probes=_pairs,
    mistakes=(
        Mistake(straight, "that is the straight way. Half-way between unrelated codes it is too short by √2."),
        Mistake(
            lambda a, b, t: straight(a, b, t) / straight(a, b, t).norm() * ((1 - t) * a.norm() + t * b.norm()),
            "that is the straight way pulled out to the sphere: the right arc, at another speed. "
            "Weigh the codes by sines of angles, not by 1 − t and t.",
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
            lambda a, b, t: _weighted(a, b, t, _angle(a, b), torch.cos),
            "cosines stand where sines belong: at t = 1, sin((1 − t) ω) is 0, and z_a has no part in the result.",
        ),
    ),
)

EXERCISES = (KL_PER_DIMENSION, QUANTILE_GRID, SPHERICAL)
