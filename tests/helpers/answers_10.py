"""Answers to the exercises of notebook 10 in other hands: right ones, and each known mistake once more."""

from math import log, pi

from vae_helpers.losses import bernoulli_nll

import torch
from torch.distributions import (
    Categorical,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    kl_divergence,
)


def normal(m, v):
    return Independent(Normal(m, (v / 2).exp()), 1)


def every(z, m, v):
    """Log density of each code (rows) under each component (columns)."""
    return torch.stack([normal(m[k], v[k]).log_prob(z) for k in range(len(m))], 1)


def mixture(w, m, v):
    return MixtureSameFamily(Categorical(logits=w), normal(m, v))


def by_code(z, y, w, m, v, f):
    """f of each code's own row of log densities and log weights."""
    rows = [every(z[i : i + 1], m[y[i]], v[y[i]])[0] for i in range(len(z))]
    return torch.stack([f(row, w[k]) for row, k in zip(rows, y, strict=True)])


def by_torch(n, w, m, v):
    return mixture(w, m, v).sample((n,))


def one_by_one(n, w, m, v):
    rows = []
    for k in torch.multinomial(w.softmax(0), n, True).tolist():
        rows.append(m[k] + (v[k] / 2).exp() * torch.randn(m.shape[1]))
    return torch.stack(rows)


def weights(j, m, v, e):
    z = m + (v / 2).exp() * e
    return j(z) - normal(m, v).log_prob(z)


def mean_exp(w, dim=0):
    top = w.amax(dim, keepdim=True)
    return (w - top).exp().mean(dim).log() + top.squeeze(dim)


def columns(model, x, eps, kl, at=None):
    q = normal(*model.encode(x))
    z = q.mean + q.stddev * eps
    decoded = z if at is None else at(q)
    return torch.stack([bernoulli_nll(model.decode(decoded), x), kl(model, q, z, eps)]).T


def layers(mu, v, z, e, d, eps, term, upper=lambda q: kl_divergence(q, normal(0 * q.mean, 0 * q.mean))):
    q_2 = normal(*e(z))
    p = normal(*d(q_2.mean + q_2.stddev * eps))
    return term(normal(mu, v), p, z) + upper(q_2)


def sampled(q, p, z):
    return q.log_prob(z) - p.log_prob(z)


RIGHT = {
    "log-mixture": [
        lambda z, w, m, v: mixture(w, m, v).log_prob(z),
        lambda z, w, m, v: torch.logsumexp(every(z, m, v) + w, -1),
        lambda z, w, m, v: (w.exp() * every(z.double(), m.double(), v.double()).exp()).sum(1).log(),
    ],
    "mixture-draw": [by_torch, one_by_one],
    "waste-from-below": [
        lambda a, b: [(a - b).mean(), (a - b).var().div(len(a)).sqrt()],
        lambda a, b: torch.stack([a.mean() - b.mean(), torch.std(a - b) / len(b) ** 0.5]),
        lambda a, b: torch.stack([(a - b).mean(), (a - b).var(correction=0).div(len(a)).sqrt()]),
    ],
    "any-prior": [
        lambda model, x, eps: columns(model, x, eps, lambda m, q, z, e: q.log_prob(z) - m.prior.log_prob(z)),
        lambda model, x, eps: columns(
            model,
            x,
            eps,
            lambda m, q, z, e: Normal(0, 1).log_prob(e).sum(1) - q.stddev.log().sum(1) - m.prior.log_prob(z),
        ),
    ],
    "class-mixture": [
        lambda z, y, w, m, v: by_code(z, y, w, m, v, lambda row, u: (row + u).logsumexp(0)),
        lambda z, y, w, m, v: mixture(w[y], m[y], v[y]).log_prob(z),
        lambda z, y, w, m, v: torch.stack([mixture(w[k], m[k], v[k]).log_prob(z) for k in range(len(w))])[
            y, torch.arange(len(y))
        ],
    ],
    "k-draw-bound": [
        lambda j, m, v, e: mean_exp(weights(j, m, v, e)),
        lambda j, m, v, e: torch.stack([weights(j, m, v, one[None])[0] for one in e]).logsumexp(0) - log(e.shape[0]),
    ],
    "gradient-of-draws": [
        lambda w, g: torch.einsum("kn,knd->nd", w.softmax(0), g),
        lambda w, g: ((w - w.logsumexp(0)).exp().unsqueeze(-1) * g).sum(0),
    ],
    "two-layer-kl": [
        lambda *given: layers(*given, sampled),
        lambda mu, v, z, e, d, eps: layers(
            mu,
            v,
            z,
            e,
            d,
            eps,
            lambda q, p, z: MultivariateNormal(mu, torch.diag_embed(v.exp())).log_prob(z) - p.log_prob(z),
        ),
    ],
}

ANOTHER_HAND = {
    "log-mixture": [
        lambda z, w, m, v: every(z, m, v) @ w.exp(),
        lambda z, w, m, v: every(z, m, v).sum(1) + w.sum(),
        lambda z, w, m, v: torch.logsumexp(every(z, m, v) + w.softmax(0), 1),
        lambda z, w, m, v: mean_exp(every(z, m, v), 1) + log(len(m)),
        lambda z, w, m, v: mixture(0 * w, m, v).log_prob(z),
        lambda z, w, m, v: (every(z, m, v) + w).max(1).values,
        lambda z, w, m, v: normal((w.exp()[:, None] * m).sum(0), (w.exp()[:, None] * v).sum(0)).log_prob(z),
        lambda z, w, m, v: torch.stack(
            [w[k] - 0.5 * (((z - m[k]) ** 2) / (v[k] / 2).exp() + v[k] + log(2 * pi)).sum(1) for k in range(len(w))]
        ).logsumexp(0),
        lambda z, w, m, v: sum(mixture(w, m[:, [i]], v[:, [i]]).log_prob(z[:, [i]]) for i in range(z.shape[1])),
        lambda z, w, m, v: torch.logsumexp(w - 0.5 * (((z[:, None] - m) ** 2) / v.exp() + log(2 * pi)).sum(-1), 1),
    ],
    "waste-from-below": [
        lambda a, b: torch.stack([(b - a).mean(), (b - a).std() / len(a) ** 0.5]),
        lambda a, b: torch.stack([a.mean() - b.mean(), (a.var() / len(a) + b.var() / len(b)) ** 0.5]),
        lambda a, b: torch.stack([a.mean() - b.mean(), (b - a).std()]),
        lambda a, b: torch.stack([a.mean() - b.mean(), (b - a).std() / a.numel()]),
        lambda a, b: torch.stack([(a.exp() - b.exp()).mean(), torch.std(a.exp() - b.exp()) / len(b) ** 0.5]),
    ],
    "any-prior": [
        lambda *g: columns(*g, lambda m, q, z, e: kl_divergence(q, normal(0 * z, 0 * z))),
        lambda *g: columns(*g, lambda m, q, z, e: q.log_prob(z) - m.prior.log_prob(q.mean)),
        lambda *g: columns(*g, lambda m, q, z, e: q.log_prob(z) - m.prior.log_prob(q.mean + q.stddev * e.flip(0))),
        lambda *g: columns(*g, lambda m, q, z, e: m.prior.log_prob(z) - q.log_prob(z)),
        lambda *g: columns(*g, lambda m, q, z, e: -m.prior.log_prob(z)),
        lambda *g: columns(*g, lambda m, q, z, e: q.log_prob(z) - m.prior.log_prob(z), lambda q: q.mean),
        lambda *g: columns(*g, lambda m, q, z, e: q.log_prob(z) - m.prior.log_prob(z))[:, [1, 0]],
        lambda *g: columns(
            *g,
            lambda m, q, z, e: q.log_prob(z) - m.prior.log_prob(torch.addcmul(q.mean, q.stddev, torch.randn(e.shape))),
        ),
        lambda *g: columns(*g, lambda m, q, z, e: normal(0 * z, 0 * z).log_prob(z) - m.prior.log_prob(z)),
        lambda *g: columns(*g, lambda m, q, z, e: Normal(0, 1).log_prob(e).sum(1) - m.prior.log_prob(z)),
    ],
    "class-mixture": [
        lambda z, y, w, m, v: normal(0 * z, 0 * z).log_prob(z),
        lambda z, y, w, m, v: mixture((w - log(len(w))).flatten(), m.flatten(0, 1), v.flatten(0, 1)).log_prob(z),
        lambda z, y, w, m, v: by_code(z, y, w, m, v, lambda row, u: row.logsumexp(0)),
        lambda z, y, w, m, v: by_code(z, y, w, m, v, lambda row, u: (u.exp() * row).sum()),
        lambda z, y, w, m, v: mixture(w[y], m[y], v[y]).log_prob(z) - log(w.shape[0]),
        lambda z, y, w, m, v: mixture(w[y], m[y], v[y]).log_prob(z) + torch.tensor(0.1).log(),
        lambda z, y, w, m, v: mixture(0 * w[y], m[y], v[y]).log_prob(z),
        lambda z, y, w, m, v: torch.logsumexp(
            w[y] - 0.5 * ((z[:, None] - m[y]) ** 2 / v[y].exp() + v[y]).sum(-1), dim=-1
        ),
    ],
    "k-draw-bound": [
        lambda *g: weights(*g).mean(0),
        lambda *g: weights(*g).logsumexp(0),
        lambda *g: -mean_exp(weights(*g)),
        lambda j, m, v, e: mean_exp(weights(j, m, v, e[0].repeat(len(e), 1, 1))),
        lambda j, m, v, e: mean_exp(j(m + (v / 2).exp() * e)),
        lambda *g: weights(*g).max(0).values,
        lambda *g: mean_exp(weights(*g), 1),
        lambda j, m, v, e: mean_exp(j(m + v.exp() * e) - normal(m, v).log_prob(m + (v / 2).exp() * e)),
        lambda j, m, v, e: mean_exp(j(m + (v / 2).exp() * e) - Normal(0, 1).log_prob(e).sum(-1)),
    ],
    "gradient-of-draws": [
        lambda w, g: g.sum(0) / len(w),
        lambda w, g: torch.einsum("kn,knd->nd", w.softmax(0), g) / len(w),
        lambda w, g: torch.einsum("kn,knd->nd", w.softmax(1), g),
        lambda w, g: torch.einsum("kn,knd->nd", w.exp(), g),
        lambda w, g: torch.einsum("kn,knd->nd", w, g),
        lambda w, g: torch.stack([g[k, i] for i, k in enumerate(w.argmax(0).tolist())]),
        lambda w, g: torch.einsum("kn,knd->nd", w - w.logsumexp(0), g),
        lambda w, g: torch.einsum("kn,knd->nd", (w - w.logsumexp((0, 1))).exp(), g),
    ],
    "two-layer-kl": [
        lambda *given: layers(*given, lambda q, p, z: kl_divergence(q, p)),
        lambda *given: layers(*given, sampled, lambda q: 0.0),
        lambda *given: layers(*given, lambda q, p, z: -p.log_prob(z)),
        lambda mu, v, z, e, d, eps: layers(mu, v, mu, e, d, eps, sampled),
        lambda *given: layers(*given, lambda q, p, z: q.log_prob(z) - Normal(0, 1).log_prob(z).sum(1)),
        lambda mu, v, z, e, d, eps: layers(mu, v, z, e, d, 0 * eps, sampled),
        lambda mu, v, z, e, d, eps: layers(mu, v, z, lambda _: e(mu), d, eps, sampled),
    ],
}
