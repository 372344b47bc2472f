"""Where things are in a page of JupyterLab, and what changes when a widget is touched."""

import base64
import hashlib
import re


def label_of(text, page):
    """A control's label."""
    return page.locator(".widget-label", has_text=re.compile(rf"^\s*{text}\s*$"))


def row_of(label, widget):
    """A slider's row, found by its label: its handle has no accessible name."""
    return widget.locator(".widget-slider").filter(has=label_of(label, widget.page))


def picture_of(widget):
    return widget.locator("img.vae-picture")


def fingerprint(picture):
    """A hash of the bytes of the PNG file that an <img> shows."""
    kind, data = picture.get_attribute("src").split(",", 1)
    assert kind == "data:image/png;base64"
    return hashlib.sha256(base64.b64decode(data, validate=True)).hexdigest()


def changes_picture(widget, act, alt=""):
    """Do something to a widget: another picture must follow, with an alt text that begins as given."""
    from playwright.sync_api import expect

    picture = picture_of(widget)
    source, before = picture.get_attribute("src"), fingerprint(picture)
    act()
    expect(picture).not_to_have_attribute("src", source)
    assert fingerprint(picture) != before
    expect(picture).to_have_attribute("alt", re.compile(rf"^{alt}.+"))


def press_on_slider(widget, label, key="ArrowRight"):
    """Move a slider by the keyboard."""
    row_of(label, widget).get_by_role("slider").focus()
    widget.page.keyboard.press(key)


def widgets_in(page, n, seconds=120):
    """The ``n`` widgets of a page, in its order, as soon as all are there."""
    from playwright.sync_api import expect

    pictures = page.locator("img.vae-picture")
    expect(pictures).to_have_count(n, timeout=1000 * seconds)
    outputs = page.locator(".jp-OutputArea-output").filter(has=pictures)
    return [outputs.nth(k) for k in range(n)]
