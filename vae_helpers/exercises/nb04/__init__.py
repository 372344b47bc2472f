"""Exercises of notebook 04: ``gradients`` through draws, the KL of ``gaussians``, ``training`` with both."""

from vae_helpers.exercises.nb04 import gaussians, gradients, training

EXERCISES = (*gradients.EXERCISES, *gaussians.EXERCISES, *training.EXERCISES)
