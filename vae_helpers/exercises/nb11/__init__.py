"""Exercises of notebook 11: a chain whose encoder only adds noise, its KLs, loss and sampler; a flow, and guidance."""

from vae_helpers.exercises.nb11.denoising import THREE_VIEWS, WEIGHTED_DENOISING
from vae_helpers.exercises.nb11.euler import EULER
from vae_helpers.exercises.nb11.guidance import GUIDED
from vae_helpers.exercises.nb11.layers import NOISING, STEP_KL, STEP_POSTERIOR
from vae_helpers.exercises.nb11.sampling import LAYER_BY_LAYER

EXERCISES = (
    NOISING,
    STEP_POSTERIOR,
    STEP_KL,
    WEIGHTED_DENOISING,
    THREE_VIEWS,
    LAYER_BY_LAYER,
    EULER,
    GUIDED,
)
