"""Exercises of notebook 07: ``collapse`` and its ``warm_up``, the ``information`` in a code, ``factors`` in it."""

from vae_helpers.exercises.nb07 import collapse, factors, information, warm_up

EXERCISES = (*collapse.EXERCISES, *information.EXERCISES, *warm_up.EXERCISES, *factors.EXERCISES)
