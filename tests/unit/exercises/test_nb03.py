"""Answers to the exercises of notebook 03 in other hands: right ones, and wrong ones of which most are explained."""

from math import log, pi, sqrt

from vae_helpers.exercises import check

import numpy as np
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, MultivariateNormal, Normal

from helpers.answer_tables import each_right_answer, passes, refused_and_explained

N01 = Normal(0.0, 1.0)


def spread(f, m, h):
    return (f(m + h) - f(m - h)) / (2 * h)


def slope(f, m):
    return torch.autograd.functional.jacobian(f, m)


def mix(grid, m, s):
    return MixtureSameFamily(Categorical(torch.ones(2)), Normal(m, s)).log_prob(grid)


def step(grid):
    return grid[1] - grid[0]


def climbed(draw, average=lambda j, q: (j - q).mean()):
    def gradient(log_joint, mu, sigma, n):
        m, s = (torch.tensor(v, requires_grad=True) for v in (mu, sigma))
        q = Normal(m, s)
        z = draw(q, n)
        loss = average(log_joint(z), q.log_prob(z))
        return torch.stack(torch.autograd.grad(loss, (m, s)))

    return gradient


def by_scores(log_joint, mu, sigma, n):
    z = mu + sigma * torch.randn(40 * n)
    q = Normal(mu, sigma)
    f = log_joint(z) - q.log_prob(z)
    f = f - f.mean()
    return [(f * (z - mu) / sigma**2).mean(), (f * (((z - mu) / sigma) ** 2 - 1) / sigma).mean()]


def by_logarithm(log_joint, mu, sigma, n):
    mu, log_sigma = torch.tensor(mu, requires_grad=True), torch.tensor(log(sigma), requires_grad=True)
    z = mu + log_sigma.exp() * torch.randn(n)
    (log_joint(z).mean() + log_sigma).backward()
    return torch.stack([mu.grad, log_sigma.grad / sigma])


def wrt_log_sigma(log_joint, mu, sigma, n):
    mu, log_sigma = torch.tensor(mu, requires_grad=True), torch.tensor(log(sigma), requires_grad=True)
    z = mu + log_sigma.exp() * torch.randn(n)
    (log_joint(z).mean() + log_sigma).backward()
    return torch.stack([mu.grad, log_sigma.grad])


def swapped(log_joint, mu, sigma, n):
    return climbed(lambda q, k: q.rsample((k,)))(log_joint, mu, sigma, n).flip(0)


def gaussian(x, m, s):
    return -0.5 * ((x - m) / s) ** 2 - torch.log(torch.as_tensor(s)) - 0.5 * log(2 * pi)


WRONG = {
    "log-joint": [
        ("no prior", lambda x, z, f, s: Normal(f(z), s).log_prob(x).sum(-1)),
        ("no normaliser in pixels", lambda x, z, f, s: N01.log_prob(z) - ((x - f(z)) ** 2).sum(-1) / 2 / s**2),
        ("no normaliser in z", lambda x, z, f, s: -(z**2) / 2 + Normal(f(z), s).log_prob(x).sum(-1)),
        ("no normaliser at all", lambda x, z, f, s: -(z**2) / 2 - ((x - f(z)) ** 2).sum(-1) / 2 / s**2),
        ("mean over pixels", lambda x, z, f, s: N01.log_prob(z) + Normal(f(z), s).log_prob(x).mean(-1)),
        ("variance for spread", lambda x, z, f, s: N01.log_prob(z) + Normal(f(z), s**2).log_prob(x).sum(-1)),
        (
            "σ for σ² in the exponent",
            lambda x, z, f, s: (
                N01.log_prob(z) - ((x - f(z)) ** 2).sum(-1) / 2 / s - len(x) * (log(s) + 0.5 * log(2 * pi))
            ),
        ),
        (
            "normaliser of two pixels",
            lambda x, z, f, s: N01.log_prob(z) - ((x - f(z)) ** 2).sum(-1) / 2 / s**2 - log(2 * pi * s**2),
        ),
        (
            "normaliser added",
            lambda x, z, f, s: (
                N01.log_prob(z) - ((x - f(z)) ** 2).sum(-1) / 2 / s**2 + len(x) * 0.5 * log(2 * pi * s**2)
            ),
        ),
        ("sign of all", lambda x, z, f, s: -N01.log_prob(z) - Normal(f(z), s).log_prob(x).sum(-1)),
        ("density", lambda x, z, f, s: N01.log_prob(z).exp() * Normal(f(z), s).log_prob(x).exp().prod(-1)),
        ("pixels not summed", lambda x, z, f, s: N01.log_prob(z)[..., None] + Normal(f(z), s).log_prob(x)),
        ("z of spread σ_x", lambda x, z, f, s: Normal(0, s).log_prob(z) + Normal(f(z), s).log_prob(x).sum(-1)),
        ("log p(x|z) minus log p(z)", lambda x, z, f, s: Normal(f(z), s).log_prob(x).sum(-1) - N01.log_prob(z)),
    ],
    "posterior-on-grid": [
        ("no dz", lambda j, g: torch.softmax(j, 0)),
        ("unnormalised", lambda j, g: torch.exp(j - j.max())),
        ("p(x, z)", lambda j, g: torch.exp(j)),
        ("exp underflows", lambda j, g: j.exp() / torch.trapezoid(j.exp(), g)),
        ("log density", lambda j, g: j - j.logsumexp(0) - step(g).log()),
        ("dz multiplies", lambda j, g: torch.softmax(j, 0) * step(g)),
        ("mean for the integral", lambda j, g: (j - j.max()).exp() / (j - j.max()).exp().mean()),
        ("range for dz", lambda j, g: torch.softmax(j, 0) / (g[-1] - g[0])),
        ("squared", lambda j, g: torch.softmax(2 * j, 0) / step(g)),
        ("sign of the log", lambda j, g: torch.softmax(-j, 0) / step(g)),
        ("logs divided", lambda j, g: j / torch.trapezoid(j, g)),
        ("the area alone", lambda j, g: torch.trapezoid((j - j.max()).exp(), g)),
    ],
    "two-hump-elbo": [
        (
            "logs averaged",
            lambda j, g, m, s: (
                ((lq := (Normal(m[0], s[0]).log_prob(g) + Normal(m[1], s[1]).log_prob(g)) / 2).exp() * (j - lq)).sum()
                * step(g)
            ),
        ),
        ("halves forgotten", lambda j, g, m, s: ((lq := mix(g, m, s) + log(2)).exp() * (j - lq)).sum() * step(g)),
        ("dz forgotten", lambda j, g, m, s: ((lq := mix(g, m, s)).exp() * (j - lq)).sum()),
        ("log q forgotten", lambda j, g, m, s: (mix(g, m, s).exp() * j).sum() * step(g)),
        ("log q added", lambda j, g, m, s: ((lq := mix(g, m, s)).exp() * (j + lq)).sum() * step(g)),
        ("weights forgotten", lambda j, g, m, s: (j - mix(g, m, s)).mean()),
        ("KL: sign turned", lambda j, g, m, s: ((lq := mix(g, m, s)).exp() * (lq - j)).sum() * step(g)),
        ("weights log q", lambda j, g, m, s: ((lq := mix(g, m, s)) * (j - lq)).sum() * step(g)),
        ("one hump", lambda j, g, m, s: torch.trapezoid((lq := Normal(m[0], s[0]).log_prob(g)).exp() * (j - lq), g)),
        ("variance for spread", lambda j, g, m, s: ((lq := mix(g, m, s**2)).exp() * (j - lq)).sum() * step(g)),
        (
            "logs added",
            lambda j, g, m, s: (
                ((lq := Normal(m[0], s[0]).log_prob(g) + Normal(m[1], s[1]).log_prob(g)).exp() * (j - lq)).sum()
                * step(g)
            ),
        ),
        ("weighted by p(x, z)", lambda j, g, m, s: (j.exp() * (j - mix(g, m, s))).sum() * step(g)),
    ],
    "best-sigma": [
        ("no prior", lambda f, m, s: s / slope(f, m).norm()),
        ("variance", lambda f, m, s: s**2 / (s**2 + slope(f, m).norm() ** 2)),
        ("precision", lambda f, m, s: 1 + slope(f, m).norm() ** 2 / s**2),
        ("root of precision", lambda f, m, s: (1 + slope(f, m).norm() ** 2 / s**2).sqrt()),
        ("σ_x for σ_x²", lambda f, m, s: 1 / (1 + slope(f, m).norm() ** 2 / s).sqrt()),
        ("σ_x left out", lambda f, m, s: 1 / (1 + slope(f, m).norm() ** 2).sqrt()),
        ("distance 0.001", lambda f, m, s: 1 / (1 + (2 * slope(f, m)).norm() ** 2 / s**2).sqrt()),
        ("not divided", lambda f, m, s: 1 / (1 + (f(m + 0.001) - f(m - 0.001)).norm() ** 2 / s**2).sqrt()),
        ("norm not squared", lambda f, m, s: 1 / (1 + slope(f, m).norm() / s**2).sqrt()),
        ("sum of slopes squared", lambda f, m, s: 1 / (1 + slope(f, m).sum() ** 2 / s**2).sqrt()),
        ("mean over pixels", lambda f, m, s: 1 / (1 + slope(f, m).square().mean() / s**2).sqrt()),
        ("pixels apart", lambda f, m, s: 1 / (1 + slope(f, m).square() / s**2).sqrt()),
        ("f itself", lambda f, m, s: 1 / (1 + f(m).norm() ** 2 / s**2).sqrt()),
        ("minus", lambda f, m, s: 1 / (slope(f, m).norm() ** 2 / s**2 - 1).abs().sqrt()),
        ("σ_x multiplies", lambda f, m, s: 1 / (1 + slope(f, m).norm() ** 2 * s**2).sqrt()),
    ],
    "ring-gradient": [
        ("sample", climbed(lambda q, n: q.sample((n,)))),
        ("torch.normal", climbed(lambda q, n: torch.normal(q.mean.expand(n), q.stddev.expand(n)).detach())),
        ("log q dropped", climbed(lambda q, n: q.rsample((n,)), lambda j, q: j.mean())),
        ("log q added", climbed(lambda q, n: q.rsample((n,)), lambda j, q: (j + q).mean())),
        ("loss", climbed(lambda q, n: q.rsample((n,)), lambda j, q: (q - j).mean())),
        ("sum", climbed(lambda q, n: q.rsample((n,)), lambda j, q: (j - q).sum())),
        ("variance", climbed(lambda q, n: q.mean + q.variance * torch.randn(n))),
        ("rand", climbed(lambda q, n: q.mean + q.stddev * torch.rand(n))),
        ("bracket", climbed(lambda q, n: q.stddev * (q.mean + torch.randn(n)))),
        ("σ added", climbed(lambda q, n: q.mean + q.stddev + torch.randn(n))),
        ("in log σ", wrt_log_sigma),
        ("exchanged", swapped),
        ("centred rand", climbed(lambda q, n: q.mean + q.stddev * (torch.rand(n) - 0.5))),
        ("ε alone", climbed(lambda q, n: torch.randn(n) + 0 * q.mean)),
        ("root", climbed(lambda q, n: q.mean + q.stddev.sqrt() * torch.randn(n))),
    ],
}
RIGHT = {
    "log-joint": [
        lambda x, z, f, s: N01.log_prob(z) + Independent(Normal(f(z), s), 1).log_prob(x),
        lambda x, z, f, s: gaussian(z, 0, 1.0) + torch.einsum("...p->...", gaussian(x, f(z), s)),
        lambda x, z, f, s: gaussian(z.float(), 0, 1.0) + sum(gaussian(x[i], f(z)[..., i], s) for i in range(len(x))),
        lambda x, z, f, s: (
            N01.log_prob(z) + MultivariateNormal(f(z), s**2 * torch.eye(len(x), dtype=x.dtype)).log_prob(x)
        ),
    ],
    "posterior-on-grid": [
        lambda j, g: j.softmax(0) / (g[1] - g[0]),
        lambda j, g: (p := (j - j.max()).exp()) / torch.trapezoid(p, g),
        lambda j, g: np.exp(j.numpy() - j.numpy().max()) / np.trapezoid(np.exp(j.numpy() - j.numpy().max()), g.numpy()),
        lambda j, g: (j - j.logsumexp(0) - torch.log(g.diff().mean())).exp(),
    ],
    "two-hump-elbo": [
        lambda j, g, m, s: torch.trapezoid(mix(g, m, s).exp() * (j - mix(g, m, s)), g),
        lambda j, g, m, s: (
            ((q := (Normal(m[:, None], s[:, None]).log_prob(g).exp().mean(0))) * (j - q.log())).sum() * step(g)
        ),
        lambda j, g, m, s: (
            torch.einsum(
                "k,k->", (lq := Normal(m[:, None], s[:, None]).log_prob(g).logsumexp(0) - log(2)).exp(), j - lq
            )
            * step(g)
        ),
    ],
    "best-sigma": [
        lambda f, m, s: (1 + slope(f, m).square().sum() / s**2).rsqrt(),
        lambda f, m, s: s / sqrt(s**2 + (spread(f, m, 1e-3) ** 2).sum().item()),
        lambda f, m, s: 1 / (1 + sum(w**2 for w in spread(f, m, 1e-4)) / s**2) ** 0.5,
    ],
    "ring-gradient": [
        climbed(lambda q, n: q.rsample((n,))),
        climbed(lambda q, n: q.mean + q.stddev * torch.randn(n), lambda j, q: j.mean() - q.mean()),
        by_scores,
        by_logarithm,
    ],
}


def test_no_wrong_answer_passes_and_nine_of_ten_are_explained_or_told_their_shape():
    refused_and_explained(WRONG)


@each_right_answer(RIGHT)
def test_a_right_answer_in_another_style_passes(name, answer, seed):
    passes(name, answer, seed)


def test_a_log_joint_that_cuts_the_graph_for_numpy_is_told_so():
    verdict = check("log-joint", lambda x, z, decode, sigma_x: N01.log_prob(torch.from_numpy(z.numpy())))
    assert verdict.status == "error" and "requires grad" in verdict.message


def test_draws_whose_graph_is_cut_are_named_whichever_way():
    def by_normal(log_joint, mu, sigma, n):
        m, s = (torch.tensor(v, requires_grad=True) for v in (mu, sigma))
        z = torch.normal(m.expand(n), s.expand(n))
        (log_joint(z) - Normal(m, s).log_prob(z)).mean().backward()
        return torch.stack([m.grad, s.grad])

    for answer in (by_normal, climbed(lambda q, n: q.sample((n,))), climbed(lambda q, n: q.rsample((n,)).detach())):
        assert "both gradients are 0 up to chance" in check("ring-gradient", answer).message
