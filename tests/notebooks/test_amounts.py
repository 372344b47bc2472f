"""The learner builds it: enough to write, spread over the notebook, and not too much to read."""

import nbformat
import pytest

from amounts import amounts, own_lines
from helpers.places import COURSE

REWORKED = [path for path in COURSE if path.stem[:2] in ("00", "01", "02", "03", "04", "10")]


@pytest.fixture(params=REWORKED, ids=lambda path: path.stem, scope="module")
def row(request):
    return amounts(nbformat.read(request.param, as_version=4))


def test_at_least_five_exercises_the_last_in_the_final_third(row):
    assert row["exercises"] >= 5
    assert row["last one at"] >= 2 / 3


def test_at_least_thirty_lines_are_the_learners_own(row):
    assert row["own lines"] >= 30
    assert row["statements"] >= 22


def test_what_is_read_leaves_time_to_write(row):
    assert row["visible lines"] <= 300
    assert row["median of a cell"] <= 8
    assert row["words"] <= 2800


def test_own_lines_are_those_of_bodies():
    source = (
        "def f(a,\n      b):\n    'Text.'\n    # why\n    c = (\n        a + b\n    )\n\n    return c\n\ncheck(f)\n"
    )
    assert own_lines(source) == (4, 2)
    assert own_lines("class A:\n    x = 1\n\n    def f(self):\n        if self.x:\n            return 2\n") == (2, 2)
