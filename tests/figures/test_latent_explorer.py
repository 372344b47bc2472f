"""The committed latent_explorer.html: made by the present script and template, small, and sufficient to itself."""

import importlib.util
import re
import sys

from helpers.places import FIGURES

PAGE = (FIGURES / "latent_explorer.html").read_text("utf-8")

sys.path.insert(0, str(FIGURES))  # as `python figures/explorer.py` has it
specification = importlib.util.spec_from_file_location("explorer", FIGURES / "explorer.py")
explorer = importlib.util.module_from_spec(specification)
specification.loader.exec_module(explorer)


def test_it_was_made_by_the_present_script_on_mnist():
    assert explorer.origin() in PAGE, "run python figures/explorer.py, with MNIST at hand"
    assert "60,000 MNIST images" in PAGE


def test_it_is_at_most_a_megabyte_and_a_half_and_loads_nothing():
    assert len(PAGE.encode()) <= 1.5e6
    assert not re.search(r"""(src|href)=|https?:|@import|url\(|fetch\(|import\(""", PAGE)
