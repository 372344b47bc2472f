"""The grader as a teacher runs it, once, on learners' notebooks and on hostile ones: rows, limits, formats."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

from vae_helpers.exercises.grade.__main__ import main
from vae_helpers.exercises.grade.class_table import class_table
from vae_helpers.exercises.grade.formats import as_csv, as_gradescope, as_json, as_text
from vae_helpers.exercises.grade.grading import SEEDS, SIZES, hidden_seed
from vae_helpers.exercises.grade.kernel import held_by
from vae_helpers.exercises.grade.rows import Points, Row, Sheet

import pytest
from jsonschema import Draft202012Validator

from helpers.handed_in import STRANGERS, answer, class_copy, exercises_of, hostile, save
from helpers.places import ROOT

HERE = Path(__file__).parent
TAKE_LONG = {"sleeps", "prints gigabytes", "fills the disk"}  # tests/benchmarks/grading.py has them
KERNELS = {"forks past Python", "deletes past Python", "empties past Python", "changes modes past Python", "reads"}
KERNELS |= {"kills past Python"}
HELD = held_by().startswith("Landlock") and "seccomp" in held_by()


def schema(name):
    return Draft202012Validator(json.loads((HERE / f"{name}.schema.json").read_text("utf-8")))


def by_strangers(exercise, kind):
    return next("\n".join(e["code"]) for e in STRANGERS if (e["exercise"], e["kind"]) == (exercise, kind))


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Hostile notebooks and a learner's, graded by the command: (content, sheets by name, the file outside, before)."""
    folder = tmp_path_factory.mktemp("handed_in")
    outside = tmp_path_factory.mktemp("elsewhere") / "outside.txt"
    outside.write_text("stays")
    before = outside.stat()
    for name, (nb, *_) in hostile(outside).items():
        if name not in TAKE_LONG and (HELD or name not in KERNELS):
            save(nb, folder / f"{name}.ipynb")
    learner = class_copy("04")
    answer(learner, "kl-diagonal", by_strangers("kl-diagonal", "single"))
    answer(learner, "reparameterize", by_strangers("reparameterize", "right"))
    save(learner, folder / "learner.ipynb")
    (folder / "cut off.ipynb").write_text('{"cells": [')
    command = [sys.executable, "-m", "vae_helpers.exercises.grade", str(folder), "--format", "json", "--seconds", "2"]
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, timeout=500)
    assert done.returncode == 1, done.stderr  # one file can't be read
    content = json.loads(done.stdout)
    return content, {sheet["name"]: sheet for sheet in content["notebooks"]}, outside, before, done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="grading needs Linux or macOS")
class TestRows:
    """What one run of the grader gave."""

    def test_every_hostile_notebook_has_the_row_that_it_should_have(self, graded):
        _, sheets, outside, *_ = graded
        found = {name: expected for name, expected in hostile(outside).items() if name in sheets}
        assert len(found) >= 14
        for name, (_, status, words) in found.items():
            row = next(row for row in sheets[name]["exercises"] if row["exercise"] == "walk")
            assert (row["status"], words in row["says"]) == (status, True), (name, row)
            assert row["points"] == {"passed": 1, "refused": 0}.get(status, 0.5)

    def test_nothing_outside_has_changed(self, graded):
        _, _, outside, before, _ = graded
        after = outside.stat()
        assert outside.read_text() == "stays"
        assert (after.st_mtime, after.st_mode) == (before.st_mtime, before.st_mode)

    def test_a_learners_rows_are_those_of_the_checks(self, graded):
        sheet = graded[1]["learner"]
        rows = {row["exercise"]: row for row in sheet["exercises"]}
        assert set(rows) == set(exercises_of(class_copy("04")))
        assert rows["reparameterize"]["status"] == "passed"
        assert rows["kl-diagonal"]["status"] == "mistake" and "seed" not in rows["kl-diagonal"]["says"]
        assert {row["status"] for name, row in rows.items() if name not in ("reparameterize", "kl-diagonal")} == {
            "not attempted"
        }
        assert sheet["points"] == 1.5 and sheet["max_points"] == len(rows)

    def test_a_file_that_can_not_be_read_is_a_sheet_with_its_trouble(self, graded):
        assert "cut off" in graded[1]["cut off"]["trouble"]

    def test_the_json_is_that_of_its_schema(self, graded):
        schema("grades").validate(graded[0])

    def test_the_table_of_the_class_stands_beside_it(self, graded):
        assert "| walk |" in graded[4] and "Traceback" not in graded[4]


SHEET = Sheet(
    "=Ada",
    "01",
    (
        Row("walk", "passed", "passed.", 3, 1.0),
        Row("copier", "mistake", "-1 is missing | so", 9, 0.5),
        Row("autoencoder", "not attempted", "the stub is untouched", 5, 0.0),
        Row("training-epoch", "refused", "it tried to delete files", 7, 0.0),
    ),
    ("made with version 0.0.1",),
)
UNREADABLE = Sheet("Bob", trouble="cut off")


@pytest.mark.parametrize("sheet", [SHEET, UNREADABLE])
def test_gradescope_gets_what_its_specification_names(sheet):
    results = json.loads(as_gradescope(sheet, Points()))
    schema("gradescope_results").validate(results)
    assert sum(test["score"] for test in results.get("tests", [])) == sheet.points()
    assert sheet.trouble in results["output"]


@pytest.mark.parametrize("broken", [{}, {"tests": []}, {"tests": [{"name": "a"}]}, {"score": 1, "grade": 2}])
def test_the_schema_of_gradescope_refuses_what_gradescope_would(broken):
    assert not schema("gradescope_results").is_valid(broken)


def test_json_csv_and_text_hold_every_row():
    content = json.loads(as_json([SHEET, UNREADABLE], 7, Points()))
    schema("grades").validate(content)
    assert content["notebooks"][0]["points"] == 1.5
    rows = list(csv.reader(io.StringIO(as_csv([SHEET, UNREADABLE]))))
    assert [row[0] for row in rows[1:]] == ["'=Ada"] * 4 + ["Bob"]  # a spreadsheet takes none for a formula
    assert rows[2][-1] == "'-1 is missing | so"
    text = as_text([SHEET, UNREADABLE], 7)
    assert all(
        words in text for words in ("✓ walk (1)", "mistake: -1 is missing", "note: made with", "Bob: cut off", "7")
    )


def test_the_table_of_a_class_counts_and_sorts_mistakes():
    table = class_table([SHEET, SHEET, UNREADABLE])
    assert "| walk | 2 | 0 | 0 | 0 |" in table and "| training-epoch | 0 | 0 | 0 | 2 |" in table
    assert "| 2 | copier | -1 is missing ∣ so |" in table
    assert class_table([UNREADABLE]) == "No exercise was graded.\n"


def test_a_hidden_seed_meets_no_probe_that_is_seen():
    seeds = {hidden_seed() for _ in range(50)}
    assert len(seeds) > 40 and seeds <= set(SEEDS)
    assert all(seed % factor for seed in seeds for factor in (2, 3, 5, 11, 101))
    assert SIZES % 101 == 0


def test_the_command_refuses_what_is_no_question(tmp_path, capsys):
    for arguments in (
        [],
        [str(tmp_path)],
        [str(tmp_path / "no.ipynb")],
        ["x", "--seconds", "0"],
        ["x", "--seed", "-1"],
    ):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 2
    assert main(["--limits"]) == 0
    assert held_by() in capsys.readouterr().out
