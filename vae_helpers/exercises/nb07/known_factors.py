"""Exercises of notebook 07 on what a dimension follows: R² with a factor, and its share between classes."""

from vae_helpers.evaluation import r_squared
from vae_helpers.exercises.engine import Exercise, Mistake

import torch
import torch.nn.functional as F
from torch import Tensor


def _codes_and_factors(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(33 + 1000 * seed)
    r = lambda *shape: torch.randn(*shape, generator=g)  # noqa: E731
    probes = []
    for n, d, k in ((9, 3, 2), (14, 4, 3)):
        codes = r(n, d)
        factors = codes @ r(d, k) + r(n, k)
        probes.append((codes * torch.arange(1, d + 1) + r(d), 0.5 * factors * torch.arange(1, k + 1) - r(k)))
    return probes


def _r_squared(codes: Tensor, factors: Tensor) -> Tensor:
    centred_codes = codes - codes.mean(dim=0)
    centred_factors = factors - factors.mean(dim=0)
    products = centred_codes.T @ centred_factors
    spreads = centred_codes.norm(dim=0)[:, None] * centred_factors.norm(dim=0)
    return (products / spreads).square()


def _correlation(codes: Tensor, factors: Tensor) -> Tensor:
    d = codes.shape[1]
    return torch.cat([codes, factors], 1).T.corrcoef()[:d, d:]


def _cosines(c: Tensor, f: Tensor) -> Tensor:
    return (c.T @ f) / (c.norm(dim=0)[:, None] * f.norm(dim=0))


def _centred(t: Tensor) -> Tensor:
    return t - t.mean(0)


R_SQUARED = Exercise(
    id="r-squared",
    expects="one value in [0, 1] for each pair, (d, k): dimensions down, factors across",
    reference=_r_squared,
    probes=_codes_and_factors,
    words={
        "centred_codes": "the centred codes",
        "centred_factors": "the centred factors",
        "products": "the products",
        "spreads": "the spreads",
    },
    mistakes=(
        Mistake(
            lambda c, f: _correlation(c, f),
            "that is the correlation itself. Square it: R² is a share, and the sign of a dimension means nothing.",
        ),
        Mistake(
            lambda c, f: _correlation(c, f).abs(),
            "that is the correlation's size, and not its square: 0.5 explains a quarter of the variance, not half.",
        ),
        Mistake(
            lambda c, f: _cosines(c, f).square(),
            "nothing is centred: a dimension far from 0 would seem to follow every factor. Subtract both means.",
        ),
        Mistake(
            lambda c, f: ((_centred(c).T @ f) / (_centred(c).norm(dim=0)[:, None] * f.norm(dim=0))).square(),
            "the factors are not centred, so that their distance from 0 counts as spread: subtract their means too.",
        ),
        Mistake(
            lambda c, f: ((c.T @ _centred(f)) / (c.norm(dim=0)[:, None] * _centred(f).norm(dim=0))).square(),
            "the codes are not centred, so that their distance from 0 counts as spread: subtract their means too.",
        ),
        Mistake(
            lambda c, f: _correlation(c, f).square().T,
            "the table is transposed: dimensions go down and factors across, (d, k).",
        ),
        Mistake(
            lambda c, f: (_centred(c).T @ _centred(f) / len(c)).square(),
            "that is the squared covariance, and it grows with the units: divide by both spreads before squaring.",
        ),
        Mistake(
            lambda c, f: (_centred(c).T @ _centred(f) / _centred(c).norm(dim=0)[:, None]).square() / len(c),
            "the factors' spreads are not divided out: a factor in other units would get another R².",
        ),
        Mistake(
            lambda c, f: (_centred(c).T @ _centred(f) / _centred(f).norm(dim=0)).square() / len(c),
            "the codes' spreads are not divided out: a dimension twice as wide would seem to explain four times as "
            "much.",
        ),
        Mistake(
            lambda c, f: _cosines(_centred(c.T).T, _centred(f.T).T).square(),
            "each image's row is centred. Centre each *column*: a dimension's mean over the images, dim=0.",
            alike=(lambda c, f: _cosines(_centred(c.T).T, _centred(f.T).T).abs(),),
        ),
        Mistake(
            lambda c, f: torch.linalg.lstsq(_centred(c), _centred(f)).solution.square(),
            "those are squared slopes of a regression on all dimensions together. Ask each dimension alone, and for "
            "the share that it explains.",
        ),
    ),
)


def _codes_and_classes(seed: int = 0) -> list[tuple]:
    """Ten classes of unequal sizes, at least two images in each."""
    g = torch.Generator().manual_seed(43 + 1000 * seed)
    probes = []
    for extra, d in ((12, 3), (19, 4)):
        y = torch.cat([torch.arange(10), torch.arange(10), torch.randint(0, 4, (extra,), generator=g)])
        y = y[torch.randperm(len(y), generator=g)]
        means = torch.randn(10, d, generator=g) * torch.linspace(0.3, 2, d)
        width = 0.4 + 0.1 * y[:, None]
        probes.append((means[y] + width * torch.randn(len(y), d, generator=g) + 1, y))
    return probes


def _between_classes(z: Tensor, y: Tensor) -> Tensor:
    member = F.one_hot(y, 10).to(z.dtype)
    sizes = member.sum(dim=0)
    means = (member.T @ z) / sizes[:, None]
    within = (z - means[y]).square().mean(dim=0)
    total = z.var(dim=0, correction=0)
    return 1 - within / total


def _variances(z: Tensor, y: Tensor, correction: int = 0) -> Tensor:
    return torch.stack([z[y == k].var(0, correction=correction) for k in range(10)])


def _means(z: Tensor, y: Tensor) -> Tensor:
    return torch.stack([z[y == k].mean(0) for k in range(10)])


def _sizes(y: Tensor) -> Tensor:
    return torch.bincount(y, minlength=10)[:, None] / len(y)


BETWEEN_CLASSES = Exercise(
    id="between-classes",
    expects="one share in [0, 1] for each dimension, (d,)",
    reference=_between_classes,
    probes=_codes_and_classes,
    words={"means": "the classes' means", "within": "the variance within classes", "total": "the whole variance"},
    mistakes=(
        Mistake(
            lambda z, y: 1 - _variances(z, y).mean(0) / z.var(0, correction=0),
            "all classes count alike, but they are of unequal size: weigh each class's variance by its share of the "
            "images.",
            alike=(lambda z, y: 1 - _variances(z, y).sum(0) / len(z) / z.var(0, correction=0),),
        ),
        Mistake(
            lambda z, y: 1 - _variances(z, y).sum(0) / z.var(0, correction=0),
            "the classes' variances are added up, ten of them: average them, each weighed by its share of the images.",
        ),
        Mistake(
            lambda z, y: 1 - _variances(z, y, 1).mean(0) / z.var(0),
            "all classes count alike, and variances divide by n − 1: weigh by the classes' sizes, with correction=0.",
        ),
        Mistake(
            lambda z, y: 1 - (_sizes(y) * _variances(z, y, 1)).sum(0) / z.var(0),
            "the variances divide by n − 1, and then within and between do not add up to the whole: correction=0.",
        ),
        Mistake(
            lambda z, y: 1 - (_sizes(y) * _variances(z, y, 1)).sum(0) / z.var(0, correction=0),
            "the classes' variances divide by n − 1 and the whole one by n: take correction=0 in both, or the shares "
            "do not add up.",
        ),
        Mistake(
            lambda z, y: 1 - (_sizes(y) * _variances(z, y))[:9].sum(0) / z.var(0, correction=0),
            "the last class is left out: range(9) ends at 8, and there are ten.",
            alike=(lambda z, y: 1 - (_sizes(y) * _variances(z, y))[:9].sum(0) * len(y) / z.var(0, correction=0),),
        ),
        Mistake(
            lambda z, y: (_sizes(y) * _variances(z, y)).sum(0) / z.var(0, correction=0),
            "that is the share *within* classes: what is left of 1 lies between them.",
        ),
        Mistake(
            lambda z, y: _means(z, y).var(0, correction=0) / z.var(0, correction=0),
            "the classes' means count alike, but large classes make more of the variance: weigh each by its images.",
        ),
        Mistake(
            lambda z, y: 1 - (_sizes(y) * _variances(z, y).sqrt()).sum(0) / z.std(0, correction=0),
            "standard deviations are compared: they do not add up, variances do.",
        ),
        Mistake(
            lambda z, y: r_squared(z, y[:, None].to(z.dtype))[:, 0],
            "the class is read as a number, as though a 9 were more than a 1: it is a name. Compare variances within "
            "classes with the whole.",
        ),
    ),
)

EXERCISES = (R_SQUARED, BETWEEN_CLASSES)
