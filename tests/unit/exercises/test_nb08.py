"""Answers to the exercises of notebook 08 in other hands: right ones, and wrong ones of which most are explained."""

from math import log

from vae_helpers.exercises import check
from vae_helpers.losses import bernoulli_nll, kl_to_class_mean, kl_to_standard_normal

import pytest
import torch
import torch.nn.functional as F

from helpers.answer_tables import each_right_answer, passes, refused_and_explained
from helpers.answers_08 import RIGHT


def half(logvar):
    return (logvar / 2).exp()


def two(model, x, y, eps, kl=kl_to_standard_normal, width=half, nll=bernoulli_nll):
    """The two columns, one part of them another."""
    mu, logvar = model.encode(x, y)
    return torch.stack([nll(model.decode(mu + width(logvar) * eps, y), x), kl(mu, logvar)], dim=1)


def encoder_only(m, x, y, eps):
    mu, logvar = m.encode(x, y)
    return torch.stack([bernoulli_nll(m.decode(mu + half(logvar) * eps), x), kl_to_standard_normal(mu, logvar)], 1)


def decoder_only(m, x, y, eps):
    mu, logvar = m.encode(x)
    return torch.stack([bernoulli_nll(m.decode(mu + half(logvar) * eps, y), x), kl_to_standard_normal(mu, logvar)], 1)


def squares(x_logits, x):
    return (x_logits.sigmoid() - x).square().flatten(1).sum(1)


def within_images(x):
    return x.flatten(1).var(1, correction=0).mean() * 784


def rows_of(labels):
    return lambda g, s: g(s.repeat(10, 1), labels(torch.arange(10).repeat_interleave(len(s))))


def bce(x_logits, x):
    return F.binary_cross_entropy_with_logits(x_logits, x, reduction="none")


def table(m, v, c):
    return torch.stack([kl_to_class_mean(m, v, k.expand_as(m)) for k in c], dim=1)


def means(mu, y, k, reduce=lambda part: part.mean(0)):
    return torch.stack([reduce(mu[y == c]) if (y == c).any() else mu.new_zeros(mu.shape[1]) for c in range(k)])


def share(j, x, y):
    return (j(x).argmax(1) == y).float().mean()


def var(x, y, reduce=torch.sum, **how):
    return torch.stack([reduce(x[y == k].var(0, **{"correction": 0} | how)) for k in y.unique()]).mean()


def cnll(t, y):
    return -t[torch.arange(len(y)), y]


def columns(t, y, a=1.0, b=1.0):
    k = log(t.shape[1])
    return torch.stack([cnll(t, y) + a * k, b * k - t.logsumexp(1)], dim=1)


WRONG = {
    "conditional-loss": [
        ("encoder only", encoder_only),
        ("decoder only", decoder_only),
        ("the batch's labels turned", lambda m, x, y, e: two(m, x, y.flip(0), e)),
        ("one label for all", lambda m, x, y, e: two(m, x, y[:1].expand(len(y)), e)),
        ("σ² for σ", lambda m, x, y, e: two(m, x, y, e, width=torch.exp)),
        ("log σ² for σ", lambda m, x, y, e: two(m, x, y, e, width=lambda v: v)),
        ("own noise", lambda m, x, y, e: two(m, x, y, torch.randn_like(e))),
        ("μ decoded", lambda m, x, y, e: two(m, x, y, 0 * e)),
        ("½ of the KL missing", lambda m, x, y, e: two(m, x, y, e, kl=lambda a, v: 2 * kl_to_standard_normal(a, v))),
        ("mean over d", lambda m, x, y, e: two(m, x, y, e, kl=lambda a, v: kl_to_standard_normal(a, v) / a.shape[1])),
        ("mean over pixels", lambda m, x, y, e: two(m, x, y, e, nll=lambda a, t: bernoulli_nll(a, t) / 784)),
        ("sign of the KL", lambda m, x, y, e: two(m, x, y, e, kl=lambda a, v: -kl_to_standard_normal(a, v))),
        ("sigmoid twice", lambda m, x, y, e: two(m, x, y, e, nll=lambda a, t: bernoulli_nll(a.sigmoid(), t))),
        ("squared error", lambda m, x, y, e: two(m, x, y, e, nll=squares)),
        ("columns exchanged", lambda m, x, y, e: two(m, x, y, e).flip(1)),
        ("added", lambda m, x, y, e: two(m, x, y, e).sum(1)),
        ("mean over the batch", lambda m, x, y, e: two(m, x, y, e).mean(0)),
        ("detached", lambda m, x, y, e: two(m, x, y, e).detach()),
    ],
    "class-means": [
        ("NaN", lambda m, y, k: torch.stack([m[y == c].mean(0) for c in range(k)])),
        ("present classes only", lambda m, y, k: torch.stack([m[y == c].mean(0) for c in y.unique()])),
        ("sums", lambda m, y, k: means(m, y, k, lambda p: p.sum(0))),
        ("of n", lambda m, y, k: means(m, y, k, lambda p: p.sum(0) / len(m))),
        ("of n/K", lambda m, y, k: means(m, y, k, lambda p: p.sum(0) / len(m) * k)),
        ("median", lambda m, y, k: means(m, y, k, lambda p: p.median(0).values)),
        ("largest", lambda m, y, k: means(m, y, k, lambda p: p.amax(0))),
        ("smoothed counts", lambda m, y, k: means(m, y, k, lambda p: p.sum(0) / (len(p) + 1))),
        ("from 1", lambda m, y, k: means(m, y + 1, k)),
        ("one row per image", lambda m, y, k: means(m, y, k)[y]),
        ("transposed", lambda m, y, k: means(m, y, k).T),
        ("all alike", lambda m, y, k: m.mean(0).repeat(k, 1)),
        ("as many as the largest label", lambda m, y, k: means(m, y, int(y.max()))),
        ("first code", lambda m, y, k: means(m, y, k, lambda p: p[0])),
    ],
    "nearest-prior": [
        ("farthest", lambda m, v, c: table(m, v, c).argmax(1)),
        ("wrong axis", lambda m, v, c: table(m, v, c).argmin(0)),
        ("the KL", lambda m, v, c: table(m, v, c).amin(1)),
        ("table", table),
        ("flattened", lambda m, v, c: table(m, v, c).argmin()),
        ("from 1", lambda m, v, c: 1 + table(m, v, c).argmin(1)),
        ("dot", lambda m, v, c: (m @ c.T).argmax(1)),
        ("L1", lambda m, v, c: torch.cdist(m, c, p=1).argmin(1)),
        ("sum of both", lambda m, v, c: table(m, v, -c).argmin(1)),
        ("one-hot", lambda m, v, c: F.one_hot(table(m, v, c).argmin(1), len(c))),
        ("by log σ²", lambda m, v, c: table(v, m, c).argmin(1)),
    ],
    "agreement-and-variance": [
        ("all at once", lambda j, x, y: torch.stack([share(j, x, y), x.var(0, correction=0).sum()])),
        ("by names", lambda j, x, y: torch.stack([share(j, x, y), var(x, j(x).argmax(1))])),
        ("mean of pixels", lambda j, x, y: torch.stack([share(j, x, y), var(x, y, torch.mean)])),
        ("spread", lambda j, x, y: torch.stack([share(j, x, y), var(x, y, lambda v: v.sqrt().sum())])),
        ("within an image", lambda j, x, y: torch.stack([share(j, x, y), within_images(x)])),
        ("added over classes", lambda j, x, y: torch.stack([share(j, x, y), var(x, y) * len(y.unique())])),
        ("per cent", lambda j, x, y: torch.stack([100 * share(j, x, y), var(x, y)])),
        ("number", lambda j, x, y: torch.stack([(j(x).argmax(1) == y).sum().float(), var(x, y)])),
        ("wrong ones", lambda j, x, y: torch.stack([1 - share(j, x, y), var(x, y)])),
        ("how sure", lambda j, x, y: torch.stack([j(x).softmax(1)[torch.arange(len(y)), y].mean(), var(x, y)])),
        ("exchanged", lambda j, x, y: torch.stack([var(x, y), share(j, x, y)])),
        ("largest score", lambda j, x, y: torch.stack([j(x).amax(1).mean(), var(x, y)])),
        ("agreement alone", share),
    ],
    "mixture-nll": [
        ("label for nothing", lambda t, y: columns(t, y, 0)),
        ("sum of densities", lambda t, y: columns(t, y, 1, 0)),
        ("neither", lambda t, y: columns(t, y, 0, 0)),
        ("label twice", lambda t, y: columns(t, y, 2)),
        ("mixture twice", lambda t, y: columns(t, y, 1, 2)),
        ("sign of ln K", lambda t, y: columns(t, y, -1)),
        ("sign of ln K in the mixture", lambda t, y: columns(t, y, 1, -1)),
        ("mean of logs", lambda t, y: torch.stack([columns(t, y)[:, 0], -t.mean(1)], 1)),
        ("best class", lambda t, y: torch.stack([columns(t, y)[:, 0], log(t.shape[1]) - t.amax(1)], 1)),
        ("underflow", lambda t, y: torch.stack([columns(t, y)[:, 0], -t.exp().mean(1).log()], 1)),
        ("exchanged", lambda t, y: columns(t, y).flip(1)),
        ("log-likelihoods", lambda t, y: -columns(t, y)),
        ("log n", lambda t, y: torch.stack([cnll(t, y) + log(len(t)), columns(t, y)[:, 1]], 1)),
        ("bits", lambda t, y: columns(t, y) / log(2)),
        ("mean over images", lambda t, y: columns(t, y).mean(0)),
        ("first class", lambda t, y: columns(t, 0 * y)),
    ],
    "hidden-nll": [
        ("seen", lambda a, x, s: (bce(a, x) * s).flatten(1).sum(1)),
        ("all", lambda a, x, s: bce(a, x).flatten(1).sum(1)),
        ("logits blanked", lambda a, x, s: bce(a * (1 - s), x * (1 - s)).flatten(1).sum(1)),
        ("image blanked", lambda a, x, s: bce(a, x * (1 - s)).flatten(1).sum(1)),
        ("mean", lambda a, x, s: (bce(a, x) * (1 - s)).flatten(1).mean(1)),
        ("mean of hidden", lambda a, x, s: (bce(a, x) * (1 - s)).flatten(1).sum(1) / (1 - s).sum()),
        ("sigmoid", lambda a, x, s: (bce(a.sigmoid(), x) * (1 - s)).flatten(1).sum(1)),
        ("of the batch", lambda a, x, s: (bce(a, x) * (1 - s)).sum() / len(x)),
        ("per pixel", lambda a, x, s: (bce(a, x) * (1 - s)).flatten(1)),
        ("exchanged", lambda a, x, s: (bce(x, a.sigmoid()) * (1 - s)).flatten(1).sum(1)),
        ("sign", lambda a, x, s: -(bce(a, x) * (1 - s)).flatten(1).sum(1)),
        ("squares", lambda a, x, s: ((a.sigmoid() - x).square() * (1 - s)).flatten(1).sum(1)),
    ],
}  # fmt: skip


def test_no_wrong_answer_passes_and_nine_of_ten_are_explained_or_told_their_shape():
    refused_and_explained(WRONG)


@each_right_answer(RIGHT)
def test_a_right_answer_in_another_style_passes(name, answer, seed):
    passes(name, answer, seed)


@pytest.mark.parametrize("labels", [lambda y: y.float(), lambda y: y[0]], ids=["floats", "one for all"])
def test_a_row_per_class_refuses_labels_that_a_model_would_refuse(labels):
    verdict = check(
        "row-per-class", lambda g, s: g(s.repeat(10, 1), labels(torch.arange(10).repeat_interleave(len(s))))
    )
    assert verdict.status == "error" and "y must be int64 labels" in verdict.message
