"""Playing with a model: sliders that decode or draw as they move, walks between codes, noise to be mended."""

from vae_helpers.widgets.beta_explorer import beta_explorer
from vae_helpers.widgets.class_explorer import class_explorer
from vae_helpers.widgets.gaussian_explorers import elbo_explorer, forward_reverse_kl
from vae_helpers.widgets.interpolation import interpolation
from vae_helpers.widgets.kl_explorer import kl_explorer
from vae_helpers.widgets.latent_plane import latent_plane
from vae_helpers.widgets.latent_sliders import latent_sliders
from vae_helpers.widgets.noise_explorer import noise_explorer

__all__ = [
    "beta_explorer",
    "class_explorer",
    "elbo_explorer",
    "forward_reverse_kl",
    "interpolation",
    "kl_explorer",
    "latent_plane",
    "latent_sliders",
    "noise_explorer",
]
