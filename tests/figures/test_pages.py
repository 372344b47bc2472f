"""The two pages of digits in README are the ones that stand in notebook 11."""

import sys

from helpers.places import FIGURES

sys.path.insert(0, str(FIGURES))  # as `python figures/pages.py` has it

import pages


def test_the_pages_are_the_last_picture_of_notebook_11():
    assert (FIGURES / "pages.png").read_bytes() == pages.last_picture(), "run python figures/pages.py"
