"""Exercises of notebook 07 on empty codes: active units, free bits, the linear VAE's exact count of units."""

from vae_helpers.exercises.engine import Exercise, Mistake

import torch
from torch import Tensor


def _means(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(5 + 1000 * seed)
    r = lambda *shape: torch.randn(*shape, generator=g)  # noqa: E731
    spread = (torch.tensor([1.0, 0.05, 0.03, 0.2, 0.11, 0.08, 0.0]), torch.tensor([0.04, 0.3, 0.15]))
    shift = (torch.tensor([0.0, 2.0, 0.3, 0.0, 0.05, -1.0, 0.5]), torch.tensor([0.0, 0.0, -2.0]))
    return [(r(n, len(s)) * s + m,) for n, s, m in zip((40, 50), spread, shift, strict=True)]


def _active_units(mu: Tensor) -> Tensor:
    return mu.var(dim=0) > 0.01


ACTIVE_UNITS = Exercise(
    id="active-units",
    expects="True or False for each latent dimension, (d,)",
    reference=_active_units,
    probes=_means,
    mistakes=(
        Mistake(
            lambda m: m.var(1) > 0.01,
            "the variance was taken over the dimensions of each image. Take it over the images, dim=0: a unit is "
            "active if its μ *differs between images*.",
        ),
        Mistake(
            lambda m: m.std(0) > 0.01,
            "that compares the standard deviation with 0.01. The threshold is one for the variance: 0.01 is a spread "
            "of 0.1.",
        ),
        Mistake(
            lambda m: m.var(0) > m.var(0).mean(),
            "each variance is held against the average one: then some unit is always idle. The threshold is 0.01.",
        ),
        Mistake(
            lambda m: m.square().mean(0) > 0.01,
            "that is the mean of μ². A unit whose μ is 0.5 for *every* image would count as active, though it says "
            "nothing: take the variance, which subtracts the mean.",
        ),
        Mistake(
            lambda m: m.mean(0).abs() > 0.01,
            "that looks at the mean of μ over the images. What counts is whether μ changes with the image: its "
            "variance.",
        ),
        Mistake(
            lambda m: m.var(0) < 0.01,
            "those are the units that are *not* active: turn the inequality round.",
        ),
        Mistake(
            lambda m: (m.var(0) > 0.01).sum(),
            "that is their number. Return which ones they are, True or False for each dimension.",
        ),
        Mistake(
            lambda m: m.var(0),
            "those are the variances. Compare them with the threshold, 0.01.",
        ),
    ),
)


def _clouds(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(7 + 1000 * seed)
    r = lambda *shape: torch.randn(*shape, generator=g)  # noqa: E731
    said, sigma = torch.linspace(0, 1.5, 7), -torch.linspace(0.1, 2.5, 7)
    wide = [(r(n, 7) * said, sigma * torch.rand(n, 7, generator=g), free) for n, free in ((5, 0.3), (6, 0.5))]
    return [*wide, (0.1 * r(5, 3), 0.1 * r(5, 3), 0.8)]


def _kl_terms(mu: Tensor, logvar: Tensor) -> Tensor:
    return 0.5 * (mu**2 + logvar.exp() - logvar - 1)


def _free_bits(mu: Tensor, logvar: Tensor, free: float) -> Tensor:
    kl_each = (0.5 * (mu.square() + logvar.exp() - logvar - 1)).mean(dim=0)
    return kl_each.clamp(min=free).sum()


FREE_BITS = Exercise(
    id="free-bits",
    expects="one number, in nats: the sum over dimensions of max(free, KL_j)",
    reference=_free_bits,
    probes=_clouds,
    mistakes=(
        Mistake(
            lambda m, v, free: _kl_terms(m, v).clamp(min=free).mean(0).sum(),
            "max was taken for each image, before the mean over the batch: then every image gets its nats free, and "
            "a unit that speaks for a few images only is charged too much. Average first.",
        ),
        Mistake(
            lambda m, v, free: _kl_terms(m, v).mean(0).clamp(max=free).sum(),
            "that is min(free, KL): it takes the price off units that say much and leaves it on those that collapse.",
        ),
        Mistake(
            lambda m, v, free: _kl_terms(m, v).mean(0).sum().clamp(min=free),
            "the nats are free for all dimensions together. Then one unit may use them up, and the others collapse: "
            "take the maximum dimension by dimension.",
        ),
        Mistake(
            lambda m, v, free: (_kl_terms(m, v).mean(0) - free).clamp(min=0).sum(),
            "the same gradient, another number: max(0, KL − free) is lower by free in every dimension.",
        ),
        Mistake(
            lambda m, v, free: _kl_terms(m, v).mean(0).sum(),
            "that is the plain KL: nothing is free, so silence is rewarded at once, as before.",
        ),
        Mistake(
            lambda m, v, free: _kl_terms(m, v).mean(0).clamp(min=free).mean(),
            "that is the mean over the dimensions. Sum them: each one's nats have to be paid for.",
        ),
        Mistake(
            lambda m, v, free: _kl_terms(m, v).mean(0).clamp(min=free),
            "that is one value per dimension. Sum them: a loss has to be one number.",
        ),
        Mistake(
            lambda m, v, free: (2 * _kl_terms(m, v).mean(0)).clamp(min=free).sum(),
            "the KL is twice too large: the ½ is missing.",
        ),
    ),
)


def _spectra(seed: int = 0) -> list[tuple]:
    first = torch.logspace(1, -3, 61)  # so dense that a small change of the threshold counts
    g = torch.Generator().manual_seed(20_217 + 1000 * seed)
    mixed = first[torch.randperm(61, generator=g)]  # they come in any order
    settings = (mixed, 0.5, 40, 2.0), (first, 0.25, 40, 0.3), (mixed, 0.1, 12, 0.8), (first.flip(0), 0.04, 25, 3.0)
    return [*settings, (mixed, 0.03, 50, 0.5), (mixed, 0.7, 60, 1.6)]


def _units_at_optimum(eigenvalues: Tensor, sigma2: float, latent_dim: int, beta: float) -> int:
    above = (eigenvalues > beta * sigma2).sum()
    return min(latent_dim, int(above))


UNITS_AT_OPTIMUM = Exercise(
    id="units-at-optimum",
    expects="one whole number: how many units the optimum uses",
    reference=_units_at_optimum,
    probes=_spectra,
    mistakes=(
        Mistake(
            lambda e, s, d, b: int((e > b * s).sum()),
            "more units than there are: the count can't exceed d, take the minimum of the two.",
        ),
        Mistake(
            lambda e, s, d, b: min(d, int((e > s).sum())),
            "β is missing: the KL's price is multiplied by it, and so is the threshold.",
        ),
        Mistake(
            lambda e, s, d, b: min(d, int((e > s / b).sum())),
            "β stands on the wrong side: a higher price empties *more* units, so the threshold is β σ_x², not σ_x²/β.",
        ),
        Mistake(
            lambda e, s, d, b: min(d, int((e > b * s**0.5).sum())),
            "the eigenvalues are variances: compare them with the variance σ_x², not with σ_x.",
        ),
        Mistake(
            lambda e, s, d, b: min(d, int((e < b * s).sum())),
            "those are the directions that are lost in the noise. Count the eigenvalues *above* β σ_x².",
        ),
        Mistake(
            lambda e, s, d, b: int((e[:d] > b * s).sum()),
            "only the first d eigenvalues are looked at, and they come in any order: count them all, then limit.",
        ),
        Mistake(
            lambda e, s, d, b: max(d, int((e > b * s).sum())),
            "max was taken where min belongs: neither units nor directions can be more than there are.",
        ),
    ),
)

EXERCISES = (ACTIVE_UNITS, UNITS_AT_OPTIMUM, FREE_BITS)
