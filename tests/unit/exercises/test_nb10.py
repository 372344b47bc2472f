"""Answers to the exercises of notebook 10 in other hands: right ones, and wrong ones of which most are explained."""

from math import log

from vae_helpers.exercises import check
from vae_helpers.losses import bernoulli_nll

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from helpers.answer_tables import each_right_answer, passes, refused_and_explained
from helpers.answers_10 import ANOTHER_HAND, RIGHT, by_code, columns, every, layers, mean_exp, mixture, normal, weights


def drawn(pick=lambda w, n: torch.multinomial(w.exp(), n, True), scatter=lambda v: (v / 2).exp() * torch.randn_like(v)):
    def answer(n, w, m, v):
        k = pick(w, n)
        return m[k] + scatter(v[k])

    return answer


def per_dimension(n, w, m, v):
    k = torch.multinomial(w.exp(), n * m.shape[1], True).view(n, -1)
    return m.gather(0, k) + (v.gather(0, k) / 2).exp() * torch.randn(n, m.shape[1])


def averaged(n, w, m, v):
    return w.exp() @ m + (w.exp() @ v / 2).exp() * torch.randn(n, m.shape[1])


def all_added(n, w, m, v):
    return (w.exp()[:, None, None] * (m[:, None] + (v[:, None] / 2).exp() * torch.randn(len(m), n, m.shape[1]))).sum(0)


def seeded(n, w, m, v):
    torch.manual_seed(0)
    return drawn()(n, w, m, v)


def gap(q, p, z):
    return q.log_prob(z) - p.log_prob(z)


def kl(m, q, z, eps):
    return gap(q, m.prior, z)


def without_sigma(m, q, z, eps):
    return Normal(0, 1).log_prob(eps).sum(1) - m.prior.log_prob(z)


WRONG = {
    "log-mixture": [
        ("no constant", lambda z, w, m, v: (w - 0.5 * ((z[:, None] - m) ** 2 / v.exp() + v).sum(2)).logsumexp(1)),
        ("no log σ²", lambda z, w, m, v: (w - ((z[:, None] - m) ** 2 / v.exp() + log(6.2832)).sum(2) / 2).logsumexp(1)),
        ("mean over d", lambda z, w, m, v: (w + every(z, m, v) / z.shape[1]).logsumexp(1)),
        ("sign", lambda *given: -mixture(*given[1:]).log_prob(given[0])),
        ("mean over codes", lambda z, w, m, v: mixture(w, m, v).log_prob(z).mean()),
        ("axis of codes", lambda z, w, m, v: (w + every(z, m, v)).logsumexp(0)),
        ("sum of all", lambda z, w, m, v: mixture(w, m, v).log_prob(z).sum()),
        ("variance unhalved", lambda z, w, m, v: mixture(w, m, 2 * v).log_prob(z)),
    ],
    "mixture-draw": [
        ("weights ignored", drawn(lambda w, n: torch.randint(len(w), (n,)))),
        ("log weights as logits twice", drawn(lambda w, n: torch.multinomial((2 * w).exp(), n, True))),
        ("one component for all", drawn(lambda w, n: torch.multinomial(w.exp(), 1).expand(n))),
        ("likeliest", drawn(lambda w, n: w.argmax().expand(n))),
        ("means only", drawn(scatter=torch.zeros_like)),
        ("σ²", drawn(scatter=lambda v: v.exp() * torch.randn_like(v))),
        ("σ = 1", drawn(scatter=torch.randn_like)),
        ("log σ²", drawn(scatter=lambda v: v * torch.randn_like(v))),
        ("uniform", drawn(scatter=lambda v: (v / 2).exp() * torch.rand_like(v))),
        ("one ε for all dimensions", drawn(scatter=lambda v: (v / 2).exp() * torch.randn(len(v), 1))),
        ("a component for each dimension", per_dimension),
        ("averaged parameters", averaged),
        ("averaged draws", all_added),
        ("seed inside", seeded),
        ("one code", lambda n, w, m, v: drawn()(1, w, m, v)),
    ],
    "waste-from-below": [
        ("mean alone", lambda a, b: (a - b).mean()),
        ("order", lambda a, b: torch.stack([(a - b).std() / len(a) ** 0.5, (a - b).mean()])),
        ("sum", lambda a, b: torch.stack([(a - b).sum(), (a - b).std() / len(a) ** 0.5])),
        ("variance", lambda a, b: torch.stack([(a - b).mean(), (a - b).var() / len(a)])),
        ("bits", lambda a, b: torch.stack([(a - b).mean(), (a - b).std() / len(a) ** 0.5]) / log(2)),
        ("absolute", lambda a, b: torch.stack([(a - b).abs().mean(), (a - b).abs().std() / len(a) ** 0.5])),
        ("fitted alone", lambda a, b: torch.stack([a.mean(), a.std() / len(a) ** 0.5])),
    ],
    "any-prior": [
        ("averaged", lambda *g: columns(*g, kl).mean(0)),
        ("total", lambda *g: columns(*g, kl).sum(1)),
        ("log p added", lambda *g: columns(*g, lambda m, q, z, e: q.log_prob(z) + m.prior.log_prob(z))),
        ("log q of μ", lambda *g: columns(*g, lambda m, q, z, e: q.log_prob(q.mean) - m.prior.log_prob(z))),
        ("prior of ε", lambda *g: columns(*g, lambda m, q, z, e: q.log_prob(z) - m.prior.log_prob(e))),
        ("log q without σ", lambda *g: columns(*g, without_sigma)),
        ("all at μ", lambda m, x, e: columns(m, x, 0 * e, kl)),
        ("log-likelihood", lambda *g: columns(*g, kl) * torch.tensor([-1, 1])),
    ],
    "class-mixture": [
        ("class 0 for all", lambda z, y, w, m, v: mixture(w[0], m[0], v[0]).log_prob(z)),
        ("table", lambda z, y, w, m, v: torch.stack([mixture(w[k], m[k], v[k]).log_prob(z) for k in range(len(w))], 1)),
        ("best component", lambda z, y, w, m, v: by_code(z, y, w, m, v, lambda row, u: (row + u).max())),
        ("sum of logs", lambda z, y, w, m, v: by_code(z, y, w, m, v, lambda row, u: (row + u).sum())),
        ("equal weights", lambda *g: by_code(*g, lambda row, u: row.logsumexp(0) - log(len(row)))),
        ("sign", lambda z, y, w, m, v: -mixture(w[y], m[y], v[y]).log_prob(z)),
        ("mean", lambda z, y, w, m, v: mixture(w[y], m[y], v[y]).log_prob(z).mean()),
        ("weights of class 0", lambda z, y, w, m, v: mixture(w[:1].expand(len(y), -1), m[y], v[y]).log_prob(z)),
    ],
    "k-draw-bound": [
        ("averaged over images", lambda *g: mean_exp(weights(*g)).mean()),
        ("log q added", lambda j, m, v, e: mean_exp(2 * j(m + (v / 2).exp() * e) - weights(j, m, v, e))),
        ("log of number of images", lambda *g: weights(*g).logsumexp(0) - log(len(g[1]))),
        ("divided by K", lambda *g: weights(*g).logsumexp(0) / len(g[3])),
        ("weights, not logs", lambda *g: weights(*g).exp().mean(0)),
        ("at μ", lambda j, m, v, e: mean_exp(weights(j, m, v, 0 * e))),
        ("all weights", weights),
        ("+ log K", lambda *g: weights(*g).logsumexp(0) + log(len(g[3]))),
    ],
    "gradient-of-draws": [
        ("not summed", lambda w, g: w.softmax(0)[..., None] * g),
        ("sum alone", lambda w, g: g.sum(0)),
        ("sign", lambda w, g: -torch.einsum("kn,knd->nd", w.softmax(0), g)),
        ("minus weights", lambda w, g: torch.einsum("kn,knd->nd", (-w).softmax(0), g)),
        ("log softmax", lambda w, g: torch.einsum("kn,knd->nd", w.log_softmax(0), g)),
        ("all images together", lambda w, g: torch.einsum("kn,knd->nd", w.flatten().softmax(0).view_as(w), g)),
        ("squared", lambda w, g: torch.einsum("kn,knd->nd", w.softmax(0) ** 2, g)),
    ],
    "two-layer-kl": [
        ("signs", lambda *given: layers(*given, lambda q, p, z: p.log_prob(z) - q.log_prob(z))),
        ("KL subtracted", lambda *given: 2 * layers(*given, gap, lambda q: 0) - layers(*given, gap)),
        ("KL of z₁", lambda *g: layers(*g, lambda q, p, z: kl_divergence(q, normal(0 * z, 0 * z)))),
        ("log q of μ", lambda *g: layers(*g, lambda q, p, z: q.log_prob(q.mean) - p.log_prob(z))),
        ("mean", lambda *given: layers(*given, gap).mean()),
        ("prior alone", lambda *given: layers(*given, lambda q, p, z: q.log_prob(z))),
        ("added", lambda *given: layers(*given, lambda q, p, z: q.log_prob(z) + p.log_prob(z))),
        ("σ² for σ", lambda mu, v, z, e, d, s: layers(mu, v, z, lambda a: (e(a)[0], 2 * e(a)[1]), d, s, gap)),
    ],
}  # fmt: skip


def test_no_wrong_answer_passes_and_nine_of_ten_are_explained_or_told_their_shape():
    refused_and_explained(WRONG)


@each_right_answer(RIGHT)
def test_a_right_answer_in_another_style_passes(name, answer, seed):
    passes(name, answer, seed)


@pytest.mark.parametrize("seed", range(5))
def test_right_draws_of_a_mixture_pass_whatever_the_seed(seed):
    assert check("mixture-draw", drawn(), seed).passed


def test_a_prior_cut_from_the_graph_is_found():
    def detached(model, x, eps):
        mu, logvar = model.encode(x)
        z = mu + (0.5 * logvar).exp() * eps
        with torch.no_grad():
            log_p = model.prior.log_prob(z)
        kl = normal(mu, logvar).log_prob(z) - log_p
        return torch.stack([bernoulli_nll(model.decode(z), x), kl], 1)

    verdict = check("any-prior", detached)
    assert verdict.status == "mistake" and "gradient" in verdict.message, verdict


def test_every_exercise_has_wrong_and_right_answers():
    assert set(WRONG) == set(RIGHT) == set(ANOTHER_HAND) | {"mixture-draw"}
