"""Playing with a model: sliders that decode as they move, noise that a denoiser has to mend."""

from vae_helpers.widgets.latent_sliders import latent_sliders
from vae_helpers.widgets.noise_explorer import noise_explorer

__all__ = ["latent_sliders", "noise_explorer"]
