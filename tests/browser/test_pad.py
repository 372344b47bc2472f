"""The drawing pad in a real browser: mouse, finger and keys draw, and the pictures beside it follow."""

import re

import pytest

from helpers.in_page import changes_picture, picture_of

CODE = """from vae_helpers import widgets
from vae_helpers.models import Autoencoder
import torch
torch.manual_seed(0)
sheet = widgets.drawing_pad({"untrained": Autoencoder(3, (8,)), "negative": lambda x: 1 - x})
sheet.fitted.value = False
sheet"""
INK = """canvas => {
    const values = canvas.getContext("2d").getImageData(0, 0, 28, 28).data;
    return [...values].filter((_, i) => i % 4 == 0).map(value => 255 - value);
}"""
NTH_IMAGE = """([source, n]) => new Promise(done => {
    const image = new Image();
    image.onload = () => {
        const canvas = document.createElement("canvas");
        canvas.width = image.width; canvas.height = image.height;
        const paper = canvas.getContext("2d");
        paper.drawImage(image, 0, 0);
        const zoom = 4, pixels = [];
        for (let row = 0; row < 28; row++) for (let column = 0; column < 28; column++)
            pixels.push(255 - paper.getImageData(zoom * (30 * n + column), zoom * row, 1, 1).data[0]);
        done(pixels);
    };
    image.src = source;
})"""


@pytest.fixture(scope="module")
def widget(show_widget):
    pytest.importorskip("anywidget")
    return show_widget(CODE)


@pytest.fixture
def pad(widget):
    """The pad, with an empty sheet."""
    pad = widget.get_by_role("application")
    pad.scroll_into_view_if_needed()
    if sum(ink_of(pad)):
        changes_picture(widget, widget.get_by_role("button", name="clear").click, "Your drawing, 0.0% of it ink")
    return pad


def ink_of(pad):
    """The 784 bytes of ink on the sheet."""
    return pad.locator("canvas").evaluate(INK)


def in_picture(widget, n):
    """The 784 bytes of ink in the n-th image beside the sheet."""
    return widget.page.evaluate(NTH_IMAGE, [picture_of(widget).get_attribute("src"), n])


def drag(page, pad, start, end):
    box = pad.bounding_box()
    places = [(box["x"] + a * box["width"], box["y"] + b * box["height"]) for a, b in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=4)
    page.mouse.up()


def settled(widget, pad):
    """Wait until the input in the picture is what is on the sheet."""
    for _ in range(100):
        if in_picture(widget, 0) == ink_of(pad):
            return
        widget.page.wait_for_timeout(50)
    raise AssertionError("the picture of the input never became what is on the sheet")


def test_a_stroke_by_mouse_changes_what_the_models_make_of_it(widget, pad):
    reconstruction = in_picture(widget, 1)
    changes_picture(widget, lambda: drag(widget.page, pad, (0.25, 0.2), (0.25, 0.8)), r"Your drawing, [1-9]")
    settled(widget, pad)
    assert in_picture(widget, 1) != reconstruction
    rows = [ink_of(pad)[28 * k : 28 * k + 28] for k in range(28)]
    assert all(max(rows[k][5:9]) == 255 for k in range(6, 22)), "the stroke has gaps, or is somewhere else"
    assert not any(map(max, rows[:3])) and not any(max(row[12:]) for row in rows)
    assert in_picture(widget, 2) == [255 - value for value in ink_of(pad)]


def test_the_brush_is_soft_at_its_edges(widget, pad):
    changes_picture(widget, lambda: drag(widget.page, pad, (0.52, 0.2), (0.52, 0.8)))
    settled(widget, pad)
    across = ink_of(pad)[28 * 14 : 28 * 15]
    assert 0.8 <= sum(across) / (3 * 255) <= 1.2, "a stroke is about three pixels wide"
    assert any(0 < value < 255 for value in across)


def test_keys_draw_where_the_brush_is_and_its_place_is_told(widget, pad):
    from playwright.sync_api import expect

    pad.focus()
    keys = widget.page.keyboard
    for _ in range(30):
        keys.press("ArrowLeft")
        keys.press("ArrowUp")
    expect(pad).to_have_attribute("aria-label", re.compile(r"brush at column 1, row 1 of 28\..* Space draws"))
    for _ in range(5):
        keys.press("ArrowRight")
    for _ in range(8):
        keys.press("ArrowDown")
    expect(pad).to_have_attribute("aria-label", re.compile("brush at column 6, row 9 of 28"))
    assert sum(ink_of(pad)) == 0
    reconstruction = in_picture(widget, 1)
    changes_picture(widget, lambda: keys.press("Space"), "Your drawing, ")
    settled(widget, pad)
    assert ink_of(pad)[28 * 8 + 5] == 255 and sum(ink_of(pad)) < 20 * 255
    assert in_picture(widget, 1) != reconstruction


def test_shift_and_an_arrow_draw_a_line_and_backspace_clears(widget, pad):
    pad.focus()
    keys = widget.page.keyboard
    dot = sum(ink_of(pad))
    for _ in range(4):
        changes_picture(widget, lambda: keys.press("Shift+ArrowRight"))
    assert sum(ink_of(pad)) > dot + 8 * 255
    changes_picture(widget, lambda: keys.press("Backspace"), "Your drawing, 0.0% of it ink")
    assert sum(ink_of(pad)) == 0


def test_jupyterlab_does_not_take_the_keys_for_its_own(widget, pad):
    page = widget.page
    cells = page.locator(".jp-Cell").count()
    pad.focus()
    for key in ("ArrowDown", "Shift+ArrowDown", "Space", "Backspace"):
        page.keyboard.press(key)
    assert page.locator(".jp-Cell").count() == cells
    assert pad.evaluate("pad => document.activeElement === pad")


def test_the_tick_centres_the_drawing_for_the_models_and_leaves_it_on_the_sheet(widget, pad):
    changes_picture(widget, lambda: drag(widget.page, pad, (0.2, 0.2), (0.2, 0.4)))
    settled(widget, pad)
    before = ink_of(pad)
    tick = widget.get_by_role("checkbox")
    changes_picture(widget, tick.check)
    assert ink_of(pad) == before
    assert max(in_picture(widget, 0)[28 * k + 14] for k in range(6, 22)) > 200
    changes_picture(widget, tick.uncheck)


def test_a_finger_draws_and_does_not_scroll_the_page(widget, pad):
    box, touch = pad.bounding_box(), widget.page.context.new_cdp_session(widget.page)

    def finger():
        for kind, down in (("touchStart", 0.3), ("touchMove", 0.5), ("touchMove", 0.7), ("touchEnd", None)):
            place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + (down or 0) * box["height"]}
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [place] if down else []})

    changes_picture(widget, finger, "Your drawing, ")
    settled(widget, pad)
    assert all(max(ink_of(pad)[28 * k + 12 : 28 * k + 16]) == 255 for k in range(9, 19))
    assert pad.bounding_box() == box
