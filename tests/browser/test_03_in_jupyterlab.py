"""The two Gaussian explorers of notebook 03 in a real browser: an arrow key moves q, picture and numbers follow."""

import re

import pytest


@pytest.fixture(scope="module")
def page(run_all):
    return run_all("03_elbo.ipynb")


@pytest.mark.parametrize("number", [0, 1], ids=["forward_reverse_kl", "elbo_explorer"])
@pytest.mark.parametrize("label", ["mean μ", "spread σ"])
def test_a_key_on_a_slider_moves_q(page, number, label):
    from playwright.sync_api import expect

    outputs = page.locator(".jp-OutputArea-output").filter(has=page.locator("img.vae-picture"))
    widget = outputs.nth(number)
    picture = widget.locator("img.vae-picture")
    source, alt = picture.get_attribute("src"), picture.get_attribute("alt")
    row = widget.locator(".widget-slider").filter(
        has=page.locator(".widget-label", has_text=re.compile(rf"^\s*{label}\s*$"))
    )
    row.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    expect(picture).not_to_have_attribute("src", source)
    expect(picture).not_to_have_attribute("alt", alt)
    assert alt.startswith("q with mean")
