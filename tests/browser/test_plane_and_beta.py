"""The latent plane and the β explorer of notebook 07 in a real browser: keys and drags change picture and numbers."""

import pytest

from helpers.in_page import changes_picture, press_on_slider

PLANE = """from vae_helpers import widgets
from vae_helpers.models import VAE
import torch
torch.manual_seed(0)
widgets.latent_plane(VAE(2, (8,)), torch.randn(50, 2), torch.arange(50) % 10, pad={pad})"""
EXPLORER = """from vae_helpers import widgets
from vae_helpers.losses import Loss
from vae_helpers.models import VAE
import torch
torch.manual_seed(0)
betas = (0.5, 1, 4)
models = {beta: VAE(3, (8,)) for beta in betas}
losses = {beta: Loss(80.0 + beta, 20.0 - beta) for beta in betas}
widgets.beta_explorer(models, losses, torch.rand(10, 1, 28, 28))"""


@pytest.fixture(scope="module")
def plane(show_widget):
    pytest.importorskip("anywidget")
    return show_widget(PLANE.format(pad=True))


@pytest.fixture(scope="module")
def sliders(show_widget):
    return show_widget(PLANE.format(pad=False))


@pytest.fixture(scope="module")
def explorer(show_widget):
    return show_widget(EXPLORER)


def test_arrow_keys_on_the_pad_move_the_point_and_the_picture_and_its_label_follow(plane):
    from playwright.sync_api import expect

    pad = plane.get_by_role("application")
    expect(pad).to_have_attribute("aria-label", "Latent plane, z = (0.0, 0.0). Arrow keys move the point.")
    pad.focus()
    keys = plane.page.keyboard
    changes_picture(plane, lambda: keys.press("ArrowRight"), r"The image decoded from z = \(0.1, 0.0")
    changes_picture(plane, lambda: keys.press("ArrowDown"), r"The image decoded from z = \(0.1, -0.1")
    expect(pad).to_have_attribute("aria-label", "Latent plane, z = (0.1, -0.1). Arrow keys move the point.")


def test_dragging_on_the_pad_moves_the_point_z1_to_the_right_and_z2_up(plane):
    pad = plane.get_by_role("application")
    pad.scroll_into_view_if_needed()
    box, mouse = pad.bounding_box(), plane.page.mouse

    def drag():
        mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        mouse.down()
        mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"], steps=5)
        mouse.up()

    changes_picture(plane, drag, r"The image decoded from z = \(1\.[78], 1\.[78]")


def test_where_there_is_no_pad_a_key_on_a_slider_changes_the_picture(sliders):
    changes_picture(sliders, lambda: press_on_slider(sliders, "z 2"), r"The image decoded from z = \(0.0, 0.1")


def test_a_key_on_the_slider_of_beta_changes_picture_and_numbers(explorer):
    from playwright.sync_api import expect

    numbers = explorer.locator("code")
    expect(numbers).to_have_text("rate (KL) 19.0 + distortion 81.0 = 100.0 nats")
    changes_picture(explorer, lambda: press_on_slider(explorer, "β"), "β = 4")
    expect(numbers).to_have_text("rate (KL) 16.0 + distortion 84.0 = 100.0 nats")
