"""In a real browser a learner can run a notebook in JupyterLab, move a slider and see the picture change."""

import urllib.error

import pytest
from in_page import changes_picture, label_of, picture_of, press_on_slider, row_of


@pytest.fixture(scope="module")
def latent_sliders(run_all):
    """The output of 05_vae with one slider per latent dimension and the picture that they decode to."""
    page = run_all("05_vae.ipynb")
    outputs = page.locator(".jp-OutputArea-output").filter(has=page.locator("img.vae-picture"))
    return outputs.filter(has=label_of("z 1", page)).first


def test_moving_a_latent_slider_by_keyboard_changes_the_decoded_picture_and_its_alt_text(latent_sliders):
    from playwright.sync_api import expect

    readout, alt = (
        row_of("z 1", latent_sliders).locator(".widget-readout"),
        picture_of(latent_sliders).get_attribute("alt"),
    )
    value = readout.inner_text()
    changes_picture(latent_sliders, lambda: press_on_slider(latent_sliders, "z 1"), "The image decoded from z")
    expect(readout).not_to_have_text(value)
    assert picture_of(latent_sliders).get_attribute("alt") != alt


def test_the_diagrams_of_the_notebook_are_shown(latent_sliders):
    diagram = latent_sliders.page.locator(".jp-MarkdownOutput img").first
    assert "figures/vae.svg" in diagram.get_attribute("src")
    assert diagram.evaluate("image => image.complete && image.naturalWidth") > 0


@pytest.mark.parametrize("token", ["", "0" * 32], ids=["no_token", "wrong_token"])
def test_jupyterlab_refuses_to_serve_without_its_token(lab, token):
    with pytest.raises(urllib.error.HTTPError) as refusal:
        lab.get("api/contents", token=token)
    assert refusal.value.code == 403
