"""In a real browser a learner can run a whole notebook in JupyterLab, see its diagram, and move a slider."""

import urllib.error

import pytest

from helpers.in_page import changes_picture, picture_of, press_on_slider, row_of


@pytest.fixture(scope="module")
def page(run_all):
    """Notebook 03, the quickest with widgets and a diagram, run from top to bottom."""
    return run_all("03_elbo.ipynb")


def test_a_widget_of_a_notebook_that_was_run_answers_to_the_keyboard(page):
    widget = page.locator(".jp-OutputArea-output").filter(has=page.locator("img.vae-picture")).first
    changes_picture(widget, lambda: press_on_slider(widget, "mean μ"), "q with mean")


def test_the_diagram_of_the_notebook_is_shown(page):
    diagram = page.locator(".jp-MarkdownOutput img").first
    assert "figures/graphical_model.svg" in diagram.get_attribute("src")
    assert diagram.evaluate("image => image.complete && image.naturalWidth") > 0


LATENT_SLIDERS = """from vae_helpers import widgets
from vae_helpers.models import VAE
import torch
torch.manual_seed(0)
widgets.latent_sliders(VAE(20, (8,)))"""


def test_moving_a_latent_slider_by_keyboard_changes_the_decoded_picture_and_its_alt_text(show_widget):
    from playwright.sync_api import expect

    sliders = show_widget(LATENT_SLIDERS)
    readout, alt = row_of("z 1", sliders).locator(".widget-readout"), picture_of(sliders).get_attribute("alt")
    value = readout.inner_text()
    changes_picture(sliders, lambda: press_on_slider(sliders, "z 1"), "The image decoded from z")
    expect(readout).not_to_have_text(value)
    assert picture_of(sliders).get_attribute("alt") != alt


@pytest.mark.parametrize("token", ["", "0" * 32], ids=["no_token", "wrong_token"])
def test_jupyterlab_refuses_to_serve_without_its_token(lab, token):
    with pytest.raises(urllib.error.HTTPError) as refusal:
        lab.get("api/contents", token=token)
    assert refusal.value.code == 403
