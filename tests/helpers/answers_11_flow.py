"""Answers to notebook 11's exercises of Euler's walk and of guidance in other hands."""

import numpy as np
import torch


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
    "euler-walk": [euler_by_time, euler_down, euler_by_numpy],
    "guided-velocity": [
        lambda net, z, t, y, w: (1 + w) * net(z, t, y) - w * net(z, t, None),
        lambda net, z, t, y, w: torch.lerp(net(z, t), net(z, t, y), 1 + w),
        lambda net, z, t, y, w: net(z, t) + (w + 1) * (net(z, t, y) - net(z, t, torch.full_like(y, 10))),
    ],
}
ANOTHER_HAND = {
    "guided-velocity": [
        lambda net, z, t, y, w: torch.lerp(net(z, t), net(z, t, y), w),
        lambda net, z, t, y, w: (1 - w) * net(z, t, y) + w * net(z, t),
        lambda net, z, t, y, w: (1 + w) * net(z, t) - w * net(z, t, y),
        lambda net, z, t, y, w: net(z, t, y) + w * net(z, t, y),
        lambda net, z, t, y, w: net(z, t, y) * (1 + w) - net(z, t),
        lambda net, z, t, y, w: net(z, t, torch.full_like(y, 10)),
        lambda net, z, t, y, w: net(z, t, y) + 0 * w,
        lambda net, z, t, y, w: torch.lerp(net(z, t), net(z, t, y), w + 2),
    ],
}
