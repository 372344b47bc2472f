"""Exercises of notebook 10: mixtures as priors, any prior in the loss, labels in it, K draws, a second layer."""

from vae_helpers.exercises.nb10.draws import GRADIENT_OF_DRAWS, K_DRAW_BOUND
from vae_helpers.exercises.nb10.layers import TWO_LAYER_KL
from vae_helpers.exercises.nb10.mixtures import CLASS_MIXTURE, LOG_MIXTURE, WASTE_FROM_BELOW
from vae_helpers.exercises.nb10.samplers import MIXTURE_DRAW
from vae_helpers.exercises.nb10.training import ANY_PRIOR

EXERCISES = (
    LOG_MIXTURE,
    MIXTURE_DRAW,
    WASTE_FROM_BELOW,
    ANY_PRIOR,
    CLASS_MIXTURE,
    K_DRAW_BOUND,
    GRADIENT_OF_DRAWS,
    TWO_LAYER_KL,
)
