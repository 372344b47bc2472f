"""In a real browser the KL explorer of notebook 04 follows its sliders: the picture, its alt text and the numbers."""

import re

import pytest


@pytest.fixture(scope="module")
def explorer(run_all):
    """The output of 04 with a slider for μ, one for log σ², numbers and a picture."""
    page = run_all("04_reparameterization_and_kl.ipynb")
    outputs = page.locator(".jp-OutputArea-output").filter(has=page.locator("img.vae-picture"))
    return outputs.filter(has=page.locator(".widget-label", has_text=re.compile(r"^\s*log σ²\s*$"))).first


def row_of(label, widget):
    """A slider's row, found by its label: its handle has no accessible name."""
    name = widget.page.locator(".widget-label", has_text=re.compile(rf"^\s*{label}\s*$"))
    return widget.locator(".widget-slider").filter(has=name)


@pytest.mark.parametrize("label", ["μ", "log σ²"])
def test_moving_a_slider_by_keyboard_changes_picture_alt_text_and_numbers(explorer, label):
    from playwright.sync_api import expect

    picture, numbers = explorer.locator("img.vae-picture"), explorer.locator("code")
    source, alt, said = picture.get_attribute("src"), picture.get_attribute("alt"), numbers.inner_text()
    row_of(label, explorer).get_by_role("slider").focus()
    explorer.page.keyboard.press("ArrowRight")
    expect(picture).not_to_have_attribute("src", source)
    expect(picture).not_to_have_attribute("alt", alt)
    expect(numbers).not_to_have_text(said)
    assert source.startswith("data:image/png;base64,")


def test_the_numbers_say_the_kl_of_the_place_the_sliders_show(explorer):
    from math import exp

    mu, logvar = (
        float(row_of(label, explorer).locator(".widget-readout").inner_text().replace("−", "-"))
        for label in ("μ", "log σ²")
    )
    kl = 0.5 * (mu**2 + exp(logvar) - logvar - 1)
    assert f"= {kl:.2f} nats" in explorer.locator("code").inner_text()


def test_the_diagram_of_the_notebook_is_shown(explorer):
    diagram = explorer.page.locator(".jp-MarkdownOutput img").first
    assert "figures/reparameterization.svg" in diagram.get_attribute("src")
    assert diagram.evaluate("image => image.complete && image.naturalWidth") > 0
