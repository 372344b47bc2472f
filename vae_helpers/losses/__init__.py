"""What training minimises, in nats per image: reconstructions, KLs, bounds made of both, and what is known exactly."""

from vae_helpers.losses import probabilistic_pca
from vae_helpers.losses.bounds import (
    binarized_loss,
    class_prior_loss,
    conditional_vae_loss,
    joint_log_prob,
    linear_vae_loss,
    log_mean_exp,
    log_weight,
    reparameterize,
    vae_loss,
)
from vae_helpers.losses.exact import (
    elbo_on_grid,
    kl_on_grid,
    linear_vae_loss_exact,
    linear_vae_loss_of_moments,
    log_evidence_on_grid,
)
from vae_helpers.losses.gaussians import gaussian_log_prob, product_of_gaussians
from vae_helpers.losses.kl import kl_diagonal, kl_full, kl_normal, kl_to_class_mean, kl_to_standard_normal
from vae_helpers.losses.learned_priors import conditional_prior_loss, prior_loss
from vae_helpers.losses.loss import Loss, LossFunction
from vae_helpers.losses.many_draws import (
    binarized_iwae_loss,
    cloud_of,
    iwae_loss,
    log_weights,
    normalized_weights,
    sees_labels,
)
from vae_helpers.losses.probabilistic_pca import (
    LinearGaussian,
    linear_gaussian_elbo,
    log_evidence,
    mean_and_covariance,
    posterior,
    ppca,
    training_log_likelihood,
    units_at_optimum,
)
from vae_helpers.losses.reconstruction import (
    autoencoder_loss,
    bernoulli_nll,
    denoising_loss,
    gaussian_nll,
    squared_error,
)
from vae_helpers.losses.schedules import WarmUp, free_bits, free_bits_loss
from vae_helpers.losses.two_layers import bottom_up_loss, second_layer_loss, top_down_loss

__all__ = [
    "LinearGaussian",
    "Loss",
    "LossFunction",
    "WarmUp",
    "autoencoder_loss",
    "bernoulli_nll",
    "binarized_iwae_loss",
    "binarized_loss",
    "bottom_up_loss",
    "class_prior_loss",
    "cloud_of",
    "conditional_prior_loss",
    "conditional_vae_loss",
    "denoising_loss",
    "elbo_on_grid",
    "free_bits",
    "free_bits_loss",
    "gaussian_log_prob",
    "gaussian_nll",
    "iwae_loss",
    "joint_log_prob",
    "kl_diagonal",
    "kl_full",
    "kl_normal",
    "kl_on_grid",
    "kl_to_class_mean",
    "kl_to_standard_normal",
    "linear_gaussian_elbo",
    "linear_vae_loss",
    "linear_vae_loss_exact",
    "linear_vae_loss_of_moments",
    "log_evidence",
    "log_evidence_on_grid",
    "log_mean_exp",
    "log_weight",
    "log_weights",
    "mean_and_covariance",
    "normalized_weights",
    "posterior",
    "ppca",
    "prior_loss",
    "probabilistic_pca",
    "product_of_gaussians",
    "reparameterize",
    "second_layer_loss",
    "sees_labels",
    "squared_error",
    "top_down_loss",
    "training_log_likelihood",
    "units_at_optimum",
    "vae_loss",
]
