"""The denoising walk in a real browser: t, and fresh noise or none, change the picture."""

import re

import pytest

from helpers.in_page import changes_picture, press_on_slider

CODE = """from vae_helpers import losses, widgets
import torch
torch.manual_seed(0)

def denoise(z, t):
    alpha, sigma = losses.alpha_and_sigma(t[:, None])
    return 0.25 * alpha / (0.25 * alpha**2 + sigma**2) * z

widgets.denoising_walk(denoise, 0.5 * torch.randn(200, 2), steps=8)"""


@pytest.fixture(scope="module")
def walk(show_widget):
    return show_widget(CODE)


def test_t_walks_the_points(walk):
    changes_picture(walk, lambda: press_on_slider(walk, "t"))


def test_without_fresh_noise_they_go_another_way(walk):
    button = walk.locator(".widget-toggle-button", has_text=re.compile(r"^\s*without\s*$"))
    changes_picture(walk, button.click, r"60 points at t = 0\.\d\d, 8 steps, no fresh noise")
