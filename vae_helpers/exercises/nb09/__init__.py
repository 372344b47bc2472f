"""Exercises of notebook 09: ``tests_that_tell``, ``scores`` by other code, ``numbers`` on their way, ``mended``."""

from vae_helpers.exercises.nb09 import mended, numbers, scores, tests_that_tell

EXERCISES = (*tests_that_tell.EXERCISES, *scores.EXERCISES, *numbers.EXERCISES, *mended.EXERCISES)
