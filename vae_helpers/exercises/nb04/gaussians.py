"""Exercises of notebook 04: an oracle for the KL of two Gaussians, and two of its closed forms."""

from math import log, pi, sqrt

from vae_helpers.exercises.engine import Exercise, Mistake
from vae_helpers.losses import kl_diagonal, kl_to_class_mean

import torch
from torch import Tensor


def _grids(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(37 + 1000 * seed)
    numbers = lambda: torch.randn(4, generator=g, dtype=torch.float64)  # noqa: E731
    probes = []
    for points in (501, 401, 601, 451):
        mu_q, log_sigma_q, mu_p, log_sigma_p = numbers()
        widths = (0.4 * log_sigma_q).exp(), (0.4 * log_sigma_p).exp()
        probes.append((torch.linspace(-25, 25, points, dtype=torch.float64), mu_q, widths[0], mu_p, widths[1]))
    return probes


def _oracle(z: Tensor, mu_q: Tensor, sigma_q: Tensor, mu_p: Tensor, sigma_p: Tensor) -> Tensor:
    dz = z[1] - z[0]
    log_q = -0.5 * ((z - mu_q) / sigma_q) ** 2 - (sigma_q * sqrt(2 * pi)).log()
    log_p = -0.5 * ((z - mu_p) / sigma_p) ** 2 - (sigma_p * sqrt(2 * pi)).log()
    terms = log_q.exp() * (log_q - log_p)
    return terms.sum() * dz


def _log_normal(z: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    return torch.distributions.Normal(mu, sigma).log_prob(z)


def _unnormalised(z: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    return -0.5 * ((z - mu) / sigma) ** 2


def _integral(z: Tensor, log_weight: Tensor, log_q: Tensor, log_p: Tensor) -> Tensor:
    return (log_weight.exp() * (log_q - log_p)).sum() * (z[1] - z[0])


KL_ORACLE = Exercise(
    id="kl-oracle",
    expects="one number, in nats: the sum over the grid of q (log q − log p), times the spacing dz",
    reference=_oracle,
    probes=_grids,
    words={"dz": "the spacing dz", "log_q": "log q", "log_p": "log p", "terms": "q (log q − log p)"},
    mistakes=(
        Mistake(
            lambda z, m, s, mp, sp: (
                _integral(z, _log_normal(z, m, s), _log_normal(z, m, s), _log_normal(z, mp, sp)) / (z[1] - z[0])
            ),
            "the sum is not multiplied by dz: an integral is height times width. A finer grid should not change it.",
        ),
        Mistake(
            lambda z, m, s, mp, sp: _integral(
                z, _unnormalised(z, m, s), _unnormalised(z, m, s), _unnormalised(z, mp, sp)
            ),
            "the normalisers are missing: without − log σ√2π neither q nor p integrates to 1, and what comes out may "
            "be negative.",
        ),
        Mistake(
            lambda z, m, s, mp, sp: _integral(
                z, *(_unnormalised(z, a, b) - log(2 * pi) / 2 for a, b in ((m, s), (m, s), (mp, sp)))
            ),
            "− log σ is missing in each log density: only for σ = 1 does exp of it integrate to 1.",
        ),
        Mistake(
            lambda z, m, s, mp, sp: _integral(
                z, *(2 * _unnormalised(z, a, b) - (b * (2 * pi) ** 0.5).log() for a, b in ((m, s), (m, s), (mp, sp)))
            ),
            "the ½ before the square is missing: each Gaussian is narrower than its σ says, and is not normalised.",
        ),
        Mistake(
            lambda z, m, s, mp, sp: (_log_normal(z, m, s) - _log_normal(z, mp, sp)).mean(),
            "all points of the grid count alike. The mean is one under q: each point weighs q(z) dz.",
        ),
        Mistake(
            lambda z, m, s, mp, sp: _integral(z, _log_normal(z, mp, sp), _log_normal(z, m, s), _log_normal(z, mp, sp)),
            "log q − log p is weighed by p: that is minus the KL the other way round, never positive. Weigh it by q.",
        ),
        Mistake(
            lambda z, m, s, mp, sp: _integral(z, _log_normal(z, mp, sp), _log_normal(z, mp, sp), _log_normal(z, m, s)),
            "that is the KL the other way round, of p from q: weigh by q, and subtract log p from log q.",
        ),
        Mistake(
            lambda z, m, s, mp, sp: _integral(z, _log_normal(z, m, s), 0 * z, _log_normal(z, mp, sp)),
            "log q is missing in the difference: that is the cross-entropy of p under q, and not zero where p = q.",
        ),
        Mistake(
            lambda z, m, s, mp, sp: _integral(
                z, _log_normal(z, m, s**2), _log_normal(z, m, s**2), _log_normal(z, mp, sp**2)
            ),
            "σ² stands where σ belongs, in the square and in the normaliser: you are handed σ, and each Gaussian has "
            "another width.",
        ),
    ),
)


def _pairs_of_clouds(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(8 + 1000 * seed)
    return [tuple(torch.randn(n, d, generator=g) - shift for shift in (0, 0.5, 0, -0.3)) for n, d in ((5, 3), (4, 6))]


def _kl_diagonal(mu: Tensor, logvar: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    ratio = logvar.exp() / logvar_p.exp()
    shift = (mu - mu_p).square() / logvar_p.exp()
    logs = logvar_p - logvar
    return (0.5 * (ratio + shift + logs - 1)).sum(dim=1)


KL_DIAGONAL = Exercise(
    id="kl-diagonal",
    expects="one value per image, (batch,), in nats: summed over the latent dimensions",
    reference=_kl_diagonal,
    probes=_pairs_of_clouds,
    mistakes=(
        Mistake(
            lambda m, v, mp, vp: 2 * kl_diagonal(m, v, mp, vp),
            "twice too large: the ½ in front is missing, and in a loss that would be a hidden β of 2.",
        ),
        Mistake(
            lambda m, v, mp, vp: kl_diagonal(mp, vp, m, v),
            "that is the KL the other way round, of p from q. The variances of the *second* one, p, divide.",
        ),
        Mistake(
            lambda m, v, mp, vp: kl_diagonal(m, v, mp, vp) + (v - vp).sum(1),
            "the sign of the logarithms is turned: it is + log σ_p² − log σ_q². As it stands, a narrow q is cheap.",
        ),
        Mistake(
            lambda m, v, mp, vp: kl_diagonal(m, v, mp, vp) + 0.5 * m.shape[1],
            "the − 1 is missing in each dimension: a q that equals p would not cost zero.",
        ),
        Mistake(
            lambda m, v, mp, vp: 0.5 * ((v - vp).exp() + (m - mp).square() + vp - v - 1).sum(1),
            "the shift (μ_q − μ_p)² has to be measured in units of p's width: divide it by σ_p² too.",
        ),
        Mistake(
            lambda m, v, mp, vp: 0.5 * (v / vp + (m - mp).square() / vp + vp - v - 1).sum(1),
            "log σ² stands where σ² belongs, in the ratio and under the shift: exponentiate it, exp(logvar).",
        ),
        Mistake(
            lambda m, v, mp, vp: kl_diagonal(m, 2 * v, mp, 2 * vp),
            "exp(logvar) was taken for σ and squared again. It is σ² already: as it stands, wide clouds cost too much.",
        ),
        Mistake(
            lambda m, v, mp, vp: 0.5 * ((v - vp).exp() + (m - mp) / vp.exp() + vp - v - 1).sum(1),
            "the shift is not squared: as it stands, moving q one way costs and the other way pays.",
        ),
    ),
)


def _clouds_and_class_means(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(9 + 1000 * seed)
    probes = []
    for n, d in ((5, 3), (6, 4)):
        means, y = torch.randn(10, d, generator=g), torch.randint(10, (n,), generator=g)
        probes.append((torch.randn(n, d, generator=g), torch.randn(n, d, generator=g) - 0.5, means, y))
    return probes


def _class_kl(mu: Tensor, logvar: Tensor, means: Tensor, y: Tensor) -> Tensor:
    return kl_to_class_mean(mu, logvar, means[y])


def _kl_class_mean(mu: Tensor, logvar: Tensor, means: Tensor, y: Tensor) -> Tensor:
    shift = (mu - means[y]).square()
    return (0.5 * (shift + logvar.exp() - logvar - 1)).sum(dim=1)


KL_CLASS_MEAN = Exercise(
    id="kl-class-mean",
    expects="one value per image, (batch,), in nats: of N(μ, σ²) from N(μ_y, I), each image's own class",
    reference=_kl_class_mean,
    probes=_clouds_and_class_means,
    mistakes=(
        Mistake(
            lambda m, v, means, y: _class_kl(m, v, 0 * means, y),
            "the class is not used: that is the KL to N(0, I). Subtract each image's own class mean, means[y], from μ.",
        ),
        Mistake(
            lambda m, v, means, y: 0.5 * (m**2 - means[y] ** 2 + v.exp() - v - 1).sum(1),
            "μ² − μ_y² is not (μ − μ_y)²: subtract first, then square. As it stands, it can be negative.",
        ),
        Mistake(
            lambda m, v, means, y: _class_kl(m, v, means, y) + 0.5 * m.square().sum(1),
            "μ² stands beside the shift: (μ − μ_y)² takes its place. As it stands, codes are drawn to 0 as well.",
        ),
        Mistake(
            lambda m, v, means, y: _class_kl(-m, v, means, y),
            "the mean of the class is added: (μ + μ_y)² pushes every code away from its own class. Subtract it.",
        ),
        Mistake(
            lambda m, v, means, y: 0.5 * ((m - means[y]).square() - v.exp() + v + 1).sum(1),
            "the terms of σ² have their sign turned: it is + σ² − log σ² − 1, never negative.",
        ),
    ),
)

EXERCISES = (KL_ORACLE, KL_DIAGONAL, KL_CLASS_MEAN)
