"""In a real browser the KL explorer of notebook 04 follows its sliders: the picture, its alt text and the numbers."""

from math import exp

import pytest

from helpers.in_page import changes_picture, picture_of, press_on_slider, row_of


@pytest.fixture(scope="module")
def explorer(show_widget):
    return show_widget("from vae_helpers import widgets\nwidgets.kl_explorer(mu=1.0, logvar=0.0)")


@pytest.mark.parametrize("label", ["μ", "log σ²"])
def test_moving_a_slider_by_keyboard_changes_picture_alt_text_and_numbers(explorer, label):
    from playwright.sync_api import expect

    numbers, alt = explorer.locator("code"), picture_of(explorer).get_attribute("alt")
    said = numbers.inner_text()
    changes_picture(explorer, lambda: press_on_slider(explorer, label))
    assert picture_of(explorer).get_attribute("alt") != alt
    expect(numbers).not_to_have_text(said)


def test_the_numbers_say_the_kl_of_the_place_the_sliders_show(explorer):
    mu, logvar = (
        float(row_of(label, explorer).locator(".widget-readout").inner_text().replace("−", "-"))
        for label in ("μ", "log σ²")
    )
    kl = 0.5 * (mu**2 + exp(logvar) - logvar - 1)
    assert f"= {kl:.2f} nats" in explorer.locator("code").inner_text()
