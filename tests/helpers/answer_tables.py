"""What is asked of a table of answers, {exercise: answers}: wrong ones refused, most of them explained."""

from vae_helpers.exercises import check

import pytest

TOLD_ITS_SHAPE = "it returns shape"


def refused_and_explained(wrong):
    """Check every wrong answer, (what, answer): none passes, nine of ten are explained or told their shape."""
    verdicts = {(name, what): check(name, answer) for name, rows in wrong.items() for what, answer in rows}
    passed = [key for key, verdict in verdicts.items() if verdict.passed]
    assert not passed, f"pass, and are wrong: {passed}"
    unexplained = [k for k, v in verdicts.items() if v.status != "mistake" and TOLD_ITS_SHAPE not in v.message]
    assert len(unexplained) <= 0.1 * len(verdicts), f"unexplained, of {len(verdicts)}: {unexplained}"


def each_right_answer(right):
    """Parametrize a test by ``name``, ``answer`` and the ``seed`` of the probes."""
    answers = [(name, answer) for name, styles in right.items() for answer in styles]
    return pytest.mark.parametrize(("name", "answer", "seed"), [(*one, seed) for one in answers for seed in (0, 3)])


def passes(name, answer, seed):
    """Hold one right answer to its check."""
    verdict = check(name, answer, seed)
    assert verdict.passed, verdict
