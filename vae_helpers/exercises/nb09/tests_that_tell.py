"""Three tests that tell one mistake from another: the noise of a draw, the KL by draws, the hidden β of means."""

from math import log, pi

from vae_helpers.exercises.engine import Exercise, Mistake

import torch
from torch import Tensor
from torch.distributions import Normal


def _draw_probes(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(11 + 1000 * seed)
    probes = []
    for n, d in ((5, 3), (6, 4)):
        mu, logvar = torch.randn(n, d, generator=g) + 1, torch.randn(n, d, generator=g) - 0.7
        probes.append((mu, logvar, mu + (logvar / 2).exp() * (0.4 + 0.8 * torch.randn(n, d, generator=g))))
    return probes


def _moments(eps: Tensor) -> Tensor:
    return torch.stack([eps.mean(), eps.std()])


def _eps(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    return (z - mu) / (logvar / 2).exp()


def _noise_moments(mu: Tensor, logvar: Tensor, z: Tensor) -> Tensor:
    eps = (z - mu) / (0.5 * logvar).exp()
    return torch.stack([eps.mean(), eps.std()])


NOISE_MOMENTS = Exercise(
    id="noise-moments",
    expects="two numbers, (2,): mean and standard deviation of ε = (z − μ)/σ, over all images and dimensions together",
    reference=_noise_moments,
    probes=_draw_probes,
    also=(lambda m, v, z: torch.stack([_eps(m, v, z).mean(), _eps(m, v, z).std(correction=0)]),),
    mistakes=(
        Mistake(
            lambda m, v, z: _moments(z),
            "these are the moments of z itself, which depend on the images. Take the noise out: subtract μ, "
            "then divide by σ.",
        ),
        Mistake(
            lambda m, v, z: _moments(z - m),
            "μ is gone, σ is not: z − μ is wide where the cloud is wide. Divide by σ = exp(½ logvar).",
        ),
        Mistake(
            lambda m, v, z: _moments((z - m) / v.exp()),
            "you divided by exp(logvar), which is σ². The very mistake this test is to find would pass it. "
            "σ = exp(½ logvar).",
        ),
        Mistake(
            lambda m, v, z: _moments((z - m) / v),
            "you divided by log σ², which may be 0 or negative. σ = exp(½ logvar).",
        ),
        Mistake(
            lambda m, v, z: _moments(z / (v / 2).exp()),
            "μ was not subtracted, so that the images' own codes count as noise: ε = (z − μ)/σ.",
        ),
        Mistake(
            lambda m, v, z: torch.stack([_eps(m, v, z).mean(), _eps(m, v, z).var()]),
            "the second number is the variance. For N(0, 1) both are 1, so it looks right there, but uniform noise has "
            "1/12 and not 0.29. Take its root: .std().",
        ),
        Mistake(
            lambda m, v, z: torch.stack([_eps(m, v, z).mean(0), _eps(m, v, z).std(0)]),
            "those are moments of each dimension. Pool them: one mean and one standard deviation.",
        ),
        Mistake(
            lambda m, v, z: torch.stack([_eps(m, v, z).mean(), (_eps(m, v, z) ** 2).mean().sqrt()]),
            "the second number is the root of the mean *square*, which counts the mean's shift as spread. "
            "The standard deviation is taken around the mean: .std().",
        ),
        Mistake(
            lambda m, v, z: _moments(-_eps(m, v, z)),
            "the sign is turned: that is (μ − z)/σ. Uniform noise would show the mean −½.",
        ),
        Mistake(
            lambda m, v, z: _moments(_eps(m, v, z)).flip(0),
            "the two numbers are exchanged, and sound noise would seem to have mean 1. First the mean, then the rest.",
        ),
    ),
)


def _many_draws(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(12 + 1000 * seed)
    probes = []
    for k, n, d in ((7, 5, 3), (6, 4, 2)):
        mu, logvar = torch.randn(n, d, generator=g), torch.randn(n, d, generator=g) - 0.5
        probes.append((mu + (logvar / 2).exp() * torch.randn(k, n, d, generator=g), mu, logvar))
    return probes


def _log_ratio(z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """log q(z|x) − log p(z) of each draw, image and dimension: (k, n, d)."""
    return Normal(mu, (logvar / 2).exp()).log_prob(z) - Normal(0.0, 1.0).log_prob(z)


def _kl_by_draws(z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    log_q = -0.5 * ((z - mu).square() / logvar.exp() + logvar + log(2 * pi))
    log_p = -0.5 * (z.square() + log(2 * pi))
    return (log_q - log_p).sum(dim=2).mean(dim=0)


KL_BY_DRAWS = Exercise(
    id="kl-by-draws",
    expects="one value per image, (n,): log q(z|x) − log p(z), summed over dimensions, averaged over the draws",
    reference=_kl_by_draws,
    probes=_many_draws,
    mistakes=(
        Mistake(
            lambda z, m, v: -_log_ratio(z, m, v).sum(2).mean(0),
            "the sign is turned: log q − log p, not log p − log q. A KL's average is never negative.",
        ),
        Mistake(
            lambda z, m, v: _log_ratio(z, m, v).mean((0, 2)),
            "that is a mean over the dimensions. Independent dimensions add up: sum over the last axis.",
        ),
        Mistake(
            lambda z, m, v: _log_ratio(z, m, v).sum((0, 2)),
            "that is a sum over the draws: it grows with their number. Average over them, the first axis.",
        ),
        Mistake(
            lambda z, m, v: _log_ratio(z, m, v).sum(2).mean(1),
            "you averaged over the images, and kept one value per draw. Average over the first axis.",
        ),
        Mistake(
            lambda z, m, v: _log_ratio(z, m, v).sum(2).mean(),
            "that is one number, the mean over images too. Return one value per image.",
        ),
        Mistake(
            lambda z, m, v: _log_ratio(z, m, 2 * v).sum(2).mean(0),
            "the density was given exp(logvar) as its standard deviation. That is σ²: a test with the mistake "
            "it is looking for finds nothing. Normal wants σ = exp(½ logvar).",
        ),
        Mistake(
            lambda z, m, v: Normal(m, (v / 2).exp()).log_prob(z).sum(2).mean(0),
            "log p(z) is missing: that is minus the entropy of q. Subtract the prior's log density.",
        ),
        Mistake(
            lambda z, m, v: -Normal(0.0, 1.0).log_prob(z).sum(2).mean(0),
            "log q(z|x) is missing: that is what the draws cost under the prior alone.",
        ),
        Mistake(
            lambda z, m, v: (_log_ratio(z, m, v) - 0.5 * log(2 * pi)).sum(2).mean(0),
            "½ log 2π is there only once. Both densities have it, and it cancels: keep it in both or in neither.",
        ),
        Mistake(
            lambda z, m, v: 0.5 * (m**2 + v.exp() - v - 1).sum(1),
            "that is the closed form. The task is to do without it, so that it can be checked: use the draws.",
        ),
    ),
)


def _reductions(seed: int = 0) -> list[tuple]:
    return [
        (r, k, p, d) for p, d in ((784, 3 + seed), (12 + seed, 5)) for r in ("sum", "mean") for k in ("sum", "mean")
    ]


def _beta(reconstruction: str, kl: str, n_pixels: int, latent_dim: int) -> float:
    return (n_pixels if reconstruction == "mean" else 1) / (latent_dim if kl == "mean" else 1)


def _hidden_beta(reconstruction: str, kl: str, n_pixels: int, latent_dim: int) -> float:
    lighter_pixels = n_pixels if reconstruction == "mean" else 1
    lighter_kl = latent_dim if kl == "mean" else 1
    return lighter_pixels / lighter_kl


HIDDEN_BETA = Exercise(
    id="hidden-beta",
    expects="one number, the β that makes (sum over pixels) + β · (sum over dimensions) have the same optimum",
    reference=_hidden_beta,
    probes=_reductions,
    mistakes=(
        Mistake(
            lambda r, k, p, d: 1 / _beta(r, k, p, d),
            "that is its inverse. A mean over pixels makes the *reconstruction* small, and so the KL heavy: β > 1.",
        ),
        Mistake(
            lambda r, k, p, d: p if r == "mean" else 1.0,
            "the mean over dimensions was forgotten: it makes the KL lighter, by the factor latent_dim.",
        ),
        Mistake(
            lambda r, k, p, d: 1.0 / (d if k == "mean" else 1),
            "the mean over pixels was forgotten: it makes the reconstruction lighter, and the KL heavier, "
            "by the factor n_pixels.",
        ),
        Mistake(
            lambda r, k, p, d: (p if r == "mean" else 1.0) * (d if k == "mean" else 1),
            "a mean over dimensions makes the KL lighter, not heavier: divide by latent_dim.",
        ),
        Mistake(
            lambda r, k, p, d: 1.0 if r == k else _beta(r, k, p, d),
            "two means do not cancel: one is over n_pixels, the other over latent_dim. β is their ratio.",
        ),
        Mistake(
            lambda r, k, p, d: (p if r == "sum" else 1.0) / (d if k == "sum" else 1),
            "sum and mean are exchanged: where both parts are sums, there is nothing hidden, β = 1.",
        ),
        Mistake(
            lambda r, k, p, d: float(p // d if r == k == "mean" else _beta(r, k, p, d)),
            "the division dropped the remainder, so that 784 pixels over 3 dimensions give 261: use /, not //.",
        ),
    ),
)

EXERCISES = (NOISE_MOMENTS, KL_BY_DRAWS, HIDDEN_BETA)
