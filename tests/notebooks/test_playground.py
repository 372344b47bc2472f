"""The playground's form: a title, how to use it, the models, then each widget of the course once.

A widget has a slide of its own: a heading, a few sentences that say what to move and what to watch and lead to its
notebook, and a folded cell that moves one control by code and shows the widget. What all notebooks share (outputs,
pictures, names, no path of a machine, executed on MNIST) is checked by the tests of test_form.py.
"""

import contextlib
import io
import re
from functools import partial
from types import SimpleNamespace

from vae_helpers import data, losses, models, widgets
from vae_helpers.training import checkpoint

import pytest
import torch

from execute import NOTEBOOKS, read
from notebooks import test_form as form

LECTURE = [
    "latent_sliders",
    "noise_explorer",
    "drawing_pad",
    "elbo_explorer",
    "forward_reverse_kl",
    "kl_explorer",
    "latent_plane",
    "interpolation",
    "beta_explorer",
    "class_explorer",
    "prior_explorer",
    "denoising_walk",
]
SHARED = [
    form.test_it_starts_with_a_title,
    form.test_its_file_has_at_most_600_kilobytes,
    form.test_one_thing_has_one_name,
    form.test_it_imports_neither_stars_nor_pyplot,
    form.test_it_imports_the_package_before_torch,
    form.test_it_imports_from_the_package_or_from_the_door_of_a_room,
    form.test_it_leaves_no_todo_and_silences_no_warning,
    form.test_it_has_no_empty_cell,
    form.test_every_cell_knows_its_slide,
    form.test_it_names_no_path_of_a_machine,
    form.test_it_is_a_valid_notebook_without_saved_widgets,
    form.test_it_was_executed_top_to_bottom,
    form.test_it_was_executed_on_mnist,
    form.test_no_cell_failed_or_wrote_to_stderr,
    form.test_no_cell_warned,
    form.test_every_picture_is_a_png,
    form.test_every_picture_says_in_words_what_it_shows,
    form.test_every_widget_leaves_a_sentence_and_a_still_picture,
]


@pytest.fixture(scope="module")
def nb():
    return read(NOTEBOOKS / "playground.ipynb")


@pytest.fixture(scope="module")
def demos(nb):
    """Each heading with the cell below it."""
    headed = [k for k, cell in enumerate(nb.cells) if cell.source.startswith("## ")]
    return [(nb.cells[k], nb.cells[k + 1]) for k in headed]


@pytest.mark.parametrize("check", SHARED, ids=lambda check: check.__name__)
def test_it_keeps_the_rules_of_every_notebook(nb, check):
    check(nb)


def test_the_lecture_has_every_widget_of_the_course():
    assert sorted(LECTURE) == sorted(widgets.__all__)


def test_it_makes_every_widget_once_in_the_order_of_the_lecture(nb):
    assert re.findall(r"\bwidgets\.(\w+)\(", form.code_of(nb)) == LECTURE


def test_each_widget_is_below_a_heading_of_its_own(demos):
    assert [re.findall(r"\bwidgets\.(\w+)\(", cell.source) for _, cell in demos] == [[name] for name in LECTURE]


def test_each_heading_is_followed_by_a_few_sentences_and_the_way_to_its_notebook(demos):
    for told, _ in demos:
        assert 15 <= len(form.words(told.source)) <= 60, told.source
        assert len(re.findall(r"\(\[Notebook (\d\d)\]\(\1_\w+\.ipynb\)\)", told.source)) == 1, told.source


def test_each_widget_was_moved_by_code_and_is_shown(demos):
    for _, cell in demos:
        assert re.search(r"^ *moved\(", cell.source, re.M), cell.source
        assert [form.is_widget(output) for output in cell.outputs] == [True], cell.source


def test_the_code_of_the_widgets_is_folded(demos):
    assert all(cell.metadata.get("jupyter", {}).get("source_hidden") for _, cell in demos)


def test_slides_hold_the_title_then_a_heading_and_its_widget_each(nb):
    types = [cell.metadata.slideshow.slide_type for cell in nb.cells]
    assert [kind for kind in types if kind != "skip"] == ["slide", *["slide", "fragment"] * len(LECTURE)]


def kept_by(notebook, numbers):
    """Where the code cells of these numbers would keep weights; nothing is trained."""
    asked = []

    def remembered(model, dataset_name, train, **configuration):
        asked.append(checkpoint.remembered_path(model, dataset_name, **configuration))
        return SimpleNamespace(seconds=[0.0])

    x = torch.zeros(1, 1, 28, 28)
    names = {name: getattr(models, name) for name in models.__all__} | vars(losses) | {"partial": partial}
    names |= {"torch": torch, "x": x, "x_test": x, "y": None, "many": 1, "dataset": SimpleNamespace(name="mnist")}
    names |= {"checkpoint": SimpleNamespace(remembered=remembered), "gaussian": data.gaussian, "data": data}
    names |= {"training": SimpleNamespace(mean_loss=lambda *_: None), "contextlib": contextlib, "io": io}
    cells = [cell.source for cell in read(NOTEBOOKS / notebook).cells if cell.cell_type == "code"]
    for number in numbers:
        exec(cells[number], names)
    return set(asked)


def test_it_finds_the_weights_of_07_as_it_says():
    by_07 = kept_by("07_latent_space.ipynb", [1])
    by_it = kept_by("playground.ipynb", [1, 2])
    assert len(by_07) == 10
    assert len(by_it & by_07) == 2
