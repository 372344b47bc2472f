"""The prior explorer in a real browser: another prior and other draws change the picture and the map."""

import re

import pytest

from helpers.in_page import changes_picture

CODE = """from vae_helpers import models, widgets
import torch
torch.manual_seed(0)
codes = torch.randn(200, 3) * torch.tensor([3.0, 1.0, 0.5]) + 2
priors = {"standard": models.StandardGaussian(3), "fitted": models.FullGaussian.fitted_to(codes)}
widgets.prior_explorer(models.VAE(3, (8,)), priors, codes, torch.arange(200) % 10)"""


@pytest.fixture(scope="module")
def explorer(show_widget):
    return show_widget(CODE)


def test_another_prior_changes_the_picture_and_the_map(explorer):
    from playwright.sync_api import expect

    places = explorer.locator("img.vae-map")
    before = places.get_attribute("src")
    button = explorer.locator(".widget-toggle-button", has_text=re.compile(r"^\s*fitted\s*$"))
    changes_picture(explorer, button.click, "15 codes drawn from fitted")
    expect(places).not_to_have_attribute("src", before)


def test_draw_again_changes_the_picture(explorer):
    changes_picture(explorer, explorer.get_by_role("button", name="draw again").click, "15 codes drawn from ")
