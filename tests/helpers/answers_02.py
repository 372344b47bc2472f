"""Right answers to the exercises of notebook 02, in several styles."""

import itertools

import numpy as np
import torch
from torch.distributions import Normal
from torch.utils.data import DataLoader, TensorDataset


def epoch(
    f, points, s, optimizer, k, *, order=torch.randperm, noise=None, target=None, loss=None, zero=True, late=False,
    total=lambda losses, sizes: sum(a * b for a, b in zip(losses, sizes, strict=True)) / sum(sizes),
    keep=lambda v: v.item(),
):  # fmt: skip
    losses, sizes = [], []
    for i in order(len(points)).split(k):
        x = points[i]
        x_noisy = x + (s * torch.randn(x.shape) if noise is None else noise(x, s))
        value = (loss or (lambda a, b: (a - b).pow(2).sum(1).mean()))(
            f(x_noisy), target(x, x_noisy, s) if target else x
        )
        if zero:
            optimizer.zero_grad()
        if late:
            optimizer.step()
            value.backward()
        else:
            value.backward()
            optimizer.step()
        losses.append(keep(value))
        sizes.append(len(x))
    return total(losses, sizes)


def walk(f, corrupt, x, steps, *, start=True):
    path = [x] if start else []
    for _ in range(steps):
        x = f(corrupt(x))
        path.append(x)
    return torch.stack(path)


def into_a_buffer(f, corrupt, x, steps):
    path = torch.empty(steps + 1, *x.shape)
    path[0] = x
    for k in range(steps):
        path[k + 1] = f(corrupt(path[k]))
    return path


def by_a_loader(f, points, s, optimizer, batch_size):
    total = 0
    for (x,) in DataLoader(TensorDataset(points), batch_size, shuffle=True):
        f.zero_grad()
        loss = ((f(torch.normal(x, s)) - x) ** 2).sum() / len(x)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x) / len(points)
    return total


def by_numpy(f, points, s, optimizer, batch_size):
    order, losses = np.random.permutation(len(points)), []
    noise = Normal(0.0, s).sample(points.shape)
    for i in range(0, len(points), batch_size):
        index = torch.from_numpy(order[i : i + batch_size])
        each = torch.einsum("ni,ni->n", r := f(points[index] + noise[index]) - points[index], r)
        each.mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(each.detach())
    return torch.cat(losses).mean()


RIGHT = {
    "one-pixel-denoiser": [
        lambda x, n, s: x.mean() + (n - x.mean()) / (1 + s**2 / x.var(unbiased=False)),
        lambda x, n, s: torch.lerp(x.mean().expand_as(n), n, (x.var() / (x.var() + s * s)).expand_as(n)),
        lambda x, n, s: (v := np.var(x.numpy())) / (v + s**2) * n.numpy() + s**2 / (v + s**2) * x.numpy().mean(),
    ],
    "best-linear-denoiser": [
        lambda m, n, c, k: ((A := torch.linalg.solve(c.T, k.T).T), m - A.mv(n)),
        lambda m, n, c, k: [A := k @ torch.linalg.pinv(c), m - torch.einsum("ij,j->i", A, n)],
        lambda m, n, c, k: (B := k.numpy() @ np.linalg.inv(c.numpy()), m.numpy() - B @ n.numpy()),
    ],
    "score-from-residual": [
        lambda f, x, s: (f(x) - x).div(s).div(s),
        lambda f, x, s: torch.stack([(a - b) * s**-2 for a, b in zip(f(x), x, strict=True)]),
        lambda f, x, s: (f(x).double() - x.double()).numpy() / s**2,
    ],
    "denoising-epoch": [epoch, by_a_loader, by_numpy],
    "spoil-and-denoise": [
        walk,
        into_a_buffer,
        lambda f, c, x, n: torch.stack(list(itertools.accumulate(range(n), lambda z, _: f(c(z)), initial=x))),
    ],
}  # fmt: skip
