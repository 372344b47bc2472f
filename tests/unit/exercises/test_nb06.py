"""Answers to the exercises of notebook 06 as learners would write them: wrong ones are named, right ones pass."""

from vae_helpers.exercises import check

import pytest

from helpers.answers_06 import RIGHT, WRONG


@pytest.mark.parametrize(("name", "what"), [(name, what) for name, table in WRONG.items() for what in table])
def test_a_wrong_answer_is_refused_and_named(name, what):
    answer, says = WRONG[name][what]
    verdict = check(name, answer)
    assert verdict.status in ("mistake", "wrong", "error"), verdict
    assert says.lower() in verdict.message.lower(), verdict


@pytest.mark.parametrize(("name", "i"), [(name, i) for name, answers in RIGHT.items() for i in range(len(answers))])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_right_answer_in_another_style_passes(name, i, seed):
    verdict = check(name, RIGHT[name][i], seed=seed)
    assert verdict.passed, verdict
