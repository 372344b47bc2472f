"""What the exercises of notebook 02 must tell apart: right answers in many styles, and wrong ones by name."""

import re

from vae_helpers.data import choose_pixels
from vae_helpers.exercises import check

import pytest
import torch

from helpers.answers_02 import epoch, walk

X = torch.rand(64, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def masked(x, p):
    return x * ~choose_pixels(x, p)


def by_column(x, p):
    """Only even columns are ever masked, p / 2 of all pixels or, of p above a half, all of them."""
    lots = torch.rand(len(x), 28, 28) + (torch.arange(28) % 2 == 0)
    return x.flatten(1).scatter(1, lots.flatten(1).topk(round(784 * p), 1).indices, 0.0).view_as(x)


def in_place(x, p):
    x.flatten(1).scatter_(1, torch.rand(len(x), 784).topk(round(784 * p), 1).indices, 0.0)
    return x


def of_the_whole_batch(x, p):
    out = x.clone().view(-1)
    out[torch.randperm(len(out))[: len(x) * round(784 * p)]] = 0
    return out.view_as(x)


def run_masked(x, p):
    k = round(784 * p)
    place, first = torch.arange(784), torch.randint(784 - k + 1, (len(x), 1))
    return torch.where((place >= first) & (place < first + k), 0.0, x.flatten(1)).view_as(x)


def seeded(x, p):
    torch.manual_seed(3)
    return masked(x, p)


MASKS = {
    "nothing is left to chance, and the digit goes": [
        lambda x, p: x.flatten(1).scatter(1, x.flatten(1).topk(round(784 * p)).indices, 0.0).view_as(x)
    ],
    "every call draws the same": [
        lambda x, p: x.flatten(1).scatter(1, (-x).flatten(1).topk(round(784 * p)).indices, 0.0).view_as(x),
        seeded,
    ],
    "is changed in place": [in_place],
    "a coin of its own": [lambda x, p: x * (torch.rand_like(x) >= p), lambda x, p: torch.dropout(x, p, True) * (1 - p)],
    "chosen from the whole batch": [of_the_whole_batch],
    "chosen twice": [
        lambda x, p: x.flatten(1).scatter(1, torch.randint(784, (len(x), round(784 * p))), 0.0).view_as(x)
    ],
    "the wrong way round": [lambda x, p: x * choose_pixels(x, p)],
    "int cuts the fraction off": [lambda x, p: masked(x, int(784 * p) / 784)],
    "got the same mask": [lambda x, p: x * ~choose_pixels(x[:1], p)],
    "side by side": [run_masked],
    "more often than others": [by_column],
    "scaled up": [lambda x, p: masked(x, p) / (1 - p)],
    "white ink": [lambda x, p: torch.where(choose_pixels(x, p), 1.0, x)],
    "nothing was masked": [lambda x, p: 1 * x],
    "not masked changed too": [lambda x, p: masked(1 - x, p)],
    "another than round": [lambda x, p: masked(x, p / 2)],
}


def pixel(x, x_noisy, sigma_noise, *, a=None, b=None):
    v, m = x.var(correction=0), x.mean()
    a = v / (v + sigma_noise**2) if a is None else a(v, sigma_noise)
    return a * x_noisy + ((1 - a) * m if b is None else b(a, m))


PIXEL = {
    "σ stands where": [lambda x, n, s: pixel(x, n, s, a=lambda v, s: v / (v + s))],
    "without its factor": [lambda x, n, s: pixel(x, n, s, b=lambda a, m: m)],
    "b is missing": [lambda x, n, s: pixel(x, n, s, b=lambda a, m: 0)],
    "are exchanged": [lambda x, n, s: pixel(x, n, s, a=lambda v, s: s**2 / (v + s**2))],
    "standard deviation of x": [lambda x, n, s: pixel(x, n, s, a=lambda v, s: v.sqrt() / (v.sqrt() + s**2))],
    "of the noisy values": [lambda x, n, s: pixel(n, n, s)],
    "": [
        lambda x, n, s: pixel(x, n, s, a=lambda v, s: v / (v - s**2)),
        lambda x, n, s: pixel(x, n, s, b=lambda a, m: a * m),
        lambda x, n, s: pixel(x, n, s, b=lambda a, m: (a - 1) * m),
    ],
}


def linear(mean, noisy_mean, noisy_cov, cross):
    A = cross @ torch.linalg.pinv(noisy_cov)
    return A, mean - A @ noisy_mean


LINEAR = {
    r"Cov\(x, x̃\) is transposed": [lambda m, n, c, k: linear(m, n, c, k.T)],
    "on the left": [lambda m, n, c, k: ((A := torch.linalg.inv(c) @ k), m - A @ n)],
    "A is transposed: it": [
        lambda m, n, c, k: (linear(m, n, c, k)[0].T, linear(m, n, c, k)[1]),
        lambda m, n, c, k: ((A := torch.linalg.solve(c, k.T)), m - A @ n),
    ],
    "A is transposed, in": [lambda m, n, c, k: (linear(m, n, c, k)[0], m - n @ linear(m, n, c, k)[0])],
    "not inverted": [lambda m, n, c, k: (k @ c, m - k @ c @ n)],
    "entry by entry": [lambda m, n, c, k: (k / c, m - (k / c) @ n)],
    "⁻¹ is missing": [lambda m, n, c, k: (k, m - k @ n)],
    "A is missing in b": [lambda m, n, c, k: (k @ c.inverse(), m - n)],
    "": [
        lambda m, n, c, k: (k @ c.inverse(), m),
        lambda m, n, c, k: (k @ c.inverse(), m + k @ c.inverse() @ n),
        lambda m, n, c, k: (k @ c.inverse(), n - k @ c.inverse() @ m),
        lambda m, n, c, k: linear(n, m, c, k),
        lambda m, n, c, k: ((A := k * c.inverse()), m - A @ n),
    ],
}
SCORE = {
    "divided by σ, the law": [lambda f, x, s: (f(x) - x) / s],
    "the wrong way": [lambda f, x, s: (x - f(x)) / s**2],
    "not the step": [lambda f, x, s: f(x) / s**2],
    "bare residual": [lambda f, x, s: f(x) - x],
    "": [
        lambda f, x, s: (f(x) - x) * s**2,
        lambda f, x, s: (f(x) - x) / (2 * s**2),
        lambda f, x, s: f(x) - x / s**2,
        lambda f, x, s: (f(x) + x) / s**2,
        lambda f, x, s: f((x - x) / s**2),
        lambda f, x, s: ((f(x) - x) / s**2).sum(1),
    ],
}


def changed(**how):
    return lambda *args: epoch(*args, **how)


def with_noise_drawn_once(f, points, s, optimizer, k):
    noise = s * torch.randn(k, 2)
    return epoch(f, points, s, optimizer, k, noise=lambda x, s: noise[: len(x)])


def without_an_optimizer(f, points, s, optimizer, k):
    losses = [
        (f(x + s * torch.randn_like(x)) - x).square().sum(1).mean()
        for x in points[torch.randperm(len(points))].split(k)
    ]
    return (sum(losses) / len(losses)).item()


def seed_inside(*args):
    torch.manual_seed(1)
    return epoch(*args)


EPOCH = {
    "gradients pile up": [changed(zero=False)],
    "step comes before": [changed(late=True)],
    "target is the noisy point": [changed(target=lambda x, x_noisy, s: x_noisy)],
    "by noise of its own": [changed(target=lambda x, x_noisy, s: x + s * torch.randn_like(x))],
    "one draw of noise serves": [with_noise_drawn_once],
    r"standard deviation σ²": [changed(noise=lambda x, s: s**2 * torch.randn_like(x))],
    "rand is not": [changed(noise=lambda x, s: s * torch.rand_like(x))],
    "clean points": [changed(noise=lambda x, s: 0)],
    "shifted alike": [
        changed(noise=lambda x, s: s * torch.randn(2)),
        changed(noise=lambda x, s: s * torch.randn(len(x), 1)),
    ],
    "in their own order": [changed(order=torch.arange)],
    "never shown": [changed(order=lambda n: torch.randperm(n)[: n // 10 * 10])],
    "shown twice": [changed(order=lambda n: torch.randint(n, (n,)))],
    "one batch": [lambda f, points, s, optimizer, k: epoch(f, points, s, optimizer, len(points))],
    "summed over the batch": [changed(loss=lambda a, b: (a - b).square().sum())],
    "averaged over the two": [changed(loss=torch.nn.functional.mse_loss)],
    "0.25 times": [changed(loss=lambda a, b: torch.nn.functional.mse_loss(a, b) / 2)],
    "are not those": [changed(loss=lambda a, b: (a - b).abs().sum(1).mean())],
    "never takes a step": [without_an_optimizer],
    "last batch only": [changed(total=lambda losses, sizes: losses[-1])],
    "counts like the rest": [changed(total=lambda losses, sizes: sum(losses) / len(losses))],
    "returns nothing": [changed(total=lambda losses, sizes: None)],
    "same order|same noise|seed": [seed_inside],
    "plain number": [changed(keep=lambda v: v)],
}


def noise_piles_up(f, corrupt, x, steps):
    path = [x]
    for _ in range(steps):
        x = corrupt(x)
        path.append(f(x))
    return torch.stack(path)


def noisy_kept(f, corrupt, x, steps):
    path = [x]
    for _ in range(steps):
        path.append(corrupt(x))
        x = f(path[-1])
    return torch.stack(path)


def spoiled_once(f, corrupt, x, steps):
    path = [x]
    x = corrupt(x)
    for _ in range(steps):
        x = f(x)
        path.append(x)
    return torch.stack(path)


WALK = {
    "never called: without fresh noise": [lambda f, c, x, n: walk(f, lambda x: x, x, n)],
    "the noise piles up, and": [lambda f, c, x, n: walk(lambda x: x, c, x, n)],
    "denoises first": [lambda f, c, x, n: walk(c, f, x, n)],
    "where 4 are asked": [lambda f, c, x, n: walk(f, c, x, n - 1), lambda f, c, x, n: walk(f, c, x, n + 1)],
    "at the first x again": [lambda f, c, x, n: torch.stack([x] + [f(c(x)) for _ in range(n)])],
    "of the step before": [noise_piles_up],
    "called once": [spoiled_once],
    "only the end": [lambda f, c, x, n: walk(f, c, x, n)[-1]],
    "start is missing": [lambda f, c, x, n: walk(f, c, x, n, start=False)],
    "noisy points are returned": [noisy_kept],
    "in another order": [lambda f, c, x, n: walk(f, c, x, n).flip(0)],
    "torch.stack": [lambda f, c, x, n: list(walk(f, c, x, n)), lambda f, c, x, n: walk(f, c, x, n).flatten(0, 1)],
}
WRONG = {
    "masking-noise": MASKS,
    "one-pixel-denoiser": PIXEL,
    "best-linear-denoiser": LINEAR,
    "score-from-residual": SCORE,
    "denoising-epoch": EPOCH,
    "spoil-and-denoise": WALK,
}


def cases(table):
    return [
        pytest.param(name, says, answer, id=f"{name}-{i}-{j}")
        for name, kinds in table.items()
        for i, (says, answers) in enumerate(kinds.items())
        for j, answer in enumerate(answers)
    ]


@pytest.mark.parametrize(("name", "says", "answer"), cases(WRONG))
def test_a_wrong_answer_is_named(name, says, answer):
    verdict = check(name, answer)
    assert not verdict.passed
    assert re.search(says, verdict.message), verdict
    assert "no simple change" not in verdict.message, verdict
