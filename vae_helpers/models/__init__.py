"""The networks of the course, from autoencoder to conditional VAE, and what a decoder says about an image.

``encode`` and ``decode`` are each model's own; every model has ``embed`` (x → z) and ``generate`` (z → x̂), so that one
picture, widget or figure serves all. Images are (batch, 1, 28, 28) in [0, 1], codes (batch, latent_dim).
"""

from vae_helpers.models import likelihoods
from vae_helpers.models.autoencoders import Autoencoder, WideAutoencoder
from vae_helpers.models.conditional import ClassPriorVAE, ConditionalVAE, join_label
from vae_helpers.models.denoisers import ResidualDenoiser
from vae_helpers.models.judge import Judge
from vae_helpers.models.likelihoods import LIKELIHOODS, Bernoulli, ContinuousBernoulli, Gaussian, GaussianPerPixel
from vae_helpers.models.mixture_vae import MixtureVAE, QuickMixture
from vae_helpers.models.networks import copy_of, device_of, mlp, n_parameters, start_at_mean
from vae_helpers.models.priors import ClassMixture, FullGaussian, FullMixture, Mixture, StandardGaussian
from vae_helpers.models.samplers import ancestral_path, deterministic_path, flow_path
from vae_helpers.models.two_layers import SecondLayer
from vae_helpers.models.vae import VAE, LinearVAE, SmoothVAE
from vae_helpers.models.vamp_prior import VampPrior

__all__ = [
    "LIKELIHOODS",
    "VAE",
    "Autoencoder",
    "Bernoulli",
    "ClassMixture",
    "ClassPriorVAE",
    "ConditionalVAE",
    "ContinuousBernoulli",
    "FullGaussian",
    "FullMixture",
    "Gaussian",
    "GaussianPerPixel",
    "Judge",
    "LinearVAE",
    "Mixture",
    "MixtureVAE",
    "QuickMixture",
    "ResidualDenoiser",
    "SecondLayer",
    "SmoothVAE",
    "StandardGaussian",
    "VampPrior",
    "WideAutoencoder",
    "ancestral_path",
    "copy_of",
    "deterministic_path",
    "device_of",
    "flow_path",
    "join_label",
    "likelihoods",
    "mlp",
    "n_parameters",
    "start_at_mean",
]
