"""Exercises of notebook 11: a fixed encoder of many layers, its bound and sampler; flow matching and guidance."""

from vae_helpers.exercises.nb11.euler import EULER
from vae_helpers.exercises.nb11.guidance import GUIDED

EXERCISES = (EULER, GUIDED)
