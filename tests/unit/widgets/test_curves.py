"""Curves of a widget: what has moved is drawn, what stays stays, and the picture is a small PNG."""

import io

from vae_helpers.widgets.curves import Curves, CurvesPicture

import numpy as np
import pytest
from PIL import Image

ACROSS = np.linspace(0, 1, 50)


@pytest.fixture
def curves():
    made = Curves(4, 2, panels=2)
    for axis in made.axes:
        axis.set(xlim=(0, 1), ylim=(0, 1))
    made.line("left", 0, color="#0072B2")
    made.line("right", 1, color="#D55E00", marker="o")
    return made


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def test_a_moved_line_changes_its_own_panel_only(curves):
    before = pixels(curves.png(left=(ACROSS, ACROSS), right=(ACROSS, ACROSS)))
    after = pixels(curves.png(left=(ACROSS, 1 - ACROSS)))
    changed = (before != after).any(axis=2)
    half = changed.shape[1] // 2
    assert changed[:, :half].any() and not changed[:, half:].any()


def test_a_moved_line_leaves_no_ghost_where_it_was(curves):
    bare = pixels(curves.png())
    curves.png(left=(ACROSS, 0.2 * ACROSS), right=(0.5, 0.5))
    assert (pixels(curves.png(left=([], []), right=([], []))) == bare).all()


def test_no_line_is_drawn_into_what_stays():
    first = Curves(4, 2)
    first.axes[0].set(xlim=(0, 1), ylim=(0, 1))
    first.line("only", color="#0072B2", lw=3)
    first.png(only=(ACROSS, ACROSS))
    moved = pixels(first.png(only=(ACROSS, 0 * ACROSS + 0.1)))
    across, up = (round(v) for v in first.axes[0].transData.transform((0.6, 0.6)))
    assert (moved[len(moved) - up, across] == 255).all()


def test_lines_keep_their_colours_whatever_the_first_picture_showed(curves):
    curves.png()
    shown = pixels(curves.png(right=(0.5, 0.5)))
    assert (np.abs(shown - np.array([0xD5, 0x5E, 0x00])).max(axis=2) <= 8).any()


def test_the_same_points_give_the_same_picture(curves):
    first = curves.png(left=(ACROSS, ACROSS))
    curves.png(left=(ACROSS, ACROSS**2))
    assert curves.png(left=(ACROSS, ACROSS)) == first


def test_the_picture_has_alt_text():
    picture = CurvesPicture()
    picture.draw(b"png", "A curve")
    assert 'alt="A curve"' in picture.value and "data:image/png;base64,cG5n" in picture.value


def test_the_paper_is_white(curves):
    assert (pixels(curves.png())[0, 0] == 255).all()
