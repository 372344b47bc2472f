"""The mistakes that exercises know by name, each written here once more by another hand, and in another style.

``test_exercises`` hands a check its own mistakes; whether *they* are what their messages say is seen here. The answers
of an exercise stand in the order of its mistakes, but for those that need no message of their own: what is found by
measuring says as much.
"""

from math import erf, log, pi, sqrt

from vae_helpers.exercises import EXERCISES, check

import pytest
import torch
import torch.nn.functional as F
from torch.autograd.functional import jacobian
from torch.distributions import Normal, kl_divergence

from helpers.answers_10 import ANOTHER_HAND as OF_10
from helpers.answers_11 import ANOTHER_HAND as OF_11
from helpers.answers_11_flow import ANOTHER_HAND as OF_11_FLOW

NORMAL = Normal(0.0, 1.0)


def bce(p, x):
    return F.binary_cross_entropy(p, x, reduction="none")


def kl(mu, logvar, mean=0.0, sigma=1.0):
    return kl_divergence(Normal(mu, torch.sqrt(torch.exp(logvar))), Normal(torch.as_tensor(mean).expand_as(mu), sigma))


def per_image(values):
    return torch.einsum("n...->n", values)


def squares(a, b):
    return per_image((b - a).pow(2))


def slopes(value, parameters):
    found = torch.autograd.grad(value, parameters, allow_unused=True)
    return [g for g in found if g is not None] or [torch.zeros(())]


def total(tensors):
    return torch.stack([t.sum() for t in tensors]).sum()


def cells(x_logits, x):
    return per_image(bce(x_logits.sigmoid(), x)).mean()


def seen(mu, logvar, z, ratio):
    eps = (z - mu) * torch.exp(-logvar / 2)
    return torch.hstack([eps.mean(), eps.var().sqrt(), ratio])


def of_two(noisy, x, first, second):
    return torch.stack([F.mse_loss(noisy, x), F.mse_loss(noisy, first), F.mse_loss(x, second)])


def of_normal(z, mu, sigma):
    return Normal(mu, sigma).log_prob(z)


def brightest_gone(x, p):
    flat = x.flatten(1)
    bound = flat.sort(dim=1, descending=True).values[:, round(784 * p) - 1, None]
    return torch.where(flat >= bound, 0.0, flat).view(x.shape)


def a_run_gone(image, p):
    flat, n = image.flatten().clone(), round(784 * p)
    start = int(torch.randint(0, 784 - n, ()))
    flat[start : start + n] = 0
    return flat.view(image.shape)


def pair(difference, variance):
    return torch.stack([difference.mean(), variance.sqrt()])


def chosen(x, p):
    """A mask of exactly round(784 p) pixels of each image, by sorting."""
    order = torch.rand(len(x), 784).argsort(1).argsort(1)
    return (order < round(784 * p)).view(x.shape)


def with_repetition(p):
    """A row of ones with 0 at round(784 p) places, some of them drawn twice."""
    return torch.ones(784).index_fill(0, torch.randint(784, (round(784 * p),)), 0)


def each_psnr(a, b):
    return torch.stack([-10 * torch.log10(F.mse_loss(one, other)) for one, other in zip(a, b, strict=True)])


def slow(n):
    """0 … 0, 1 … 1, to 9 … 9, each n times."""
    return torch.tensor([i // n for i in range(10 * n)])


def new_styles(g, s):
    drawn = NORMAL.sample((10, *s.shape))
    return torch.cat([g(styles, torch.full((len(s),), k)) for k, styles in enumerate(drawn)])


def cloud(m, s):
    return torch.distributions.Normal(m, s).rsample()


def hot(y):
    return torch.eye(10)[y]


def joined(*parts):
    return torch.hstack(parts)


def every(m, v, c, gap):
    """½ (gap + σ² − log σ² − 1), (batch, classes, d)."""
    return (gap + (v.exp() - v - 1).unsqueeze(1)) / 2


def gaps(m, c):
    return m.unsqueeze(1) - c.unsqueeze(0)


def drawn(model, x, y, e):
    mu, logvar = model.encode(x, y)
    return model.decode(torch.addcmul(mu, e, torch.sqrt(logvar.exp())), y)


def of_cloud(model, x, cloud, e, y):
    mu, logvar = cloud
    a = model.decode(torch.addcmul(mu, e, torch.sqrt(logvar.exp())), y)
    return torch.stack([per_image(F.softplus(a) - x * a), kl(mu, logvar).sum(1)], -1)


def of_width(model, x, y, e, width):
    mu, logvar = model.encode(x, y)
    a = model.decode(mu + width(logvar) * e, y)
    return torch.stack([per_image(F.softplus(a) - x * a), kl(mu, logvar).sum(1)], -1)


def varied(x, groups, power=1.0):
    parts = [x[groups == k] for k in set(groups.tolist())]
    return torch.stack([(p - p.mean(0)).pow(2).mean(0).pow(power).sum() for p in parts]).mean()


def told(judge, x, y, times=1.0, variety=None):
    share = times * sum(a == b for a, b in zip(judge(x).max(1).indices, y, strict=True)) / len(y)
    return torch.stack([share, varied(x, y) if variety is None else variety])


def of_mixture(t):
    return -(t.double() - log(t.shape[1])).logsumexp(1)


def eps(m, v, z):
    return (z - m) * torch.exp(-v / 2)


def ratio(z, m, v):
    """log q − log p, (k, n, d), written out."""
    return 0.5 * z**2 - 0.5 * (z - m) ** 2 / v.exp() - 0.5 * v


def quantiles(probabilities):
    return torch.tensor([sqrt(2) * torch.erfinv(torch.tensor(2.0 * p - 1)).item() for p in probabilities])


def pairs(values):
    return torch.tensor([[a, b] for a in values for b in values])


def middle(n):
    return [(i + 0.5) / n for i in range(n)]


def angle(a, b):
    return torch.acos(torch.dot(a, b) / torch.linalg.norm(a) / torch.linalg.norm(b))


def great_circle(a, b, t, w):
    return a * torch.sin(w - t * w) / torch.sin(w) + b * torch.sin(t * w) / torch.sin(w)


def pulled_out(a, b, t):
    z = torch.lerp(a, b, t)
    return F.normalize(z, dim=0) * torch.lerp(torch.linalg.norm(a), torch.linalg.norm(b), t)


def bernoulli_score(p, x):
    return per_image(bce(p.expand_as(x), x))


def wrapped(x):
    return (x.long().sum(0) % 256).float() / 255 / x.shape[0]


def twice_corrupted(f, x, corrupt):
    seen = corrupt(x)
    return squares(f(seen), corrupt(x)).mean()


def noisy_target(f, x, corrupt):
    seen = corrupt(x)
    return squares(f(seen), seen).sum() / x.shape[0]


def of_kl_terms(m, v):
    return (m.square() - v + v.exp() - 1) / 2


def means_of_kl(m, v):
    return kl(m, v).sum(0) / len(m)


def by_gaussian(x_hat, x, variance):
    return -per_image(Normal(x_hat, variance**0.5).log_prob(x))


def pushed(x):
    """Each pixel's left neighbour."""
    return torch.nn.functional.pad(x.double()[..., :27], (1, 0))


def both_ways(x, weight):
    return torch.einsum("nchw,nchw->nchw", x.double(), weight.double())


def shares_beside(x, neighbour):
    ink = torch.stack([both_ways(x, 1 - neighbour).sum(0), both_ways(x, neighbour).sum(0)])
    return (ink + 1) / (torch.stack([len(x) - neighbour.sum(0), neighbour.sum(0)]) + 2)


def cost_beside(tables, x, neighbour):
    paper, ink = (-(x.double() * p.log() + (1 - x.double()) * (1 - p).log()) for p in tables.double())
    return (neighbour * ink + (1 - neighbour) * paper).sum() / len(x)


def bound_on(grid, log_joint, log_q):
    return (torch.exp(log_q) * (log_joint - log_q)).sum() * grid.diff()[0]


def half_and_half(grid, mu, sigma):
    return 0.5 * (of_normal(grid, mu[0], sigma[0]).exp() + of_normal(grid, mu[1], sigma[1]).exp())


def gradient_by(draw, average=lambda j, q: j.mean() - q.mean()):
    """The gradient in μ and σ of an average over draws."""

    def answer(log_joint, mu, sigma, n_draws):
        knobs = torch.tensor(mu, requires_grad=True), torch.tensor(sigma, requires_grad=True)
        q = Normal(*knobs)
        z = draw(q, n_draws)
        return torch.stack(torch.autograd.grad(average(log_joint(z), q.log_prob(z)), knobs, materialize_grads=True))

    return answer


def on_a_grid(z, log_q, log_p):
    return torch.trapezoid(torch.exp(log_q) * (log_q - log_p), z)


def paid(mu, logvar, eps, x):
    return squares(x, mu + eps * logvar.exp().sqrt()) / 2 + of_kl_terms(mu, logvar).sum(1)


def linear(model, x, mu, eps, bias=1.0):
    sigma = model.logvar.exp().sqrt()
    x_hat = F.linear(mu + sigma * eps, model.decoder.weight, bias * model.decoder.bias)
    nll = by_gaussian(x_hat, x.flatten(1), model.logvar_x.exp())
    return torch.stack([nll, of_kl_terms(mu, model.logvar.expand_as(mu)).sum(1)], dim=1)


def of_clouds(z, mu, logvar):
    return Normal(mu, logvar.mul(0.5).exp()).log_prob(z).sum(-1)


def mean_and_sem(values):
    return torch.stack([values.mean(), (values.var() / len(values)) ** 0.5])


def centres(mu):
    return (mu - mu.mean(0)).T @ (mu - mu.mean(0)) / len(mu)


def bracketed(mu, logvar, information, covariance, mean=None, reverse=False):
    d = mu.shape[1]
    prior = torch.distributions.MultivariateNormal(torch.zeros(d), torch.eye(d))
    fitted = torch.distributions.MultivariateNormal(mu.mean(0) if mean is None else mean, covariance)
    pair = (prior, fitted) if reverse else (fitted, prior)
    return torch.stack([kl_divergence(*pair), kl(mu, logvar).sum(1).mean() - information])


def pearson(codes, factors):
    a, b = ((t - t.mean(0)) / t.std(0, correction=0) for t in (codes, factors))
    return a.T @ b / len(a)


def scatter(values):
    return (values - values.mean(0)).pow(2).mean(0)


ANOTHER_HAND = {
    "mean-image": [
        lambda x: x.double().mean(0),
        lambda x: x.double().mean(0) / 2**8,
        lambda x: x.double().mean() / 255,
        lambda x: x.double().flatten(1).mean(1) / 255,
        wrapped,
        lambda x: (x == 255).double().mean(0),
        lambda x: x.double().sum(0) / 255,
        lambda x: x.double().mean(0)[None] / 255,
    ],
    "independent-pixels": [
        lambda p, n: torch.bernoulli((1 - p).expand(n, *p.shape)),
        lambda p, n: torch.bernoulli(NORMAL.cdf(p).expand(n, *p.shape)),
        lambda p, n: torch.stack([p.round()] * n),
        lambda p, n: torch.stack([p] * n),
        lambda p, n: torch.stack([torch.bernoulli(p)] * n),
        lambda p, n: torch.bernoulli((1 / (1 + (-p).exp())).expand(n, *p.shape)),
        lambda p, n: torch.bernoulli(p.expand(n, *p.shape)) * torch.bernoulli(p.expand(n, *p.shape)),
        lambda p, n: (torch.rand(n, 1, 28, 1).expand(n, 1, 28, 28) < p).float(),
        lambda p, n: torch.stack([(torch.rand(()) < p).float() for _ in range(n)]),
    ],
    "nats-per-image": [
        lambda p, x: bce(p.expand_as(x), x).mean(),
        lambda p, x: bce(p.expand_as(x), x).sum(),
        lambda p, x: -bernoulli_score(p, x).mean(),
        lambda p, x: -per_image(x * torch.log(p)).sum() / len(x),
        lambda p, x: bernoulli_score(p, x).mean() * 1.4426950408889634,
        bernoulli_score,
    ],
    "chain-tables": [
        lambda x: shares_beside(x, torch.cat([x[..., 27:], x[..., :27]], -1)),
        lambda x: shares_beside(x, torch.cat([x[..., 1:], 0 * x[..., :1]], -1)),
        lambda x: shares_beside(x, torch.cat([0 * x[..., :1, :], x[..., :27, :]], -2)),
        lambda x: shares_beside((x > 0.5).double(), pushed((x > 0.5).double())),
        lambda x: shares_beside(x, (pushed(x) > 0.5).double()),
        lambda x: shares_beside(x, 1 - pushed(x)),
        lambda x: torch.stack([both_ways(x, w).sum(0) + 1 for w in (1 - pushed(x), pushed(x))]) / (2 + len(x)),
        lambda x: torch.stack([both_ways(x, w).sum(0) for w in (1 - pushed(x), pushed(x))]) / len(x),
        lambda x: shares_beside(x, 0 * x),
        lambda x: torch.stack([both_ways(x, w).mean(0) / w.mean(0) for w in (1 - pushed(x), pushed(x))]),
    ],
    "chain-nats": [
        lambda t, x: bce(torch.lerp(*t, pushed(x).float()), x).sum() / len(x),
        lambda t, x: cost_beside(t[[1, 0]], x, pushed(x)),
        lambda t, x: cost_beside(t, x, torch.cat([x[..., 27:], x[..., :27]], -1)),
        lambda t, x: cost_beside(t, x, torch.cat([x[..., 1:], 0 * x[..., :1]], -1)),
        lambda t, x: cost_beside(t, x, 1 * x),
        lambda t, x: cost_beside(t, x, (pushed(x) > 0.5).double()),
        lambda t, x: bce(t[:1].expand(x.shape), x).sum() / len(x),
        lambda t, x: cost_beside(t, x, torch.full_like(x, 0.5)),
        lambda t, x: bce(((t[0] + t[1]) / 2).expand(x.shape), x).sum() / len(x),
        lambda t, x: 2 * cost_beside(t, x, torch.full_like(x, 0.5)),
    ],
    "gaussian-nll": [
        lambda a, b, s: squares(a, b) / s**2 + 784 * (log(s) + 0.5 * log(2 * pi)),
        lambda a, b, s: 0.5 * squares(a / s, b / s),
        lambda a, b, s: 0.5 * squares(a / s, b / s) + log(s) + 0.5 * log(2 * pi),
        lambda a, b, s: 0.5 * squares(a / s, b / s) + 2 * 784 * (log(s) + 0.5 * log(2 * pi)),
        lambda a, b, s: 0.5 * squares(a / s, b / s) - 784 * (log(s) + 0.5 * log(2 * pi)),
        lambda a, b, s: -Normal(a, s).log_prob(b).flatten(1).mean(1),
        lambda a, b, s: by_gaussian(a, b, s),
        lambda a, b, s: -by_gaussian(a, b, s**2),
        lambda a, b, s: by_gaussian(a, b, s**2).mean(),
    ],
    "walk": [
        lambda a, b, n: torch.stack([torch.lerp(b, a, i / (n - 1)) for i in range(n)]),
        lambda a, b, n: torch.stack([torch.lerp(a, b, i / n) for i in range(n)]),
        lambda a, b, n: torch.stack([torch.lerp(a, b, (i + 1) / (n + 1)) for i in range(n)]),
        lambda a, b, n: torch.stack([a + b * i / (n - 1) for i in range(n)]),
        lambda a, b, n: torch.stack([torch.lerp(a, b, i / (n - 1)) for i in range(n)], dim=1),
        lambda a, b, n: torch.stack([torch.lerp(a, b, 0.5)] * n),
    ],
    "copier": [
        lambda f, noisy, x: of_two(noisy, x, f(x).clip(0, 1), f(x).clip(0, 1)),
        lambda f, noisy, x: of_two(noisy, x, *2 * [f(noisy)]),
        lambda f, noisy, x: of_two(noisy, x, f(noisy).clip(0, 1), f(x).clip(0, 1)),
        lambda f, noisy, x: of_two(noisy, x, f(noisy).clip(0, 1), noisy),
    ],
    "denoising-loss": [
        noisy_target,
        lambda f, x, corrupt: squares(f(x), x).sum() / len(x),
        lambda f, x, corrupt: squares(corrupt(x), f(x)).sum() / len(x),
        twice_corrupted,
        lambda f, x, corrupt: squares(x, corrupt(x)).sum() / len(x),
        lambda f, x, corrupt: F.mse_loss(f(corrupt(x)), x),
        lambda f, x, corrupt: F.mse_loss(f(corrupt(x)), x, reduction="sum"),
        lambda f, x, corrupt: squares(x, f(corrupt(x))),
    ],
    "pooled-psnr": [
        lambda a, b: each_psnr(a, b).mean(),
        lambda a, b: -5 * torch.log10(F.mse_loss(a, b)),
        lambda a, b: -20 * torch.log10(F.mse_loss(a, b)),
        lambda a, b: -10 * torch.log(F.mse_loss(a, b)),
        lambda a, b: 10 * torch.log10(F.mse_loss(a, b)),
        lambda a, b: -10 * torch.log10(784 * F.mse_loss(a, b)),
        lambda a, b: -10 * torch.log10(F.l1_loss(a, b)),
        F.mse_loss,
    ],
    "log-joint": [
        lambda x, z, f, s: Normal(f(z), s).log_prob(x).sum(-1),
        lambda x, z, f, s: NORMAL.log_prob(z),
        lambda x, z, f, s: NORMAL.log_prob(z) - torch.linalg.norm((x - f(z)) / s, dim=-1) ** 2 / 2,
        lambda x, z, f, s: Normal(f(z), s).log_prob(x).sum(-1) - z**2 / 2,
        lambda x, z, f, s: NORMAL.log_prob(z) - ((x - f(z)) / s).square().sum(-1) / 2 - log(s * sqrt(2 * pi)),
        lambda x, z, f, s: NORMAL.log_prob(z) + Normal(f(z), s).log_prob(x).mean(-1),
        lambda x, z, f, s: Normal(0.0, s).log_prob(z) + Normal(f(z), s).log_prob(x).sum(-1),
        lambda x, z, f, s: torch.exp(NORMAL.log_prob(z) + Normal(f(z), s).log_prob(x).sum(-1)),
        lambda x, z, f, s: NORMAL.log_prob(z) * Normal(f(z), s).log_prob(x).sum(-1),
    ],
    "posterior-on-grid": [
        lambda j, grid: torch.exp(j - torch.logsumexp(j, 0)),
        lambda j, grid: torch.exp(j - torch.logsumexp(j, 0)) * grid.diff()[0],
        torch.func.vmap(lambda j, _: j.exp()),
        lambda j, grid: torch.exp(j) / torch.exp(j.amax()) if j.amax() > -100 else torch.exp(j - j.amax()),
        lambda j, grid: j - torch.logsumexp(j, 0) - grid.diff()[0].log(),
        lambda j, grid: j / torch.sum(j * grid.diff()[0]),
    ],
    "one-pixel-denoiser": [
        lambda x, n, s: x.mean() + (n - x.mean()) / (1 + s / x.var(unbiased=False)),
        lambda x, n, s: x.mean() + n / (1 + s**2 / x.var(unbiased=False)),
        lambda x, n, s: n / (1 + s**2 / x.var(unbiased=False)),
        lambda x, n, s: x.mean() + (n - x.mean()) / (1 + x.var(unbiased=False) / s**2),
        lambda x, n, s: n.mean() + (n - n.mean()) / (1 + s**2 / n.var(unbiased=False)),
        lambda x, n, s: torch.lerp(
            x.mean().expand_as(n), n, (d := x.std(unbiased=False)).div(d + s * s).expand_as(n)
        ),
    ],
    "score-from-residual": [
        lambda f, x, s: f(x).sub(x).div(s),
        lambda f, x, s: x.sub(f(x)).div(s).div(s),
        lambda f, x, s: s * s * torch.sub(f(x), x),
        lambda f, x, s: f(x) * s**-2,
        lambda f, x, s: torch.subtract(f(x), x),
    ],
    "naive-log-p-x": [
        lambda a: a.sum(1) / a.shape[1],
        lambda a: (a - a.amax(1, True)).exp().sum(1).log() + a.amax(1),
        lambda a: torch.log(torch.exp(a).sum(1) / a.shape[1]),
        lambda a: torch.exp(a).sum(1) / a.shape[1],
        lambda a: torch.logsumexp(a.T, 1) - log(a.shape[0]),
        lambda a: a.sort(1).values[:, -1],
        lambda a: torch.logsumexp(a, 1) - log(a.shape[0]),
        lambda a: log(a.shape[1]) - torch.logsumexp(a, 1),
        lambda a: torch.logsumexp(a, 1).mean() - log(a.shape[1]),
    ],
    "kl-of-tables": [
        lambda q, p: F.kl_div(q.log(), p, reduction="sum"),
        lambda q, p: -F.kl_div(p.log(), q, reduction="sum"),
        lambda q, p: -F.kl_div(q.log(), p, reduction="sum"),
        lambda q, p: torch.log(q / p).sum(),
        lambda q, p: F.kl_div(p.log(), q, reduction="batchmean"),
        lambda q, p: 0.5 * sum(F.kl_div((0.5 * (q + p)).log(), t, reduction="sum") for t in (q, p)),
        lambda q, p: torch.distributions.Categorical(q).entropy(),
        lambda q, p: -torch.dot(q, p.log()),
        lambda q, p: torch.dot(q, torch.log2(q / p)),
        lambda q, p: torch.dot(q, torch.log(q / p).abs()),
        lambda q, p: q * torch.log(q / p),
    ],
    "small-elbo": [
        lambda z, j, m, s: j.mean() + of_normal(z, m, s).mean(),
        lambda z, j, m, s: j.sum() / len(j),
        lambda z, j, m, s: j.mean() + ((z - m) ** 2).mean() / (2 * s**2) + 0.5 * log(2 * pi),
        lambda z, j, m, s: j.mean() + ((z - m) ** 2).mean() / (2 * s**2) + log(s),
        lambda z, j, m, s: j.mean() + ((z - m) ** 2).mean() / s**2 + log(s * sqrt(2 * pi)),
        lambda z, j, m, s: j.mean() - of_normal(z, m, s**2).mean(),
        lambda z, j, m, s: j.mean() - of_normal(z, m, sqrt(s)).mean(),
        lambda z, j, m, s: j.sum() - of_normal(z, m, s).sum(),
        lambda z, j, m, s: of_normal(z, m, s).mean() - j.mean(),
        lambda z, j, m, s: torch.log(torch.exp(j - of_normal(z, m, s)).mean()),
        lambda z, j, m, s: j.mean() - kl_divergence(Normal(m, s), NORMAL),
        lambda z, j, m, s: j.mean() + (z**2).mean() / 2 + 0.5 * log(2 * pi),
    ],
    "two-hump-elbo": [
        lambda j, grid, m, s: bound_on(grid, j, sum(of_normal(grid, m[k], s[k]) for k in (0, 1)) / 2),
        lambda j, grid, m, s: sum(bound_on(grid, j, of_normal(grid, m[k], s[k])) for k in (0, 1)) / 2,
        lambda j, grid, m, s: bound_on(grid, j, torch.logaddexp(*(of_normal(grid, m[k], s[k]) for k in (0, 1)))),
        lambda j, grid, m, s: bound_on(grid, j, sum(of_normal(grid, m[k], s[k]) for k in (0, 1))),
        lambda j, grid, m, s: sum((of_normal(grid, m[k], s[k]).exp() * j).sum() * grid.diff()[0] for k in (0, 1)) / 2,
        lambda j, grid, m, s: bound_on(grid, j, of_normal(grid, m[0], s[0])),
        lambda j, grid, m, s: (j.exp() * (j - half_and_half(grid, m, s).log())).sum() * grid.diff()[0],
        lambda j, grid, m, s: torch.mean(j - half_and_half(grid, m, s).log()),
    ],
    "best-sigma": [
        lambda f, m, s: s / jacobian(f, m).norm(),
        lambda f, m, s: s**2 / (s**2 + jacobian(f, m) @ jacobian(f, m)),
        lambda f, m, s: sqrt(s / (s + jacobian(f, m) @ jacobian(f, m))),
        lambda f, m, s: s / torch.sqrt(s**2 + f(m) @ f(m)),
        lambda f, m, s: s / torch.sqrt(s**2 + 4 * jacobian(f, m).norm() ** 2),
        lambda f, m, s: s / torch.sqrt(s**2 + (f(m + 0.001) - f(m - 0.001)).norm() ** 2),
    ],
    "ring-gradient": [
        gradient_by(lambda q, n: q.sample((n,))),
        gradient_by(lambda q, n: q.rsample((n,)), lambda j, q: j.sum() / len(j)),
        gradient_by(lambda q, n: q.rsample((n,)), lambda j, q: j.mean() + q.mean()),
        gradient_by(lambda q, n: q.rsample((n,)), lambda j, q: q.mean() - j.mean()),
        gradient_by(lambda q, n: q.rsample((n,)), lambda j, q: j.sum() - q.sum()),
        gradient_by(lambda q, n: Normal(q.mean, q.variance).rsample((n,))),
        gradient_by(lambda q, n: q.stddev * Normal(q.mean, 1.0).rsample((n,))),
        gradient_by(lambda q, n: torch.lerp(q.mean, q.mean + q.stddev, torch.rand(n))),
        gradient_by(lambda q, n: Normal(q.mean + q.stddev, 1.0).rsample((n,))),
        gradient_by(lambda q, n: Normal(q.mean, q.stddev.sqrt()).rsample((n,))),
        gradient_by(lambda q, n: torch.lerp(q.mean - q.stddev / 2, q.mean + q.stddev / 2, torch.rand(n))),
        lambda *given: gradient_by(lambda q, n: q.rsample((n,)))(*given)[[1, 0]],
        lambda j, m, s, n: gradient_by(lambda q, k: q.rsample((k,)))(j, m, s, n) * torch.tensor([1, s]),
        gradient_by(lambda q, n: Normal(q.mean, q.stddev.detach()).rsample((n,)), lambda j, q: j.mean()),
    ],
    "score-function": [
        lambda f, z, m, s: f / s * (z - m),
        lambda f, z, m, s: (z - m) / (s * s),
        lambda f, z, m, s: f * (m - z) / (s * s),
        lambda f, z, m, s: (z - m) * f,
        lambda f, z, m, s: torch.dot(f, z - m) / (s * s) / len(z),
        lambda f, z, m, s: f * (-((z - m) ** 2) / (2 * s * s) - log(s) - 0.5 * log(2 * pi)),
    ],
    "kl-diagonal": [
        lambda m, v, a, b: 2 * kl(m, v, a, b.exp().sqrt()).sum(1),
        lambda m, v, a, b: kl(a, b, m, v.exp().sqrt()).sum(1),
        lambda m, v, a, b: 0.5 * ((v - b).exp() + (m - a) ** 2 / b.exp() - b + v - 1).sum(1),
        lambda m, v, a, b: kl(m, v, a, b.exp().sqrt()).mean(1),
        lambda m, v, a, b: (kl(m, v, a, b.exp().sqrt()) + 0.5).sum(1),
        lambda m, v, a, b: per_image(v.exp() / b.exp() + (a - m) ** 2 + b - v - 1) / 2,
        lambda m, v, a, b: per_image((v + (a - m) ** 2) / b + b - v - 1) / 2,
        lambda m, v, a, b: kl_divergence(Normal(m, v.exp()), Normal(a, b.exp())).sum(1),
        lambda m, v, a, b: per_image(v.exp() / b.exp() + (m - a) / b.exp() + b - v - 1) / 2,
    ],
    "kl-class-mean": [
        lambda m, v, means, y: kl(m, v).sum(1),
        lambda m, v, means, y: (kl(m, v) - means[y] ** 2 / 2).sum(1),
        lambda m, v, means, y: (kl(m, v, means[y]) + m**2 / 2).sum(1),
        lambda m, v, means, y: kl(m + means[y], v).sum(1),
        lambda m, v, means, y: kl(m, v, means[y]).mean(1),
        lambda m, v, means, y: kl(m, v, means[y]).sum(1).mean(),
        lambda m, v, means, y: ((m - means[y]) ** 2 - kl(m, v, means[y])).sum(1),
        lambda m, v, means, y: (kl(m, v, means[y]) + 0.5).sum(1),
        lambda m, v, means, y: 2 * kl(m, v, means[y]).sum(1),
    ],
    "leave-one-out": [
        lambda f, z, m, s: (f - torch.mean(f, dim=-1)[:, None]) / s**2 * (z - m),
        lambda f, z, m, s: (f - f.sum() / f.numel()) / s**2 * (z - m),
        lambda f, z, m, s: (f - f.mean(dim=0, keepdim=True)) / s**2 * (z - m),
        lambda f, z, m, s: (f + f / f.size(1) - f.mean(1)[:, None]) / s**2 * (z - m),
        lambda f, z, m, s: (t := (z - m) * f / (s * s)) - t.sum(1)[:, None] / t.size(1),
        lambda f, z, m, s: (f - f.mean(1)[:, None]) * f.size(1) / (f.size(1) - 1),
        lambda f, z, m, s: (z - m) * f / (s * s),
    ],
    "inverse-cdf": [
        lambda u, r: torch.log(1 / u) / r,
        lambda u, r: torch.log1p(-u) / r,
        lambda u, r: r * torch.log(1 / (1 - u)),
        lambda u, r: -torch.expm1(-r * u),
        lambda u, r: r / torch.exp(r * u),
    ],
    "kl-oracle": [
        lambda z, m, s, a, b: on_a_grid(z, of_normal(z, m, s), of_normal(z, a, b)) / (z[-1] - z[0]) * (len(z) - 1),
        lambda z, m, s, a, b: on_a_grid(z, -(((z - m) / s) ** 2) / 2, -(((z - a) / b) ** 2) / 2),
        lambda z, m, s, a, b: on_a_grid(z, of_normal((z - m) / s, 0, 1), of_normal((z - a) / b, 0, 1)),
        lambda z, m, s, a, b: on_a_grid(
            z, *(-(((z - k) / w) ** 2) - log(2 * pi) / 2 - torch.as_tensor(w).log() for k, w in ((m, s), (a, b)))
        ),
        lambda z, m, s, a, b: of_normal(z, m, s).mean() - of_normal(z, a, b).mean(),
        lambda z, m, s, a, b: -on_a_grid(z, of_normal(z, a, b), of_normal(z, m, s)),
        lambda z, m, s, a, b: on_a_grid(z, of_normal(z, a, b), of_normal(z, m, s)),
        lambda z, m, s, a, b: -torch.trapezoid(of_normal(z, m, s).exp() * of_normal(z, a, b), z),
        lambda z, m, s, a, b: on_a_grid(z, of_normal(z, m, s * s), of_normal(z, a, b * b)),
    ],
    "clamp": [
        lambda m, r, e, x: squares(x, m + e * r.clip(-30, 20).exp().sqrt()) / 2 + kl(m.double(), r.double()).sum(1),
        lambda m, r, e, x: squares(x, m + e * r.exp().sqrt()) / 2 + kl(m, r.clip(-30, 20)).sum(1),
        lambda m, r, e, x: squares(x, m + e * r.exp().sqrt()) / 2 + of_kl_terms(m, r).sum(1),
        lambda m, r, e, x: paid(m, r.clip(max=20), e, x),
        lambda m, r, e, x: paid(m, r.clip(min=-30), e, x),
        lambda m, r, e, x: paid(m, r.clip(-20, 30), e, x),
    ],
    "linear-vae": [
        lambda model, x, e: linear(model, x, model.encoder(x.flatten(1)), e),
        lambda model, x, e: linear(model, x, model.embed(x), 0 * e),
        lambda model, x, e: linear(model, x, model.embed(x), model.logvar.exp().sqrt() * e),
        lambda model, x, e: linear(model, x, model.embed(x), e)
        - torch.stack([(2 * pi * model.logvar_x.exp()).log() * 392, torch.zeros(())]),
        lambda model, x, e: linear(model, x, model.embed(x), e)[:, [1, 0]],
        lambda model, x, e: linear(model, x, model.embed(x), e) @ torch.diag(torch.tensor([1 / 784, 1.0])),
        lambda model, x, e: linear(model, x, model.embed(x), e, bias=0.0),
        lambda model, x, e: linear(model, x, model.embed(x), e, bias=2.0),
    ],
    "negative-elbo": [
        lambda l, x, m, v: bce(l.sigmoid(), x).mean() + kl(m, v).sum(1).mean(),
        lambda l, x, m, v: bce(l.sigmoid(), x).sum() + kl(m, v).sum(),
        lambda l, x, m, v: bce(l.sigmoid(), x).sum() + kl(m, v).sum(1).mean(),
        lambda l, x, m, v: (bce(l.sigmoid(), x).sum() - kl(m, v).sum()) / len(x),
        lambda l, x, m, v: (bce(l.sigmoid(), x).sum() + 2 * kl(m, v).sum()) / len(x),
        lambda l, x, m, v: bce(l.sigmoid(), x).sum() / len(x) + kl(m, v).mean(),
        lambda l, x, m, v: (bce(l.sigmoid().sigmoid(), x).sum() + kl(m, v).sum()) / len(x),
        lambda l, x, m, v: (bce(l.sigmoid(), x).sum() + kl(m, 2 * v.abs().log()).sum()) / len(x),
        lambda l, x, m, v: (bce(l.sigmoid(), x).sum() + kl(m, 2 * v).sum()) / len(x),
        lambda l, x, m, v: bce(l.sigmoid(), x).mean() + kl(m, v).mean(),
        lambda l, x, m, v: (bce(l.sigmoid(), x).sum() + kl(m, v).sum()) / len(x) / 784,
        lambda l, x, m, v: -(bce(l.sigmoid(), x).sum() + kl(m, v).sum()) / len(x),
        lambda l, x, m, v: per_image(bce(l.sigmoid(), x)) + kl(m, v).sum(1),
        lambda l, x, m, v: bce(l.sigmoid(), x).sum() / len(x),
    ],
    "kl-per-dimension": [
        lambda m, v: kl(m, v).sum(1),
        lambda m, v: kl(m, v).sum(0),
        lambda m, v: 2 * kl(m, v).mean(0),
        lambda m, v: kl(m, v).mean(0) + 0.5,
        lambda m, v: m.square().mean(0) / 2 - 0.5,
        lambda m, v: kl(m, 2 * v).mean(0),
        lambda m, v: kl(m.mean(0), v.mean(0)),
    ],
    "quantile-grid": [
        lambda n: pairs(middle(n)),
        lambda n: pairs([0.5 + 0.5 * erf(p / sqrt(2)) for p in middle(n)]),
        lambda n: pairs([-3 + 6 * i / (n - 1) for i in range(n)]),
        lambda n: pairs(quantiles(middle(n))).flip(1),
        lambda n: quantiles(middle(n))[:, None].repeat(1, 2),
        lambda n: pairs(quantiles([i / (n - 1) for i in range(n)])),
        lambda n: pairs(quantiles([i / n for i in range(n)])),
        lambda n: pairs(quantiles([0.05 + 0.9 * i / (n - 1) for i in range(n)])),
        lambda n: pairs(quantiles([i / (n + 1) for i in range(1, n + 1)])),
        lambda n: pairs([quantiles(middle(n))[0] * (1 - 2 * i / (n - 1)) for i in range(n)]),
    ],
    "measured-beta": [
        lambda r, k, a, b: (r * b) / (a * k),
        lambda r, k, a, b: torch.as_tensor(k).div(b),
        lambda r, k, a, b: torch.as_tensor(r).reciprocal() * k,
        lambda r, k, a, b: (r * k) / (a * b),
    ],
    "spherical": [
        torch.lerp,
        pulled_out,
        lambda a, b, t: a * torch.sin((1 - t) * angle(a, b)) + b * torch.sin(t * angle(a, b)),
        lambda a, b, t: great_circle(a, b, t, torch.cos(angle(a, b))),
        lambda a, b, t: great_circle(a, b, t, torch.acos((a * b).sum())),
        lambda a, b, t: great_circle(F.normalize(a, dim=0), F.normalize(b, dim=0), t, angle(a, b)),
        lambda a, b, t: great_circle(b, a, t, angle(a, b)),
        lambda a, b, t: (a * (angle(a, b) * (1 - t)).cos() + b * (angle(a, b) * t).cos()) / angle(a, b).sin(),
    ],
    "log-p-of-draws": [
        lambda j, q: (j - q).sum(0) / len(j),
        lambda j, q: torch.log(torch.exp(j - q).sum(0) / len(j)),
        lambda j, q: torch.exp(j - q - (j - q).amax(0)).sum(0).log() + (j - q).amax(0),
        lambda j, q: torch.logsumexp(j - q, 0) / j.shape[0],
        lambda j, q: torch.logsumexp(j - q + log(j.shape[0]), 0),
        lambda j, q: torch.logsumexp(j - log(j.shape[0]), 0),
        lambda j, q: torch.logsumexp(j + q - log(j.shape[0]), 0),
        lambda j, q: torch.logsumexp(j - q - log(j.shape[1]), 1),
        lambda j, q: torch.logsumexp(j, 0) - torch.logsumexp(q, 0),
    ],
    "log-weight": [
        lambda f, m, v, e: f(m + e * (v / 2).exp()) + (e.pow(2).sum(1) + m.shape[1] * log(2 * pi)) / 2,
        lambda f, m, v, e: f(z := m + e * (v / 2).exp()) - NORMAL.log_prob(z).sum(1),
        lambda f, m, v, e: f(m + e * v.exp().sqrt()),
        lambda f, m, v, e: f(z := m + e * (v / 2).exp()) + Normal(m, (v / 2).exp()).log_prob(z).sum(1),
        lambda f, m, v, e: f(m + e * (v / 2).exp()) + (e * e + v).sum(1) / 2,
        lambda f, m, v, e: f(e) - Normal(m, (v / 2).exp()).log_prob(m + e * (v / 2).exp()).sum(1),
        lambda f, m, v, e: f(m) - Normal(m, (v / 2).exp()).log_prob(m + e * (v / 2).exp()).sum(1),
        lambda f, m, v, e: f(m + e * v.exp()) - (NORMAL.log_prob(e) - v / 2).sum(1),
        lambda f, m, v, e: f(m + e * (v / 2).exp()) - (NORMAL.log_prob(e) - v).sum(1),
        lambda f, m, v, e: (
            f(z := m + e * (v / 2).exp()).exp() / Normal(m, (v / 2).exp()).log_prob(z).sum(1).exp()
        ),
    ],
    "paired-difference": [
        lambda a, b, c, d: pair(a - b, (a.var() + b.var()) / len(a) + (a - b - c + d).mean() ** 2),
        lambda a, b, c, d: pair(a - b, (a.var() + b.var()) / len(a)),
        lambda a, b, c, d: pair(a - b, (a - b).var() / len(a)),
        lambda a, b, c, d: pair(a - b, (a - b - c + d).mean() ** 2),
        lambda a, b, c, d: pair(a - b, (a - b).var() + (a - b - c + d).mean() ** 2),
        lambda a, b, c, d: pair(a - b, (a - b).var() / len(a) ** 2 + (a - b - c + d).mean() ** 2),
        lambda a, b, c, d: pair(a - b, (((a - b).var() / len(a)).sqrt() + (a - b - c + d).mean().abs()) ** 2),
        lambda a, b, c, d: pair(a - b, ((a - b).var() + (a - b - c + d).var()) / len(a)),
        lambda a, b, c, d: pair(a - b, (a - b).var() / len(a) + F.mse_loss(a - b, c - d)),
        lambda a, b, c, d: pair(c - d, (a - b).var() / len(a) + (a - b - c + d).mean() ** 2),
    ],
    "left-out-by-the-mean": [
        lambda v: v.shape[1] - v.exp().sum(1),
        lambda v: (v.shape[1] - v.exp().sqrt().sum(1)) / 2,
        lambda v: (v.shape[1] - v.exp().square().sum(1)) / 2,
        lambda v: (v.shape[1] - v.sum(1)) / 2,
        lambda v: (v.shape[1] - v.square().sum(1)) / 2,
        lambda v: (1 - v.exp().mean(1)) / 2,
        lambda v: (1 - v.exp().sum(1)) / 2,
        lambda v: (v.numel() - v.exp().sum()) / 2,
        lambda v: (v.numel() - v.exp().sum()) / 2 / len(v),
        lambda v: (v.exp().sum(1) - v.shape[1]) / 2,
    ],
    "best-sigma-x": [
        F.mse_loss,
        lambda a, b: torch.log(F.mse_loss(a, b)) / 2,
        lambda a, b: F.mse_loss(a, b) ** 0.5,
        lambda a, b: torch.log(784 * F.mse_loss(a, b)),
        lambda a, b: torch.log(F.mse_loss(a, b, reduction="sum")),
        lambda a, b: torch.stack([torch.log(F.mse_loss(one, other)) for one, other in zip(a, b, strict=True)]).mean(),
        lambda a, b: torch.log((a - b).std() ** 2),
        lambda a, b: 2 * torch.log(sum(F.mse_loss(p, q).sqrt() for p, q in zip(a, b, strict=True)) / len(a)),
        lambda a, b: 2 * torch.log(F.l1_loss(a, b)),
        lambda a, b: torch.log(F.mse_loss(a, b) ** 2),
        lambda a, b: torch.log(1 / F.mse_loss(a, b)),
    ],
    "active-units": [
        lambda m: torch.var(m.T, dim=0).gt(0.01),
        lambda m: m.var(0).gt(0.0001),
        lambda m: m.std(0) ** 2 > (m.std(0) ** 2).sum() / m.shape[1],
        lambda m: (m**2).sum(0).gt(0.01 * len(m)),
        lambda m: m.sum(0).abs().gt(0.01 * len(m)),
        lambda m: ~m.var(0).ge(0.01),
        lambda m: m.std(0).gt(0.1).long().sum(),
        lambda m: m.std(0) ** 2,
    ],
    "log-aggregate": [
        lambda z, m, v: torch.stack([torch.logsumexp(of_clouds(c, m, v), 0) for c in z]),
        lambda z, m, v: of_clouds(z[:, None], m, v).sum(1) / len(m),
        lambda z, m, v: torch.stack([of_clouds(c, m, v).max() for c in z]),
        lambda z, m, v: torch.stack([torch.logsumexp(of_clouds(c, m, v), 0) for c in z]) - log(z.shape[0]),
        lambda z, m, v: torch.logsumexp(
            -((z[:, None] - m) ** 2 / v.exp() + v).sum(2) / 2 - log(len(m)) - log(2 * pi) / 2, dim=1
        ),
        lambda z, m, v: torch.stack([of_clouds(c, m, v) - log(m.shape[0]) for c in z]),
    ],
    "mutual-information": [
        lambda z, m, v, q: mean_and_sem(torch.stack([(of_clouds(c, m, v)).mean() for c in z]) - q),
        lambda z, m, v, q: mean_and_sem(of_clouds(torch.cat([z[-1:], z[:-1]]), m, v) - q),
        lambda z, m, v, q: mean_and_sem(of_clouds(m, m, v).sub(q)),
        lambda z, m, v, q: mean_and_sem(of_clouds(z, m, v) - NORMAL.log_prob(z).sum(1)),
        lambda z, m, v, q: mean_and_sem(q - of_clouds(z, m, v)),
        lambda z, m, v, q: torch.stack(torch.std_mean(of_clouds(z, m, v) - q)[::-1]),
        lambda z, m, v, q: torch.stack(torch.std_mean(of_clouds(z, m, v) - q)[::-1]) / torch.tensor([1.0, len(z)]),
        lambda z, m, v, q: of_clouds(z, m, v) - q,
        lambda z, m, v, q: of_clouds(z, m, v).mean() - q.mean(),
    ],
    "waste-bracket": [
        lambda m, v, i: bracketed(m, v, i, centres(m)),
        lambda m, v, i: bracketed(m, v, i, centres(m) * len(m) / (len(m) - 1)),
        lambda m, v, i: bracketed(m, v, i, torch.diag_embed(v.exp().mean(0))),
        lambda m, v, i: bracketed(m, v, i, torch.diag(m.var(0, correction=0) + v.exp().mean(0))),
        lambda m, v, i: bracketed(m, v, i, centres(m) + torch.diag(v.exp().mean(0)), mean=torch.zeros(m.shape[1])),
        lambda m, v, i: bracketed(m, v, i, centres(m) + torch.diag(v.exp().mean(0)), m.mean(0) * 0)
        + torch.stack([m.mean(0).norm() / 2, torch.zeros(())]),
        lambda m, v, i: bracketed(m, v, i, cov := centres(m) + torch.diag(v.exp().mean(0)))
        + torch.stack([(torch.logdet(cov) - torch.linalg.det(cov)) / 2, torch.zeros(())]),
        lambda m, v, i: bracketed(m, v, i, centres(m) + torch.diag(v.exp().mean(0)), reverse=True),
        lambda m, v, i: bracketed(m, v, i, centres(m) + torch.diag(v.exp().mean(0)))[[1, 0]],
        lambda m, v, i: bracketed(m, v, -i, centres(m) + torch.diag(v.exp().mean(0))),
        lambda m, v, i: bracketed(m, v, 0, centres(m) + torch.diag(v.exp().mean(0))),
    ],
    "r-squared": [
        pearson,
        lambda c, f: pearson(c, f).square().sqrt(),
        lambda c, f: F.cosine_similarity(c.T[:, None], f.T[None], dim=2) ** 2,
        lambda c, f: F.cosine_similarity((c - c.mean(0)).T[:, None], f.T[None], dim=2) ** 2,
        lambda c, f: F.cosine_similarity(c.T[:, None], (f - f.mean(0)).T[None], dim=2) ** 2,
        lambda c, f: pearson(f, c) ** 2,
        lambda c, f: (pearson(c, f) * c.std(0, correction=0)[:, None] * f.std(0, correction=0)) ** 2,
        lambda c, f: (pearson(c, f) * f.std(0, correction=0)) ** 2,
        lambda c, f: (pearson(c, f) * c.std(0, correction=0)[:, None]) ** 2,
        lambda c, f: (
            F.cosine_similarity(
                (c - c.mean(1, keepdim=True)).T[:, None], (f - f.mean(1, keepdim=True)).T[None], dim=2
            )
            ** 2
        ),
        lambda c, f: (torch.linalg.pinv(c - c.mean(0)) @ (f - f.mean(0))) ** 2,
    ],
    "between-classes": [
        lambda z, y: 1 - torch.stack([scatter(z[y == k]) for k in range(10)]).mean(0) / scatter(z),
        lambda z, y: 1 - sum(scatter(z[y == k]) for k in range(10)) / scatter(z),
        lambda z, y: 1 - sum(z[y == k].var(0) for k in range(10)) / 10 / z.var(0),
        lambda z, y: 1 - sum(z[y == k].var(0) * (y == k).float().mean() for k in range(10)) / z.var(0),
        lambda z, y: 1 - sum(z[y == k].var(0) * (y == k).float().mean() for k in range(10)) / scatter(z),
        lambda z, y: 1 - sum(scatter(z[y == k]) * (y == k).float().mean() for k in range(9)) / scatter(z),
        lambda z, y: sum(scatter(z[y == k]) * (y == k).float().mean() for k in range(10)) / scatter(z),
        lambda z, y: scatter(torch.stack([z[y == k].mean(0) for k in range(10)])) / scatter(z),
        lambda z, y: (
            1 - sum(scatter(z[y == k]).sqrt() * (y == k).float().mean() for k in range(10)) / scatter(z).sqrt()
        ),
        lambda z, y: pearson(z, y[:, None].float())[:, 0] ** 2,
    ],
    "free-bits": [
        lambda m, v, free: torch.maximum(of_kl_terms(m, v), torch.tensor(free)).sum() / len(m),
        lambda m, v, free: torch.minimum(means_of_kl(m, v), torch.tensor(free)).sum(),
        lambda m, v, free: max(means_of_kl(m, v).sum().item(), free),
        lambda m, v, free: F.relu(means_of_kl(m, v) - free).sum(),
        lambda m, v, free: means_of_kl(m, v).sum(),
        lambda m, v, free: torch.maximum(means_of_kl(m, v), torch.tensor(free)).mean(),
        lambda m, v, free: torch.maximum(means_of_kl(m, v), torch.tensor(free)),
        lambda m, v, free: torch.maximum(2 * means_of_kl(m, v), torch.tensor(free)).sum(),
    ],
    "units-at-optimum": [
        lambda e, s, d, b: sum(value > b * s for value in e.tolist()),
        lambda e, s, d, b: min(d, sum(value > s for value in e.tolist())),
        lambda e, s, d, b: min(d, sum(b * value > s for value in e.tolist())),
        lambda e, s, d, b: min(d, sum(value > b * sqrt(s) for value in e.tolist())),
        lambda e, s, d, b: min(d, sum(value < b * s for value in e.tolist())),
        lambda e, s, d, b: sum(value > b * s for value in e.tolist()[:d]),
        lambda e, s, d, b: max(d, sum(value > b * s for value in e.tolist())),
    ],
    "join-label": [
        lambda x, z, y: joined(x, y[:, None], z, y[:, None]),
        lambda x, z, y: joined(x, hot(y), z),
        lambda x, z, y: joined(x, z, hot(y)),
        lambda x, z, y: joined(x, z),
        lambda x, z, y: joined(x, z, hot(y), hot(y)),
        lambda x, z, y: joined(hot(y), x, hot(y), z),
        lambda x, z, y: joined(x, F.one_hot(y), z, F.one_hot(y)),
        lambda x, z, y: joined(x, hot(y) == 0, z, hot(y) == 0),
        lambda x, z, y: joined(x, hot((y + 1) % 10), z, hot((y + 1) % 10)),
        lambda x, z, y: joined(x, torch.stack(10 * [y], 1), z, torch.stack(10 * [y], 1)),
    ],
    "kl-to-every-class": [
        lambda m, v, c: every(m, v, c, gaps(m, c) ** 2).sum(1),
        lambda m, v, c: torch.stack([kl(m, v, k).sum(1) for k in c]),
        lambda m, v, c: 2 * torch.stack([kl(m, v, k).sum(1) for k in c], 1),
        lambda m, v, c: torch.stack([kl(m, v, k).mean(1) for k in c], 1),
        lambda m, v, c: torch.stack([kl(m, v).sum(1) for _ in c], 1),
        lambda m, v, c: torch.stack([kl(m + k, v).sum(1) for k in c], 1),
        lambda m, v, c: torch.cdist(m, c) ** 2 / 2,
        lambda m, v, c: torch.stack([(kl(m, v, k) + 0.5).sum(1) for k in c], 1),
        lambda m, v, c: torch.stack([kl(m, 2 * v.abs().log(), k).sum(1) for k in c], 1),
        lambda m, v, c: every(m, v, c, gaps(m, c).abs()).sum(2),
        lambda m, v, c: torch.stack([-kl(m, v, k).sum(1) for k in c], 1),
        lambda m, v, c: (every(m, v, c, gaps(m, c) ** 2).mul(2) + 1).sum(2).sub(1).div(2),
    ],
    "row-per-class": [
        lambda g, s: torch.cat([g(one.expand(10, -1), torch.arange(10)) for one in s]),
        lambda g, s: g(torch.stack([s[i // 10] for i in range(10 * len(s))]), slow(len(s))),
        lambda g, s: g(torch.cat([s] * 10), torch.tensor([i % 10 for i in range(10 * len(s))])),
        new_styles,
        lambda g, s: torch.cat([g(s[0].expand(len(s), -1), torch.full((len(s),), k)) for k in range(10)]),
        lambda g, s: torch.cat([g(0 * s, torch.full((len(s),), k)) for k in range(10)]),
        lambda g, s: torch.cat([g(s, torch.full((len(s),), k)) for k in range(1, 11)]),
        lambda g, s: torch.cat([g(s, torch.full((len(s),), k)) for k in range(9)]),
        lambda g, s: torch.cat([g(one[None], torch.tensor([k])) for k, one in enumerate(s)]),
        lambda g, s: torch.cat([g(s, torch.full((len(s),), k)) for k in range(1, 10)]),
    ],
    "conditional-loss": [
        lambda m, x, y, e: of_cloud(m, x, m.encode(x, y), e, None),
        lambda m, x, y, e: of_cloud(m, x, m.encode(x), e, y),
        lambda m, x, y, e: of_cloud(m, x, m.encode(x), e, None),
        lambda m, x, y, e: of_width(m, x, y, e, lambda v: v),
        lambda m, x, y, e: of_width(m, x, y, torch.randn(e.shape), lambda v: v.exp().sqrt()),
        lambda m, x, y, e: torch.stack(
            [per_image(F.softplus(a := m.decode(e, y)) - x * a), kl(*m.encode(x, y)).sum(1)], -1
        ),
        lambda m, x, y, e: torch.stack(
            [
                per_image(F.binary_cross_entropy_with_logits(drawn(m, x, y, e).sigmoid(), x, reduction="none")),
                kl(*m.encode(x, y)).sum(1),
            ],
            -1,
        ),
        lambda m, x, y, e: of_width(m, x, y, e, torch.exp),
    ],
    "class-means": [
        lambda m, y, k: torch.stack([m[y == c].mean(0) for c in range(k)]),
        lambda m, y, k: torch.stack([m[y == c].sum(0) / (y == c).sum() for c in range(k) if c in y]),
        lambda m, y, k: torch.zeros(k, m.shape[1]).index_add(0, y, m),
        lambda m, y, k: torch.zeros(k, m.shape[1]).index_add(0, y, m / len(y)),
        lambda m, y, k: torch.zeros(k, m.shape[1]).index_add(0, y, m) * k / len(y),
        lambda m, y, k: torch.stack([m[y == c].sum(0) / (1 + (y == c).sum()) for c in range(k)]),
        lambda m, y, k: torch.stack([m[y == c - 1].mean(0) if c - 1 in y else 0 * m[0] for c in range(k)]),
        lambda m, y, k: m.mean(0, keepdim=True).repeat(k, 1),
        lambda m, y, k: torch.stack([m[y == c].median(0)[0] if c in y else 0 * m[0] for c in range(k)]),
        lambda m, y, k: torch.stack([m[y == c].mean(0) if c in y else m.mean(0) for c in range(k)]),
    ],
    "nearest-prior": [
        lambda m, v, c: torch.cdist(m, c).max(1).indices,
        lambda m, v, c: every(m, v, c, gaps(m, c) ** 2).sum(2).min(1).values,
        lambda m, v, c: torch.einsum("nd,kd->nk", m, c).max(1).indices,
        lambda m, v, c: torch.einsum("nkd,nd->nk", gaps(m, c).square(), (-v).exp()).min(1).indices,
        lambda m, v, c: torch.stack([kl(m, v, k).sum(1) for k in c]).min(1).indices,
    ],
    "agreement-and-variance": [
        lambda j, x, y: told(j, x, y, variety=(x - x.mean(0)).pow(2).mean(0).sum()),
        lambda j, x, y: told(j, x, y, variety=varied(x, j(x).max(1).indices)),
        lambda j, x, y: told(j, x, y, variety=varied(x, y) / 784),
        lambda j, x, y: told(j, x, y, variety=varied(x, y, 0.5)),
        lambda j, x, y: told(j, x, y, variety=(x - x.mean((1, 2, 3), keepdim=True)).pow(2).sum() / len(x)),
        lambda j, x, y: told(j, x, y, variety=varied(x, y) * len(set(y.tolist()))),
        lambda j, x, y: told(j, x, y, 100.0),
        lambda j, x, y: told(j, x, y, float(len(y))),
        lambda j, x, y: torch.stack([(j(x).max(1).indices != y).double().mean(), varied(x, y)]),
        lambda j, x, y: torch.stack([F.cross_entropy(j(x), y, reduction="none").neg().exp().mean(), varied(x, y)]),
        lambda j, x, y: told(
            j, x, y, variety=sum(x[y == k].sub(x[y == k].mean(0)).pow(2).mean(0).sum() for k in range(10)) / 10
        ),
        lambda j, x, y: told(j, x, y, variety=varied(x, y) * len(set(y.tolist())) / 10),
    ],
    "mixture-nll": [
        lambda t, y: torch.stack([F.nll_loss(t, y, reduction="none"), of_mixture(t)], -1),
        lambda t, y: torch.stack([log(t.shape[1]) + F.nll_loss(t, y, reduction="none"), -torch.logsumexp(t, -1)], -1),
        lambda t, y: torch.stack([2 * log(t.shape[1]) + F.nll_loss(t, y, reduction="none"), of_mixture(t)], -1),
        lambda t, y: torch.stack(
            [log(t.shape[1]) + F.nll_loss(t, y, reduction="none"), log(t.shape[1]) + of_mixture(t)], -1
        ),
        lambda t, y: torch.stack([log(t.shape[1]) + F.nll_loss(t, y, reduction="none"), -t.sum(1) / t.shape[1]], -1),
        lambda t, y: torch.stack([log(len(t)) + F.nll_loss(t, y, reduction="none"), of_mixture(t)], -1),
        lambda t, y: torch.stack(
            [log(t.shape[1]) + F.nll_loss(t, y, reduction="none"), log(t.shape[0]) - torch.logsumexp(t, -1)], -1
        ),
        lambda t, y: log(10) - torch.stack([-F.nll_loss(t, y, reduction="none"), torch.logsumexp(t, -1)], -1),
        lambda t, y: torch.stack([F.nll_loss(t, y, reduction="none") - log(t.shape[1]), -of_mixture(t)], -1),
    ],
    "hidden-nll": [
        lambda a, x, s: per_image(F.softplus(torch.where(s > 0, 0.0, a)) - x * torch.where(s > 0, 0.0, a)),
        lambda a, x, s: per_image(F.softplus(a) - torch.where(s > 0, 0.0, x) * a),
        lambda a, x, s: (F.softplus(a) - x * a)[..., s[0] == 0].mean((1, 2)),
    ],
    "noise-moments": [
        lambda m, v, z: torch.stack(torch.std_mean(z)).flip(0),
        lambda m, v, z: torch.stack(torch.std_mean(z - m)).flip(0),
        lambda m, v, z: torch.stack(torch.std_mean((z - m) * torch.exp(-v))).flip(0),
        lambda m, v, z: torch.stack(torch.std_mean((z - m) / v)).flip(0),
        lambda m, v, z: torch.stack(torch.std_mean(z / v.exp().sqrt())).flip(0),
        lambda m, v, z: torch.stack(torch.var_mean(eps(m, v, z))).flip(0),
        lambda m, v, z: torch.stack(torch.std_mean(eps(m, v, z), dim=0)).flip(0),
        lambda m, v, z: torch.stack([eps(m, v, z).mean(), torch.linalg.norm(eps(m, v, z)) / z.numel() ** 0.5]),
        lambda m, v, z: torch.stack(torch.std_mean(eps(z, v, m))).flip(0),
        lambda m, v, z: torch.stack(torch.std_mean(eps(m, v, z))),
    ],
    "kl-by-draws": [
        lambda z, m, v: -per_image(ratio(z, m, v).mean(0)),
        lambda z, m, v: ratio(z, m, v).mean(0).mean(1),
        lambda z, m, v: per_image(ratio(z, m, v).sum(0)),
        lambda z, m, v: per_image(ratio(z, m, v)) / z.shape[1],
        lambda z, m, v: ratio(z, m, v).sum() / len(z) / z.shape[1],
        lambda z, m, v: per_image(ratio(z, m, 2 * v).mean(0)),
        lambda z, m, v: per_image((-0.5 * (z - m) ** 2 / v.exp() - 0.5 * v - 0.5 * log(2 * pi)).mean(0)),
        lambda z, m, v: per_image((0.5 * z**2 + 0.5 * log(2 * pi)).mean(0)),
        lambda z, m, v: per_image(ratio(z, m, v).mean(0)) - z.shape[2] * 0.5 * log(2 * pi),
        lambda z, m, v: kl(m, v).sum(1),
    ],
    "hidden-beta": [
        lambda r, k, p, d: {"sum": 1, "mean": d}[k] / {"sum": 1, "mean": p}[r],
        lambda r, k, p, d: {"sum": 1, "mean": p}[r],
        lambda r, k, p, d: 1 / {"sum": 1, "mean": d}[k],
        lambda r, k, p, d: {"sum": 1, "mean": p}[r] * {"sum": 1, "mean": d}[k],
        lambda r, k, p, d: {"sumsum": 1, "meanmean": 1, "meansum": p, "summean": 1 / d}[r + k],
        lambda r, k, p, d: {"meanmean": 1, "sumsum": p / d, "summean": p, "meansum": 1 / d}[r + k],
        lambda r, k, p, d: {"sumsum": 1, "meanmean": p // d, "meansum": p, "summean": 1 / d}[r + k],
    ],
    "gradient-length": [
        lambda v, ps: sum(g.pow(2).sum().sqrt() for g in slopes(v, ps)),
        lambda v, ps: sum(g.pow(2).sum() for g in slopes(v, ps)),
        lambda v, ps: total(slopes(v, ps)).abs(),
        lambda v, ps: sum(g.abs().sum() for g in slopes(v, ps)),
        lambda v, ps: torch.hstack([g.flatten() for g in slopes(v, ps)]).pow(2).mean().sqrt(),
        lambda v, ps: next(iter(slopes(v, ps))).pow(2).sum() ** 0.5,
        lambda v, ps: sorted(float(g.pow(2).sum() ** 0.5) for g in slopes(v, ps))[-1],
        lambda v, ps: sum(p.detach().pow(2).sum() for p in ps) ** 0.5,
    ],
    "symptoms": [
        lambda t, x, m, v, z, o: seen(m, v, 2 * m - z, (t - cells(o, x)) / kl(m, v).sum(1).mean()),
        lambda t, x, m, v, z, o: seen(m, v, z, t / kl(m, v).sum(1).mean()),
        lambda t, x, m, v, z, o: seen(m, v, z, kl(m, v).sum() / len(x) / (t - cells(o, x))),
        lambda t, x, m, v, z, o: seen(m, v, z, (t - F.binary_cross_entropy_with_logits(o, x)) / kl(m, v).sum(1).mean()),
        lambda t, x, m, v, z, o: seen(m, v, z, t - cells(o, x)),
        lambda t, x, m, v, z, o: seen(m, v, z, t - cells(o, x) - kl(m, v).sum(1).mean()),
        lambda t, x, m, v, z, o: seen(m, v, z, t / (cells(o, x) + kl(m, v).sum(1).mean())),
        lambda t, x, m, v, z, o: seen(
            m, v, z, ((t - per_image(bce(o.sigmoid(), x))) / kl(m, v).sum(1)).mean()
        ),
    ],
}  # fmt: skip
# what the search finds in those without a message: kind and factor of the relation
FOUND = {
    "kl-diagonal": {3: ("factor", "divided by n, a size of the input")},
    "score-function": {1: ("missing", "factor"), 3: ("missing", "division")},
    "kl-class-mean": {
        4: ("factor", "divided by n, a size of the input"),
        5: ("form", "averaged"),
        7: ("offset", "+1 ½ · {}"),
        8: ("factor", "2"),
    },
    "negative-elbo": {4: ("missing", "factor"), 10: ("factor", "0.001276")},
    "kl-per-dimension": {
        1: ("factor", "multiplied by n, a size of the input"),
        2: ("factor", "2"),
        3: ("offset", "+½"),
    },
    "quantile-grid": {3: ("form", "reversed")},
    "spherical": {2: ("missing", "division"), 3: ("missing", "arccos"), 6: ("exchanged", "")},
}
ANOTHER_HAND |= OF_10 | OF_11 | OF_11_FLOW
ANSWERS = [
    pytest.param(name, i, answer, id=f"{name}-{i}")
    for name, answers in ANOTHER_HAND.items()
    for i, answer in enumerate(answers)
]


def messages_of(name):
    """The message of each answer of another hand, None where it is left to the search."""
    messages = iter(EXERCISES[name].mistakes)
    return [None if i in FOUND.get(name, {}) else next(messages).message for i in range(len(ANOTHER_HAND[name]))]


def test_every_mistake_of_every_exercise_is_written_twice():
    left_to_the_search = {name: len(found) for name, found in FOUND.items()}
    assert {name: len(answers) for name, answers in ANOTHER_HAND.items()} == {
        name: len(exercise.mistakes) + left_to_the_search.get(name, 0)
        for name, exercise in EXERCISES.items()
        if exercise.mistakes or name in left_to_the_search
    }


@pytest.mark.usefixtures("types_in_one_row_of_eight")
@pytest.mark.parametrize(("name", "i", "answer"), ANSWERS)
def test_a_mistake_by_another_hand_is_named(name, i, answer):
    verdict = check(name, answer)
    assert verdict.status == "mistake", verdict
    if i in FOUND.get(name, {}):
        assert (verdict.relations[0].kind, verdict.relations[0].factor) == FOUND[name][i], verdict
    else:
        assert verdict.message == f"{name}: {messages_of(name)[i]}"
