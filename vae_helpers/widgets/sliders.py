"""One slider per latent dimension, and the image that the decoder makes of them."""

from typing import Annotated

from vae_helpers.plotting import png_of
from vae_helpers.validation import Finite, has, objects, tensors, validated
from vae_helpers.widgets.playable import Picture, Playable, beside, generator, own_copy, reacting

import ipywidgets
import torch
from jaxtyping import Float
from torch import Tensor, nn

ZOOM = 7
Code = Float[Tensor, " d"]


class LatentSliders(Playable):
    """The widget that ``latent_sliders`` makes: ``sliders``, ``picture``, and ``frame()``, which decodes and draws."""

    def __init__(self, model: nn.Module, start: Code, spread: Code, centre: Code) -> None:
        self.model, self.start, self.random = own_copy(model), start, generator()
        self.centre, self.spread = centre, spread
        self.picture, self.errors = Picture(), ipywidgets.Output()
        self.sliders = [self._slider(k) for k in range(len(start))]
        back, draw = (ipywidgets.Button(description=text) for text in ("start again", "random z"))
        back.on_click(reacting(self.errors, lambda: self.move_to(self.start)))
        draw.on_click(reacting(self.errors, lambda: self.move_to(self.random_code())))
        self._observe()
        self.frame()
        columns = 1 if len(self.sliders) <= 6 else 2
        grid = ipywidgets.GridBox(self.sliders, layout={"grid_template_columns": f"repeat({columns}, 235px)"})
        controls = [grid, ipywidgets.HBox([back, draw])]
        alt = (
            f"Live in JupyterLab: {len(start)} sliders, one per latent dimension, "
            "and the image the decoder makes of them. "
            "Here, a still of the starting code."
        )
        super().__init__([beside(self.picture, controls), self.errors], alt, self.png())

    def _slider(self, k: int) -> ipywidgets.FloatSlider:
        value = self.start[k].item()
        low = (self.centre[k] - 3 * self.spread[k]).clamp(max=value)
        high = (self.centre[k] + 3 * self.spread[k]).clamp(min=value)
        return ipywidgets.FloatSlider(
            value=value,
            min=low.item(),
            max=high.item(),
            step=(high - low).item() / 60,
            description=f"z {k + 1}",
            style={"description_width": "36px"},
            layout={"width": "230px"},
        )

    def _observe(self) -> None:
        self.on_move = reacting(self.errors, self.frame)
        for slider in self.sliders:
            slider.observe(self.on_move, names="value")

    def code(self) -> Float[Tensor, " 1 d"]:
        """The code z that the sliders show."""
        return torch.tensor([[slider.value for slider in self.sliders]], device="cpu")

    def random_code(self) -> Code:
        """A code drawn from the Gaussian that the sliders span."""
        return self.centre + self.spread * torch.randn(len(self.sliders), generator=self.random, device="cpu")

    def png(self) -> bytes:
        """The decoded image as PNG."""
        with torch.inference_mode():
            return png_of(self.model.generate(self.code()), zoom=ZOOM)

    def frame(self) -> None:
        """Decode the sliders' code and draw it."""
        values = ", ".join(f"{slider.value:.1f}" for slider in self.sliders)
        self.picture.draw(self.png(), f"The image decoded from z = ({values})")

    def move_to(self, z: Code) -> None:
        """Put all sliders on a code and draw once."""
        for slider, value in zip(self.sliders, z.tolist(), strict=True):
            slider.unobserve(self.on_move, names="value")
            slider.value = min(max(value, slider.min), slider.max)
            slider.observe(self.on_move, names="value")
        self.frame()


@validated
def latent_sliders(
    model: Annotated[nn.Module, has("latent_dim"), objects.needs_no_labels("generate")],
    start: Finite[Tensor, " {model.latent_dim}"] | None = None,
    codes: Annotated[Finite[Tensor, " n {model.latent_dim}"], tensors.at_least_two] | None = None,
) -> LatentSliders:
    """Sliders over every latent dimension of any model with ``generate``, three standard deviations to each side.

    start: code to begin with, default the centre. codes: two or more, from whose mean and standard deviation the
    sliders take their range, default that of N(0, I); a start outside widens it. Works on a copy of the model, on the
    CPU. Raises TypeError or ValueError for codes of another size, or not finite.
    """
    d = model.latent_dim
    centre, spread = torch.zeros(d, device="cpu"), torch.ones(d, device="cpu")
    if codes is not None:
        centre, spread = codes.mean(0).cpu(), codes.std(0).cpu().clamp(min=1e-3)
    start = centre if start is None else start.detach().cpu().float()
    return LatentSliders(model, start, spread, centre)
