"""Exercises of notebook 04: the reparameterized draw, the score-function estimator, two closed forms of the KL."""

from vae_helpers.exercises.engine import Answer, Exercise, Mistake, WrongShapeError, result_of
from vae_helpers.losses import kl_diagonal, kl_to_class_mean, reparameterize

import torch
from torch import Tensor

QUANTILES = torch.tensor([0.05, 0.25, 0.5, 0.75, 0.95], dtype=torch.float64)


def _clouds() -> list[tuple]:
    mu, logvar = torch.tensor([[0.5, -1.0, 2.0]]), torch.tensor([[-3.0, 0.0, 0.8]])
    return [
        (mu.expand(20_000, 3), logvar.expand(20_000, 3)),
        (mu[:, :2].expand(16_000, 2), logvar[:, 1:].expand(16_000, 2)),
    ]


def _draws_and_gradients(answer: Answer, probe: tuple) -> Tensor:
    """Quantiles of the draws, how they depend on each other, and their gradients in μ and log σ²."""
    mu, logvar = (t.clone().requires_grad_() for t in probe)
    z = _graded(answer, mu, logvar)
    if z.shape != mu.shape:
        raise WrongShapeError(tuple(z.shape))
    if not z.requires_grad:
        gradients = torch.full((4,), 9.0, dtype=torch.float64)
    else:
        grads = torch.autograd.grad(z.sum(), (mu, logvar), allow_unused=True)
        gradients = torch.stack([m for g in grads for m in _moments(g)])
    sigma = (probe[1] / 2).exp().double()
    drawn = z.detach().double()
    eps = (drawn - probe[0]) / sigma
    between_rows, between_columns = (eps[1:] * eps[:-1]).mean(), (eps[:, 1:] * eps[:, :-1]).mean()
    shape = (drawn.quantile(QUANTILES, dim=0) - probe[0][0]) / sigma[0]
    return torch.cat([shape.flatten(), torch.stack([between_rows, between_columns]), gradients])


def _graded(answer: Answer, mu: Tensor, logvar: Tensor) -> Tensor:
    """The answer's draw, its graph kept; ``result_of`` has the say on answers that are no tensors."""
    kept = []

    def _keeping(*args: Tensor) -> object:
        kept.append(answer(mu, logvar))
        return kept[0]

    result_of(_keeping, (mu.detach(), logvar.detach()))
    return torch.as_tensor(kept[0])


def _moments(gradient: Tensor | None) -> tuple[Tensor, Tensor]:
    g = torch.zeros(1) if gradient is None else gradient
    return g.double().mean(), g.double().square().mean().sqrt()


def _with(sigma: Tensor, mu: Tensor) -> Tensor:
    return mu + sigma * torch.randn_like(mu)


_LABELS_OF_DRAWS = (
    *(f"(z − μ)/σ at the quantile {q:g}, in dimension {k}" for q in QUANTILES.tolist() for k in range(3)),
    "the correlation of neighbouring rows",
    "the correlation of neighbouring dimensions",
    "the mean gradient in μ",
    "the gradient in μ, root mean square",
    "the mean gradient in log σ²",
    "the gradient in log σ², root mean square",
)

REPARAMETERIZE = Exercise(
    id="reparameterize",
    expects="z (batch, d), one draw from N(μ, σ²) for each entry, through which gradients reach mu and logvar",
    reference=reparameterize,
    probes=_clouds,
    measure=_draws_and_gradients,
    labels=_LABELS_OF_DRAWS,
    tolerance=0.08,
    mistakes=(
        Mistake(
            lambda m, v: m + (v / 2).exp() * torch.rand_like(m),
            "ε comes from rand, uniform on [0, 1], with mean ½: every z lies above its μ. Use randn, the Gaussian.",
        ),
        Mistake(
            lambda m, v: _with(v.exp(), m),
            "exp(logvar) is σ², and ε must be multiplied by σ. Take its root: exp(½ logvar).",
        ),
        Mistake(
            lambda m, v: _with(v, m),
            "log σ² itself multiplies ε: a width that may be negative, and is zero where σ = 1. Take exp(½ logvar).",
        ),
        Mistake(
            lambda m, v: torch.normal(m, (v / 2).exp()).detach(),
            "the draw is right, but it carries no gradient: sample, torch.normal and detach cut the graph. "
            "Draw ε apart, and compute z from it.",
        ),
        Mistake(
            lambda m, v: _with((v / 2).exp().detach(), m),
            "the gradient reaches μ and not log σ²: σ was detached, and the clouds' widths could never be learned.",
        ),
        Mistake(
            lambda m, v: m + (v / 2).exp() * torch.randn(m.shape[1]),
            "one ε serves the whole batch: all images are shifted alike. Draw one for every entry: randn_like(mu).",
        ),
        Mistake(
            lambda m, v: m + (v / 2).exp() * torch.randn(len(m), 1),
            "one ε serves all dimensions of an image, so that they move together. Draw one for every entry.",
        ),
        Mistake(
            lambda m, v: m + 0 * v,
            "nothing is drawn: that is the mean. Its reconstructions look better, but the ELBO asks for a sample.",
        ),
    ),
)


def _draw_probes() -> list[tuple]:
    g = torch.Generator().manual_seed(7)
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


def _pairs_of_clouds() -> list[tuple]:
    g = torch.Generator().manual_seed(8)
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


def _clouds_and_class_means() -> list[tuple]:
    g = torch.Generator().manual_seed(9)
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
