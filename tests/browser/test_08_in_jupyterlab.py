"""The class explorer of notebook 08 in a real browser: keys on a slider and clicks on a class change the picture."""

import re

import pytest


@pytest.fixture(scope="module")
def widget(run_all):
    page = run_all("08_conditional_vae.ipynb")
    outputs = page.locator(".jp-OutputArea-output").filter(has=page.locator("img.vae-picture"))
    return outputs.filter(has=page.locator(".widget-toggle-buttons")).first


def changes_after(widget, act, alt):
    from playwright.sync_api import expect

    picture = widget.locator("img.vae-picture")
    source = picture.get_attribute("src")
    act()
    expect(picture).not_to_have_attribute("src", source)
    expect(picture).to_have_attribute("alt", re.compile(alt))


def test_a_key_on_a_style_slider_changes_the_picture(widget):
    row = widget.locator(".widget-slider").filter(
        has=widget.page.locator(".widget-label", has_text=re.compile(r"^\s*style 2\s*$"))
    )
    row.get_by_role("slider").focus()
    changes_after(widget, lambda: widget.page.keyboard.press("ArrowRight"), "^All classes in style")


def test_without_the_tick_a_press_on_a_class_shows_that_class(widget):
    changes_after(widget, lambda: widget.get_by_role("checkbox").uncheck(), "^Class 7 in style")
    button = widget.locator(".widget-toggle-button", has_text=re.compile(r"^\s*4\s*$"))
    changes_after(widget, button.click, "^Class 4 in style")
