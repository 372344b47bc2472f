"""Playing with a model: sliders that decode or draw as they move, walks between codes, a sheet to draw on."""

from vae_helpers.widgets.beta import beta_explorer
from vae_helpers.widgets.between_codes import interpolation
from vae_helpers.widgets.classes import class_explorer
from vae_helpers.widgets.gaussians import elbo_explorer, forward_reverse_kl
from vae_helpers.widgets.kl import kl_explorer
from vae_helpers.widgets.noise import noise_explorer
from vae_helpers.widgets.pad import drawing_pad
from vae_helpers.widgets.plane import latent_plane
from vae_helpers.widgets.priors import prior_explorer
from vae_helpers.widgets.sliders import latent_sliders
from vae_helpers.widgets.walks import denoising_walk

__all__ = [
    "beta_explorer",
    "class_explorer",
    "denoising_walk",
    "drawing_pad",
    "elbo_explorer",
    "forward_reverse_kl",
    "interpolation",
    "kl_explorer",
    "latent_plane",
    "latent_sliders",
    "noise_explorer",
    "prior_explorer",
]
