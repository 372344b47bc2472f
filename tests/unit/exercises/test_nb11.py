"""Answers to the exercises of notebook 11 in other hands: right ones, and wrong ones of which most are explained."""

from vae_helpers.exercises import check

import pytest
import torch

from helpers.answer_tables import each_right_answer, passes, refused_and_explained
from helpers.answers_11 import (
    ANOTHER_HAND,
    RIGHT,
    at,
    both,
    in_place_of_it,
    noise,
    sampler,
    signal,
    snr,
    views,
    weighted,
)


def forgets(denoise, posterior, z, steps):
    now = z
    for i in range(steps, 0, -1):
        t, s = torch.tensor(i / steps), torch.tensor((i - 1) / steps)
        mean, variance = posterior(z, denoise(z, t.expand(len(z))), s, t)
        now = mean + variance**0.5 * torch.randn(z.shape)
    return denoise(now, torch.zeros(len(z)))


def one_eps(denoise, posterior, z, steps):
    eps = torch.randn_like(z)
    return sampler(draw=lambda m, v: m + v.sqrt() * eps)(denoise, posterior, z, steps)


def one_time(denoise, posterior, z, steps):
    return sampler()(lambda z, t: denoise(z, t[0]), posterior, z, steps)


def exchanged_arguments(denoise, posterior, z, steps):
    return sampler()(denoise, lambda z, x, s, t: posterior(x, z, s, t), z, steps)


def not_the_guess(denoise, posterior, z, steps):
    return sampler()(denoise, lambda z, x, s, t: posterior(z, z, s, t), z, steps)


def by_hand(z, x, s, t, square=lambda a: a**2, width=lambda s: noise(s) ** 2, b=lambda a: 1 - a**2):
    a = signal(t) / signal(s)
    variance = 1 / (square(a) / b(a) + 1 / width(s))
    mean = variance * (a / b(a) * z + signal(s) / width(s) * x)
    return torch.stack([mean, variance.expand_as(mean)])


WRONG = {
    "noising": [
        ("variances swapped in", lambda x, t, e: at(x, t)[0] * x + at(x, t)[1] ** 2 * e),
        ("noise subtracted", lambda x, t, e: at(x, t)[0] * x - at(x, t)[1] * e),
        ("no x", lambda x, t, e: at(x, t)[1] * e),
        ("no noise", lambda x, t, e: at(x, t)[0] * x),
        ("1 − t", lambda x, t, e: at(x, 1 - t)[0] * x + at(x, 1 - t)[1] * e),
        ("x/σ", lambda x, t, e: at(x, t)[0] * x + e / at(x, t)[1]),
        ("one t for all", lambda x, t, e: signal(t[0]) * x + noise(t[0]) * e),
        ("1 − α for σ", lambda x, t, e: at(x, t)[0] * x + (1 - at(x, t)[0]) * e),
    ],
    "step-posterior": [
        ("a, not its square", lambda *given: by_hand(*given, square=lambda a: a)),
        ("σ_s, not its square", lambda *given: by_hand(*given, width=noise)),
        ("b = a²", lambda *given: by_hand(*given, b=lambda a: a**2)),
        ("b = 1 − a", lambda *given: by_hand(*given, b=lambda a: 1 - a)),
        ("sum of both", both(mean=lambda z, x, s, t: z * signal(s) / signal(t) + signal(s) * x)),
        ("z's weight alone", both(mean=lambda z, x, s, t: both()(z, 0 * x, s, t)[0])),
        ("x's weight alone", both(mean=lambda z, x, s, t: both()(0 * z, x, s, t)[0])),
        ("mean not scaled", both(mean=lambda z, x, s, t: both()(z, x, s, t)[0] / both()(z, x, s, t)[1])),
        ("z for z/a", lambda z, x, s, t: both()(z * signal(t) / signal(s), x, s, t)),
        ("negative", lambda *given: -both()(*given)),
        ("s and t", lambda z, x, s, t: both()(z, x, s, t).flip(0)),
        ("mean alone", lambda *given: both()(*given)[0]),
        ("x and z", lambda z, x, s, t: both()(x, z, s, t)),
    ],
    "step-kl": [
        ("no half", lambda x, h, s, t: (snr(s) - snr(t)) * ((x - h) ** 2).sum(1)),
        ("mean over d", lambda x, h, s, t: (snr(s) - snr(t)) * ((x - h) ** 2).mean(1) / 2),
        ("mean of all", lambda x, h, s, t: ((snr(s) - snr(t)) * ((x - h) ** 2).sum(1) / 2).mean()),
        ("SNR(s) alone", lambda x, h, s, t: snr(s) * ((x - h) ** 2).sum(1) / 2),
        ("SNR(t) alone", lambda x, h, s, t: snr(t) * ((x - h) ** 2).sum(1) / 2),
        ("norm", lambda x, h, s, t: (snr(s) - snr(t)) / 2 * (x - h).norm(dim=1)),
        ("absolute", lambda x, h, s, t: (snr(s) - snr(t)) / 2 * (x - h).abs().sum(1)),
        ("over the batch", lambda x, h, s, t: (snr(s) - snr(t)) / 2 * ((x - h) ** 2).sum(0)),
    ],
    "weighted-denoising": [
        ("no 8", weighted(weight=snr)),
        ("16", weighted(weight=lambda t: 16 * snr(t))),
        ("1/SNR", weighted(weight=lambda t: 8 / snr(t))),
        ("1/σ²", weighted(weight=lambda t: 8 / noise(t) ** 2)),
        ("told 1 − t", weighted(told=lambda t: 1 - t)),
        ("told t = 1", weighted(told=torch.ones_like)),
        ("shown ε", weighted(shown=lambda x, e, t: e)),
        ("02's noise", weighted(shown=lambda x, e, t: x + noise(t)[:, None] * e)),
        ("negative", weighted(weight=lambda t: -8 * snr(t))),
        ("mean over d", lambda d, x, t, e: weighted()(d, x, t, e) / x.shape[1]),
    ],
    "three-views": [
        ("exchanged", lambda *given: views()(*given).flip(0)),
        ("noise added", views(x=lambda z, e, a, s: (z + s * e) / a)),
        ("σ not used", views(x=lambda z, e, a, s: (z - e) / a)),
        ("divided by σ", views(x=lambda z, e, a, s: (z - s * e) / s)),
        ("times σ", views(score=lambda z, e, a, s: -e * s)),
        ("ε itself", views(score=lambda z, e, a, s: -e)),
        ("by α", views(score=lambda z, e, a, s: -e / a)),
        ("x alone", lambda *given: views()(*given)[0]),
    ],
    "layer-by-layer": [
        ("no noise", sampler(draw=lambda m, v: m)),
        ("variance for σ", sampler(draw=lambda m, v: m + v * torch.randn_like(m))),
        ("unit noise", sampler(draw=lambda m, v: m + torch.randn_like(m))),
        ("uniform noise", sampler(draw=lambda m, v: m + v.sqrt() * torch.rand_like(m))),
        ("one ε for all rows", sampler(draw=lambda m, v: m + v.sqrt() * torch.randn(m.shape[1]))),
        ("same ε in all steps", one_eps),
        ("s and t exchanged", sampler(times=lambda i, n: ((i - 1) / n, i / n))),
        ("upwards", sampler(times=lambda i, n: ((n - i + 1) / n, (n - i) / n))),
        ("whole numbers", sampler(times=lambda i, n: (i, i - 1))),
        ("told s", sampler(told=lambda t, s: s)),
        ("told nothing", sampler(told=lambda t, s: 0.5)),
        ("one time for all", one_time),
        ("a step too few", sampler(order=lambda low, high: range(low + 1, high))),
        ("z_0 returned", sampler(last=lambda denoise, z, *_: z)),
        ("last mean", sampler(last=lambda denoise, z, mean, x_hat: mean)),
        ("last guess", sampler(last=lambda denoise, z, mean, x_hat: x_hat)),
        ("last time is 1", sampler(last=lambda denoise, z, *_: denoise(z, torch.ones(len(z))))),
        ("from the start", forgets),
        ("arguments", exchanged_arguments),
        ("z for x̂", not_the_guess),
        ("posterior forgotten", lambda denoise, posterior, z, steps: denoise(z, torch.ones(len(z)))),
        ("nothing asked", lambda denoise, posterior, z, steps: z),
        ("the mean of all", lambda *given: sampler()(*given).mean(0)),
    ],
}  # fmt: skip


def test_no_wrong_answer_passes_and_nine_of_ten_are_explained_or_told_their_shape():
    refused_and_explained(WRONG)


def test_a_sampler_without_noise_and_without_a_last_word_is_told_both():
    said = str(check("layer-by-layer", sampler(draw=lambda m, v: m, last=lambda denoise, z, *_: z)))
    assert "no noise is drawn" in said and "ask the denoiser at t = 0" in said


@each_right_answer(RIGHT)
def test_a_right_answer_in_another_style_passes(name, answer, seed):
    passes(name, answer, seed)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("answer", [sampler(), in_place_of_it])
def test_a_right_way_back_passes_whatever_the_seed(answer, seed):
    verdict = check("layer-by-layer", answer, seed)
    assert verdict.passed, verdict


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("no noise", "no noise is drawn"),
        ("variance for σ", "the variance multiplies ε"),
        ("told s", "isn't told the step's t"),
        ("z_0 returned", "z_0 itself is returned"),
        ("s and t exchanged", "s and t are exchanged"),
        ("same ε in all steps", "every step adds the same ε"),
    ],
)
def test_a_wrong_way_back_is_named(what, said):
    assert said in check("layer-by-layer", dict(WRONG["layer-by-layer"])[what]).message


def test_every_exercise_has_wrong_and_right_answers():
    assert set(WRONG) == set(RIGHT) == set(ANOTHER_HAND) | {"layer-by-layer"}
