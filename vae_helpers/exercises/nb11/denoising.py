"""The bound as a weighted denoising loss, and one guess seen as x, as ε and as a score."""

from collections.abc import Callable

from vae_helpers.exercises.engine import Exercise, Mistake
from vae_helpers.losses import alpha_and_sigma, log_snr

import torch
from torch import Tensor


class SmallDenoiser:
    """A guess that depends on the noisy point and on its time; what a check hands out as ``denoise``."""

    def __init__(self, d: int, g: torch.Generator) -> None:
        self.a = torch.randn(d, d, generator=g) / 2

    def __call__(self, z_t: Tensor, t: Tensor) -> Tensor:
        """x̂ of every row, (n, d); t (n,), or one for all."""
        return torch.tanh(z_t @ self.a + torch.sin(3 * t)[..., None]) + 0.3 * z_t


def _batches(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(1111 + 1000 * seed)
    probes = []
    for n, d in ((5, 3), (6, 4)):
        x, eps = torch.randn(2, n, d, generator=g)
        probes.append((SmallDenoiser(d, g), x, 0.3 + 0.5 * torch.rand(n, generator=g), eps))
    return probes


def _weighted(denoise: Callable, x: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    alpha = log_snr(t[:, None]).sigmoid().sqrt()
    sigma = (-log_snr(t[:, None])).sigmoid().sqrt()
    z_t = alpha * x + sigma * eps
    x_hat = denoise(z_t, t)
    squares = (x - x_hat).square().sum(dim=1)
    snr = log_snr(t).exp()
    return 8 * snr * squares


def _z_t(x: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    alpha, sigma = alpha_and_sigma(t[:, None])
    return alpha * x + sigma * eps


def _squares(denoise: Callable, x: Tensor, t: Tensor, eps: Tensor, told: Tensor | None = None) -> Tensor:
    return (x - denoise(_z_t(x, t, eps), t if told is None else told)).square().sum(1)


WEIGHTED_DENOISING = Exercise(
    id="weighted-denoising",
    expects="one value per row, (n,): the weighted squared error of the guess, in nats",
    reference=_weighted,
    probes=_batches,
    words={"alpha": "α", "sigma": "σ", "z_t": "z_t", "x_hat": "x̂", "squares": "Σ (x − x̂)²", "snr": "SNR(t)"},
    mistakes=(
        Mistake(
            _squares,
            "the weight is missing: this is 02's loss at every noise level. It trains a denoiser, often a pretty one; "
            "it is no bound.",
        ),
        Mistake(
            lambda d, x, t, e: 8 * log_snr(t).exp() * _squares(d, x, t, e, 0 * t),
            "t doesn't reach the denoiser: it gets 0 for every row, and must take strong noise for weak.",
        ),
        Mistake(
            lambda d, x, t, e: 8 * log_snr(t).exp() * (x - d(x, t)).square().sum(1),
            "the denoiser is shown the clean x, not z_t: it has nothing to remove.",
        ),
        Mistake(
            lambda d, x, t, e: 8 * log_snr(t).exp() * (e - d(_z_t(x, t, e), t)).square().sum(1),
            "the guess is compared with the noise ε: this denoiser says where x is.",
        ),
        Mistake(
            lambda d, x, t, e: 8 * log_snr(t) * _squares(d, x, t, e),
            "λ(t) is the logarithm of the SNR: the weight needs its exp. Half of these weights are negative.",
        ),
        Mistake(
            lambda d, x, t, e: 8 * log_snr(t).sigmoid() * _squares(d, x, t, e),
            "the weight is α², where the SNR α²/σ² is due: a guess at weak noise would count too little.",
        ),
        Mistake(
            lambda d, x, t, e: (8 * log_snr(t).exp() * _squares(d, x, t, e)).mean(),
            "the mean over the batch is taken already: keep one value per row, so that an error can be stated.",
        ),
        Mistake(
            lambda d, x, t, e: 8 * log_snr(t).exp() * _squares(d, x, t, e) / x.shape[1],
            "the squares are averaged over the dimensions: nats add up over them. As it is, a code of twenty numbers "
            "would seem to cost no more than one.",
        ),
        Mistake(
            lambda d, x, t, e: 8 * log_snr(t).exp() * _squares(d, x, t, e, log_snr(t)),
            "the denoiser is told λ(t), where it expects t, from 0 to 1: it takes one noise for another.",
        ),
        Mistake(
            lambda d, x, t, e: 8 * (x - d(x, t)).square().sum(1),
            "two things. First, the denoiser is shown the clean x, not z_t. Second, SNR(t) is missing from the weight.",
        ),
    ),
)


def _noisy(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(1113 + 1000 * seed)
    probes = []
    for n, d in ((5, 3), (6, 4)):
        z_t, eps_hat = torch.randn(2, n, d, generator=g)
        probes.append((z_t, eps_hat, 0.25 + 0.5 * torch.rand(n, generator=g)))
    return probes


def _three_views(z_t: Tensor, eps_hat: Tensor, t: Tensor) -> Tensor:
    alpha = log_snr(t[:, None]).sigmoid().sqrt()
    sigma = (-log_snr(t[:, None])).sigmoid().sqrt()
    x_hat = (z_t - sigma * eps_hat) / alpha
    score = -eps_hat / sigma
    return torch.stack([x_hat, score])


def _views(x_hat: object = None, score: object = None) -> object:
    """An answer right but for one half: x_hat or score of (z_t, ε̂, α, σ)."""

    def answer(z_t: Tensor, eps_hat: Tensor, t: Tensor) -> Tensor:
        """Both, (2, n, d)."""
        right, given = _three_views(z_t, eps_hat, t), (z_t, eps_hat, *alpha_and_sigma(t[:, None]))
        return torch.stack([x_hat(*given) if x_hat else right[0], score(*given) if score else right[1]])

    return answer


THREE_VIEWS = Exercise(
    id="three-views",
    expects="x̂ and the score, stacked, (2, n, d)",
    reference=_three_views,
    probes=_noisy,
    words={"alpha": "α", "sigma": "σ", "x_hat": "x̂"},
    mistakes=(
        Mistake(
            _views(score=lambda z, e, a, s: -e / s.square()),
            "the score is divided by σ once too often: the residual −σ ε̂ is divided by σ², not ε̂ itself.",
        ),
        Mistake(
            _views(score=lambda z, e, a, s: e / s),
            "the score points with the noise, away from the data: its sign is turned.",
        ),
        Mistake(
            _views(x_hat=lambda z, e, a, s: z - s * e),
            "the noise is taken off, but what is left is α x̂: divide by α.",
        ),
        Mistake(
            _views(score=lambda z, e, a, s: (((z - s * e) / a) - z) / s.square()),
            "(x̂ − z_t)/σ² was 02's score, where z = x + σ ε. Here z = α x + σ ε, so that the residual is α x̂ − z_t.",
        ),
    ),
)
