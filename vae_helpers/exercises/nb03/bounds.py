"""The KL of two tables of probabilities, the ELBO from draws of q, and that of a q with two humps, on a grid."""

from math import log, pi

from vae_helpers.exercises.engine import Exercise, Mistake

import torch
from torch import Tensor
from torch.distributions import Normal


def _log_mean_exp(a: Tensor, dim: int = 1) -> Tensor:
    return a.logsumexp(dim) - log(a.shape[dim])


def _probabilities(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(4 + 100 * seed)
    return [tuple(torch.rand(k, generator=g).mul(3).softmax(0) for _ in range(2)) for k in (5, 3)]


def _kl(q: Tensor, p: Tensor) -> Tensor:
    return (q * (q.log() - p.log())).sum()


def _kl_of_tables(q: Tensor, p: Tensor) -> Tensor:
    logs = q.log() - p.log()
    return (q * logs).sum(dim=0)


KL_OF_TABLES = Exercise(
    id="kl-of-tables",
    expects="one number: the sum over the outcomes of q (log q − log p), in nats",
    reference=_kl_of_tables,
    probes=_probabilities,
    mistakes=(
        Mistake(
            lambda q, p: _kl(p, q),
            "that is the KL the other way round, D(p‖q): its average is over p. The two differ.",
        ),
        Mistake(
            lambda q, p: -_kl(q, p),
            "the sign is turned: this is never positive. A divergence is never negative: q (log q − log p).",
        ),
        Mistake(
            lambda q, p: -_kl(p, q),
            "the weights are p, the ratio is q over p. Weigh by q, the distribution that the draws come from.",
        ),
        Mistake(
            lambda q, p: (q.log() - p.log()).sum(),
            "the weights are missing: every outcome counts alike. It is an average over q: multiply by q.",
        ),
        Mistake(
            lambda q, p: (q * (q.log() - p.log())).mean(),
            "you took the mean over the outcomes. The weights q already make an average of the sum: use .sum().",
        ),
        Mistake(
            lambda q, p: (_kl_of_tables(q, (q + p) / 2) + _kl_of_tables(p, (q + p) / 2)) / 2,
            "that is the Jensen-Shannon divergence, from the middle of both: symmetric, and never above log 2.",
        ),
        Mistake(
            lambda q, p: -(q * q.log()).sum(),
            "that is the entropy of q, and p has no part in it. The KL is the mean of log q − log p.",
        ),
        Mistake(
            lambda q, p: -(q * p.log()).sum(),
            "that is the cross-entropy −Σ q log p: it is not 0 for p = q. Take q's own entropy off: + q log q.",
        ),
        Mistake(
            lambda q, p: _kl(q, p) / log(2),
            "these are bits (log₂). The course counts in nats: use the natural logarithm.",
        ),
        Mistake(
            lambda q, p: (q * (q.log() - p.log()).abs()).sum(),
            "the logs must keep their signs: outcomes where q is smaller than p count negatively.",
        ),
        Mistake(
            lambda q, p: q * (q.log() - p.log()),
            "that is one term per outcome, and some of them are negative. Add them up: only their sum is a divergence.",
        ),
    ),
)


def _draws(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(5 + 100 * seed)
    return [
        (mu + sigma * torch.randn(k, generator=g), torch.randn(k, generator=g) - 3, mu, sigma)
        for k, mu, sigma in ((5, 0.7, 0.4), (3, -1.2, 1.8))
    ]


def _log_q(z: Tensor, mu: float, sigma: float) -> Tensor:
    return -0.5 * ((z - mu) / sigma) ** 2 - log(sigma) - 0.5 * log(2 * pi)


def _small_elbo(z: Tensor, log_joint: Tensor, mu: float, sigma: float) -> Tensor:
    square = 0.5 * ((z - mu) / sigma) ** 2
    normaliser = log(sigma) + 0.5 * log(2 * pi)
    return (log_joint + square + normaliser).mean(dim=0)


SMALL_ELBO = Exercise(
    id="small-elbo",
    expects="one number: the mean over the draws of log p(x, z) − log q(z)",
    reference=_small_elbo,
    probes=_draws,
    mistakes=(
        Mistake(
            lambda z, j, m, s: (j + _log_q(z, m, s)).mean(),
            "log q is added. Subtract it: a spread-out q, with small log q, is rewarded and not punished.",
        ),
        Mistake(
            lambda z, j, m, s: j.mean(),
            "log q is missing. Without it the best q is a point on top of log p(x, z), and no bound.",
        ),
        Mistake(
            lambda z, j, m, s: (j - _log_q(z, m, s) - log(s)).mean(),
            "log q lacks its − log σ. The density of a narrow Gaussian is tall; "
            "without this term wide and narrow cost alike.",
        ),
        Mistake(
            lambda z, j, m, s: (j - _log_q(z, m, s)).mean() - 0.5 * log(2 * pi),
            "½ log 2π = 0.92 nats are missing: the constant of log q. log p(x, z) holds its own; keep both.",
        ),
        Mistake(
            lambda z, j, m, s: (j + ((z - m) / s) ** 2 + log(s) + 0.5 * log(2 * pi)).mean(),
            "the ½ in the exponent of log q is missing: it is −½ ((z − μ)/σ)².",
        ),
        Mistake(
            lambda z, j, m, s: (j - _log_q(z, m, s * s)).mean(),
            "σ² stands where the standard deviation σ belongs: log q is another Gaussian's, and this is no bound.",
        ),
        Mistake(
            lambda z, j, m, s: (j - _log_q(z, m, s**0.5)).mean(),
            "√σ stands where σ belongs: sigma is the standard deviation already, not the variance.",
        ),
        Mistake(
            lambda z, j, m, s: (j - _log_q(z, m, s)).sum(),
            "that is the sum over the draws: it grows with their number. An expectation is their mean.",
        ),
        Mistake(
            lambda z, j, m, s: -(j - _log_q(z, m, s)).mean(),
            "the sign is turned: that is the −ELBO, a loss. The bound itself was asked for.",
        ),
        Mistake(
            lambda z, j, m, s: _log_mean_exp((j - _log_q(z, m, s))[None])[0],
            "that is the log of the mean of the ratios: a tighter bound (of importance sampling), but not the ELBO, "
            "which is the mean of the logs.",
        ),
        Mistake(
            lambda z, j, m, s: j.mean() - 0.5 * (s**2 + m**2 - 1) + log(s),
            "two KLs are mixed up: the joint contains log p(z) already, so what is left to subtract is log q(z) alone.",
        ),
        Mistake(
            lambda z, j, m, s: (j - Normal(0.0, 1.0).log_prob(z)).mean(),
            "you subtracted the log of the *prior*. What is left is the reconstruction; subtract log q(z).",
        ),
    ),
)


def _two_humps_wanted(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(33 + seed)
    r = lambda *size: torch.rand(*size, generator=g, dtype=torch.float64)  # noqa: E731
    probes = []
    for points in (161, 241):
        grid = torch.linspace(-9, 9, points, dtype=torch.float64)
        log_joint = -0.5 * (grid - r(1)) ** 2 - 2 * torch.cos(2 * grid + r(1)) - 1.5
        mu, sigma = torch.tensor([-1.9, 1.6], dtype=torch.float64) + r(2), 0.5 + r(2)
        probes.append((log_joint, grid, mu.requires_grad_(), sigma.requires_grad_()))
    return probes


def _two_hump_elbo(log_joint: Tensor, grid: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    left = Normal(mu[0], sigma[0]).log_prob(grid)
    right = Normal(mu[1], sigma[1]).log_prob(grid)
    log_q = torch.logaddexp(left, right) - log(2)
    integrand = log_q.exp() * (log_joint - log_q)
    dz = grid[1] - grid[0]
    return integrand.sum() * dz


def _bound(log_q: Tensor, log_joint: Tensor, grid: Tensor) -> Tensor:
    return torch.trapezoid(log_q.exp() * (log_joint - log_q), grid)


def _humps(grid: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    return Normal(mu[:, None], sigma[:, None]).log_prob(grid)


TWO_HUMP_ELBO = Exercise(
    id="two-hump-elbo",
    expects="one number: the ELBO, on the grid, of a q that is half N(μ₀, σ₀²) and half N(μ₁, σ₁²)",
    reference=_two_hump_elbo,
    probes=_two_humps_wanted,
    graded=("mu", "sigma"),
    words={
        "left": "the first hump's log density",
        "right": "the second hump's log density",
        "log_q": "log q",
        "integrand": "q (log p(x, z) − log q)",
        "dz": "dz",
    },
    mistakes=(
        Mistake(
            lambda j, grid, m, s: _bound(_humps(grid, m, s).mean(0), j, grid),
            "the two *log* densities are averaged: that is the log of one hump in between, times a constant, "
            "which does not integrate to 1: what comes out is no bound. Average the densities.",
        ),
        Mistake(
            lambda j, grid, m, s: _bound(_humps(grid, m, s), j, grid).mean(),
            "that is the mean of two ELBOs, one of each hump: it is no better than the better of them, and its gap "
            "stays log 2. Mix the densities first.",
        ),
        Mistake(
            lambda j, grid, m, s: _bound(_humps(grid, m, s).logsumexp(0), j, grid),
            "the ½ of each hump is missing: this q integrates to 2, and what it gives is no bound at all.",
        ),
        Mistake(
            lambda j, grid, m, s: _bound(_humps(grid, m, s).sum(0), j, grid),
            "the log densities are added: that is the log of their product, which is next to 0 where the humps lie.",
        ),
        Mistake(
            lambda j, grid, m, s: torch.trapezoid((_humps(grid, m, s).logsumexp(0) - log(2)).exp() * j, grid),
            "log q is missing: without it the best q is two needles, and what it gives is no bound.",
        ),
        Mistake(
            lambda j, grid, m, s: _bound(_humps(grid, m, s)[0], j, grid),
            "the second hump has no part in it: that is the ELBO of the first one alone, and its gap stays log 2.",
        ),
        Mistake(
            lambda j, grid, m, s: torch.trapezoid(j.exp() * (j - _humps(grid, m, s).logsumexp(0) + log(2)), grid),
            "the average is taken over p(x, z), which cannot be drawn from. The ELBO is an average over q: weigh by q.",
        ),
        Mistake(
            lambda j, grid, m, s: (j - (_humps(grid, m, s).logsumexp(0) - log(2))).mean(),
            "the points of the grid are no draws of q: each must be weighted by q(z) dz, and then summed.",
        ),
    ),
)
