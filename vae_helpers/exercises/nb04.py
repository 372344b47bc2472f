"""Exercises of notebook 04: the reparameterized draw, the score-function estimator, two closed forms of the KL."""

from vae_helpers.exercises.engine import Exercise, Mistake
from vae_helpers.exercises.engine.draws import draw_findings
from vae_helpers.losses import kl_diagonal, kl_to_class_mean, reparameterize

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
    return f_z * (z - mu) / sigma**2


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

EXERCISES = (REPARAMETERIZE, SCORE_FUNCTION, KL_DIAGONAL, KL_CLASS_MEAN)
