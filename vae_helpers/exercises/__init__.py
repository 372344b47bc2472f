"""Diagnosing a learner's work: ``check(id, answer)`` an exercise, ``diagnose_vae(model, loss, …)`` their own VAE."""

from vae_helpers.exercises import (
    in_00,
    in_01,
    in_02,
    in_03,
    in_04,
    in_05,
    in_05_walks,
    in_06,
    in_07,
    in_08,
    in_09,
)
from vae_helpers.exercises.core import Exercise, Mistake, Verdict, examine
from vae_helpers.exercises.diagnosis import Diagnosis, diagnose_vae

_NOTEBOOKS = (in_00, in_01, in_02, in_03, in_04, in_05, in_05_walks, in_06, in_07, in_08, in_09)
EXERCISES = {exercise.id: exercise for notebook in _NOTEBOOKS for exercise in notebook.EXERCISES}

__all__ = ["EXERCISES", "Diagnosis", "Exercise", "Mistake", "Verdict", "check", "diagnose_vae", "examine"]


def check(exercise_id: str, answer: object) -> Verdict:
    """Try a learner's function on the exercise's probes; the verdict, shown at the end of a cell, says what was found.

    Raises ValueError for an unknown exercise. The answer itself may do anything: what it raises becomes a verdict.
    """
    if exercise_id not in list(EXERCISES):
        raise ValueError(f"Unknown exercise {exercise_id!r}: choose one of {', '.join(EXERCISES)} as exercise_id.")
    return examine(EXERCISES[exercise_id], answer)
