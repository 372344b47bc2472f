"""Grading, before anything runs: what is read of a file that was handed in, and which cells an answer consists of."""

import json

from vae_helpers.exercises.grade.finding import answers, is_stub, number_of
from vae_helpers.exercises.grade.needs import statements
from vae_helpers.exercises.grade.reading import Cell, UnreadableError, read
from vae_helpers.exercises.grade.rows import Points, hand_in, sheet_of
from vae_helpers.exercises.grade.signing import ENTRY, digest_of, entry_of

import pytest

from helpers.cells import tags
from helpers.handed_in import BEGIN, CHECK, WALK, cell_of, class_copy, exercises_of, given, save, small, walk


def found(nb, tmp_path, exercise="walk"):
    notebook = read(save(nb, tmp_path / "handed_in.ipynb"))
    return next(f for f in answers(notebook, number_of(notebook)) if f.exercise_id == exercise)


def sources(answer):
    return [s.cell.source.splitlines()[s.node.lineno - 1] for s in answer.code]


def test_an_answer_comes_with_what_it_needs_and_nothing_else(tmp_path):
    helper = "def steps(n):\n    return torch.linspace(0, SHARE, n)[:, None]"
    nb = small(
        ("import torch, os\nSHARE = 1\nunused = os.listdir('/')",),
        (helper,),
        ("print('never run')",),
        ("def my_walk(a, b, n):\n    return a + steps(n) * (b - a)", "exercise-walk", "stub"),
        (CHECK, "exercise-walk", "check"),
    )
    answer = found(nb, tmp_path)
    assert sources(answer) == ["import torch, os", "SHARE = 1", "def steps(n):", "def my_walk(a, b, n):"]
    assert (answer.name, answer.cell) == ("my_walk", 4)


@pytest.mark.parametrize(
    "nb",
    {
        "tags stripped": small((BEGIN,), (WALK,), (CHECK,)),
        "check deleted": small((BEGIN,), (WALK, "exercise-walk", "stub")),
        "both, the usual name": small((BEGIN,), ('exercises.check("mean-image", 3)',), (WALK,)),
        "renamed": small((WALK.replace("my_walk", "ours"),), (CHECK.replace("my_walk", "ours"),)),
        "written below the stub": small(("def my_walk(a, b, n): ...", "exercise-walk", "stub"), (WALK,), (CHECK,)),
        "written below the check": small(("def my_walk(a, b, n): ...", "exercise-walk", "stub"), (CHECK,), (WALK,)),
        "a stub run once more": small((WALK,), ("def my_walk(a, b, n):\n    ...",), (CHECK,)),
        "through mine": small((WALK,), ('walk = exercises.mine("walk", my_walk)',)),
        "magics beside it": small(("%matplotlib inline\n!pip list\n" + BEGIN,), (WALK,), (CHECK,)),
    }.values(),
)
def test_an_answer_is_found_wherever_it_stands(nb, tmp_path):
    nb.cells += class_copy("01").cells[15:17]  # so that it is 01 all the same
    answer = found(nb, tmp_path)
    assert answer.code and not is_stub(answer.code[-1].node)


def test_a_solution_is_never_taken_for_the_answer(tmp_path):
    solved = small(
        ("def my_walk(a, b, n): ...", "exercise-walk", "stub"),
        (
            WALK.replace("my_walk", "solution_walk") + 'exercises.check("walk", solution_walk)',
            "exercise-walk",
            "solution",
        ),
    )
    assert is_stub(found(solved, tmp_path).code[-1].node)


def test_every_stub_of_the_course_is_found_by_its_name_and_is_a_stub(tmp_path):
    for number in ("05", "09"):
        nb = class_copy(number)
        notebook = read(save(nb, tmp_path / "x.ipynb"))
        assert number_of(notebook) == number
        rows = answers(notebook, number)
        assert {row.exercise_id for row in rows} == set(exercises_of(nb))
        assert all(is_stub(row.code[-1].node) for row in rows)
        assert all(row.name in cell_of(nb, row.exercise_id, "check").source for row in rows)


@pytest.mark.parametrize(
    ("content", "says"),
    {
        '{"cells": [\n<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> x\n]}': "saved with conflicts",
        '{"cells": [': "cut off",
        "": "cut off",
        "[1, 2]": "no list of cells",
        '{"worksheets": []}': "no list of cells",
        '{"cells": [1, null, {"cell_type": "code"}]}': "can't be told",
        '{"cells": []}': "can't be told",
        "\ud800": "not text",
        "[" * 100_000: "cut off",
    }.items(),
)
def test_a_file_that_is_no_notebook_gives_a_sentence(content, says, tmp_path):
    path = tmp_path / "thing.ipynb"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    assert says in hand_in(path).trouble


def test_a_file_that_is_not_there_or_a_folder(tmp_path):
    for path in (tmp_path / "none.ipynb", tmp_path):
        with pytest.raises(UnreadableError, match="can't be opened"):
            read(path)


def test_a_cell_with_conflicts_is_named_with_its_line(tmp_path):
    answer = found(given("def my_walk(z_a, z_b, n):\n<<<<<<< HEAD\n    return"), tmp_path)
    assert not answer.code
    assert answer.missing.startswith("cell 2 is no Python")


@pytest.mark.parametrize("source", ["(" * 5000, "x = " + "-" * 100_000 + "1", "a\0b"])
def test_what_python_itself_can_not_read_is_a_broken_cell(source):
    assert set(statements([Cell(7, source)])[1]) == {7}


def test_the_digest_sees_every_edit_but_those_of_answers():
    nb = class_copy("03")

    def digest():
        return digest_of((c.source, tags(c)) for c in nb.cells if c.cell_type == "code")

    first = digest()
    cell_of(nb, exercises_of(nb)[0], "stub").source = "an answer"
    assert digest() == first
    cell_of(nb, exercises_of(nb)[0], "check").source += "  "
    assert digest() == first
    nb.cells.append(walk().cells[0])
    assert digest() != first


def test_a_copy_of_another_version_or_with_edited_cells_is_noted(tmp_path):
    nb = walk()
    cells = [(c.source, tags(c)) for c in nb.cells]
    nb.metadata[ENTRY] = entry_of("01_autoencoder", "0.0.1", cells)
    nb.cells[0].source += "\nimport os"
    sheet = sheet_of(hand_in(save(nb, tmp_path / "a.ipynb")), {}, Points())
    assert "0.0.1" in sheet.notes[0] and "not those of the copy" in sheet.notes[1]
    assert json.dumps(nb.metadata[ENTRY])
