"""Diagnosing a learner's work: ``check(id, answer)`` an exercise, ``diagnose_vae(model, loss, …)`` their own VAE.

``mine(id, answer, otherwise)``: the learner's function from here on, where it has passed. ``progress()``: the record.
"""

from collections.abc import Callable
from typing import Annotated

from vae_helpers.data.devices import new_tensors_on
from vae_helpers.exercises.catalogue import EXERCISES
from vae_helpers.exercises.diagnosis import Diagnosis, blind_round, diagnose_vae
from vae_helpers.exercises.engine import Exercise, Mistake, Verdict, examine
from vae_helpers.exercises.record import Capstone, Progress, capstone, keep_record, note, progress
from vae_helpers.training.randomness import own_random_state
from vae_helpers.validation import Seed, objects, validated

__all__ = [
    "EXERCISES",
    "Capstone",
    "Diagnosis",
    "Exercise",
    "Mistake",
    "Progress",
    "Verdict",
    "blind_round",
    "capstone",
    "check",
    "diagnose_vae",
    "examine",
    "keep_record",
    "mine",
    "progress",
]


ExerciseId = Annotated[str, objects.one_of(EXERCISES)]


@validated
def check(exercise_id: ExerciseId, answer: object, seed: Seed = 0) -> Verdict:
    """Try a learner's function on the exercise's probes; the verdict, shown at the end of a cell, says what was found.

    seed: of the probes; another one, which nobody has seen, refuses an answer that was fitted to them.
    Raises ValueError for an unknown exercise. The answer itself may do anything: what it raises becomes a verdict.
    """
    with new_tensors_on("cpu"), own_random_state():  # probes lie there
        verdict = examine(EXERCISES[exercise_id], answer, seed)
    note(exercise_id, verdict.status, verdict.message, answer)
    return verdict


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
