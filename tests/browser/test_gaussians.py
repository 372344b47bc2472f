"""The two Gaussian explorers of notebook 03 in a real browser: an arrow key moves q, picture and alt text follow."""

import pytest

from helpers.in_page import changes_picture, picture_of, press_on_slider

CODE = """from vae_helpers import widgets
def log_joint(z):
    return -0.5 * (z - 1) ** 2 - z ** 4
widgets.{name}(log_joint, mu=0.3, sigma=0.5)"""


@pytest.mark.parametrize("name", ["forward_reverse_kl", "elbo_explorer"])
def test_a_key_on_a_slider_moves_q(show_widget, name):
    widget = show_widget(CODE.format(name=name))
    for label in ("mean μ", "spread σ"):
        alt = picture_of(widget).get_attribute("alt")
        changes_picture(widget, lambda label=label: press_on_slider(widget, label), "q with mean")
        assert picture_of(widget).get_attribute("alt") != alt
