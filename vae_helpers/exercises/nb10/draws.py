"""The bound of K draws, and what each draw has to say in its gradient."""

from collections.abc import Callable
from math import log, pi

from vae_helpers.exercises.engine import Exercise, Mistake

import torch
from jaxtyping import Float
from torch import Tensor


class LogJoint:
    """A small model's log p(x, z) of codes (..., n, d), two-humped; what a check hands out as ``log_joint``."""

    def __init__(self, x: Float[Tensor, "..."]) -> None:
        self.x = x

    def __call__(self, z: Tensor) -> Tensor:
        """One value per code, in the shape of z without its last axis."""
        prior = -0.5 * (z.square() + log(2 * pi)).sum(-1)
        return prior - 2 * (z.abs() - self.x.abs()).square().sum(-1) - 3 * torch.cos(z).sum(-1)


def _clouds(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(1011 + 1000 * seed)
    probes = []
    for k, n, d in ((4, 5, 3), (7, 6, 2)):
        mu, logvar, x = torch.randn(3, n, d, generator=g)
        x[-1] += 20  # an image whose weights underflow
        probes.append((LogJoint(x), mu, 0.7 * logvar - 0.5, torch.randn(k, n, d, generator=g)))
    return probes


def _k_draw_bound(log_joint: Callable, mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    sigma = (0.5 * logvar).exp()
    z = mu + sigma * eps
    log_q = -0.5 * (eps.square() + logvar + log(2 * pi)).sum(dim=2)
    log_w = log_joint(z) - log_q
    return log_w.logsumexp(dim=0) - log(len(eps))


def _log_w(log_joint: Callable, mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    log_q = -0.5 * (eps.square() + logvar + log(2 * pi)).sum(-1)
    return log_joint(mu + (0.5 * logvar).exp() * eps) - log_q


K_DRAW_BOUND = Exercise(
    id="k-draw-bound",
    expects="one value per image, (n,): the log of the mean weight p(x, z)/q(z|x) of its K draws",
    reference=_k_draw_bound,
    probes=_clouds,
    graded=("mu", "logvar"),
    words={"sigma": "σ", "log_q": "log q", "log_w": "the log weights"},
    mistakes=(
        Mistake(
            lambda j, m, v, e: _log_w(j, m, v, e).mean(0),
            "the mean of the *logs* is the ELBO, however many draws it is taken over: nothing is gained but a steadier "
            "estimate. Average the weights, then take the log.",
        ),
        Mistake(
            lambda j, m, v, e: _log_w(j, m, v, e).logsumexp(0),
            "log K is not subtracted: the weights are summed where their mean is asked for, and the bound claims "
            "log K nats too many.",
        ),
        Mistake(
            lambda j, m, v, e: -_k_draw_bound(j, m, v, e),
            "the sign is turned: that is the loss. The bound itself was asked for.",
        ),
        Mistake(
            lambda j, m, v, e: _k_draw_bound(j, m, v, e[:1].expand_as(e)),
            "one ε serves all draws: K copies of one weight are no better than one.",
        ),
        Mistake(
            lambda j, m, v, e: (j(m + (0.5 * v).exp() * e)).logsumexp(0) - log(len(e)),
            "log q is missing: draws are crowded where q is dense, and nothing divides that out. It is no bound.",
        ),
        Mistake(
            lambda j, m, v, e: _log_w(j, m, v, e).amax(0),
            "the best of K draws is taken for their mean: no bound, and with more draws ever more optimistic.",
        ),
        Mistake(
            lambda j, m, v, e: _log_w(j, m, v, e).logsumexp(1) - log(len(m)),
            "the mean runs over the images, not over the draws: one likely image would speak for all the others. "
            "The draws are dim 0.",
        ),
        Mistake(
            lambda j, m, v, e: (
                (j(m + v.exp() * e) + 0.5 * (e.square() + v + log(2 * pi)).sum(2)).logsumexp(0) - log(len(e))
            ),
            "exp(log σ²) is σ², and ε must be multiplied by σ: the draws are not from the q that divides them.",
        ),
        Mistake(
            lambda j, m, v, e: (_log_w(j, m, v, e) - 0.5 * v.sum(-1)).logsumexp(0) - log(len(e)),
            "log σ² is missing from log q: that is the density of ε. A cloud that is squeezed by σ is denser by 1/σ, "
            "and each of its draws weighs less.",
        ),
    ),
)


def _weights_and_gradients(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(1013 + 1000 * seed)
    probes = []
    for k, n, d in ((4, 5, 3), (6, 3, 2)):
        log_w = 1.5 * torch.randn(k, n, generator=g) - 90
        log_w[:, -1] -= 300  # an image whose weights underflow
        probes.append((log_w, torch.randn(k, n, d, generator=g)))
    return probes


def _gradient_of_draws(log_w: Tensor, gradients: Tensor) -> Tensor:
    shares = log_w.softmax(dim=0)
    return (shares[:, :, None] * gradients).sum(dim=0)


GRADIENT_OF_DRAWS = Exercise(
    id="gradient-of-draws",
    expects="one row per image, (n, d): the gradient of log (1/K) Σ w, from those of the log weights",
    reference=_gradient_of_draws,
    probes=_weights_and_gradients,
    words={"shares": "the draws' shares"},
    mistakes=(
        Mistake(
            lambda w, g: g.mean(0),
            "each draw counts alike: that is the ELBO's gradient. Here a draw counts as much as its weight does.",
        ),
        Mistake(
            lambda w, g: (w.softmax(0)[..., None] * g).mean(0),
            "the shares add up to 1 already, and you divide by K once more: take the sum.",
        ),
        Mistake(
            lambda w, g: (w.softmax(1)[..., None] * g).sum(0),
            "the shares are taken among the images: each image's own draws are to share 1 between them, dim 0.",
        ),
        Mistake(
            lambda w, g: (w.exp()[..., None] * g).sum(0),
            "the weights are not divided by their sum: e⁻⁹⁰ leaves no gradient at all. That is Σ ∇w, not ∇ log Σ w.",
        ),
        Mistake(
            lambda w, g: (w[..., None] * g).sum(0),
            "the *logs* of the weights are no shares: they are negative, and the likeliest draw has the smallest.",
        ),
        Mistake(
            lambda w, g: g.gather(0, w.argmax(0)[None, :, None].expand(1, *g.shape[1:]))[0],
            "the best draw alone speaks. The others count too, as much as their weights.",
        ),
        Mistake(
            lambda w, g: (w.log_softmax(0)[..., None] * g).sum(0),
            "these are the *logs* of the shares, all negative: the draw that counts most has the smallest. Shares are "
            "positive, and add up to 1.",
        ),
        Mistake(
            lambda w, g: (w.flatten().softmax(0).view_as(w)[..., None] * g).sum(0),
            "one softmax runs over draws and images alike: the shares of an image's own draws are to add up to 1.",
        ),
    ),
)
