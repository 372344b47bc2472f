"""Exercises of notebook 03: a small model's joint and posterior, naive Monte Carlo, KL and ELBO, gradients by draws."""

from vae_helpers.exercises.nb03.bounds import KL_OF_TABLES, SMALL_ELBO, TWO_HUMP_ELBO
from vae_helpers.exercises.nb03.gradients import BEST_SIGMA, RING_GRADIENT
from vae_helpers.exercises.nb03.small_model import LOG_JOINT, NAIVE_LOG_P_X, POSTERIOR_ON_GRID

EXERCISES = (
    LOG_JOINT,
    POSTERIOR_ON_GRID,
    NAIVE_LOG_P_X,
    KL_OF_TABLES,
    SMALL_ELBO,
    TWO_HUMP_ELBO,
    BEST_SIGMA,
    RING_GRADIENT,
)
