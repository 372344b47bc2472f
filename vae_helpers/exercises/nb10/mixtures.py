"""The density of a mixture of Gaussians, that of a class, and what a better prior is seen to save."""

from math import log, pi

from vae_helpers.exercises.engine import Exercise, Mistake

import torch
from torch import Tensor


def _mixtures(seed: int = 0) -> list[tuple]:
    """Components of unequal weights and widths, codes among them; K, d and n all differ."""
    g = torch.Generator().manual_seed(1001 + 1000 * seed)
    probes = []
    for n, k, d in ((5, 4, 3), (6, 2, 4)):
        log_weights = torch.randn(k, generator=g).mul(1.5).log_softmax(0)
        means, logvars = torch.randn(2, k, d, generator=g)
        z = means[torch.randint(k, (n,), generator=g)] + torch.randn(n, d, generator=g)
        while _log_mixture(z[-1:], log_weights, 1.5 * means, logvars) > -200:
            z[-1] *= 1.2  # until a float32 underflows there
        probes.append((z, log_weights, 1.5 * means, logvars))
    return probes


def _log_terms(z: Tensor, means: Tensor, logvars: Tensor) -> Tensor:
    return -0.5 * ((z[:, None] - means).square() / logvars.exp() + logvars + log(2 * pi))


def _log_each(z: Tensor, means: Tensor, logvars: Tensor) -> Tensor:
    return _log_terms(z, means, logvars).sum(2)


def _log_mixture(z: Tensor, log_weights: Tensor, means: Tensor, logvars: Tensor) -> Tensor:
    squares = (z[:, None] - means).square() / logvars.exp()
    terms = squares + logvars + log(2 * pi)
    log_each = -0.5 * terms.sum(dim=2)
    return (log_weights + log_each).logsumexp(dim=1)


WORDS = {
    "squares": "the scaled squares",
    "terms": "the terms of each dimension",
    "log_each": "the log densities of the components",
}
LOG_MIXTURE = Exercise(
    id="log-mixture",
    expects="one log p(z) per code, (n,): the log of the weighted sum of the components' densities",
    reference=_log_mixture,
    probes=_mixtures,
    graded=("z", "log_weights", "means", "logvars"),
    words=WORDS,
    mistakes=(
        Mistake(
            lambda z, w, m, v: (w.exp() * _log_each(z, m, v)).sum(1),
            "the components' *logs* are averaged. That is the log of no density: far from one component all is lost, "
            "however near another lies. Add densities, then take the log.",
        ),
        Mistake(
            lambda z, w, m, v: (w + _log_each(z, m, v)).sum(1),
            "the logs are added, which multiplies the components: a code would have to please all of them at once.",
        ),
        Mistake(
            lambda z, w, m, v: (w.exp() + _log_each(z, m, v)).logsumexp(1),
            "the weights are added to log densities: a factor joins a logarithm as its own logarithm.",
        ),
        Mistake(
            lambda z, w, m, v: _log_each(z, m, v).logsumexp(1),
            "the weights are ignored: this integrates to K, and a component that hardly occurs counts like any other.",
        ),
        Mistake(
            lambda z, w, m, v: _log_each(z, m, v).logsumexp(1) - log(len(w)),
            "the weights are ignored: each component counts 1/K here, whatever log_weights says.",
        ),
        Mistake(
            lambda z, w, m, v: (w + _log_each(z, m, v)).amax(1),
            "only the best component is kept. Where two overlap their densities add: a sum, not a maximum.",
        ),
        Mistake(
            lambda z, w, m, v: _log_each(z, w.exp() @ m, w.exp() @ v)[:, 0],
            "means and variances are averaged before any density: one Gaussian in the middle is no mixture.",
        ),
        Mistake(
            lambda z, w, m, v: (
                -0.5 * ((z[:, None] - m).square() / (0.5 * v).exp() + v + log(2 * pi)).sum(2) + w
            ).logsumexp(1),
            "the squares are divided by σ, and not by σ²: exp(log σ²) is the variance already.",
        ),
        Mistake(
            lambda z, w, m, v: (w[:, None] + _log_terms(z, m, v)).logsumexp(1).sum(1),
            "there is a mixture in each dimension, and then their sum: every dimension would choose a component of its "
            "own. A code comes from one component as a whole: sum over the dimensions first, then mix.",
        ),
        Mistake(
            lambda z, w, m, v: (w + _log_each(z, m, v) + 0.5 * v.sum(1)).logsumexp(1),
            "log s² is missing from the log densities. It stands in the quotient, and once more beside it: the wider a "
            "component, the lower it is, or it would not integrate to 1.",
        ),
    ),
)


def _gains(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(1003 + 1000 * seed)
    return [(-24 + 3 * torch.randn(n, generator=g), -29 + 3 * torch.randn(n, generator=g)) for n in (7, 12)]


def _waste_from_below(log_fitted: Tensor, log_standard: Tensor) -> Tensor:
    gain = log_fitted - log_standard
    mean = gain.mean()
    root = len(gain) ** 0.5
    error = gain.std() / root
    return torch.stack([mean, error])


def _unpaired(a: Tensor, b: Tensor) -> Tensor:
    return torch.stack([(a - b).mean(), ((a.var() + b.var()) / len(a)).sqrt()])


WASTE_FROM_BELOW = Exercise(
    id="waste-from-below",
    expects="two numbers, (2,): the mean gain of the fitted prior over N(0, I) in nats, and its standard error",
    reference=_waste_from_below,
    probes=_gains,
    also=(lambda a, b: torch.stack([(a - b).mean(), (a - b).std(correction=0) / len(a) ** 0.5]),),
    words={
        "gain": "the gain of each code",
        "mean": "the mean gain",
        "root": "√n",
        "error": "the standard error",
    },
    mistakes=(
        Mistake(
            lambda a, b: _waste_from_below(b, a),
            "the sign is turned: a better prior would have a negative gain. log p of the fitted one comes first.",
        ),
        Mistake(
            _unpaired,
            "the error is that of two unrelated sets of codes. Both priors score the *same* codes: take each code's "
            "difference first, which scatters far less.",
        ),
        Mistake(
            lambda a, b: torch.stack([(a - b).mean(), (a - b).std()]),
            "the second number is the spread over the codes, not the error of their mean: √n is missing.",
        ),
        Mistake(
            lambda a, b: torch.stack([(a - b).mean(), (a - b).std() / len(a)]),
            "the error falls like 1/√n, not like 1/n: this one promises far too much.",
        ),
        Mistake(
            lambda a, b: torch.stack([(a.exp() - b.exp()).mean(), (a.exp() - b.exp()).std() / len(a) ** 0.5]),
            "nats are differences of *logs*; these are differences of densities, next to 0 in 20 dimensions.",
        ),
    ),
)


def _class_mixtures(seed: int = 0) -> list[tuple]:
    """Mixtures of unequal weights for each class; labels that repeat, and are not in order."""
    g = torch.Generator().manual_seed(1005 + 1000 * seed)
    probes = []
    for n, classes, k, d in ((7, 5, 4, 3), (6, 3, 2, 5)):
        y = torch.randint(classes, (n,), generator=g)
        log_weights = torch.randn(classes, k, generator=g).mul(1.5).log_softmax(1)
        means, logvars = torch.randn(2, classes, k, d, generator=g)
        z = 1.5 * means[y, 0] + torch.randn(n, d, generator=g)
        probes.append((z, y, log_weights, 1.5 * means, logvars))
    return probes


def _of_class(z: Tensor, y: Tensor, log_weights: Tensor, means: Tensor, logvars: Tensor) -> Tensor:
    squares = (z[:, None] - means[y]).square() / logvars[y].exp()
    terms = squares + logvars[y] + log(2 * pi)
    log_each = -0.5 * terms.sum(dim=2)
    return (log_weights[y] + log_each).logsumexp(dim=1)


def _of_every_class(z: Tensor, w: Tensor, m: Tensor, v: Tensor) -> Tensor:
    each = [_log_mixture(z, w[k], m[k], v[k]) for k in range(len(w))]
    return torch.stack(each, dim=1)


CLASS_MIXTURE = Exercise(
    id="class-mixture",
    expects="one log p(z|y) per code, (n,): the log density of z under the mixture of its own class y",
    reference=_of_class,
    probes=_class_mixtures,
    graded=("z", "log_weights", "means", "logvars"),
    words=WORDS,
    mistakes=(
        Mistake(
            lambda z, y, w, m, v: -0.5 * (z.square() + log(2 * pi)).sum(1),
            "that is log N(z; 0, I): the label is told to the decoder, and the prior is still the old one for all.",
        ),
        Mistake(
            lambda z, y, w, m, v: _of_every_class(z, w, m, v).logsumexp(1) - log(len(w)),
            "that is p(z), all classes mixed: y has no part in it, and a 7 may be drawn where the 1s lie.",
            alike=(lambda z, y, w, m, v: _of_every_class(z, w, m, v).logsumexp(1),),
        ),
        Mistake(
            lambda z, y, w, m, v: _log_each_of(z, y, m, v).logsumexp(1),
            "the weights are ignored: this integrates to K for every class.",
        ),
        Mistake(
            lambda z, y, w, m, v: (w[y].exp() * _log_each_of(z, y, m, v)).sum(1),
            "the components' *logs* are averaged: that is the log of no density. Add densities, then take the log.",
        ),
        Mistake(
            lambda z, y, w, m, v: (w[y] + _log_each_of(z, y, m, v)).logsumexp(1) - log(len(w)),
            "log p(y) is added: that is log p(z, y). Given the label, the class costs nothing.",
        ),
        Mistake(
            lambda z, y, w, m, v: _of_class(z, y, w, m, v) - log(10),
            "log p(y) = −log 10 is added: that is log p(z, y). Given the label, the class costs nothing.",
        ),
        Mistake(
            lambda z, y, w, m, v: _log_each_of(z, y, m, v).logsumexp(1) - log(w.shape[1]),
            "the weights are ignored: each component of the class counts 1/K here, whatever log_weights[y] says.",
        ),
        Mistake(
            lambda z, y, w, m, v: _of_class(z, y, w, m, v) + 0.5 * log(2 * pi) * z.shape[1],
            "log 2π is missing, once for each dimension: in 20 dimensions the prior would claim 18 nats too many.",
        ),
    ),
)


def _log_each_of(z: Tensor, y: Tensor, m: Tensor, v: Tensor) -> Tensor:
    return -0.5 * ((z[:, None] - m[y]).square() / v[y].exp() + v[y] + log(2 * pi)).sum(2)
