"""The committed decoder.js: made by the present script on MNIST, and small."""

import re
import sys

from helpers.places import FIGURES

sys.path.insert(0, str(FIGURES))  # as `python figures/decoder.py` has it

import decoder

SCRIPT = decoder.SCRIPT.read_text("utf-8")


def test_it_was_made_by_the_present_script_on_mnist():
    assert decoder.origin() in SCRIPT, "run python figures/decoder.py, with MNIST at hand"
    assert "60,000 mnist images" in SCRIPT


def test_it_is_small_and_8_bits_change_little():
    assert len(SCRIPT.encode()) <= 500_000
    assert float(re.search(r"by more than ([\d.]+)\.\n", SCRIPT)[1]) <= 0.05
