"""Playing with a model: sliders that decode as they move."""

from vae_helpers.widgets.gaussian_explorers import elbo_explorer, forward_reverse_kl
from vae_helpers.widgets.latent_sliders import latent_sliders

__all__ = ["elbo_explorer", "forward_reverse_kl", "latent_sliders"]
