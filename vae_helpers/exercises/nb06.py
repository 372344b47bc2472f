"""Exercises of notebook 06: log p(x) from draws, what the posterior mean leaves out, the best σ_x of a decoder."""

from math import log

from vae_helpers.exercises.engine import Exercise, Mistake

import torch
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


def _logvars(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(7 + 1000 * seed)
    return [(torch.randn(n, d, generator=g) - 1,) for n, d in ((5, 3), (4, 6))]


def _left_out_by_the_mean(logvar: Tensor) -> Tensor:
    return (0.5 * (1 - logvar.exp())).sum(dim=1)


MEAN_LEFT_OUT = Exercise(
    id="left-out-by-the-mean",
    expects="one number per image, (n,): ½ Σ (1 − σ²), summed over the latent dimensions",
    reference=_left_out_by_the_mean,
    probes=_logvars,
    mistakes=(
        Mistake(
            lambda v: (1 - v.exp()).sum(1),
            "twice as large as it should be: the ½ is missing.",
        ),
        Mistake(
            lambda v: 0.5 * (1 - (0.5 * v).exp()).sum(1),
            "exp(½ logvar) is σ. Here σ² is asked for: exp(logvar).",
        ),
        Mistake(
            lambda v: 0.5 * (1 - (2 * v).exp()).sum(1),
            "exp(logvar) is σ² already: you squared it once more, and a narrow cloud counts as a point.",
        ),
        Mistake(
            lambda v: 0.5 * (1 - v).sum(1),
            "logvar was used as if it were σ². Exponentiate it: a log may be negative, a variance may not.",
        ),
        Mistake(
            lambda v: 0.5 * (1 - v**2).sum(1),
            "logvar was used as if it were σ, and squared. σ² = exp(logvar).",
        ),
        Mistake(
            lambda v: 0.5 * (1 - v.exp()).mean(1),
            "that is the mean over the latent dimensions. Each one adds its share: sum.",
        ),
        Mistake(
            lambda v: 0.5 * (1 - v.exp().sum(1)),
            "the 1 stands inside the sum: there is one for each dimension, d in all.",
        ),
        Mistake(
            lambda v: 0.5 * (1 - v.exp()).sum(),
            "you summed over the images too. One number per image: sum over dim 1 only.",
        ),
        Mistake(
            lambda v: 0.5 * (1 - v.exp()).sum(1).mean(),
            "that is the average over the images. Keep one number per image.",
        ),
        Mistake(
            lambda v: 0.5 * (v.exp() - 1).sum(1),
            "the sign is turned: with σ² < 1 the mean's figure is too good, so the amount is positive.",
        ),
    ),
)


def _images(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(8 + 1000 * seed)
    r = lambda n: torch.rand(n, 1, 28, 28, generator=g)  # noqa: E731
    return [(0.5 * r(5), r(5)), (r(3).square(), r(3))]


def _squares(x_hat: Tensor, x: Tensor) -> Tensor:
    return (x - x_hat) ** 2


def _best_sigma_x(x_hat: Tensor, x: Tensor) -> Tensor:
    return (x - x_hat).square().flatten(1).mean(dim=1).mean().log()


BEST_SIGMA = Exercise(
    id="best-sigma-x",
    expects="one number: the log σ_x² that makes the images as probable as one σ_x can",
    reference=_best_sigma_x,
    probes=_images,
    mistakes=(
        Mistake(
            lambda a, b: _squares(a, b).mean(),
            "that is σ_x² itself. Its logarithm is asked for, which is what the decoder learns.",
        ),
        Mistake(
            lambda a, b: _squares(a, b).mean().sqrt().log(),
            "that is log σ_x, half of what is asked for: read as log σ_x², it makes the noise too large.",
        ),
        Mistake(
            lambda a, b: _squares(a, b).mean().sqrt(),
            "that is σ_x. log σ_x² is asked for: leave out the root, take the logarithm.",
        ),
        Mistake(
            lambda a, b: _squares(a, b).flatten(1).sum(1).mean().log(),
            "you summed over the pixels: this σ_x² is 784 times too large. "
            "Every pixel is a measurement of its own: average.",
        ),
        Mistake(
            lambda a, b: _squares(a, b).sum().log(),
            "that is the sum over all pixels of all images. Average over them.",
        ),
        Mistake(
            lambda a, b: _squares(a, b).flatten(1).mean(1).log().mean(),
            "you took each image's logarithm and averaged those. One σ_x serves all images: average first.",
        ),
        Mistake(
            lambda a, b: (b - a).var().log(),
            "the variance of x − x̂ about its own mean forgives an error that all pixels share. Take the mean square.",
        ),
        Mistake(
            lambda a, b: (b - a).abs().mean().square().log(),
            "you squared the mean of |x − x̂|. Take the mean of the squares.",
        ),
        Mistake(
            lambda a, b: 2 * _squares(a, b).mean().log(),
            "the mean square is σ_x² already: you squared it once more.",
        ),
        Mistake(
            lambda a, b: -_squares(a, b).mean().log(),
            "that is the log of the precision, 1/σ_x²: turn the sign.",
        ),
    ),
)

EXERCISES = (LOG_P, MEAN_LEFT_OUT, BEST_SIGMA)
