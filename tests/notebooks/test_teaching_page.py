"""TEACHING.md sends a lecturer to sections and exercises that the notebooks really have."""

import re
from itertools import pairwise

from vae_helpers.exercises import EXERCISES

import pytest

from execute import read
from helpers.places import COURSE, ROOT

PAGE = (ROOT / "TEACHING.md").read_text("utf-8")
NAMED = re.compile(r"(?<!\*)\*([^*]+)\*(?!\*)")
NOTEBOOK = re.compile(r"\b(0\d|1[01])\b")


def headings(number):
    """The headings of a notebook, without their own numbers."""
    (path,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    text = "\n\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    return [re.sub(r"^\d+\. ", "", found) for found in re.findall(r"^##+ (.+)$", text, re.M)]


def rows(section):
    """The cells of the rows of a section's table, its head left out."""
    text = re.search(rf"^## {section}$(.*?)(?=^## )", PAGE, re.M | re.S)[1]
    table = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in table[2:]]


def places(cell):
    """(notebook, section) for each section that a cell of a table names: the notebook is the one named before it."""
    number, found = None, []
    for token in re.finditer(rf"{NOTEBOOK.pattern}|{NAMED.pattern}", cell):
        number = token[1] or number
        if token[2]:
            found.append((number, token[2]))
    return found


LECTURE, SESSIONS = rows("One lecture of 90 minutes"), rows("Four sessions of 90 minutes")
MORE = rows("Two more sessions: 10 and 11")
PLACES = [place for row in LECTURE + SESSIONS + MORE for place in places(row[1])]


@pytest.mark.parametrize(("number", "name"), PLACES)
def test_a_section_named_in_the_plans_is_a_heading_of_its_notebook(number, name):
    assert any(heading.startswith(name) for heading in headings(number))


def test_the_plans_name_sections_of_most_notebooks():
    assert len({number for number, _ in PLACES}) >= 7


def test_the_lecture_takes_90_minutes_without_a_gap():
    spans = [tuple(map(int, row[0].split("–"))) for row in LECTURE]
    assert spans[0][0] == 0 and spans[-1][1] == 90
    assert all(before[1] == after[0] for before, after in pairwise(spans))


def test_every_exercise_of_the_sessions_exists():
    cells = [cell for row in SESSIONS + MORE for cell in row[3:]]
    named = {name for cell in cells for name in NAMED.findall(cell)}
    sections = {name for cell in cells for _, name in places(cell) if " " in name}
    assert named - sections <= set(EXERCISES)
    assert len(named - sections) > 15


def test_each_notebook_has_its_paragraph():
    assert re.findall(r"^\*\*(\d\d) ", PAGE, re.M) == [path.stem[:2] for path in COURSE]
