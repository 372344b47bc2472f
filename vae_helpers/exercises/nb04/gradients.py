"""Exercises of notebook 04: draws that a gradient passes through, and the score-function estimator with a baseline."""

from vae_helpers.exercises.engine import Exercise, Mistake
from vae_helpers.exercises.engine.draws import draw_findings
from vae_helpers.losses import reparameterize

import torch
from torch import Tensor

REPARAMETERIZE = Exercise(
    id="reparameterize",
    expects="z (batch, d), one draw from N(μ, σ²) for each entry, through which gradients reach mu and logvar",
    reference=reparameterize,
    findings=draw_findings,
)


def _draw_probes(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(7 + 1000 * seed)
    r = lambda n: torch.randn(n, generator=g)  # noqa: E731
    return [(r(5) * 3, 1.5 + 0.7 * r(5), 1.5, 0.7), (r(7), -2 + 1.8 * r(7), -2.0, 1.8)]


def _score_function(f_z: Tensor, z: Tensor, mu: float, sigma: float) -> Tensor:
    slope = (z - mu) / sigma**2
    return f_z * slope


SCORE_FUNCTION = Exercise(
    id="score-function",
    expects="one term per draw, (n,): f(z) times the derivative of log N(z; μ, σ²) in μ",
    reference=_score_function,
    probes=_draw_probes,
    mistakes=(
        Mistake(
            lambda f, z, m, s: f * (z - m) / s,
            "you divided by σ. The exponent is −(z − μ)²/2σ², and so its derivative in μ is (z − μ)/σ².",
        ),
        Mistake(
            lambda f, z, m, s: -f * (z - m) / s**2,
            "the sign is turned: −(z − μ)/σ² is the derivative in z. In μ it has the other sign.",
        ),
        Mistake(
            lambda f, z, m, s: (f * (z - m) / s**2).mean(),
            "that is their mean already. Return one term per draw, (n,): we want to see how they scatter.",
        ),
        Mistake(
            lambda f, z, m, s: f * torch.distributions.Normal(m, s).log_prob(z),
            "that is f · log q itself. What is asked for is f times the *derivative* of log q in μ.",
        ),
    ),
)


def _rows_of_draws(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(17 + 1000 * seed)
    probes = []
    for (rows, k), mu, sigma in (((5, 3), 1.5, 0.7), ((4, 6), -2.0, 1.8)):
        z = mu + sigma * torch.randn(rows, k, generator=g)
        probes.append((z.square() + torch.randn(rows, k, generator=g), z, mu, sigma))
    return probes


def _leave_one_out(f: Tensor, z: Tensor, mu: float, sigma: float) -> Tensor:
    k = f.shape[1]
    total = f.sum(dim=1, keepdim=True)
    others = (total - f) / (k - 1)
    slope = (z - mu) / sigma**2
    return (f - others) * slope


def _slope(z: Tensor, mu: float, sigma: float) -> Tensor:
    return (z - mu) / sigma**2


LEAVE_ONE_OUT = Exercise(
    id="leave-one-out",
    expects="one term per draw, (rows, K): f minus the mean of the other K − 1 in its row, times ∂ log q/∂μ",
    reference=_leave_one_out,
    probes=_rows_of_draws,
    words={"total": "the sum of a row", "others": "the baseline", "slope": "the slope of log q"},
    mistakes=(
        Mistake(
            lambda f, z, m, s: (f - f.mean(1, keepdim=True)) * _slope(z, m, s),
            "each draw's own f is in its baseline, which then depends on that draw: the estimate is biased, "
            "(K − 1)/K of the true gradient. Average the other K − 1.",
        ),
        Mistake(
            lambda f, z, m, s: (f - f.mean()) * _slope(z, m, s),
            "one mean serves all rows: an image would be judged by other images' draws, its own among them. "
            "Each row has its own baseline.",
        ),
        Mistake(
            lambda f, z, m, s: (f - f.mean(0)) * _slope(z, m, s),
            "the mean goes down the columns, over images, where it should go along the row: dim=1. As it stands, "
            "easy images always seem good.",
        ),
        Mistake(
            lambda f, z, m, s: (f - (f.sum(1, keepdim=True) - f) / f.shape[1]) * _slope(z, m, s),
            "the other draws are K − 1, and you divided their sum by K: the baseline is too small, and noise is left.",
        ),
        Mistake(
            lambda f, z, m, s: f * _slope(z, m, s) - (f * _slope(z, m, s)).mean(1, keepdim=True),
            "the baseline is subtracted from the finished terms: their mean is then 0, and no gradient is left. "
            "Subtract it from f, before the slope multiplies.",
        ),
        Mistake(
            lambda f, z, m, s: (f - (f.sum(1, keepdim=True) - f) / (f.shape[1] - 1)).expand_as(z),
            "f minus its baseline says how good a draw was, not which way to go: the slope of log q is missing.",
        ),
        Mistake(
            lambda f, z, m, s: f * _slope(z, m, s),
            "nothing is subtracted from f: that is the plain estimator, as noisy as before. Each f minus its baseline.",
        ),
    ),
)


def _uniform_draws(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(27 + 1000 * seed)
    rate = lambda n: 0.5 + 3 * torch.rand(n, generator=g)  # noqa: E731
    return [(torch.rand(n, generator=g), rate(n)) for n in (5, 8)]


def _exponential(u: Tensor, rate: Tensor) -> Tensor:
    later = 1 - u
    return -later.log() / rate


EXPONENTIAL = Exercise(
    id="inverse-cdf",
    expects="z (n,), with F(z) = 1 − exp(−λ z) = u, through which gradients reach the rate λ",
    reference=_exponential,
    probes=_uniform_draws,
    graded=("rate",),
    words={"later": "1 − u"},
    mistakes=(
        Mistake(
            lambda u, r: -u.log() / r,
            "exponential too, since 1 − u is as uniform as u, but not F⁻¹: a large u should give a large z. "
            "Solve u = 1 − exp(−λz) for z.",
        ),
        Mistake(
            lambda u, r: (1 - u).log() / r,
            "a sign is missing: log(1 − u) is negative, and so are your waiting times.",
        ),
        Mistake(
            lambda u, r: -(1 - u).log() * r,
            "the rate multiplies, where it should divide: a large λ means short times, on average 1/λ.",
        ),
        Mistake(
            lambda u, r: 1 - (-r * u).exp(),
            "that is F itself, at u. Its inverse is asked for: which z has F(z) = u? As it stands, z never passes 1.",
        ),
        Mistake(
            lambda u, r: r * (-r * u).exp(),
            "that is the density at u. A draw is wanted: the z with F(z) = u.",
        ),
    ),
)

EXERCISES = (REPARAMETERIZE, SCORE_FUNCTION, LEAVE_ONE_OUT, EXPONENTIAL)
