"""The class explorer of notebook 08 in a real browser: keys on a slider and clicks on a class change the picture."""

import re

import pytest

from helpers.in_page import changes_picture, press_on_slider

CODE = """from vae_helpers import widgets
from vae_helpers.models import ConditionalVAE
import torch
torch.manual_seed(0)
widgets.class_explorer(ConditionalVAE(2, (8,)), label=7)"""


@pytest.fixture(scope="module")
def explorer(show_widget):
    return show_widget(CODE)


def test_a_key_on_a_style_slider_changes_the_picture(explorer):
    changes_picture(explorer, lambda: press_on_slider(explorer, "style 2"), "Class 7 in style")


def test_with_the_tick_all_classes_are_shown_and_without_it_the_class_that_is_pressed(explorer):
    changes_picture(explorer, lambda: explorer.get_by_role("checkbox").check(), "All classes in style")
    changes_picture(explorer, lambda: explorer.get_by_role("checkbox").uncheck(), "Class 7 in style")
    button = explorer.locator(".widget-toggle-button", has_text=re.compile(r"^\s*4\s*$"))
    changes_picture(explorer, button.click, "Class 4 in style")
