"""Answers to notebook 11's exercises of flow matching and guidance in other hands."""

import numpy as np
import torch


def squares(a, b):
    return torch.stack([torch.dot(u - v, u - v) for u, v in zip(a, b, strict=True)])


def at(x, t, eps):
    return torch.lerp(x, eps, t.unsqueeze(1))


def flow_by_einsum(net, x, y, t, eps):
    z = torch.einsum("n,nd->nd", 1 - t, x) + torch.einsum("n,nd->nd", t, eps)
    d = net(z, t, y) - eps + x
    return torch.einsum("nd,nd->n", d, d)


def flow_by_rows(net, x, y, t, eps):
    v = net(at(x, t, eps), t, y)
    return torch.stack([((v[i] - (eps[i] - x[i])) ** 2).sum() for i in range(len(x))])


def euler_by_time(velocity, z, n):
    h = 1 / n
    for t in torch.arange(n, 0, -1) * h:
        z = z - h * velocity(z, t.expand(len(z)))
    return z


def euler_down(velocity, noise, n):
    codes, t = noise.clone(), torch.ones(len(noise))
    while t[0] > 0.5 / n:
        codes -= velocity(codes, t) / n
        t = t - 1 / n
    return codes


def euler_by_numpy(velocity, noise, n):
    for a, b in zip(np.linspace(1, 0, n + 1)[:-1], np.linspace(1, 0, n + 1)[1:], strict=True):
        noise = noise + (b - a) * velocity(noise, torch.full((len(noise),), float(a)))
    return noise


RIGHT = {
    "flow-loss": [flow_by_einsum, flow_by_rows, lambda net, x, y, t, e: squares(net(at(x, t, e), t, y), e - x)],
    "euler-walk": [euler_by_time, euler_down, euler_by_numpy],
    "guided-velocity": [
        lambda net, z, t, y, w: (1 + w) * net(z, t, y) - w * net(z, t, None),
        lambda net, z, t, y, w: torch.lerp(net(z, t), net(z, t, y), 1 + w),
        lambda net, z, t, y, w: net(z, t) + (w + 1) * (net(z, t, y) - net(z, t, torch.full_like(y, 10))),
    ],
}
ANOTHER_HAND = {
    "flow-loss": [
        lambda net, x, y, t, e: squares(net(t[:, None] * x + (1 - t[:, None]) * e, t, y), e - x),
        lambda net, x, y, t, e: squares(net(at(x, t, e), t, y), x - e),
        lambda net, x, y, t, e: squares(net(at(x, t, e), t, y), e),
        lambda net, x, y, t, e: squares(net(at(x, t, e), t, y), x),
        lambda net, x, y, t, e: squares(net(at(x, t, e), t, y), at(x, t, e) + 0.0),
        lambda net, x, y, t, e: squares(net(at(x, t, e), t, None), e - x),
        lambda net, x, y, t, e: squares(net(at(x, t, e), 0 * t, y), e - x),
        lambda net, x, y, t, e: squares(net(x.clone(), t, y), e - x),
    ],
    "guided-velocity": [
        lambda net, z, t, y, w: torch.lerp(net(z, t), net(z, t, y), w),
        lambda net, z, t, y, w: (1 - w) * net(z, t, y) + w * net(z, t),
        lambda net, z, t, y, w: (1 + w) * net(z, t) - w * net(z, t, y),
        lambda net, z, t, y, w: net(z, t, y) + w * net(z, t, y),
        lambda net, z, t, y, w: net(z, t, y) * (1 + w) - net(z, t),
        lambda net, z, t, y, w: net(z, t, torch.full_like(y, 10)),
        lambda net, z, t, y, w: net(z, t, y) + 0 * w,
    ],
}
