"""The minutes of computing that pages, notebooks and doctor say are those of the last measurement."""

import json
import re

import pytest

from benchmarks import minutes
from helpers.places import EVERY_NOTEBOOK

MEASURED = json.loads(minutes.MEASURED.read_text("utf-8"))


def test_every_page_notebook_and_the_doctor_say_what_was_measured():
    assert minutes.rewrite(check=True) == [], "python tests/benchmarks/minutes.py brings them up to date"


def test_every_notebook_was_measured():
    assert list(MEASURED["notebooks"]) == [path.stem for path in EVERY_NOTEBOOK]


def test_another_measurement_is_seen_on_every_page(monkeypatch, tmp_path):
    slower = {name: {k: v and 3 * v for k, v in row.items()} for name, row in MEASURED["notebooks"].items()}
    other = {**MEASURED, "notebooks": slower, "gigaflops": 1, "images_per_second": 1}
    monkeypatch.setattr(minutes, "MEASURED", tmp_path / "notebooks.json")
    minutes.MEASURED.write_text(json.dumps(other), "utf-8")
    pages = {
        "TEACHING.md",
        "tests/README.md",
        "figures/benchmarks.md",
        minutes.DOCTOR,
        *(page for page, *_ in minutes.LONGEST),
    }
    quick = {"notebooks/03_elbo.ipynb"} if slower["03_elbo"]["seconds"] < 30 else set()
    assert set(minutes.rewrite(check=True)) >= pages | {f"notebooks/{path.name}" for path in EVERY_NOTEBOOK} - quick


def test_no_page_says_minutes_of_computing_that_are_not_written_by_the_script():
    """A second sentence of the kind would be typed, and grow old."""
    typed = {
        path.stem: re.findall(r"cells run in|cell takes|are trained in", path.read_text("utf-8"))
        for path in EVERY_NOTEBOOK
    }
    assert {name: len(found) for name, found in typed.items() if len(found) != 1} == {minutes.BEST: 2}


@pytest.mark.parametrize(
    ("seconds", "said", "in_a_sentence"),
    [
        (29, "under ½", "under ½ minute"),
        (30, "½", "about ½ minute"),
        (46, "1", "about 1 minute"),
        (74, "1", "about 1 minute"),
        (76, "1½", "about 1½ minutes"),
        (254, "4", "about 4 minutes"),
        (256, "4½", "about 4½ minutes"),
    ],
)
def test_minutes_are_rounded_to_halves(seconds, said, in_a_sentence):
    assert minutes.spelled(seconds) == said
    assert minutes.in_minutes(seconds) == in_a_sentence


def test_a_place_that_is_gone_and_one_that_stands_twice_are_named():
    assert minutes.corrected("takes 3 minutes.", "takes ", "2", " minutes") == "takes 2 minutes."
    for text, times in (("it takes 3 seconds.", 0), ("takes 3 minutes, takes 4 minutes", 2)):
        with pytest.raises(
            ValueError, match=f"'takes ' … ' minutes' must stand there once; it stands there {times} times"
        ):
            minutes.corrected(text, "takes ", "2", " minutes")
