"""Answers to the exercises of notebook 11 in other hands: right ones, and each known mistake once more."""

from itertools import pairwise
from math import exp

import torch
from torch.distributions import Normal


def snr(t):
    return torch.exp(8 - 16 * t)


def signal(t):
    return (snr(t) / (1 + snr(t))) ** 0.5


def noise(t):
    return (1 / (1 + snr(t))) ** 0.5


def each(f):
    """f of every row, stacked."""
    return lambda *rows: torch.stack([f(*of) for of in zip(*rows, strict=True)])


def at(z, t):
    """(α, σ), shaped to multiply rows."""
    return torch.einsum("n,nd->nd", signal(t), torch.ones_like(z)), noise(t)[:, None].expand_as(z)


def product(z, x, s, t):
    """Both witnesses as distributions; the mean of their product and its variance."""
    a = signal(t) / signal(s)
    from_z = Normal(z / a, (1 - a * a) ** 0.5 / a)
    from_x = Normal(signal(s) * x, noise(s))
    w = from_z.variance / (from_z.variance + from_x.variance)
    return from_z.mean + w * (from_x.mean - from_z.mean), from_z.variance * (1 - w)


def ho(z, x, s, t):
    """Equations 6 and 7 of Ho et al. 2020."""
    b = 1 - (signal(t) / signal(s)) ** 2
    mean = signal(s) * b / noise(t) ** 2 * x + signal(t) / signal(s) * noise(s) ** 2 / noise(t) ** 2 * z
    return torch.stack([mean, torch.full_like(mean, (b * noise(s) ** 2 / noise(t) ** 2).item())])


def both(mean=None, variance=None):
    """The right answer, but for one half."""

    def answer(z, x, s, t):
        m, v = product(z, x, s, t)
        return torch.stack([mean(z, x, s, t) if mean else m, variance(s, t).expand_as(m) if variance else v])

    return answer


def weighted(weight=lambda t: 8 * snr(t), shown=None, told=lambda t: t, target=lambda x, e: x):
    def answer(denoise, x, t, eps):
        a, s = at(x, t)
        z = a * x + s * eps if shown is None else shown(x, eps, t)
        return weight(t) * ((target(x, eps) - denoise(z, told(t))) ** 2).sum(-1)

    return answer


def views(x=lambda z, e, a, s: (z - s * e) / a, score=lambda z, e, a, s: -e / s):
    return lambda z, e, t: torch.stack([x(z, e, *at(z, t)), score(z, e, *at(z, t))])


def sure_of_z(z, x, s, t):
    """Too sure: z_t/a with the deviation of z_t."""
    a = signal(t) / signal(s)
    w = (1 - a * a) / (1 - a * a + noise(s) ** 2)
    mean = torch.lerp(z / a, signal(s) * x, w)
    return torch.stack([mean, (w * noise(s) ** 2).expand_as(mean)])


def small_b(s, t):
    return 1 - (signal(t) / signal(s)) ** 2


def sampler(
    times=lambda i, n: (i / n, (i - 1) / n),
    told=lambda t, s: t,
    draw=lambda m, v: m + v.sqrt() * torch.randn_like(m),
    last=lambda denoise, z, *_: denoise(z, torch.zeros(len(z))),
    order=range,
):
    """The way back in another hand, each of whose parts may be wrong."""

    def answer(denoise, posterior, z, steps):
        mean = x_hat = z
        for i in reversed(order(1, steps + 1)):
            t, s = (torch.tensor(float(part)) for part in times(i, steps))
            x_hat = denoise(z, torch.full((len(z),), float(told(t, s))))
            mean, variance = posterior(z, x_hat, s, t)
            z = draw(mean, variance)
        return last(denoise, z, mean, x_hat)

    return answer


def in_place_of_it(denoise, posterior, z, steps):
    times = torch.linspace(1, 0, steps + 1)
    for t, s in pairwise(times):
        mean, variance = posterior(z, denoise(z, t.repeat(len(z))), s, t)
        z = torch.normal(mean, variance.sqrt())
    return denoise(z, torch.zeros(len(z)))


RIGHT = {
    "noising": [
        lambda x, t, e: at(x, t)[0] * x + at(x, t)[1] * e,
        each(lambda x, t, e: Normal(signal(t) * x, noise(t)).mean + noise(t) * e),
        lambda x, t, e: (at(x.double(), t.double())[0] * x + at(x.double(), t.double())[1] * e).float(),
    ],
    "step-posterior": [
        ho,
        lambda *given: torch.stack([part.expand(given[0].shape) for part in product(*given)]),
        lambda *given: ho(*(part.double() for part in given)).float(),
    ],
    "step-kl": [
        lambda x, h, s, t: torch.einsum("nd,nd->n", x - h, x - h) / 2 * (snr(s) - snr(t)),
        lambda x, h, s, t: (x - h).norm(dim=1) ** 2 * (exp(8 - 16 * s.item()) - exp(8 - 16 * t.item())) * 0.5,
        lambda x, h, s, t: each(lambda a, b: (a - b) @ (a - b) * (snr(s) - snr(t)) / 2)(x, h),
    ],
    "weighted-denoising": [
        weighted(),
        lambda d, x, t, e: (
            8 * ((at(x, t)[0] * (x - d(at(x, t)[0] * x + at(x, t)[1] * e, t)) / at(x, t)[1]) ** 2).sum(1)
        ),
        lambda d, x, t, e: 16 * snr(t) * (x - d(at(x, t)[0] * x + at(x, t)[1] * e, t)).square().sum(1) / 2,
    ],
    "three-views": [
        views(),
        views(score=lambda z, e, a, s: (a * ((z - s * e) / a) - z) / s**2),
        lambda z, e, t: torch.stack([(z - noise(t)[:, None] * e) / signal(t)[:, None], e / -noise(t)[:, None]]),
    ],
    "layer-by-layer": [sampler(), in_place_of_it],
}  # fmt: skip

ANOTHER_HAND = {
    "noising": [
        lambda x, t, e: at(x, t)[0].pow(2) * x + at(x, t)[1].pow(2) * e,
        lambda x, t, e: at(x, t)[1] * x + at(x, t)[0] * e,
        each(lambda x, t, e: x + noise(t) * e),
        lambda x, t, e: torch.einsum("n,nd->nd", t, e - x) + x,
        lambda x, t, e: at(x, 2 * t - 0.5)[0] * x + at(x, 2 * t - 0.5)[1] * e,
        lambda x, t, e: (x + snr(t)[:, None] * e) / (1 + snr(t)[:, None]),
    ],
    "step-posterior": [
        both(variance=small_b),
        both(mean=lambda z, x, s, t: signal(s) * x),
        both(mean=lambda z, x, s, t: z * signal(s) / signal(t)),
        both(variance=lambda s, t: (small_b(s, t) * noise(s) ** 2 / noise(t) ** 2) ** 0.5),
        both(variance=lambda s, t: noise(t) ** 2 / (small_b(s, t) * noise(s) ** 2)),
        both(variance=lambda s, t: noise(s) ** 2),
        both(variance=lambda s, t: noise(s) ** 2 + small_b(s, t) * (signal(s) / signal(t)) ** 2),
        both(mean=lambda z, x, s, t: z * signal(s) / signal(t) / 2 + signal(s) * x / 2),
        both(mean=lambda z, x, s, t: product(z, x / signal(s), s, t)[0]),
        sure_of_z,
        lambda *given: torch.stack([sure_of_z(*given)[0], sure_of_z(*given)[1] ** 0.5]),
        both(mean=lambda z, x, s, t: product(signal(t) / signal(s) * z, x, s, t)[0]),
    ],
    "step-kl": [
        lambda x, h, s, t: 8 * (t - s) * ((x - h) ** 2).sum(1),
        lambda x, h, s, t: (snr(t) - snr(s)) / 2 * ((h - x) ** 2).sum(1),
        lambda x, h, s, t: ((x - h) ** 2).sum(1) / 2,
        lambda x, h, s, t: (signal(s) - signal(t)) ** 2 * ((x - h) ** 2).sum(1) / 2,
        lambda x, h, s, t: snr(s) / snr(t) * ((h - x) ** 2).sum(1) / 2,
        lambda x, h, s, t: (snr(s) - snr(t)) / 2 * torch.einsum("nd,nd->n", x - h, x - h) / x[0].numel(),
        lambda x, h, s, t: (snr(s) - snr(t)) * ((h - x) ** 2).mean(-1),
    ],
    "weighted-denoising": [
        weighted(weight=lambda t: 1),
        weighted(told=lambda t: torch.zeros(len(t))),
        weighted(shown=lambda x, e, t: x),
        weighted(target=lambda x, e: e),
        weighted(weight=lambda t: 64 - 128 * t),
        weighted(weight=lambda t: 8 * signal(t) ** 2),
        lambda *given: weighted()(*given).mean(),
        lambda d, x, t, e: weighted()(d, x, t, e) / x.shape[-1],
        weighted(told=lambda t: snr(t).log()),
        weighted(weight=lambda t: 8, shown=lambda x, e, t: x),
    ],
    "three-views": [
        views(score=lambda z, e, a, s: -e / s**2),
        views(score=lambda z, e, a, s: e / s),
        views(x=lambda z, e, a, s: z - s * e),
        views(score=lambda z, e, a, s: ((z - s * e) / a - z) / s**2),
    ],
}  # fmt: skip
