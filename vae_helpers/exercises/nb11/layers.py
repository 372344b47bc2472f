"""The chain and its Gaussians: noise added in one jump, where a noisy code came from, and what a guess of x costs."""

from vae_helpers.exercises.engine import Exercise, Mistake
from vae_helpers.losses import alpha_and_sigma, log_snr

import torch
from torch import Tensor

SIZES = ((5, 3), (6, 4))


def _rows(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(1101 + 1000 * seed)
    return [
        (torch.randn(n, d, generator=g), torch.rand(n, generator=g), torch.randn(n, d, generator=g)) for n, d in SIZES
    ]


def _noising(x: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    log_ratio = 8 - 16 * t[:, None]
    alpha = log_ratio.sigmoid().sqrt()
    sigma = (-log_ratio).sigmoid().sqrt()
    return alpha * x + sigma * eps


def _alpha_sigma(t: Tensor) -> tuple[Tensor, Tensor]:
    return alpha_and_sigma(t[:, None])


NOISING = Exercise(
    id="noising",
    expects="the noisy points, in the shape of x: each row at its own time",
    reference=_noising,
    probes=_rows,
    graded=("x",),
    words={"log_ratio": "λ(t)", "alpha": "α", "sigma": "σ"},
    mistakes=(
        Mistake(
            lambda x, t, e: _alpha_sigma(t)[0] ** 2 * x + _alpha_sigma(t)[1] ** 2 * e,
            "the roots are missing: α² and σ² add up to 1, α and σ multiply. Half-way, z would have half the variance "
            "that it should.",
        ),
        Mistake(
            lambda x, t, e: _alpha_sigma(t)[1] * x + _alpha_sigma(t)[0] * e,
            "signal and noise are exchanged: at t = 0 all would be noise, and at t = 1 all data.",
        ),
        Mistake(
            lambda x, t, e: x + _alpha_sigma(t)[1] * e,
            "α is missing: noise is laid on x, as in 02, and x never fades. Then z at t = 1 is no N(0, I), from which "
            "one could begin to draw.",
        ),
        Mistake(
            lambda x, t, e: (1 - t[:, None]) * x + t[:, None] * e,
            "this is flow matching's straight path, which comes later: here α and σ are roots of sigmoids of λ(t).",
        ),
        Mistake(
            lambda x, t, e: ((16 - 32 * t[:, None]).sigmoid()).sqrt() * x + (32 * t[:, None] - 16).sigmoid().sqrt() * e,
            "λ counts twice: it is the log of α²/σ² already, squares and all. Noise would come late and in a rush.",
        ),
        Mistake(
            lambda x, t, e: _alpha_sigma(t)[1] ** 2 * x + _alpha_sigma(t)[0] ** 2 * e,
            "two things. First, signal and noise are exchanged: at t = 0 all would be noise. Second, the roots are "
            "missing: a sigmoid of λ gives a square, α² or σ².",
        ),
    ),
)


def _steps(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(1103 + 1000 * seed)
    probes = []
    for (n, d), (s, t) in zip((*SIZES, (4, 2)), ((0.3, 0.35), (0.55, 0.7), (0.4, 0.6)), strict=True):
        z_t, x = torch.randn(2, n, d, generator=g)
        shift = 0.05 * torch.rand((), generator=g)
        probes.append((z_t, x, torch.tensor(s) + shift, torch.tensor(t) + shift))
    return probes


def _step_posterior(z_t: Tensor, x: Tensor, s: Tensor, t: Tensor) -> Tensor:
    alpha_s = log_snr(s).sigmoid().sqrt()
    alpha_t = log_snr(t).sigmoid().sqrt()
    sigma_s = (-log_snr(s)).sigmoid().sqrt()
    a = alpha_t / alpha_s
    b = 1 - a.square()
    precision = a.square() / b + 1 / sigma_s.square()
    variance = 1 / precision
    mean = variance * (a / b * z_t + alpha_s / sigma_s.square() * x)
    return torch.stack([mean, variance.expand_as(mean)])


def _parts(s: Tensor, t: Tensor) -> tuple[Tensor, ...]:
    """α_s, σ_s, σ_t, a and b of a step."""
    (alpha_s, sigma_s), (alpha_t, sigma_t) = alpha_and_sigma(s), alpha_and_sigma(t)
    a = alpha_t / alpha_s
    return alpha_s, sigma_s, sigma_t, a, 1 - a.square()


def _with(mean: object = None, variance: object = None) -> object:
    """An answer right but for its mean(z_t, x, *parts), or its variance(*parts)."""

    def answer(z_t: Tensor, x: Tensor, s: Tensor, t: Tensor) -> Tensor:
        """Both, (2, n, d)."""
        right = _step_posterior(z_t, x, s, t)
        m = mean(z_t, x, *_parts(s, t)) if mean else right[0]
        v = variance(*_parts(s, t)).expand_as(m) if variance else right[1]
        return torch.stack([m, v])

    return answer


def _too_sure(z_t: Tensor, x: Tensor, s: Tensor, t: Tensor) -> Tensor:
    alpha_s, sigma_s, _, a, b = _parts(s, t)
    variance = 1 / (1 / b + 1 / sigma_s.square())
    mean = variance * (z_t / a / b + alpha_s / sigma_s.square() * x)
    return torch.stack([mean, variance.expand_as(mean)])


STEP_POSTERIOR = Exercise(
    id="step-posterior",
    expects="mean and variance of q(z_s∣z_t, x), stacked, (2, n, d); the variance is the same in every place",
    reference=_step_posterior,
    probes=_steps,
    words={
        "alpha_s": "α_s",
        "alpha_t": "α_t",
        "sigma_s": "σ_s",
        "a": "a = α_t/α_s",
        "b": "b = 1 − a²",
        "precision": "the precision",
    },
    mistakes=(
        Mistake(
            _with(variance=lambda alpha_s, sigma_s, sigma_t, a, b: b),
            "the variance is b, that of the *forward* step. x has a say as well, and makes z_s more certain.",
        ),
        Mistake(
            _with(lambda z, x, alpha_s, sigma_s, sigma_t, a, b: alpha_s * x),
            "z_t is ignored: the mean is that of q(z_s∣x). The chain would forget where it is.",
        ),
        Mistake(
            _with(lambda z, x, alpha_s, sigma_s, sigma_t, a, b: z / a),
            "x is ignored: the mean only stretches z_t back. Nothing would ever pull the noise towards data.",
        ),
        Mistake(
            _with(variance=lambda alpha_s, sigma_s, sigma_t, a, b: b.sqrt() * sigma_s / sigma_t),
            "this is the deviation, where the variance is asked for: take no root.",
        ),
        Mistake(
            _with(variance=lambda alpha_s, sigma_s, sigma_t, a, b: a.square() / b + 1 / sigma_s.square()),
            "this is the precision, where its inverse, the variance, is asked for.",
        ),
        Mistake(
            _with(variance=lambda alpha_s, sigma_s, sigma_t, a, b: sigma_s.square()),
            "the variance is σ_s², all that x alone leaves open. z_t has a say as well: add its precision a²/b.",
        ),
        Mistake(
            _with(variance=lambda alpha_s, sigma_s, sigma_t, a, b: b / a.square() + sigma_s.square()),
            "the *variances* are added: two witnesses would know less than one. Precisions add.",
        ),
        Mistake(
            _with(lambda z, x, alpha_s, sigma_s, sigma_t, a, b: (z / a + alpha_s * x) / 2),
            "both witnesses count alike in the mean, however sure each of them is: weigh them by their precisions.",
        ),
        Mistake(
            lambda z, x, s, t: _step_posterior(z, x / alpha_and_sigma(s)[0], s, t),
            "x says that z_s is α_s x, not x: the factor α_s is missing from its mean.",
        ),
        Mistake(
            _too_sure,
            "z_t's precision is 1/b, but that is z_t's about its own place. z_s it puts at z_t/a, and dividing by "
            "a < 1 stretches the noise too, to variance b/a²: z_t is believed too much.",
        ),
        Mistake(
            lambda *given: torch.stack([_too_sure(*given)[0], _too_sure(*given)[1].sqrt()]),
            "two things. First, z_t's precision is 1/b, where a²/b belongs: z_t/a has the variance b/a². Second, a "
            "root is taken, where the variance is asked for.",
        ),
        Mistake(
            lambda z, x, s, t: _step_posterior(z * alpha_and_sigma(t)[0] / alpha_and_sigma(s)[0], x, s, t),
            "z_t is weighed as it stands, but it has faded: what it says about z_s is z_t/a. The mean comes out too "
            "near to 0.",
        ),
    ),
)


def _guesses(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(1105 + 1000 * seed)
    return [(x, x + 0.5 * torch.randn(x.shape, generator=g), s, t) for _, x, s, t in _steps(seed)]


def _step_kl(x: Tensor, x_hat: Tensor, s: Tensor, t: Tensor) -> Tensor:
    snr_s = log_snr(s).exp()
    snr_t = log_snr(t).exp()
    squares = (x - x_hat).square().sum(dim=1)
    return 0.5 * (snr_s - snr_t) * squares


STEP_KL = Exercise(
    id="step-kl",
    expects="one KL per row, (n,), in nats",
    reference=_step_kl,
    probes=_guesses,
    graded=("x_hat",),
    words={"snr_s": "SNR(s)", "snr_t": "SNR(t)", "squares": "Σ (x − x̂)²"},
    mistakes=(
        Mistake(
            lambda x, h, s, t: 0.5 * (log_snr(s) - log_snr(t)) * (x - h).square().sum(1),
            "the *logarithms* of the SNRs are subtracted: exp λ is the ratio itself. Squares near the clean end would "
            "weigh next to nothing.",
        ),
        Mistake(
            lambda x, h, s, t: 0.5 * (log_snr(t).exp() - log_snr(s).exp()) * (x - h).square().sum(1),
            "the KL is negative: SNR(s), nearer to the data, is the larger one.",
        ),
        Mistake(
            lambda x, h, s, t: 0.5 * (x - h).square().sum(1),
            "the weight is missing: a plain squared error, which is no KL, and summed up no bound.",
        ),
        Mistake(
            lambda x, h, s, t: 0.5 * ((alpha_and_sigma(s)[0] - alpha_and_sigma(t)[0]) * (x - h)).square().sum(1),
            "the means of q and p are compared at the scale of α, and divided by no variance.",
        ),
        Mistake(
            lambda x, h, s, t: 0.5 * (log_snr(s) - log_snr(t)).exp() * (x - h).square().sum(1),
            "exp of the difference is SNR(s)/SNR(t), a quotient: take both exps first. This one would charge steps in "
            "pure noise as dearly as those that uncover the signal.",
        ),
        Mistake(
            lambda x, h, s, t: _step_kl(x, h, s, t) / x.shape[1],
            "the squares are averaged over the dimensions: nats of independent dimensions add up, so sum them.",
        ),
        Mistake(
            lambda x, h, s, t: _step_kl(x, h, s, t) / x.shape[1] * 2,
            "two things. First, the factor ½ is missing. Second, the squares are averaged over the dimensions, where "
            "nats add up.",
        ),
    ),
)
