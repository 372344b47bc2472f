"""Exercises of notebook 01: a Gaussian likelihood, a walk between codes, and codes drawn from a fitted Gaussian."""

from math import log, pi

from vae_helpers.exercises.engine import Answer, Exercise, Mistake, WrongShapeError, result_of

import torch
from torch import Tensor


def _pairs_of_images(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(1 + 1000 * seed)
    return [
        (torch.rand(n, 1, 28, 28, generator=g), torch.rand(n, 1, 28, 28, generator=g), s)
        for n, s in ((5, 0.3), (4, 2.0), (3, 0.02))  # the last so narrow that the density underflows
    ]


def _squares(x_hat: Tensor, x: Tensor) -> Tensor:
    return ((x - x_hat) ** 2).flatten(1).sum(dim=1)


def _gaussian_nll(x_hat: Tensor, x: Tensor, sigma_x: float) -> Tensor:
    squares = (x - x_hat).square() / (2 * sigma_x**2)
    normaliser = 0.5 * log(2 * pi * sigma_x**2)
    return (squares + normaliser).flatten(1).sum(dim=1)


GAUSSIAN_NLL = Exercise(
    id="gaussian-nll",
    expects="one value per image, (batch,), in nats: summed over the 784 pixels",
    reference=_gaussian_nll,
    probes=_pairs_of_images,
    mistakes=(
        Mistake(
            lambda a, b, s: _squares(a, b) / s**2 + 392 * log(2 * pi * s**2),
            "the ½ in front of the square is missing: every error weighs twice as much, as if σ² were halved.",
        ),
        Mistake(
            lambda a, b, s: _squares(a, b) / (2 * s**2),
            "the normaliser ½ log 2πσ² is missing: without it a larger σ always looks better, up to infinity.",
        ),
        Mistake(
            lambda a, b, s: _squares(a, b) / (2 * s**2) + 0.5 * log(2 * pi * s**2),
            "the normaliser was added once, but each of the 784 pixels has one: add it before you sum.",
        ),
        Mistake(
            lambda a, b, s: _squares(a, b) / (2 * s**2) + 784 * log(2 * pi * s**2),
            "the ½ in front of the logarithm is missing: log √(2πσ²) is ½ log 2πσ².",
        ),
        Mistake(
            lambda a, b, s: _squares(a, b) / (2 * s**2) - 392 * log(2 * pi * s**2),
            "the sign of the normaliser is wrong: in the *negative* log-likelihood it is added.",
        ),
        Mistake(
            lambda a, b, s: _gaussian_nll(a, b, s) / 784,
            "that is the mean over pixels. The log-likelihood of an image is the sum over its pixels.",
        ),
        Mistake(
            lambda a, b, s: _squares(a, b) / (2 * s) + 392 * log(2 * pi * s),
            "σ was used where σ² belongs, so that your Gaussian has the variance σ.",
        ),
        Mistake(
            lambda a, b, s: -_gaussian_nll(a, b, s),
            "that is the log-likelihood itself: minimised, it makes every image as unlikely as can be. "
            "The loss is its negative.",
        ),
        Mistake(
            lambda a, b, s: _gaussian_nll(a, b, s).mean(),
            "that is the mean over the batch. Here one value per image is asked for.",
        ),
    ),
)


def _walk(z_a: Tensor, z_b: Tensor, n: int) -> Tensor:
    t = torch.linspace(0, 1, n)[:, None]
    return (1 - t) * z_a + t * z_b


WALK = Exercise(
    id="walk",
    expects="codes (n, d), the first z_a, the last z_b, evenly spaced between",
    reference=_walk,
    words={"t": "t"},
    probes=lambda seed=0: [
        (torch.tensor([1.0, -2.0, 0.5 + seed]), torch.tensor([0.0, 4.0, 3.0]), 5),
        (torch.tensor([2.0, 1.0 + seed]), torch.tensor([-1.0, 1.5]), 4),
    ],
    mistakes=(
        Mistake(
            lambda a, b, n: _walk(b, a, n),
            "the walk runs backwards: at t = 0 it should stand at z_a. Use (1 − t) z_a + t z_b.",
        ),
        Mistake(
            lambda a, b, n: _walk(a, b, n + 1)[:-1],
            "the walk stops one step short of z_b: arange(n) / n never reaches 1. Use linspace(0, 1, n).",
        ),
        Mistake(
            lambda a, b, n: _walk(a, b, n + 2)[1:-1],
            "both ends are missing: the first code should be z_a itself, the last z_b.",
        ),
        Mistake(
            lambda a, b, n: _walk(a, a + b, n),
            "you added t·z_b to z_a, so that the walk ends at z_a + z_b. The weight of z_a has to shrink: (1 − t).",
        ),
        Mistake(
            lambda a, b, n: _walk(a, b, n).T,
            "the result is transposed: one code per *row*. Give t the shape (n, 1).",
        ),
        Mistake(
            lambda a, b, n: (a + b).expand(n, -1) / 2,
            "every row is the midpoint. Let t run from 0 to 1 over the rows.",
        ),
    ),
)


def _gaussian_like(codes: Tensor, n: int) -> Tensor:
    root = torch.linalg.cholesky(torch.cov(codes.T))
    return codes.mean(0) + torch.randn(n, codes.shape[1]) @ root.T


def _code_probes(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(2 + 1000 * seed)
    mix = torch.tensor([[2.0, 0.0, 0.0], [1.5, 0.7, 0.0], [-0.6, 0.3, 0.4]])
    return [(torch.tensor([3.0, -1.0, 0.5]) + torch.randn(4000, 3, generator=g) @ mix.T, 20_000)]


def _moments_of_codes(answer: Answer, probe: tuple) -> Tensor:
    z = result_of(answer, probe)
    if z.shape != (probe[1], probe[0].shape[1]):
        raise WrongShapeError(tuple(z.shape))
    distinct = torch.tensor([len(z[:, 0].unique()) / len(z)])
    tails = (z - z.mean(0)).pow(4).mean(0) / z.var(0).square().clamp(min=1e-12) / 3  # 1 for a Gaussian
    return torch.cat([z.mean(0), torch.cov(z.T).flatten(), distinct.double(), tails])


GAUSSIAN_CODES = Exercise(
    id="gaussian-codes",
    expects="n new codes (n, d) with the mean and the full covariance of the given ones",
    reference=_gaussian_like,
    probes=_code_probes,
    measure=_moments_of_codes,
    labels=(
        *(f"the mean of dimension {k}" for k in range(3)),
        *(f"the covariance of dimensions {j} and {k}" for j in range(3) for k in range(3)),
        "the share of new codes",
        *(f"the fourth power of dimension {k}, against a Gaussian's" for k in range(3)),
    ),
    tolerance=0.06,
    mistakes=(
        Mistake(
            lambda z, n: torch.randn(n, z.shape[1]),
            "these are draws from N(0, I), which know nothing of the codes. Use their mean and covariance.",
        ),
        Mistake(
            lambda z, n: z.mean(0) + z.std(0) * torch.randn(n, z.shape[1]),
            "mean and spread are right, but the dimensions are drawn independently. "
            "Use the covariance: its Cholesky root.",
        ),
        Mistake(
            lambda z, n: z.mean(0) + torch.randn(n, z.shape[1]) @ torch.cov(z.T),
            "the covariance was used as its own root, so that the draws have covariance S². "
            "Use torch.linalg.cholesky(S).",
        ),
        Mistake(
            lambda z, n: z.mean(0) + torch.randn(n, z.shape[1]) @ torch.linalg.cholesky(torch.cov(z.T)),
            "the Cholesky root stands the wrong way round: for rows it is ε @ L.T, which has covariance L Lᵀ.",
        ),
        Mistake(
            lambda z, n: torch.randn(n, z.shape[1]) @ torch.linalg.cholesky(torch.cov(z.T)).T,
            "the spread is right, but the draws sit around 0. Add the mean of the codes.",
        ),
        Mistake(
            lambda z, n: (
                z.mean(0) + 12**0.5 * (torch.rand(n, z.shape[1]) - 0.5) @ torch.linalg.cholesky(torch.cov(z.T)).T
            ),
            "mean and covariance are right, the shape is not: rand is uniform, and no code lies far out. Use randn.",
        ),
        Mistake(
            lambda z, n: (z.mean(0) + torch.randn(1, z.shape[1]) @ torch.linalg.cholesky(torch.cov(z.T)).T).expand(
                n, -1
            ),
            "one draw was repeated n times: all codes are alike. Draw n of them, randn(n, d).",
        ),
        Mistake(
            lambda z, n: z.mean(0) + torch.randn(n, z.shape[1]) @ torch.linalg.cholesky(z.T @ z / len(z)).T,
            "the second moment stands for the covariance: the mean was not subtracted, and the codes stray too far.",
        ),
        Mistake(
            lambda z, n: z.mean(0) + torch.rand(n, z.shape[1]) @ torch.linalg.cholesky(torch.cov(z.T)).T,
            "rand is uniform on [0, 1]: its mean is ½ and its variance 1/12, so codes lie too close. Use randn.",
        ),
        Mistake(
            lambda z, n: z[torch.randint(len(z), (n,))],
            "these are old codes drawn again: the decoder can then only repeat reconstructions. Draw new ones.",
        ),
        Mistake(
            lambda z, n: z.mean(0) + z.var(0) * torch.randn(n, z.shape[1]),
            "variances were used as standard deviations, so that wide directions get too wide; "
            "and the dimensions are drawn independently.",
        ),
    ),
)

EXERCISES = (GAUSSIAN_NLL, WALK, GAUSSIAN_CODES)
