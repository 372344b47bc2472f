"""A slider over β among trained models: what each makes of the same images and codes, and its rate and distortion."""

from collections.abc import Mapping
from typing import Annotated

from vae_helpers.data import to_float
from vae_helpers.losses import Loss
from vae_helpers.plotting import png_of
from vae_helpers.validation import Pixels, has, objects, validated
from vae_helpers.widgets.playable import Picture, Playable, generator, own_copy, reacting

import ipywidgets
import torch
from torch import Tensor, nn

ACROSS, ZOOM = 10, 2
OneModel = Annotated[nn.Module, has("latent_dim"), objects.needs_no_labels("embed", "generate")]
Models = Mapping[float, OneModel]  # by their β


class BetaExplorer(Playable):
    """The widget that ``beta_explorer`` makes: ``slider``, ``readout``, ``picture``, and ``frame()``."""

    def __init__(self, models: Models, losses: Mapping[float, Loss], x: Pixels[Tensor, " 10 1 28 28"]) -> None:
        self.models = {beta: own_copy(models[beta]) for beta in sorted(models)}
        self.losses, self.x = dict(losses), to_float(x[:ACROSS].cpu())
        some_model = next(iter(self.models.values()))
        self.z = torch.randn(2 * ACROSS, some_model.latent_dim, generator=generator(), device="cpu")
        self.picture, self.readout, self.errors = Picture(), ipywidgets.HTML(), ipywidgets.Output()
        middle = min(self.models, key=lambda beta: abs(beta - 1))
        options = [(f"{beta:g}", beta) for beta in self.models]
        self.slider = ipywidgets.SelectionSlider(options=options, value=middle, description="β")
        self.slider.observe(reacting(self.errors, self.frame), names="value")
        self.frame()
        alt = (
            f"Live in JupyterLab: a slider over {len(self.models)} values of β; images, their reconstructions and "
            "samples of the model trained with it, and its rate and distortion. Here, a still at β nearest to 1."
        )
        controls = ipywidgets.HBox([self.slider, self.readout])
        super().__init__([controls, self.picture, self.errors], alt, self.png())

    def png(self) -> bytes:
        """A row of images, a row of reconstructions from μ, and two rows of samples of the chosen model, as PNG."""
        model = self.models[self.slider.value]
        with torch.inference_mode():
            images = [self.x, model.generate(model.embed(self.x)), model.generate(self.z)]
        return png_of(torch.cat(images), columns=len(self.x), zoom=ZOOM)

    def frame(self) -> None:
        """Draw the chosen model's pictures, and say its numbers."""
        beta = self.slider.value
        loss = self.losses[beta]
        said = f"rate (KL) {loss.kl:.1f} + distortion {loss.reconstruction:.1f} = {loss.reconstruction + loss.kl:.1f}"
        self.readout.value = f"<code>{said} nats</code>"
        alt = f"β = {beta:g}: images, reconstructions, two rows of samples; {said} nats"
        self.picture.draw(self.png(), alt)


@validated
def beta_explorer(models: Models, losses: Mapping[float, Loss], x: Pixels[Tensor, " 10 1 28 28"]) -> BetaExplorer:
    """A slider over β: reconstructions of ten images, samples, rate and distortion of each model.

    models: for each β a model with ``embed`` and ``generate``, all of one latent_dim. losses: for each β the model's
    Loss on test images. The codes of the samples are the same for all. Works on copies of the models, on the CPU.
    Raises ValueError where the two don't have the same β, or the models not the same latent_dim.
    """
    if not models or set(models) != set(losses):
        raise ValueError(f"models and losses must have the same β, got {sorted(models)} and {sorted(losses)}.")
    if len({model.latent_dim for model in models.values()}) != 1:
        raise ValueError("models must have one latent_dim: their samples are decoded from the same codes.")
    return BetaExplorer(models, losses, x)
