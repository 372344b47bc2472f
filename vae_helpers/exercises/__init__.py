"""Diagnosing a learner's answer: ``check(id, answer)`` says whether it is right, or which known mistake it is."""

from vae_helpers.exercises.core import Exercise, Mistake, Verdict, examine
from vae_helpers.exercises.in_00 import EXERCISES as _START
from vae_helpers.exercises.in_01 import EXERCISES as _AUTOENCODER
from vae_helpers.exercises.in_02 import EXERCISES as _DENOISING
from vae_helpers.exercises.in_03 import EXERCISES as _ELBO
from vae_helpers.exercises.in_04 import EXERCISES as _REPARAMETERIZATION
from vae_helpers.exercises.in_05 import EXERCISES as _VAE
from vae_helpers.exercises.in_07 import EXERCISES as _LATENT
from vae_helpers.exercises.in_08 import EXERCISES as _CONDITIONAL

_ALL = (*_START, *_AUTOENCODER, *_DENOISING, *_ELBO, *_REPARAMETERIZATION, *_VAE, *_LATENT, *_CONDITIONAL)
EXERCISES = {exercise.id: exercise for exercise in _ALL}

__all__ = ["EXERCISES", "Exercise", "Mistake", "Verdict", "check", "examine"]


def check(exercise_id: str, answer: object) -> Verdict:
    """Try a learner's function on the exercise's probes; the verdict, shown at the end of a cell, says what was found.

    Raises ValueError for an unknown exercise. The answer itself may do anything: what it raises becomes a verdict.
    """
    if exercise_id not in EXERCISES:
        raise ValueError(f"Unknown exercise {exercise_id!r}: choose one of {', '.join(EXERCISES)}.")
    return examine(EXERCISES[exercise_id], answer)
