"""Diagnosing a learner's work: ``check(id, answer)`` an exercise, ``diagnose_vae(model, loss, …)`` their own VAE.

``mine(id, answer, otherwise)``: the learner's function from here on, where it has passed.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated

from vae_helpers.exercises import nb00, nb01, nb02, nb03, nb04, nb05, nb06, nb07, nb08, nb09, nb10
from vae_helpers.exercises.diagnosis import Diagnosis, blind_round, diagnose_vae
from vae_helpers.exercises.engine import Exercise, Mistake, Verdict, examine
from vae_helpers.training.randomness import own_random_state
from vae_helpers.validation import Seed, objects, validated

import torch

_NOTEBOOKS = (nb00, nb01, nb02, nb03, nb04, nb05, nb06, nb07, nb08, nb09, nb10)
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
    "mine",
]


ExerciseId = Annotated[str, objects.one_of(EXERCISES)]


@validated
def check(exercise_id: ExerciseId, answer: object, seed: Seed = 0) -> Verdict:
    """Try a learner's function on the exercise's probes; the verdict, shown at the end of a cell, says what was found.

    seed: of the probes; another one, which nobody has seen, refuses an answer that was fitted to them.
    Raises ValueError for an unknown exercise. The answer itself may do anything: what it raises becomes a verdict.
    """
    with _on_the_cpu(), own_random_state():
        return examine(EXERCISES[exercise_id], answer, seed)


def _on_the_cpu() -> AbstractContextManager:
    """Probes lie there, whatever torch.set_default_device was told; only then, for a context slows down every call."""
    return nullcontext() if torch.get_default_device().type == "cpu" else torch.device("cpu")


@validated
def mine(
    exercise_id: ExerciseId, answer: object, otherwise: Annotated[Callable, objects.function] | None = None
) -> Callable:
    """The learner's own function where it passes its check, else ``otherwise``; a printed sentence says which.

    So that a notebook goes on with what was written there, and a wrong or missing answer breaks nothing. otherwise: by
    default the right answer that the check itself compares with.
    """
    passed = check(exercise_id, answer).passed
    says = "your own, from here on." if passed else "the course's own stands in until yours passes its check."
    print(f"{exercise_id}: {says}")
    return answer if passed else otherwise or EXERCISES[exercise_id].reference
