"""Answers to the exercises of notebook 06 as learners would write them: each wrong one with a word that names it."""

from math import log, pi

from vae_helpers.losses import bernoulli_nll, joint_log_prob, kl_to_standard_normal

import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Normal, kl_divergence

UNIT = Normal(0.0, 1.0)


def of_q(z, mu, logvar):
    return Normal(mu, (0.5 * logvar).exp()).log_prob(z).sum(-1)


def drawn(mu, logvar, eps):
    return mu + logvar.exp().sqrt() * eps


def minus(f, z, log_q):
    return f(z) - log_q


LOG_WEIGHT = {
    "no log q": (lambda f, m, v, e: f(drawn(m, v, e)), "log q is missing"),
    "added": (lambda f, m, v, e: f(z := drawn(m, v, e)) + of_q(z, m, v), "added"),
    "density of ε": (lambda f, m, v, e: minus(f, drawn(m, v, e), UNIT.log_prob(e).sum(1)), "density of ε"),
    "prior for q": (lambda f, m, v, e: minus(f, z := drawn(m, v, e), UNIT.log_prob(z).sum(1)), "prior's density"),
    "no 2π": (lambda f, m, v, e: minus(f, drawn(m, v, e), -0.5 * (e**2 + v).sum(1)), "2π"),
    "joint at ε": (lambda f, m, v, e: minus(f, e, of_q(drawn(m, v, e), m, v)), "given ε"),
    "joint at μ": (lambda f, m, v, e: minus(f, m, of_q(drawn(m, v, e), m, v)), "given μ"),
    "σ² ε, its own q": (lambda f, m, v, e: minus(f, z := m + v.exp() * e, of_q(z, m, v)), ""),
    "σ² ε": (lambda f, m, v, e: minus(f, m + v.exp() * e, UNIT.log_prob(e).sum(1) - v.sum(1) / 2), "σ²ε"),
    "log σ² whole": (lambda f, m, v, e: minus(f, drawn(m, v, e), (UNIT.log_prob(e) - v).sum(1)), "without its ½"),
    "weight": (lambda f, m, v, e: (f(z := drawn(m, v, e)) - of_q(z, m, v)).exp(), "weight itself"),
    "log q − joint": (lambda f, m, v, e: of_q(z := drawn(m, v, e), m, v) - f(z), "sign"),
    "mean over d": (
        lambda f, m, v, e: minus(f, z := drawn(m, v, e), Normal(m, (v / 2).exp()).log_prob(z).mean(1)),
        "the mean",
    ),
    "no ½ before ε²": (lambda f, m, v, e: minus(f, drawn(m, v, e), -(e**2 + v / 2 + log(2 * pi) / 2).sum(1)), ""),
    "averaged": (lambda f, m, v, e: (f(z := drawn(m, v, e)) - of_q(z, m, v)).mean(), "averaged"),
}


def two(mean, error):
    return torch.stack([mean, error])


def error_of(values):
    return values.std() / len(values) ** 0.5


def both(images, draws):
    return (images**2 + draws**2).sqrt()


PAIRED = {
    "unpaired": (
        lambda a, b, c, d: two((a - b).mean(), both(both(error_of(a), error_of(b)), (a - b - c + d).mean())),
        "unpaired",
    ),
    "unpaired, no draws": (lambda a, b, c, d: two((a - b).mean(), both(error_of(a), error_of(b))), "unpaired"),
    "images only": (lambda a, b, c, d: two((a - b).mean(), error_of(a - b)), "images only"),
    "draws only": (lambda a, b, c, d: two((a - b).mean(), ((c - d) - (a - b)).mean().abs()), "draws only"),
    "no √n": (lambda a, b, c, d: two((a - b).mean(), both((a - b).std(), (a - b - c + d).mean())), "√n"),
    "divided by n": (
        lambda a, b, c, d: two((a - b).mean(), both((a - b).std() / len(a), (a - b - c + d).mean())),
        "1/√n",
    ),
    "variance": (
        lambda a, b, c, d: two((a - b).mean(), both((a - b).var() / len(a) ** 0.5, (a - b - c + d).mean())),
        "",
    ),
    "added": (lambda a, b, c, d: two((a - b).mean(), error_of(a - b) + (a - b - c + d).mean().abs()), "added"),
    "spread of changes": (
        lambda a, b, c, d: two((a - b).mean(), both(error_of(a - b), error_of(a - b - c + d))),
        "bias",
    ),
    "b − a": (lambda a, b, c, d: two((b - a).mean(), both(error_of(a - b), (a - b - c + d).mean())), ""),
    "half for the mean": (
        lambda a, b, c, d: two((c - d).mean(), both(error_of(a - b), (a - b - c + d).mean())),
        "half of the draws",
    ),
    "no root": (lambda a, b, c, d: two((a - b).mean(), error_of(a - b) ** 2 + (a - b - c + d).mean() ** 2), "root"),
    "mean alone": (lambda a, b, c, d: (a - b).mean(), ""),
}


def k_draws(x, encode, model, n, toss=torch.bernoulli, see=None, noise=torch.randn_like, joint=joint_log_prob, sign=-1):
    x_bin = toss(x)
    mu, logvar = encode(x_bin if see is None else see(x))
    rows = []
    for _ in range(n):
        z = drawn(mu, logvar, noise(mu))
        rows.append(joint(model, x_bin, z) + sign * of_q(z, mu, logvar))
    return torch.stack(rows)


def one_eps(model, encode, x, n):
    kept = torch.randn(len(x), 3)
    return k_draws(x, encode, model, n, noise=lambda mu: kept)


def tossed_anew(model, encode, x, n):
    return torch.cat([k_draws(x, encode, model, 1) for _ in range(n)])


def at_its_mean(model, encode, x, n):
    return k_draws(x, encode, model, n, noise=torch.zeros_like)


def seeded(model, encode, x, n):
    torch.manual_seed(0)
    return k_draws(x, encode, model, n)


def squared_width(model, encode, x, n):
    return k_draws(x, lambda b: ((q := encode(b))[0], 2 * q[1]), model, n)


def likelihood(model, x, z):
    return -bernoulli_nll(model.decode(z), x)


def grey_target(model, encode, x, n):
    mu, logvar = encode(torch.bernoulli(x))
    z = [drawn(mu, logvar, torch.randn_like(mu)) for _ in range(n)]
    return torch.stack([joint_log_prob(model, x, one) - of_q(one, mu, logvar) for one in z])


def scored_anew(model, encode, x, n):
    return k_draws(x, encode, model, n, joint=lambda model, b, z: joint_log_prob(model, torch.bernoulli(x), z))


K_DRAWS = {
    "grey encoder": (lambda M, f, x, n: k_draws(x, f, M, n, see=lambda x: x), "grey images"),
    "grey all over": (lambda M, f, x, n: k_draws(x, f, M, n, toss=lambda x: x), "grey images"),
    "grey target": (grey_target, "grey images"),
    "rounded": (lambda M, f, x, n: k_draws(x, f, M, n, toss=torch.round), "rounded"),
    "other coins for the encoder": (lambda M, f, x, n: k_draws(x, f, M, n, see=torch.bernoulli), "one toss"),
    "other coins for each score": (scored_anew, "coins of its own"),
    "ε shared over draws": (one_eps, "all K draws"),
    "ε shared over images": (
        lambda M, f, x, n: k_draws(x, f, M, n, noise=lambda mu: torch.randn(1, 3).expand_as(mu)),
        "all images",
    ),
    "ε shared over dimensions": (
        lambda M, f, x, n: k_draws(x, f, M, n, noise=lambda mu: torch.randn(len(mu), 1).expand_as(mu)),
        "all dimensions",
    ),
    "rand": (lambda M, f, x, n: k_draws(x, f, M, n, noise=torch.rand_like), "rand"),
    "at its mean": (at_its_mean, "μ itself"),
    "tossed anew": (tossed_anew, "anew"),
    "seeded": (seeded, "seed"),
    "σ²": (squared_width, "σ²"),
    "model's own encoder": (lambda M, f, x, n: k_draws(x, M.encode, M, n), "model.encode"),
    "one draw": (lambda M, f, x, n: k_draws(x, f, M, 1), "1 draws"),
    "mean of logs": (lambda M, f, x, n: k_draws(x, f, M, n).mean(0), "ELBO"),
    "log p̂ already": (lambda M, f, x, n: k_draws(x, f, M, n).logsumexp(0) - log(n), "averaged already"),
    "sum already": (lambda M, f, x, n: k_draws(x, f, M, n).logsumexp(0), "summed already"),
    "images first": (lambda M, f, x, n: k_draws(x, f, M, n).T, "dim 0"),
    "q added": (lambda M, f, x, n: k_draws(x, f, M, n, sign=1), "added"),
    "no q": (lambda M, f, x, n: k_draws(x, f, M, n, sign=0), "log q is missing"),
    "no prior": (lambda M, f, x, n: k_draws(x, f, M, n, joint=likelihood), "log p(z) is missing"),
    "sign": (lambda M, f, x, n: -k_draws(x, f, M, n), "sign"),
    "− log K in each": (lambda M, f, x, n: k_draws(x, f, M, n) - log(n), "log K"),
    "over all images": (lambda M, f, x, n: k_draws(x, f, M, n).sum(1), "shape"),
    "a list": (lambda M, f, x, n: list(k_draws(x, f, M, n)), "torch.stack"),
}


def refined(model, encode, x, steps, lr, weight=1.0, train=(), sign=1, noise=torch.randn_like, clear=True, start=None):
    mu, logvar = (t.detach().clone() for t in (start or encode(x)))
    mu.requires_grad_()
    logvar.requires_grad_()
    optimizer = torch.optim.Adam([mu, logvar, *train], lr=lr)
    for _ in range(steps):
        z = drawn(mu, logvar, noise(mu))
        nll = F.binary_cross_entropy_with_logits(model.decode(z), x, reduction="sum")
        loss = sign * (nll + weight * kl_to_standard_normal(mu, logvar).sum())
        if clear:
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return mu.detach(), logvar.detach()


def with_frozen_eps(model, encode, x, steps, lr):
    kept = torch.randn(len(x), 3)
    return refined(model, encode, x, steps, lr, noise=lambda mu: kept)


def zeros(x):
    return torch.zeros(len(x), 3), torch.zeros(len(x), 3)


def half_the_mean(model, encode, x, steps, lr):
    """The reconstruction a mean over images, the KL a sum."""
    return refined(model, encode, x, steps, lr, weight=len(x))


def only_mu(model, encode, x, steps, lr):
    mu, logvar = encode(x)
    mu = mu.clone().requires_grad_()
    optimizer = torch.optim.Adam([mu], lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = bernoulli_nll(model.decode(drawn(mu, logvar, torch.randn_like(mu))), x) + kl_to_standard_normal(
            mu, logvar
        )
        loss.sum().backward()
        optimizer.step()
    return mu.detach(), logvar


def cleared_after_backward(model, encode, x, steps, lr):
    mu, logvar = (t.clone().requires_grad_() for t in encode(x))
    optimizer = torch.optim.SGD([mu, logvar], lr=lr)
    for _ in range(steps):
        loss = bernoulli_nll(model.decode(drawn(mu, logvar, torch.randn_like(mu))), x) + kl_to_standard_normal(
            mu, logvar
        )
        loss.sum().backward()
        optimizer.zero_grad()
        optimizer.step()
    return mu.detach(), logvar.detach()


def second(t, pair):
    return pair[0], t(pair[1])


REFINED = {
    "decoder along": (
        lambda M, f, x, s, lr: refined(M, f, x, s, lr, train=M.decoder.parameters()),
        "decoder is trained",
    ),
    "all along": (lambda M, f, x, s, lr: refined(M, f, x, s, lr, train=M.parameters()), "decoder is trained"),
    "no KL": (lambda M, f, x, s, lr: refined(M, f, x, s, lr, weight=0.0), "KL is missing"),
    "half a KL": (lambda M, f, x, s, lr: refined(M, f, x, s, lr, weight=0.5), "0.5 times"),
    "nll averaged": (half_the_mean, "5 times"),
    "maximised": (lambda M, f, x, s, lr: refined(M, f, x, s, lr, sign=-1), "sign"),
    "no zero_grad": (lambda M, f, x, s, lr: refined(M, f, x, s, lr, clear=False), "pile up"),
    "cleared too late": (cleared_after_backward, "gradient"),
    "no noise": (lambda M, f, x, s, lr: refined(M, f, x, s, lr, noise=torch.zeros_like), "without noise"),
    "one ε": (with_frozen_eps, "one ε serves all steps"),
    "ε shared": (
        lambda M, f, x, s, lr: refined(M, f, x, s, lr, noise=lambda mu: torch.randn(1, 3).expand_as(mu)),
        "all images",
    ),
    "rand": (lambda M, f, x, s, lr: refined(M, f, x, s, lr, noise=torch.rand_like), "randn"),
    "from the prior": (lambda M, f, x, s, lr: refined(M, f, x, s, lr, start=zeros(x)), "prior"),
    "model's encoder": (lambda M, f, x, s, lr: refined(M, M.encode, x, s, lr), "model.encode"),
    "other images": (lambda M, f, x, s, lr: refined(M, f, x.flip(0), s, lr, start=f(x)), "its own image"),
    "only μ": (only_mu, "only μ"),
    "one step": (lambda M, f, x, s, lr: refined(M, f, x, 1, lr), "1 steps"),
    "encoder's answer": (lambda M, f, x, s, lr: (refined(M, f, x, s, lr), f(x))[1], "nothing has moved"),
    "exchanged": (lambda M, f, x, s, lr: refined(M, f, x, s, lr)[::-1], "changed places"),
    "σ": (lambda M, f, x, s, lr: second(lambda v: (v / 2).exp(), refined(M, f, x, s, lr)), "the second is σ:"),
    "σ²": (lambda M, f, x, s, lr: second(torch.exp, refined(M, f, x, s, lr)), "the second is σ²:"),
    "μ alone": (lambda M, f, x, s, lr: refined(M, f, x, s, lr)[0], "a Tensor"),
}
WRONG = {
    "log-weight": LOG_WEIGHT,
    "paired-difference": PAIRED,
    "k-draws": K_DRAWS,
    "refined-q": REFINED,
}


def all_at_once(model, encode, x, n):
    b = (torch.rand_like(x) < x).float()
    mu, logvar = encode(b)
    z = mu + (0.5 * logvar).exp() * torch.randn(n, *mu.shape)
    joint = joint_log_prob(model, b.repeat(n, 1, 1, 1), z.flatten(0, 1)).view(n, len(x))
    return joint - of_q(z, mu, logvar)


def by_distributions(model, encode, x, n):
    b = torch.bernoulli(x)
    mu, logvar = encode(b)
    q, rows = Normal(mu, torch.exp(logvar / 2)), []
    with torch.no_grad():
        for z in q.sample((n,)):
            log_p = -F.binary_cross_entropy_with_logits(model.decode(z), b, reduction="none").flatten(1).sum(1)
            rows.append((log_p + (UNIT.log_prob(z) - q.log_prob(z)).sum(1)).double())
    return torch.stack(rows)


def by_gradient_descent(model, encode, x, steps, lr):
    """No optimizer at all."""
    mu, logvar = encode(x)
    for _ in range(steps):
        mu, logvar = mu.detach().requires_grad_(), logvar.detach().requires_grad_()
        z = mu + (logvar / 2).exp() * torch.randn_like(mu)
        loss = (bernoulli_nll(model.decode(z), x) + kl_to_standard_normal(mu, logvar)).sum()
        slopes = torch.autograd.grad(loss, (mu, logvar))
        mu, logvar = (t - 0.1 * lr * g for t, g in zip((mu, logvar), slopes, strict=True))
    return mu.detach(), logvar.detach()


def with_several_draws(model, encode, x, steps, lr):
    mu, logvar = (torch.nn.Parameter(t.clone()) for t in encode(x))
    optimizer = torch.optim.Adam((mu, logvar), lr)
    for _ in range(steps):
        q = Normal(mu, (logvar / 2).exp())
        z = q.rsample((4,))
        nll = bernoulli_nll(model.decode(z.flatten(0, 1)), x.repeat(4, 1, 1, 1)).view(4, -1).mean(0)
        optimizer.zero_grad(set_to_none=True)
        (nll + kl_divergence(q, UNIT).sum(1)).mean().backward()
        optimizer.step()
    return mu, logvar


def with_a_schedule(model, encode, x, steps, lr):
    knobs = torch.stack(encode(x)).requires_grad_()
    optimizer = torch.optim.Adam([knobs], lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        z = drawn(*knobs, torch.randn_like(knobs[0]))
        (bernoulli_nll(model.decode(z), x) + kl_to_standard_normal(*knobs)).mean().backward()
        optimizer.step()
        schedule.step()
    return knobs.detach()


def in_numpy(a, b, c, d):
    a, b, c, d = (t.numpy() for t in (a, b, c, d))
    images = np.std(a - b, ddof=1) / np.sqrt(len(a))
    return np.array([np.mean(a - b), np.hypot(images, np.mean(a - b) - np.mean(c - d))])


RIGHT = {
    "log-weight": [
        lambda f, m, v, e: minus(f, z := drawn(m, v, e), of_q(z, m, v)),
        lambda f, m, v, e: f(m + e * (v / 2).exp()) + 0.5 * (e * e + v).sum(1) + m.shape[1] * log(2 * pi) / 2,
        lambda f, m, v, e: f(m + e * (v / 2).exp()) - torch.log((of_q(drawn(m, v, e), m, v)).exp()),
    ],
    "paired-difference": [
        in_numpy,
        lambda a, b, c, d: two((a - b).mean(), both(error_of(a - b), (a - b - c + d).mean())),
        lambda a, b, c, d: two((a - b).mean(), (((a - b).var() / len(a)) + (a - b - c + d).mean() ** 2) ** 0.5),
    ],
    "k-draws": [
        all_at_once,
        by_distributions,
        lambda M, f, x, n: k_draws(x, f, M, n),
    ],
    "refined-q": [
        lambda M, f, x, s, lr: refined(M, f, x, s, lr),
        lambda M, f, x, s, lr: list(refined(M.requires_grad_(False), f, x, s, lr)),
        with_several_draws,
        with_a_schedule,
        by_gradient_descent,
    ],
}
