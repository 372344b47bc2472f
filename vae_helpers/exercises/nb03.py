"""Exercises of notebook 03: naive Monte Carlo for log p(x), the KL of two tables, an ELBO from draws."""

from math import log, pi

from vae_helpers.exercises.engine import Exercise, Mistake

import torch
from torch import Tensor
from torch.distributions import Normal


def _log_likelihoods(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(3 + 1000 * seed)
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


def _probabilities(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(4 + 1000 * seed)
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
    g = torch.Generator().manual_seed(5 + 1000 * seed)
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

EXERCISES = (NAIVE_LOG_P_X, KL_OF_TABLES, SMALL_ELBO)
