"""Figures of merit: how likely an image is, what is in a code, how good samples are (PCA and probes: scikit-learn)."""

from vae_helpers.evaluation.batchwise import in_batches
from vae_helpers.evaluation.errors import mean_and_error, mse, psnr, reconstruction_mse
from vae_helpers.evaluation.interpolation import lerp, slerp, spherical, straight
from vae_helpers.evaluation.latent import (
    active_units,
    kl_per_dimension,
    log_aggregate,
    log_clouds,
    mutual_information,
    r_squared,
    separation,
)
from vae_helpers.evaluation.likelihood import importance_sampled_log_p, sampled_log_p, sampled_log_p_of_each_class
from vae_helpers.evaluation.refinement import refined_q
from vae_helpers.evaluation.samples import agreement, frechet_distance, mse_to_nearest, variance_within_classes

__all__ = [
    "active_units",
    "agreement",
    "frechet_distance",
    "importance_sampled_log_p",
    "in_batches",
    "kl_per_dimension",
    "lerp",
    "log_aggregate",
    "log_clouds",
    "mean_and_error",
    "mse",
    "mse_to_nearest",
    "mutual_information",
    "psnr",
    "r_squared",
    "reconstruction_mse",
    "refined_q",
    "sampled_log_p",
    "sampled_log_p_of_each_class",
    "separation",
    "slerp",
    "spherical",
    "straight",
    "variance_within_classes",
]
