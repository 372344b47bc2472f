"""In a real browser a learner can run a notebook in JupyterLab, move a slider and see the picture change."""

import base64
import hashlib
import re
import urllib.error

import pytest


def row_of(label, widget):
    """A slider's row, found by its label: its handle has no accessible name."""
    return widget.locator(".widget-slider").filter(has=label_of(label, widget.page))


def label_of(text, page):
    return page.locator(".widget-label", has_text=re.compile(rf"^\s*{text}\s*$"))


def fingerprint(picture):
    """A hash of the bytes of the PNG file that an <img> shows."""
    kind, data = picture.get_attribute("src").split(",", 1)
    assert kind == "data:image/png;base64"
    return hashlib.sha256(base64.b64decode(data, validate=True)).hexdigest()


@pytest.fixture(scope="module")
def latent_sliders(run_all):
    """The output of 05_vae with one slider per latent dimension and the picture that they decode to."""
    page = run_all("05_vae.ipynb")
    outputs = page.locator(".jp-OutputArea-output").filter(has=page.locator("img.vae-picture"))
    return outputs.filter(has=label_of("z 1", page)).first


def test_moving_a_latent_slider_by_keyboard_changes_the_decoded_picture(latent_sliders):
    from playwright.sync_api import expect

    picture = latent_sliders.locator("img.vae-picture")
    before, source = fingerprint(picture), picture.get_attribute("src")
    row = row_of("z 1", latent_sliders)
    value = row.locator(".widget-readout").inner_text()
    row.get_by_role("slider").focus()
    latent_sliders.page.keyboard.press("ArrowRight")
    expect(row.locator(".widget-readout")).not_to_have_text(value)
    expect(picture).not_to_have_attribute("src", source)
    assert fingerprint(picture) != before


def test_the_decoded_picture_has_alt_text(latent_sliders):
    assert latent_sliders.locator("img.vae-picture").get_attribute("alt").strip()


def test_the_diagrams_of_the_notebook_are_shown(latent_sliders):
    diagram = latent_sliders.page.locator(".jp-MarkdownOutput img").first
    assert "figures/vae.svg" in diagram.get_attribute("src")
    assert diagram.evaluate("image => image.complete && image.naturalWidth") > 0


@pytest.mark.parametrize("token", ["", "0" * 32], ids=["no_token", "wrong_token"])
def test_jupyterlab_refuses_to_serve_without_its_token(lab, token):
    with pytest.raises(urllib.error.HTTPError) as refusal:
        lab.get("api/contents", token=token)
    assert refusal.value.code == 403
