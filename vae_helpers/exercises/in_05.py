"""Exercises of notebook 05: the negative ELBO, the KL of each latent dimension, a grid of codes for the manifold."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Normal

from vae_helpers.exercises.core import Exercise, Mistake
from vae_helpers.losses import bernoulli_nll, kl_to_standard_normal


def _elbo_probes() -> list[tuple]:
    g = torch.Generator().manual_seed(3)
    r = lambda *shape: torch.randn(*shape, generator=g)  # noqa: E731
    return [
        (r(n, 1, 28, 28), torch.rand(n, 1, 28, 28, generator=g), r(n, d), r(n, d) - 0.5) for n, d in ((5, 3), (4, 7))
    ]


def _bce(x_logits: Tensor, x: Tensor) -> Tensor:
    return bernoulli_nll(x_logits, x).mean()


def _kl(mu: Tensor, logvar: Tensor) -> Tensor:
    return kl_to_standard_normal(mu, logvar).mean()


NEGATIVE_ELBO = Exercise(
    id="negative-elbo",
    expects="one number, reconstruction + KL: summed over pixels and dimensions, averaged over the batch",
    reference=lambda l, x, m, v: _bce(l, x) + _kl(m, v),
    probes=_elbo_probes,
    mistakes=(
        Mistake(
            lambda l, x, m, v: F.binary_cross_entropy_with_logits(l, x) + _kl(m, v),
            "the reconstruction is a mean over pixels, the KL a sum: the KL weighs 784 times too much, "
            "a hidden β of 784. "
            "Such a VAE collapses: all its samples are the mean image.",
        ),
        Mistake(
            lambda l, x, m, v: (_bce(l, x) + _kl(m, v)) * len(x),
            "that is the sum over the batch. The optimum is the same, but the number, and plain SGD's step, grow with "
            "the batch size: average over images.",
        ),
        Mistake(
            lambda l, x, m, v: _bce(l, x) * len(x) + _kl(m, v),
            "the reconstruction is summed over the batch, the KL averaged: the KL weighs too little, "
            "by a factor of the batch size, and the codes stray from the prior.",
        ),
        Mistake(
            lambda l, x, m, v: _bce(l, x) - _kl(m, v),
            "the sign of the KL is wrong: this loss is lowest where q(z|x) is as far from the prior as it can get.",
        ),
        Mistake(
            lambda l, x, m, v: _bce(l, x) + 2 * _kl(m, v),
            "the KL is twice too large: the ½ in front is missing (or β = 2 was meant).",
        ),
        Mistake(
            lambda l, x, m, v: _bce(l, x) + _kl(m, v) / m.shape[1],
            "the KL is averaged over the latent dimensions. Sum over them: each one's information has to be paid for.",
        ),
        Mistake(
            lambda l, x, m, v: _bce(l.sigmoid(), x) + _kl(m, v),
            "the sigmoid was applied twice: binary_cross_entropy_with_logits wants x_logits as they are. "
            "Twice, no pixel falls below ½ and the pictures stay grey.",
        ),
        Mistake(
            lambda l, x, m, v: _bce(l, x) + 0.5 * (m**2 + v**2 - (v**2).log() - 1).sum(1).mean(),
            "log σ² was used as σ. The network's output is a logarithm: σ² = exp(logvar).",
        ),
        Mistake(
            lambda l, x, m, v: _bce(l, x) + 0.5 * (m**2 + (2 * v).exp() - 2 * v - 1).sum(1).mean(),
            "exp(logvar) was taken for σ in the KL and squared again. It is σ² already.",
        ),
        Mistake(
            lambda l, x, m, v: F.binary_cross_entropy_with_logits(l, x) + _kl(m, v) / m.shape[1],
            "both parts are means, one over 784 pixels, the other over the latent dimensions: "
            "the KL weighs 784/d times too much, a hidden β. Sum both.",
        ),
        Mistake(
            lambda l, x, m, v: (_bce(l, x) + _kl(m, v)) / 784,
            "the right loss on another scale: divided by 784, it has the same optimum, "
            "but it is not in nats per image. "
            "Multiply by 784.",
        ),
        Mistake(
            lambda l, x, m, v: -_bce(l, x) - _kl(m, v),
            "that is the ELBO itself. The loss is its negative: "
            "minimising this one makes the model as bad as it can get.",
        ),
        Mistake(
            lambda l, x, m, v: bernoulli_nll(l, x) + kl_to_standard_normal(m, v),
            "that is one value per image. Average over the batch: .mean() at the end.",
        ),
        Mistake(
            lambda l, x, m, v: _bce(l, x),
            "the KL is missing: without it this is an autoencoder with noise, "
            "and nothing keeps the codes near the prior.",
        ),
    ),
)


def _code_probes() -> list[tuple]:
    g = torch.Generator().manual_seed(4)
    return [(torch.randn(n, d, generator=g), torch.randn(n, d, generator=g) - 1) for n, d in ((5, 3), (6, 4))]


def _kl_terms(mu: Tensor, logvar: Tensor) -> Tensor:
    return 0.5 * (mu**2 + logvar.exp() - logvar - 1)


KL_PER_DIMENSION = Exercise(
    id="kl-per-dimension",
    expects="one value per latent dimension, (latent_dim,), averaged over the images",
    reference=lambda m, v: _kl_terms(m, v).mean(0),
    probes=_code_probes,
    mistakes=(
        Mistake(
            lambda m, v: _kl_terms(m, v).sum(1),
            "that is one value per image, summed over dimensions. "
            "Average over the images (dim 0) and keep the dimensions.",
        ),
        Mistake(
            lambda m, v: _kl_terms(m, v).sum(0),
            "that is the sum over images: it grows with their number. Average over them.",
        ),
        Mistake(
            lambda m, v: 2 * _kl_terms(m, v).mean(0),
            "twice as large as it should be: the ½ is missing, and dimensions look busier than they are.",
        ),
        Mistake(
            lambda m, v: 0.5 * (m**2 + v.exp() - v).mean(0),
            "½ too large in every dimension: the − 1 is missing, so that q = N(0, 1) would not cost zero.",
        ),
        Mistake(
            lambda m, v: 0.5 * (m**2 + v - v.exp().log() - 1).mean(0),
            "log σ² stands where σ² belongs, and a narrow cloud would cost nothing for its width: take exp(logvar).",
        ),
        Mistake(
            lambda m, v: 0.5 * (m**2 + (2 * v).exp() - 2 * v - 1).mean(0),
            "exp(logvar) was taken for σ and squared again. It is σ² already: as it stands, wide clouds cost too much.",
        ),
        Mistake(
            lambda m, v: _kl_terms(m.mean(0, keepdim=True), v.mean(0, keepdim=True))[0],
            "you averaged μ and log σ² first and took the KL of the average. Take each image's KL, then average.",
        ),
    ),
)


def _grid_from(quantiles: Tensor) -> Tensor:
    z = Normal(0.0, 1.0).icdf(quantiles)
    return torch.cartesian_prod(z, z)


def _midpoints(n: int) -> Tensor:
    return (torch.arange(n) + 0.5) / n


def _plain_grid(values: Tensor) -> Tensor:
    return torch.cartesian_prod(values, values)


QUANTILE_GRID = Exercise(
    id="quantile-grid",
    expects="codes (n·n, 2), all pairs of the n quantiles of N(0, 1) at (i + ½)/n, the second number changing fastest",
    reference=lambda n: _grid_from(_midpoints(n)),
    probes=lambda: [(5,), (4,)],
    mistakes=(
        Mistake(
            lambda n: _plain_grid(_midpoints(n)),
            "these are probabilities between 0 and 1, not codes. Pass them through the inverse CDF: Normal(0, 1).icdf.",
        ),
        Mistake(
            lambda n: _plain_grid(Normal(0.0, 1.0).cdf(_midpoints(n))),
            "that is the CDF, which turns codes into probabilities. You want the inverse: Normal(0, 1).icdf.",
        ),
        Mistake(
            lambda n: _plain_grid(torch.linspace(-3, 3, n)),
            "an even grid over [−3, 3] spends most of its codes where the prior has almost none. "
            "Space the *probabilities* evenly.",
        ),
        Mistake(
            lambda n: _grid_from(_midpoints(n))[:, [1, 0]],
            "the two numbers of each code are swapped: let the second one change fastest, "
            "so that a row of the picture is one z₁.",
        ),
        Mistake(
            lambda n: torch.stack([Normal(0.0, 1.0).icdf(_midpoints(n))] * 2, dim=1),
            "that is the diagonal: n codes with z₁ = z₂. Combine every value with every value: n·n codes.",
        ),
        Mistake(
            lambda n: _grid_from(torch.linspace(0, 1, n)),
            "the quantiles at probability 0 and 1 are −∞ and ∞. Take the midpoints of n cells, (i + ½)/n.",
        ),
        Mistake(
            lambda n: _grid_from(torch.arange(n) / n),
            "the first quantile is −∞: it stands at probability 0. Take the midpoints of n cells, (i + ½)/n.",
        ),
        Mistake(
            lambda n: _grid_from(torch.linspace(0.05, 0.95, n)),
            "the quantiles run from 0.05 to 0.95. For n cells of equal probability take their midpoints, (i + ½)/n.",
        ),
    ),
)

EXERCISES = (NEGATIVE_ELBO, KL_PER_DIMENSION, QUANTILE_GRID)
