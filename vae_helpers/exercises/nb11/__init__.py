"""Exercises of notebook 11: a fixed encoder of many layers, its bound and sampler; flow matching and guidance."""

from vae_helpers.exercises.nb11.euler import EULER
from vae_helpers.exercises.nb11.flow import FLOW_LOSS, GUIDED

EXERCISES = (FLOW_LOSS, EULER, GUIDED)
