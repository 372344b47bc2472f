"""The denoising walk on the kernel's side: what it walks, what it refuses, that it works on its own."""

import time
from statistics import median

from vae_helpers.losses import alpha_and_sigma
from vae_helpers.widgets import denoising_walk
from vae_helpers.widgets.walks import WALKERS

import pytest
import torch
from torch import nn

POINTS = 0.5 * torch.randn(200, 2, generator=torch.Generator().manual_seed(0)) + 1


def of_points(z, t):
    """E[x|z_t] of N(1, ¼ I)."""
    alpha, sigma = alpha_and_sigma(t[:, None])
    return 1 + 0.25 * alpha / (0.25 * alpha.square() + sigma.square()) * (z - alpha)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(2))
        self.dropout = nn.Dropout(0.5)

    def forward(self, z, t):
        return self.dropout(of_points(z, t)) + self.shift


def test_points_walk_from_noise_to_data():
    walk = denoising_walk(of_points, POINTS)
    assert walk.path.shape == (66, WALKERS, 2)
    assert walk.path[0].mean().abs() < 0.3
    assert (walk.path[-1].mean(0) - 1).abs().max() < 0.3


def test_the_slider_takes_the_nearest_step():
    walk = denoising_walk(of_points, POINTS, steps=4)
    for value, step, shown in ((1.0, 0, 1.0), (0.0, 4, 0.0), (0.3, 3, 0.25), (0.7, 1, 0.75)):
        walk.t.value = value
        assert (walk.index(), walk.time()) == (step, shown)


def test_a_guess_is_the_denoisers_of_the_points_at_their_time():
    walk = denoising_walk(of_points, POINTS, steps=8)
    walk.t.value = 0.25
    assert torch.equal(walk.guesses(), of_points(walk.path[6], torch.full((WALKERS,), 0.25)))


def test_training_afterwards_does_not_touch_the_widget_nor_it_the_global_numbers():
    net, before = Net(), torch.random.get_rng_state()
    walk = denoising_walk(net, POINTS)
    still = walk.png()
    walk.other_noise()
    assert torch.equal(before, torch.random.get_rng_state())
    walk.seed = 0
    with torch.no_grad():
        net.shift += 5
    walk.walk()
    assert walk.png() == still and net.training


def test_without_a_kernel_there_is_a_sentence_and_a_still():
    bundle, metadata = denoising_walk(of_points, POINTS)._repr_mimebundle_()
    assert bundle["text/plain"] == metadata["image/png"]["alt"]
    assert "a still at t = 0.50, 64 steps" in bundle["text/plain"]


def test_a_frame_takes_no_longer_than_a_few_hundredths_of_a_second_even_on_a_busy_machine():
    walk, seconds = denoising_walk(of_points, POINTS), []
    for i in range(20):
        start = time.perf_counter()
        walk.t.value = i / 20
        seconds.append(time.perf_counter() - start)
    assert median(seconds) < 0.1


def test_what_it_cannot_walk_is_refused():
    with pytest.raises(
        ValueError, match=r"denoise\(z, t\) must give one point for each z, \(3, 2\) here, got \(3, 1\)"
    ):
        denoising_walk(lambda z, t: z[:, :1], POINTS)
    with pytest.raises(ValueError, match="got tuple"):
        denoising_walk(lambda z, t: (z, t), POINTS)
    with pytest.raises(ValueError, match="steps must be 1, 2, 4"):
        denoising_walk(of_points, POINTS, steps=3)
