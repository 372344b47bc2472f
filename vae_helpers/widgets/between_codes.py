"""Walk from one image to another through the codes: a slider for the place on the way, straight or spherical."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from vae_helpers.data import to_float
from vae_helpers.evaluation import spherical, straight
from vae_helpers.plotting import png_of
from vae_helpers.validation import Condition, Pixels, objects, tensors, validated
from vae_helpers.widgets.playable import Picture, Playable, beside, generator, own_copy, reacting

import ipywidgets
import torch
from jaxtyping import Float
from torch import Tensor, nn

WAYS = {"straight": straight, "spherical": spherical}
ZOOM, ZOOM_OF_STRIP, STEPS = 6, 2, 11


class Strip(Picture):
    """The whole way in small, beside the widget's picture."""

    css_class = "vae-strip"


class Interpolation(Playable):
    """What ``interpolation`` makes: ``pair`` (two choices), ``way``, ``t``, ``picture``, and ``strip``, the whole way.

    ``picture`` shows the first image, the code at ``t`` decoded, and the second image.
    """

    def __init__(self, model: nn.Module, x: Float[Tensor, " n 1 28 28"], pair: tuple[int, int]) -> None:
        self.model, self.x, self.random = own_copy(model), x, generator()
        with torch.inference_mode():
            self.codes = self.model.embed(x)
        self.pair = [self._choice(name, i) for name, i in zip(("from image", "to image"), pair, strict=True)]
        self.way = ipywidgets.ToggleButtons(options=list(WAYS), description="way", style={"description_width": "84px"})
        self.t = ipywidgets.FloatSlider(
            value=0.5, min=0, max=1, step=0.02, description="t", style={"description_width": "84px"}
        )
        self.another = ipywidgets.Button(description="new pair")
        self.picture, self.strip, self.length = Picture(), Strip(), ipywidgets.Label()
        self.errors = ipywidgets.Output()
        self._observe()
        self.draw_all()
        controls = [*self.pair, self.another, self.way, self.t, self.length]
        alt = (
            "Live in JupyterLab: a slider t that walks from one image's code to another's, straight or along "
            "the sphere, and the image decoded on the way. Here, a still of the first image, half-way, and the second."
        )
        super().__init__([beside(self.picture, controls), self.strip, self.errors], alt, self.png())

    def _choice(self, name: str, i: int) -> ipywidgets.BoundedIntText:
        style, layout = {"description_width": "84px"}, {"width": "192px"}
        return ipywidgets.BoundedIntText(i, min=0, max=len(self.x) - 1, description=name, style=style, layout=layout)

    def _observe(self) -> None:
        self.on_choice = reacting(self.errors, self.draw_all)
        self.t.observe(reacting(self.errors, self.frame), names="value")
        for control in (*self.pair, self.way):
            control.observe(self.on_choice, names="value")
        self.another.on_click(reacting(self.errors, lambda: self.show_pair(*self.random_pair())))

    def code(self, t: float | Float[Tensor, " n"]) -> Float[Tensor, " codes {self.model.latent_dim}"]:
        """The code at t of the chosen way, or one code for each t."""
        z_a, z_b = (self.codes[choice.value] for choice in self.pair)
        return WAYS[self.way.value](z_a, z_b, torch.as_tensor(t, device="cpu").view(-1, 1))

    def png(self) -> bytes:
        """The first image, the step at t, and the second image, side by side, as PNG."""
        first, second = (self.x[choice.value][None] for choice in self.pair)
        with torch.inference_mode():
            return png_of(torch.cat([first, self.model.generate(self.code(self.t.value)), second]), 3, ZOOM)

    def frame(self) -> None:
        """Decode the code at t, draw it between its two images, and say how long it is."""
        first, second = (choice.value for choice in self.pair)
        self.picture.draw(
            self.png(), f"Image {first}, the {self.way.value} way at t = {self.t.value:.2f}, and image {second}"
        )
        ends = [self.codes[choice.value].norm().item() for choice in self.pair]
        here = self.code(self.t.value).norm().item()
        self.length.value = f"‖z‖ = {here:.2f} here; {ends[0]:.2f} and {ends[1]:.2f} at the ends"

    def draw_all(self) -> None:
        """Draw the step at t and the strip: what a new pair or another way asks for."""
        self.frame()
        self.draw_strip()

    def draw_strip(self) -> None:
        """Decode and draw the whole way in eleven steps."""
        with torch.inference_mode():
            steps = self.model.generate(self.code(torch.linspace(0, 1, STEPS, device="cpu")))
        self.strip.draw(png_of(steps, STEPS, ZOOM_OF_STRIP), f"The whole {self.way.value} way in {STEPS} steps")

    def random_pair(self) -> tuple[int, int]:
        """Two different images, by their numbers."""
        first, second = torch.randperm(len(self.x), generator=self.random, device="cpu")[:2].tolist()
        return first, second

    def show_pair(self, first: int, second: int) -> None:
        """Walk between two other images, named by their numbers; draws once."""
        for choice, i in zip(self.pair, (first, second), strict=True):
            choice.unobserve(self.on_choice, names="value")
            choice.value = i
            choice.observe(self.on_choice, names="value")
        self.draw_all()


@Condition
def _two_images(value: Sequence[object], name: str, given: Mapping[str, object]) -> None:
    n = len(given["x"])
    if len(value) != 2 or not all(type(i) is int and 0 <= i < n for i in value):
        raise ValueError(f"{name} must be two numbers of images from 0 to {n - 1}, got {value!r}.")


@validated
def interpolation(
    model: Annotated[nn.Module, objects.needs_no_labels("embed", "generate")],
    x: Annotated[Pixels[Tensor, " n 1 28 28"], tensors.at_least_two],
    pair: Annotated[tuple[int, ...] | list[int], _two_images] = (0, 1),
) -> Interpolation:
    """A walk between the codes of two images, for any model with ``embed`` and ``generate`` that needs no labels.

    x: at least two images to choose from; all are embedded once. pair: the numbers of the two to begin with. Works on
    copies, on the CPU. Raises TypeError or ValueError for images that are none, and for a pair that x doesn't hold.
    """
    return Interpolation(model, to_float(x.detach().cpu()), tuple(pair))
