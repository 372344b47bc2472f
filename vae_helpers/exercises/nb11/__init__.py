"""Exercises of notebook 11: a chain of layers whose encoder only adds noise, its KLs, its loss, and how it draws."""

from vae_helpers.exercises.nb11.denoising import THREE_VIEWS, WEIGHTED_DENOISING
from vae_helpers.exercises.nb11.layers import NOISING, STEP_KL, STEP_POSTERIOR
from vae_helpers.exercises.nb11.sampling import LAYER_BY_LAYER

EXERCISES = (NOISING, STEP_POSTERIOR, STEP_KL, WEIGHTED_DENOISING, THREE_VIEWS, LAYER_BY_LAYER)
