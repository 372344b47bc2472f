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
from vae_helpers.evaluation.sample_scores import (
    SampleScorer,
    SampleScores,
    decoded_codes,
    mean_and_spread,
    pixel_gaussian,
    recall,
    sure,
    training_images,
)
from vae_helpers.evaluation.samples import agreement, frechet_distance, mse_to_nearest, variance_within_classes

__all__ = [
    "SampleScorer",
    "SampleScores",
    "active_units",
    "agreement",
    "decoded_codes",
    "frechet_distance",
    "importance_sampled_log_p",
    "in_batches",
    "kl_per_dimension",
    "lerp",
    "log_aggregate",
    "log_clouds",
    "mean_and_error",
    "mean_and_spread",
    "mse",
    "mse_to_nearest",
    "mutual_information",
    "pixel_gaussian",
    "psnr",
    "r_squared",
    "recall",
    "reconstruction_mse",
    "refined_q",
    "sampled_log_p",
    "sampled_log_p_of_each_class",
    "separation",
    "slerp",
    "spherical",
    "straight",
    "sure",
    "training_images",
    "variance_within_classes",
]
