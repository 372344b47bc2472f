"""Answers to the exercises of notebook 04 as learners would write them: wrong ones are named, right ones pass."""

import itertools
from math import log, pi

from vae_helpers.exercises import check

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Exponential, Normal, kl_divergence


def slope(z, mu, sigma):
    return (z - mu) / sigma**2


def others(f):
    return (f.sum(1, keepdim=True) - f) / (f.shape[1] - 1)


def one_by_one(f, z, mu, sigma):
    rows = []
    for values, draws in zip(f, z, strict=True):
        kept = [torch.cat([values[:i], values[i + 1 :]]).mean() for i in range(len(values))]
        rows.append((values - torch.stack(kept)) * (draws - mu) / sigma**2)
    return torch.stack(rows)


def by_score(f, z, mu, sigma):
    center = torch.tensor(mu, dtype=z.dtype, requires_grad=True)
    slopes = [torch.autograd.grad(Normal(center, sigma).log_prob(value), center)[0] for value in z.flatten()]
    return (f - others(f)) * torch.stack(slopes).view(z.shape)


LEAVE_ONE_OUT = {
    "σ for σ²": (lambda f, z, m, s: (f - others(f)) * (z - m) / s, "is not squared"),
    "sign": (lambda f, z, m, s: (others(f) - f) * slope(z, m, s), "sign"),
    "slope turned": (lambda f, z, m, s: (f - others(f)) * (m - z) / s**2, "sign"),
    "own draw": (lambda f, z, m, s: (f - f.mean(dim=-1)[:, None]) * slope(z, m, s), "own f"),
    "all rows": (lambda f, z, m, s: (f - torch.mean(f)) * slope(z, m, s), "all rows"),
    "columns": (lambda f, z, m, s: (f - f.mean(0, keepdim=True)) * slope(z, m, s), "columns"),
    "divided by K": (lambda f, z, m, s: (f - (f.sum(1)[:, None] - f) / f.size(1)) * slope(z, m, s), "by K"),
    "no baseline": (lambda f, z, m, s: f * slope(z, m, s), "baseline"),
    "baseline only": (lambda f, z, m, s: others(f) * slope(z, m, s), "takes the baseline for"),
    "added": (lambda f, z, m, s: (f + others(f)) * slope(z, m, s), "sign"),
    "of the terms": (
        lambda f, z, m, s: (t := f * slope(z, m, s)) - t.mean(1, keepdim=True),
        "finished terms",
    ),
    "no slope": (lambda f, z, m, s: f - others(f), "slope"),
    "averaged": (lambda f, z, m, s: ((f - others(f)) * slope(z, m, s)).mean(1), "averaged over axis 1"),
    "sum of the others": (lambda f, z, m, s: (f - (f.sum(1, keepdim=True) - f)) * slope(z, m, s), "division"),
    "K of the rows": (
        lambda f, z, m, s: (f - (f.sum(1, keepdim=True) - f) / (len(f) - 1)) * slope(z, m, s),
        "axis 0 are counted",
    ),
}
INVERSE_CDF = {
    "log u": (lambda u, r: -torch.log(u) / r, "a large u"),
    "sign": (lambda u, r: torch.log(1 - u) / r, "sign"),
    "times λ": (lambda u, r: -r * torch.log1p(-u), "the rate multiplies"),
    "F": (lambda u, r: Exponential(r).cdf(u), "F itself"),
    "density": (lambda u, r: Exponential(r).log_prob(u).exp(), "density"),
    "no λ": (lambda u, r: -torch.log(1 - u), "division by"),
    "log₂": (lambda u, r: -torch.log2(1 - u) / r, "bits"),
    "λ inside": (lambda u, r: -torch.log(1 - u / r), ""),
    "1 + u": (lambda u, r: -torch.log(1 + u) / r, "sign"),
    "exp": (lambda u, r: torch.exp(-(1 - u)) / r, ""),
    "own draw": (lambda u, r: Exponential(r).rsample(), ""),
    "mean": (lambda u, r: 1 / r + 0 * u, ""),
}


def log_normal(z, mu, sigma):
    return Normal(mu, sigma).log_prob(z)


def integral(z, weights, values):
    return (weights * values).sum() * (z[1] - z[0])


def without_2pi(z, mu, sigma):
    return -((z - mu) ** 2) / (2 * sigma**2) - sigma.log()


def kl_with(z, log_q, log_p):
    return integral(z, log_q.exp(), log_q - log_p)


def gaussian(z, mu, sigma):
    return np.exp(-0.5 * ((z - mu) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))


def in_numpy(z, *numbers):
    z, (m, s, mp, sp) = z.numpy(), (float(number) for number in numbers)
    q, logs = gaussian(z, m, s), -0.5 * ((z - m) / s) ** 2 - np.log(s) + 0.5 * ((z - mp) / sp) ** 2 + np.log(sp)
    return np.trapezoid(q * logs, z)


def in_a_loop(z, m, s, mp, sp):
    total = 0.0
    for left, right in itertools.pairwise(z):
        middle = (left + right) / 2
        log_q, log_p = log_normal(middle, m, s), log_normal(middle, mp, sp)
        total += log_q.exp() * (log_q - log_p) * (right - left)
    return total


KL_ORACLE = {
    "no dz": (
        lambda z, m, s, mp, sp: (
            integral(z, log_normal(z, m, s).exp(), log_normal(z, m, s) - log_normal(z, mp, sp)) / (z[1] - z[0])
        ),
        "dz",
    ),
    "mean for the sum": (
        lambda z, m, s, mp, sp: (log_normal(z, m, s).exp() * (log_normal(z, m, s) - log_normal(z, mp, sp))).mean(),
        "",
    ),
    "no normaliser": (
        lambda z, m, s, mp, sp: kl_with(z, -((z - m) ** 2) / (2 * s * s), -((z - mp) ** 2) / (2 * sp * sp)),
        "normalisers are missing",
    ),
    "no 2π": (lambda z, m, s, mp, sp: kl_with(z, without_2pi(z, m, s), without_2pi(z, mp, sp)), ""),
    "σ² for σ": (lambda z, m, s, mp, sp: kl_with(z, log_normal(z, m, s**2), log_normal(z, mp, sp**2)), ""),
    "not weighed": (lambda z, m, s, mp, sp: torch.mean(log_normal(z, m, s) - log_normal(z, mp, sp)), "count alike"),
    "integral not weighed": (
        lambda z, m, s, mp, sp: integral(z, 1.0, log_normal(z, m, s) - log_normal(z, mp, sp)),
        "missing",
    ),
    "weighed by p": (
        lambda z, m, s, mp, sp: integral(z, log_normal(z, mp, sp).exp(), log_normal(z, m, s) - log_normal(z, mp, sp)),
        "weighed by p",
    ),
    "other way round": (
        lambda z, m, s, mp, sp: kl_with(z, log_normal(z, mp, sp), log_normal(z, m, s)),
        "other way round",
    ),
    "log p − log q": (lambda z, m, s, mp, sp: -kl_with(z, log_normal(z, m, s), log_normal(z, mp, sp)), "minus"),
    "cross-entropy": (
        lambda z, m, s, mp, sp: -integral(z, log_normal(z, m, s).exp(), log_normal(z, mp, sp)),
        "cross-entropy",
    ),
    "entropy": (lambda z, m, s, mp, sp: integral(z, log_normal(z, m, s).exp(), log_normal(z, m, s)), ""),
    "weighed by log q": (
        lambda z, m, s, mp, sp: integral(z, log_normal(z, m, s), log_normal(z, m, s) - log_normal(z, mp, sp)),
        "",
    ),
    "sign in log q": (lambda z, m, s, mp, sp: kl_with(z, log_normal(z, -m, s), log_normal(z, mp, sp)), "sign"),
    "not summed": (
        lambda z, m, s, mp, sp: (
            log_normal(z, m, s).exp() * (log_normal(z, m, s) - log_normal(z, mp, sp)) * (z[1] - z[0])
        ),
        "not taken",
    ),
}


def cloud_loss(mu, of_z, of_kl, eps, x):
    z = Normal(mu, 1.0).mean + of_z.mul(0.5).exp() * eps
    return ((x - z) ** 2).sum(1) / 2 + 0.5 * (mu**2 + of_kl.exp() - of_kl - 1).sum(1)


def both(mu, logvar, eps, x):
    return cloud_loss(mu, logvar, logvar, eps, x)


CLAMP = {
    "only z": (lambda m, r, e, x: cloud_loss(m, r.clamp(-30, 20), r, e, x), "only z"),
    "only the KL": (lambda m, r, e, x: cloud_loss(m, r, r.clamp(-30, 20), e, x), "only the KL"),
    "nothing": (lambda m, r, e, x: both(m, r, e, x), "nothing is clamped"),
    "upper only": (lambda m, r, e, x: both(m, r.clamp(max=20), e, x), "lower limit"),
    "lower only": (lambda m, r, e, x: both(m, torch.maximum(r, torch.tensor(-30.0)), e, x), "upper limit"),
    "other limits": (lambda m, r, e, x: both(m, r.clamp(-20, 30), e, x), "limits are exchanged"),
    "at ±20": (lambda m, r, e, x: both(m, r.clamp(-20, 20), e, x), ""),
    "at ±30": (lambda m, r, e, x: both(m, r.clamp(-30, 30), e, x), "upper limit"),
    "σ for σ²": (lambda m, r, e, x: both(m, r.clamp(-30, 20) / 2, e, x), ""),
    "σ² times ε": (lambda m, r, e, x: cloud_loss(m, 2 * r.clamp(-30, 20), r.clamp(-30, 20), e, x), "½"),
    "no ½": (
        lambda m, r, e, x: (
            cloud_loss(m, c := r.clamp(-30, 20), c, e, x) + (x - m - (c / 2).exp() * e).square().sum(1) / 2
        ),
        "½",
    ),
    "μ clamped too": (lambda m, r, e, x: both(m.clamp(-1, 1), r.clamp(-30, 20), e, x), ""),
    "averaged": (lambda m, r, e, x: both(m, r.clamp(-30, 20), e, x).mean(), "averaged"),
    "KL only": (lambda m, r, e, x: 0.5 * (m**2 + (c := r.clamp(-30, 20)).exp() - c - 1).sum(1), "missing"),
}


def parts(model, x, mu, z, logvar=None):
    logvar = (model.logvar if logvar is None else logvar).expand_as(mu)
    x_hat = z @ model.decoder.weight.T + model.decoder.bias
    nll = -Normal(x_hat, model.logvar_x.exp().sqrt()).log_prob(x.flatten(1)).sum(1)
    kl = kl_divergence(Normal(mu, logvar.exp().sqrt()), Normal(0.0, 1.0)).sum(1)
    return torch.stack([nll, kl], 1)


def code(model, x):
    return F.linear(x.reshape(len(x), -1) - model.decoder.bias, model.encoder.weight)


def draw(model, mu, eps):
    return mu + model.logvar.exp().sqrt() * eps


def right(model, x, eps):
    return parts(model, x, mu := code(model, x), draw(model, mu, eps))


def squares(model, x, eps):
    mu = code(model, x)
    return (x.flatten(1) - model.decoder(draw(model, mu, eps))).square().sum(1)


def with_reconstruction(model, x, eps, reconstruction):
    return torch.stack([reconstruction, right(model, x, eps)[:, 1]], 1)


HALF_LOG = 392 * log(2 * pi)
LINEAR = {
    "bias not subtracted": (lambda M, x, e: parts(M, x, mu := M.encoder(x.flatten(1)), draw(M, mu, e)), "mean image"),
    "μ decoded": (lambda M, x, e: parts(M, x, mu := code(M, x), mu), "μ is decoded"),
    "σ² times ε": (lambda M, x, e: parts(M, x, mu := code(M, x), mu + M.logvar.exp() * e), "σ²"),
    "no constant": (lambda M, x, e: with_reconstruction(M, x, e, squares(M, x, e) / 2 / M.logvar_x.exp()), "constant"),
    "exchanged": (lambda M, x, e: right(M, x, e)[:, [1, 0]], "changed places"),
    "no 2π": (lambda M, x, e: right(M, x, e) - torch.tensor([HALF_LOG, 0.0]), ""),
    "no log σ_x²": (
        lambda M, x, e: with_reconstruction(M, x, e, squares(M, x, e) / 2 / M.logvar_x.exp() + HALF_LOG),
        "missing",
    ),
    "σ_x for σ_x²": (
        lambda M, x, e: with_reconstruction(
            M, x, e, squares(M, x, e) / 2 / (M.logvar_x / 2).exp() + HALF_LOG + 392 * M.logvar_x
        ),
        "root",
    ),
    "no ½ on the squares": (
        lambda M, x, e: with_reconstruction(M, x, e, squares(M, x, e) / M.logvar_x.exp() + HALF_LOG + 392 * M.logvar_x),
        "counts twice",
    ),
    "no ½ on the constant": (
        lambda M, x, e: with_reconstruction(
            M, x, e, squares(M, x, e) / 2 / M.logvar_x.exp() + 2 * HALF_LOG + 784 * M.logvar_x
        ),
        "",
    ),
    "no ½ anywhere": (lambda M, x, e: with_reconstruction(M, x, e, 2 * right(M, x, e)[:, 0]), ""),
    "not divided by σ_x²": (
        lambda M, x, e: with_reconstruction(M, x, e, squares(M, x, e) / 2 + HALF_LOG + 392 * M.logvar_x),
        "division",
    ),
    "one pixel's constant": (
        lambda M, x, e: with_reconstruction(
            M, x, e, squares(M, x, e) / 2 / M.logvar_x.exp() + HALF_LOG / 784 + M.logvar_x / 2
        ),
        "784",
    ),
    "KL without its ½": (lambda M, x, e: right(M, x, e) * torch.tensor([1.0, 2.0]), ""),
    "KL without −1": (lambda M, x, e: right(M, x, e) + torch.tensor([0.0, e.shape[1] / 2]), "missing"),
    "KL's sign": (lambda M, x, e: right(M, x, e) * torch.tensor([1.0, -1.0]), ""),
    "mean over pixels": (lambda M, x, e: right(M, x, e) / torch.tensor([784.0, 1.0]), "hidden β"),
    "batch averaged": (lambda M, x, e: right(M, x, e).mean(0), "averaged over axis 0"),
    "total": (lambda M, x, e: right(M, x, e).sum(1), "summed over axis 1"),
    "stacked along 0": (lambda M, x, e: right(M, x, e).T, "transposed"),
    "no bias in x̂": (
        lambda M, x, e: parts(M, x - M.decoder.bias.neg().view(1, 1, 28, 28), code(M, x), draw(M, code(M, x), e)),
        "",
    ),
    "not drawn wide": (lambda M, x, e: parts(M, x, mu := code(M, x), mu + e), ""),
}
WRONG = {
    "leave-one-out": LEAVE_ONE_OUT,
    "inverse-cdf": INVERSE_CDF,
    "kl-oracle": KL_ORACLE,
    "clamp": CLAMP,
    "linear-vae": LINEAR,
}
RIGHT = {
    "leave-one-out": [
        lambda f, z, m, s: f.shape[1] / (f.shape[1] - 1) * (f - f.mean(1, keepdim=True)) * slope(z, m, s),
        one_by_one,
        by_score,
        lambda f, z, m, s: (f - (f @ (1 - torch.eye(f.shape[1]))) / (f.shape[1] - 1)) * slope(z, m, s),
    ],
    "inverse-cdf": [
        lambda u, r: Exponential(r).icdf(u),
        lambda u, r: -torch.log1p(-u) / r,
        lambda u, r: torch.log(1 / (1 - u)) / r,
        lambda u, r: torch.stack([-torch.log(1 - a) / b for a, b in zip(u.double(), r, strict=True)]),
    ],
    "kl-oracle": [
        in_numpy,
        in_a_loop,
        lambda z, m, s, mp, sp: torch.trapezoid((a := log_normal(z, m, s)).exp() * (a - log_normal(z, mp, sp)), z),
        lambda z, m, s, mp, sp: kl_with(
            z, without_2pi(z, m, s) - log(2 * pi) / 2, without_2pi(z, mp, sp) - log(2 * pi) / 2
        ),
    ],
    "clamp": [
        lambda m, r, e, x: both(m, torch.clip(r, -30, 20), e, x),
        lambda m, r, e, x: both(m, torch.minimum(torch.maximum(r, torch.tensor(-30.0)), torch.tensor(20.0)), e, x),
        lambda m, r, e, x: both(m.double(), r.double().clamp(-30, 20), e.double(), x.double()),
        lambda m, r, e, x: (
            kl_divergence(Normal(m, s := (r.clamp(-30, 20) / 2).exp()), Normal(0.0, 1.0)).sum(1)
            + torch.einsum("ni,ni->n", x - m - s * e, x - m - s * e) / 2
        ),
    ],
    "linear-vae": [
        right,
        lambda M, x, e: parts(M, x, *(lambda mu: (mu, torch.addcmul(mu, (M.logvar / 2).exp(), e)))(M.encode(x)[0])),
        lambda M, x, e: torch.stack([right(M, a[None], b[None])[0] for a, b in zip(x, e, strict=True)]),
    ],
}


@pytest.mark.parametrize(("name", "what"), [(name, what) for name, table in WRONG.items() for what in table])
def test_a_wrong_answer_is_refused_and_named(name, what):
    answer, says = WRONG[name][what]
    verdict = check(name, answer)
    assert verdict.status in ("mistake", "wrong"), verdict
    assert says.lower() in verdict.message.lower(), verdict


@pytest.mark.parametrize(("name", "i"), [(name, i) for name, answers in RIGHT.items() for i in range(len(answers))])
def test_a_right_answer_in_another_style_passes(name, i):
    verdict = check(name, RIGHT[name][i])
    assert verdict.passed, verdict
