"""Exercises of notebook 07: ``collapse``, its ``warm_up``, ``information`` in a code, ``known_factors`` found in it."""

from vae_helpers.exercises.nb07 import collapse, information, known_factors, warm_up

EXERCISES = (*collapse.EXERCISES, *information.EXERCISES, *warm_up.EXERCISES, *known_factors.EXERCISES)
