"""Playing with a model: sliders that decode as they move."""

from vae_helpers.widgets.latent_sliders import latent_sliders

__all__ = ["latent_sliders"]
