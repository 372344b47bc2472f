"""Slides hold what fits a screen, an author's own types stay, and a sentence stays with the code it leads to."""

import base64

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from execute import normalise
from slides import SCREEN, WIDTH, height, slide_types

TALL = "word " * 220  # more than half of a screen


def text(source="A short sentence.", slide=None):
    return new_markdown_cell(source, metadata={"slideshow": {"slide_type": slide}} if slide else {})


def picture(tall, wide=WIDTH, lines=1, slide=None):
    header = (
        b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + b"IHDR" + wide.to_bytes(4, "big") + tall.to_bytes(4, "big")
    )
    output = new_output("display_data", {"image/png": base64.b64encode(header + bytes(40)).decode()})
    metadata = {"slideshow": {"slide_type": slide}} if slide else {}
    return new_code_cell("x\n" * lines, outputs=[output], metadata=metadata)


def test_cells_share_a_slide_as_long_as_they_fit():
    assert height(text(TALL)) > SCREEN / 2
    assert slide_types([text("## A"), text(), text(TALL), text(TALL), text()]) == [
        "slide",
        "fragment",
        "fragment",
        "subslide",
        "fragment",
    ]


def test_a_cell_that_fits_no_screen_is_a_slide_of_its_own():
    assert slide_types([text("## A"), picture(2 * SCREEN), text()]) == ["slide", "subslide", "subslide"]


def test_a_sentence_goes_to_the_next_screen_with_the_code_it_leads_to():
    assert slide_types([text("## A"), text(TALL), text(), picture(300)]) == [
        "slide",
        "fragment",
        "subslide",
        "fragment",
    ]


def test_what_was_skipped_takes_no_room():
    long = new_code_cell("x\n" * 30)
    assert slide_types([text("## A"), long, picture(300), text()]) == ["slide", "skip", "fragment", "fragment"]


def test_a_long_cell_is_a_slide_if_it_draws_a_picture_and_fits_the_screen_unzoomed():
    assert slide_types([text("## A"), picture(200, lines=20)]) == ["slide", "subslide"]
    assert slide_types([text("## A"), picture(200, lines=40)]) == ["slide", "skip"]


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize("own", ["slide", "notes", "skip"])
def test_an_authors_own_type_stays(own, anew):
    assert slide_types([text("## A"), text(slide=own)], anew) == ["slide", own]


def test_a_screen_that_was_full_is_shared_out_again_only_when_asked():
    cells = [text("## A"), text(slide="subslide"), text(slide="fragment")]
    assert slide_types(cells) == ["slide", "subslide", "fragment"]
    assert slide_types(cells, anew=True) == ["slide", "fragment", "fragment"]


def test_no_cell_keeps_the_type_that_deck_mode_never_shows():
    nb = normalise(new_notebook(cells=[text("# A"), text(slide="-"), picture(200, lines=30, slide="-")]))
    assert [cell.metadata.slideshow.slide_type for cell in nb.cells] == ["slide", "fragment", "subslide"]


def test_sharing_out_twice_changes_nothing():
    nb = new_notebook(cells=[text("## A"), text(TALL), text(), picture(300), text(TALL), text()])
    once = normalise(nb, new_slides=True)
    assert normalise(once, new_slides=True) == once
    assert normalise(once) == once


def test_a_folded_answer_and_folded_code_take_a_line():
    folded = "<details><summary>Why?</summary>" + TALL + "</details>"
    assert height(text(folded)) < 50
    cell = new_code_cell("x\n" * 30, metadata={"jupyter": {"source_hidden": True}})
    assert height(cell) < 50


def test_a_wide_picture_is_scaled_down():
    assert height(picture(400, wide=2 * WIDTH)) == height(picture(200, wide=WIDTH))
