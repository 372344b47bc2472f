"""Exercises of notebook 06 on one estimate: the log weight of a draw, and log p̂(x) from K of them."""

from collections.abc import Callable
from dataclasses import dataclass
from math import log, pi

from vae_helpers.exercises.engine import Exercise, Mistake
from vae_helpers.losses import log_weight

import torch
from jaxtyping import Float
from torch import Tensor


def _draws(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(6 + 1000 * seed)
    r = lambda *shape: torch.randn(*shape, generator=g, dtype=torch.float64)  # noqa: E731
    # the second has the size of a VAE's numbers: every weight underflows
    spread = torch.tensor([0.0, -900.0, -2000.0])  # and in the third images are far from alike
    return [(r(5, 3) - 2, r(5, 3)), (2 * r(7, 4) - 900, r(7, 4) + 20), (2 * r(5, 3) + spread, r(5, 3))]


def _log_p_of_draws(log_joint: Tensor, log_q: Tensor) -> Tensor:
    return (log_joint - log_q).logsumexp(dim=0) - log(len(log_joint))


LOG_P = Exercise(
    id="log-p-of-draws",
    expects="log p̂(x) of each image, (n,), from the logarithms (K, n) of K draws",
    reference=_log_p_of_draws,
    probes=_draws,
    mistakes=(
        Mistake(
            lambda j, q: (j - q).mean(0),
            "that is the mean of the logarithms: the ELBO. Average the weights themselves, then take the logarithm.",
        ),
        Mistake(
            lambda j, q: (j - q).exp().mean(0).log(),
            "the formula is right, but exp underflows: at −900 every weight is 0, and the log of 0 is −∞. "
            "Use logsumexp, which takes the largest out first.",
        ),
        Mistake(
            lambda j, q: (j - q).logsumexp(0),
            "that is the sum over the draws: log K too high, so that more draws seem to make a better model. "
            "Subtract log K.",
        ),
        Mistake(
            lambda j, q: (j - q).logsumexp(0) / len(j),
            "you divided the logarithm by K. The mean's 1/K stands inside: subtract log K.",
        ),
        Mistake(
            lambda j, q: (j - q).logsumexp(0) + log(len(j)),
            "log K has the wrong sign: log (1/K) = −log K.",
        ),
        Mistake(
            lambda j, q: j.logsumexp(0) - log(len(j)),
            "log q is missing. The draws come from q, not from everywhere alike: divide each by its density.",
        ),
        Mistake(
            lambda j, q: (j + q).logsumexp(0) - log(len(j)),
            "the weight is p(x, z) *divided* by q(z|x): subtract log q.",
        ),
        Mistake(
            lambda j, q: (j - q).logsumexp(1) - log(j.shape[1]),
            "you averaged over the images and kept the draws. The draws are dim 0.",
        ),
        Mistake(
            lambda j, q: (j.logsumexp(0) - log(len(j))) - (q.logsumexp(0) - log(len(j))),
            "you averaged p and q apart and divided the averages. Divide draw by draw, then average.",
        ),
    ),
)


@dataclass(frozen=True)
class _Joint:
    """log p(x, z) of a bent decoder, an image a row: neither the prior nor symmetric around any z."""

    x: Float[Tensor, "n d"]

    def __call__(self, z: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        return -0.5 * z.square().sum(dim=1) - 2 * (self.x - torch.sin(1.3 * z) - 0.4 * z).square().sum(dim=1)


def _clouds(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(16 + 1000 * seed)
    r = lambda *shape: torch.randn(*shape, generator=g, dtype=torch.float64)  # noqa: E731
    return [(_Joint(r(n, d)), r(n, d), 0.7 * r(n, d) - 0.4, r(n, d)) for n, d in ((5, 3), (4, 6))]


def _log_weight(log_joint: Callable, mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    z = mu + (0.5 * logvar).exp() * eps
    log_q = (-0.5 * (((z - mu) / (0.5 * logvar).exp()).square() + logvar + log(2 * pi))).sum(dim=1)
    return log_joint(z) - log_q


def _drawn(mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    return mu + (0.5 * logvar).exp() * eps


def _log_normal(eps: Tensor) -> Tensor:
    return -0.5 * (eps.square() + log(2 * pi)).sum(dim=1)


LOG_WEIGHT = Exercise(
    id="log-weight",
    expects="one log weight per image, (n,): log p(x, z) − log q(z|x) at z = μ + σε",
    reference=_log_weight,
    probes=_clouds,
    words={"z": "z", "log_q": "log q"},
    mistakes=(
        Mistake(
            lambda f, m, v, e: f(_drawn(m, v, e)) - _log_normal(e),
            "log q lacks − log σ of each dimension: that is the density of ε. A narrow cloud is dense, and its draws "
            "must count for less.",
        ),
        Mistake(
            lambda f, m, v, e: f(_drawn(m, v, e)) - _log_normal(_drawn(m, v, e)),
            "the prior's density at z stands for q's. The draw came from N(μ, σ²): divide by that.",
        ),
        Mistake(
            lambda f, m, v, e: f(_drawn(m, v, e)),
            "log q is missing: that is log p(x, z). The draws crowd where q is dense; dividing by q undoes it.",
        ),
        Mistake(
            lambda f, m, v, e: 2 * f(_drawn(m, v, e)) - log_weight(f, m, v, e),
            "log q is added. The weight is p(x, z) *divided* by q(z|x).",
        ),
        Mistake(
            lambda f, m, v, e: log_weight(f, m, v, e) - 0.5 * m.shape[1] * log(2 * pi),
            "log q lacks its ½ log 2π in each dimension. The joint has its own: left out on one side only, log p̂ is "
            "off by a constant.",
        ),
        Mistake(
            lambda f, m, v, e: f(e) + f(_drawn(m, v, e)) * 0 - (_log_normal(e) - 0.5 * v.sum(1)),
            "log_joint was given ε. It wants the code, z = μ + σε.",
        ),
        Mistake(
            lambda f, m, v, e: f(m) - (_log_normal(e) - 0.5 * v.sum(1)),
            "log_joint was given μ, and q's density is that of a draw: both must be taken at the same z = μ + σε.",
        ),
        Mistake(
            lambda f, m, v, e: f(m + v.exp() * e) - (_log_normal(e) - 0.5 * v.sum(1)),
            "z moves by exp(logvar) ε, which is σ²ε: the draw does not come from the q you divide by. "
            "σ is exp(½ logvar).",
        ),
        Mistake(
            lambda f, m, v, e: f(_drawn(m, v, e)) - (_log_normal(e) - v.sum(1)),
            "log σ² stands in log q without its ½: the normaliser is σ√2π, and log σ is half of log σ².",
        ),
        Mistake(
            lambda f, m, v, e: log_weight(f, m, v, e).exp(),
            "that is the weight itself. An image's is too small for a float: keep its logarithm.",
        ),
    ),
)


EXERCISES = (LOG_WEIGHT, LOG_P)
