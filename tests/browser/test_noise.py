"""The noise explorer of notebook 02 in a real browser: every control changes the picture."""

import pytest

from helpers.in_page import changes_picture, label_of, picture_of, press_on_slider

CODE = """from vae_helpers import widgets
from vae_helpers.models import Autoencoder
import torch
images = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(0))
widgets.noise_explorer({"untrained": Autoencoder(3, (8,))}, images, "Gaussian", 0.3)"""


@pytest.fixture(scope="module")
def explorer(show_widget):
    return show_widget(CODE)


def test_more_noise_by_keyboard_changes_the_picture_and_its_numbers(explorer):
    alt = picture_of(explorer).get_attribute("alt")
    changes_picture(explorer, lambda: press_on_slider(explorer, "amount"))
    assert picture_of(explorer).get_attribute("alt") != alt
    assert "dB" in explorer.inner_text()


def test_another_kind_of_noise_changes_the_picture(explorer):
    menu = explorer.locator(".widget-dropdown").filter(has=label_of("noise", explorer.page)).locator("select")
    changes_picture(explorer, lambda: menu.select_option("masking"))
    assert "masking noise" in picture_of(explorer).get_attribute("alt")


def test_the_button_draws_other_noise(explorer):
    changes_picture(explorer, explorer.get_by_role("button", name="other noise").click)
