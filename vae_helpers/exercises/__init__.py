"""Diagnosing a learner's work: ``check(id, answer)`` an exercise, ``diagnose_vae(model, loss, …)`` their own VAE."""

from typing import Annotated

from vae_helpers.exercises import nb00, nb01, nb02, nb03, nb04, nb05, nb06, nb07, nb08, nb09
from vae_helpers.exercises.diagnosis import Diagnosis, blind_round, diagnose_vae
from vae_helpers.exercises.engine import Exercise, Mistake, Verdict, examine
from vae_helpers.validation import objects, validated

_NOTEBOOKS = (nb00, nb01, nb02, nb03, nb04, nb05, nb06, nb07, nb08, nb09)
EXERCISES = {exercise.id: exercise for notebook in _NOTEBOOKS for exercise in notebook.EXERCISES}

__all__ = [
    "EXERCISES",
    "Diagnosis",
    "Exercise",
    "Mistake",
    "Verdict",
    "blind_round",
    "check",
    "diagnose_vae",
    "examine",
]


@validated
def check(exercise_id: Annotated[str, objects.one_of(EXERCISES)], answer: object) -> Verdict:
    """Try a learner's function on the exercise's probes; the verdict, shown at the end of a cell, says what was found.

    Raises ValueError for an unknown exercise. The answer itself may do anything: what it raises becomes a verdict.
    """
    return examine(EXERCISES[exercise_id], answer)
