"""In a real browser a learner can run notebook 02 and play with noise: every control changes the picture."""

import pytest
from test_notebook_in_jupyterlab import fingerprint, label_of, row_of


@pytest.fixture(scope="module")
def noise_explorer(run_all):
    """The output of 02_denoising_autoencoder with the controls for noise, and its picture."""
    page = run_all("02_denoising_autoencoder.ipynb")
    outputs = page.locator(".jp-OutputArea-output").filter(has=page.locator("img.vae-picture"))
    return outputs.filter(has=label_of("amount", page)).first


def test_more_noise_by_keyboard_changes_the_picture_and_its_numbers(noise_explorer):
    from playwright.sync_api import expect

    picture = noise_explorer.locator("img.vae-picture")
    before, source, alt = fingerprint(picture), picture.get_attribute("src"), picture.get_attribute("alt")
    row = row_of("amount", noise_explorer)
    row.get_by_role("slider").focus()
    noise_explorer.page.keyboard.press("ArrowRight")
    expect(picture).not_to_have_attribute("src", source)
    assert fingerprint(picture) != before
    assert picture.get_attribute("alt") != alt
    expect(noise_explorer.get_by_text("dB", exact=False).first).to_be_visible()


def test_another_kind_of_noise_changes_the_picture(noise_explorer):
    from playwright.sync_api import expect

    picture = noise_explorer.locator("img.vae-picture")
    source = picture.get_attribute("src")
    noise_explorer.locator(".widget-dropdown").filter(has=label_of("noise", noise_explorer.page)).locator(
        "select"
    ).select_option("masking")
    expect(picture).not_to_have_attribute("src", source)
    assert "masking noise" in picture.get_attribute("alt")


def test_the_button_draws_other_noise(noise_explorer):
    from playwright.sync_api import expect

    picture = noise_explorer.locator("img.vae-picture")
    source = picture.get_attribute("src")
    noise_explorer.get_by_role("button", name="other noise").click()
    expect(picture).not_to_have_attribute("src", source)
