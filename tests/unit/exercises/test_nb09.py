"""Answers to the exercises of notebook 09 as learners would write them: wrong ones are named, right ones pass."""

from vae_helpers.exercises import check

import pytest

from helpers.answers_09 import RIGHT, WRONG


@pytest.mark.parametrize(("key", "name"), [(key, name) for key, answers in WRONG.items() for name in answers])
def test_a_wrong_answer_is_refused_and_named(key, name):
    answer, told = WRONG[key][name]
    verdict = check(key, answer)
    assert not verdict.passed
    assert told in " ".join(str(verdict).split())


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize(("key", "k"), [(key, k) for key, answers in RIGHT.items() for k in range(len(answers))])
def test_a_right_answer_passes_however_it_is_written(key, k, seed):
    verdict = check(key, RIGHT[key][k], seed=seed)
    assert verdict.passed, verdict
