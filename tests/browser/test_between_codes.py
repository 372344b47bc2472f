"""The interpolation of notebook 05 in a real browser: t, the way and a new pair change the picture."""

import re

import pytest

from helpers.in_page import changes_picture, press_on_slider

CODE = """from vae_helpers import data, widgets
from vae_helpers.models import VAE
import torch
torch.manual_seed(0)
widgets.interpolation(VAE(3, (8,)), data.load_glyphs(n=9, n_test=1).x, pair=(2, 5))"""


@pytest.fixture(scope="module")
def walk(show_widget):
    return show_widget(CODE)


def test_a_key_on_the_slider_moves_along_the_way(walk):
    changes_picture(walk, lambda: press_on_slider(walk, "t"), "Image 2, the straight way at t = 0.52")


def test_a_press_on_spherical_takes_the_other_way(walk):
    from playwright.sync_api import expect

    button = walk.locator(".widget-toggle-button", has_text=re.compile(r"^\s*spherical\s*$"))
    changes_picture(walk, button.click, "Image 2, the spherical way")
    expect(walk.locator("img.vae-strip")).to_have_attribute("alt", "The whole spherical way in 11 steps")


def test_new_pair_chooses_two_other_images(walk):
    changes_picture(walk, walk.get_by_role("button", name="new pair").click, r"Image \d, the spherical way")
