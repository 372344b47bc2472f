"""What is known of a model with one latent number: its joint density, its posterior; and the naive estimate of p(x)."""

from math import log, pi

from vae_helpers.exercises.engine import Exercise, Mistake

import torch
from torch import Tensor


def _spiral(z: Tensor) -> Tensor:
    return torch.stack([torch.sin(1.3 * z), -torch.cos(1.3 * z), 0.4 * z], dim=-1)


def _parabola(z: Tensor) -> Tensor:
    return torch.stack([0.8 * z, 0.3 * z**2 - 1], dim=-1)


def _points_and_codes(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(31 + seed)
    r = lambda *size: torch.randn(*size, generator=g, dtype=torch.float64)  # noqa: E731
    return [(r(3), r(5).requires_grad_(), _spiral, 0.6), (r(2), r(4, 6).requires_grad_(), _parabola, 1.4)]


def _log_joint(x: Tensor, z: Tensor, decode: object, sigma_x: float) -> Tensor:
    squares = (x - decode(z)).square().sum(-1)
    log_prior = -0.5 * z**2 - 0.5 * log(2 * pi)
    scaled = squares / (2 * sigma_x**2)
    normaliser = 0.5 * x.shape[-1] * log(2 * pi * sigma_x**2)
    return log_prior - scaled - normaliser


def _log_prior(z: Tensor) -> Tensor:
    return -0.5 * z**2 - 0.5 * log(2 * pi)


LOG_JOINT = Exercise(
    id="log-joint",
    expects="one log p(x, z) per code, in the shape of z: summed over the pixels",
    reference=_log_joint,
    probes=_points_and_codes,
    graded=("z",),
    words={
        "squares": "the squared error",
        "log_prior": "log p(z)",
        "scaled": "the squared error over 2σ_x²",
        "normaliser": "the normaliser of p(x|z), ½ log 2πσ_x² a pixel,",
    },
    mistakes=(
        Mistake(
            lambda x, z, f, s: _log_joint(x, z, f, s) - _log_prior(z),
            "log p(z) is missing: that is log p(x|z) alone, and every code counts alike, however improbable.",
        ),
        Mistake(
            lambda x, z, f, s: _log_prior(z),
            "x has no part in it: that is log p(z) alone. Add log p(x|z), which says how well z explains x.",
        ),
        Mistake(
            lambda x, z, f, s: _log_joint(x, z, f, s) + 0.5 * x.shape[-1] * log(2 * pi * s**2),
            "the normaliser of p(x|z) is missing: it has no z in it, so the best z stays the best, but p(x) "
            "will not integrate to 1 over all x.",
        ),
        Mistake(
            lambda x, z, f, s: _log_joint(x, z, f, s) + 0.5 * log(2 * pi),
            "½ log 2π = 0.92 nats are missing, the normaliser of the prior: p(x) comes out 2.5 times too large.",
        ),
        Mistake(
            lambda x, z, f, s: _log_joint(x, z, f, s) + 0.5 * (x.shape[-1] - 1) * log(2 * pi * s**2),
            "the normaliser ½ log 2πσ_x² counts once, but each pixel is a Gaussian of its own: once for every pixel.",
        ),
        Mistake(
            lambda x, z, f, s: _log_prior(z) + (_log_joint(x, z, f, s) - _log_prior(z)) / x.shape[-1],
            "the pixels are averaged. They are independent, so that their probabilities multiply: sum the logarithms.",
        ),
        Mistake(
            lambda x, z, f, s: _log_joint(x, z, f, s) - _log_prior(z) + _log_prior(z / s) - log(s),
            "z is given the spread σ_x of the pixels, but the prior is N(0, 1): its spread is 1.",
        ),
        Mistake(
            lambda x, z, f, s: _log_joint(x, z, f, s).exp(),
            "that is p(x, z) itself: with hundreds of pixels it will underflow to 0. Stay with the logarithm.",
        ),
        Mistake(
            lambda x, z, f, s: _log_prior(z) * (_log_joint(x, z, f, s) - _log_prior(z)),
            "the two logarithms are multiplied. Probabilities multiply, p(z) p(x|z), and so their logarithms add.",
        ),
    ),
)


def _joints_on_grids(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(32 + seed)
    shift, tilt = torch.rand(2, generator=g, dtype=torch.float64).tolist()
    wide = torch.linspace(-7, 7, 241, dtype=torch.float64)
    narrow = torch.linspace(-1, 3, 161, dtype=torch.float64)
    humps = torch.logaddexp(-2 * (wide + 1 + shift) ** 2, tilt - (wide - 2) ** 2) - 1.3
    return [(humps, wide), (-15 * (narrow - 1) ** 2 + tilt * narrow - 800, narrow)]


def _posterior_on_grid(log_joint: Tensor, grid: Tensor) -> Tensor:
    ratio = (log_joint - log_joint.max()).exp()
    dz = grid[1] - grid[0]
    area = ratio.sum() * dz
    return ratio / area


POSTERIOR_ON_GRID = Exercise(
    id="posterior-on-grid",
    expects="the density p(z|x) at each point of the grid, (n,), whose integral over the grid is 1",
    reference=_posterior_on_grid,
    probes=_joints_on_grids,
    words={"ratio": "p(x, z), its largest value taken out,", "area": "the integral over z", "dz": "dz"},
    mistakes=(
        Mistake(
            lambda j, grid: j.softmax(0),
            "the step of the grid, dz, is missing: the values *sum* to 1, and should *integrate* to 1. "
            "As it stands, a finer grid gives a lower density.",
        ),
        Mistake(
            lambda j, grid: j.softmax(0) * (grid[1] - grid[0]),
            "dz multiplies, where it should divide: the integral is sum · dz, and it stands below the line.",
        ),
        Mistake(
            lambda j, grid: j.exp(),
            "that is p(x, z), whose integral is p(x), not 1; and exp(−800) is 0. Divide by the integral over z.",
        ),
        Mistake(
            lambda j, grid: (j - j.max()).exp(),
            "nothing is divided by: the highest point is 1, the integral is not. Divide by p(x), the integral over z.",
        ),
        Mistake(
            lambda j, grid: _posterior_on_grid(j, grid).log(),
            "that is log p(z|x). Here the density itself is asked for: it is to be drawn.",
        ),
        Mistake(
            lambda j, grid: j / (j.sum() * (grid[1] - grid[0])),
            "the logarithms themselves are divided. Bayes' rule divides densities: take exp first, then p(x, z)/p(x).",
        ),
    ),
)


def _log_likelihoods(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(3 + 100 * seed)
    spread = torch.tensor([0.0, -400.0, -900.0])[:, None]  # images that are far from alike
    levels = ((5, 3), -800.0), ((4, 7), -2.0), ((3, 4), spread)
    return [(3 * torch.randn(*size, generator=g) + level,) for size, level in levels]


def _log_mean_exp(a: Tensor, dim: int = 1) -> Tensor:
    return a.logsumexp(dim) - log(a.shape[dim])


def _naive_log_p_x(log_likelihoods: Tensor) -> Tensor:
    return log_likelihoods.logsumexp(dim=1) - log(log_likelihoods.shape[1])


NAIVE_LOG_P_X = Exercise(
    id="naive-log-p-x",
    expects="one value per image, (batch,): the log of the mean over the K draws of p(x|z)",
    reference=_naive_log_p_x,
    probes=_log_likelihoods,
    mistakes=(
        Mistake(
            lambda a: a.mean(1),
            "you averaged the logarithms. The mean of logs lies below the log of the mean: here it reads much too low.",
        ),
        Mistake(
            lambda a: a.logsumexp(1),
            "that is the log of the *sum* over the draws: it grows with K. Subtract log K.",
        ),
        Mistake(
            lambda a: a.exp().mean(1).log(),
            "exp(−800) is 0 in the computer, and log 0 is −∞. torch.logsumexp takes the largest term out first.",
        ),
        Mistake(
            lambda a: _log_mean_exp(a).exp(),
            "that is p(x) itself, which underflows to 0 for images. Stay with the logarithm.",
        ),
        Mistake(
            lambda a: _log_mean_exp(a, dim=0),
            "you averaged over the images (dim 0). The draws lie along dim 1.",
        ),
        Mistake(
            lambda a: a.max(1).values,
            "that is the best draw alone. p(x) is an average over all draws, most of which count next to nothing.",
        ),
        Mistake(
            lambda a: a.logsumexp(1) - log(len(a)),
            "you divided by the number of images. Divide by the number of draws, a.shape[1].",
        ),
        Mistake(
            lambda a: -_log_mean_exp(a),
            "the sign is turned: that is −log p(x), the cost. The log-likelihood was asked for.",
        ),
        Mistake(
            lambda a: _log_mean_exp(a).mean(),
            "that is one number, averaged over images too. Return one value per image.",
        ),
    ),
)
