"""Diagnosing a learner's work: ``check(id, answer)`` an exercise, ``diagnose_vae(model, loss, …)`` their own VAE."""

from vae_helpers.exercises.core import Exercise, Mistake, Verdict, examine
from vae_helpers.exercises.diagnosis import Diagnosis, diagnose_vae
from vae_helpers.exercises.in_00 import EXERCISES as _START
from vae_helpers.exercises.in_01 import EXERCISES as _AUTOENCODER
from vae_helpers.exercises.in_02 import EXERCISES as _DENOISING
from vae_helpers.exercises.in_03 import EXERCISES as _ELBO
from vae_helpers.exercises.in_04 import EXERCISES as _REPARAMETERIZATION
from vae_helpers.exercises.in_05 import EXERCISES as _VAE
from vae_helpers.exercises.in_08 import EXERCISES as _CONDITIONAL
from vae_helpers.exercises.in_09 import EXERCISES as _MISTAKES

_ALL = (*_START, *_AUTOENCODER, *_DENOISING, *_ELBO, *_REPARAMETERIZATION, *_VAE, *_CONDITIONAL, *_MISTAKES)
EXERCISES = {exercise.id: exercise for exercise in _ALL}

__all__ = ["EXERCISES", "Diagnosis", "Exercise", "Mistake", "Verdict", "check", "diagnose_vae", "examine"]


def check(exercise_id: str, answer: object) -> Verdict:
    """Try a learner's function on the exercise's probes; the verdict, shown at the end of a cell, says what was found.

    Raises ValueError for an unknown exercise. The answer itself may do anything: what it raises becomes a verdict.
    """
    if exercise_id not in EXERCISES:
        raise ValueError(f"Unknown exercise {exercise_id!r}: choose one of {', '.join(EXERCISES)}.")
    return examine(EXERCISES[exercise_id], answer)
