"""What all widgets share: a box that shows a still where no kernel runs, and a picture with alt text."""

import base64
from collections.abc import Callable

from vae_helpers.models import copy_of

import ipywidgets
import torch
from torch import nn


class Playable(ipywidgets.VBox):
    """A box of widgets that is saved as a sentence and a still picture, for pages without a kernel (GitHub, a PDF)."""

    def __init__(self, children: list[ipywidgets.Widget], alt: str, still: bytes) -> None:
        super().__init__(children)
        self.alt, self.still = alt, still

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict, dict]:
        bundle = dict(super()._repr_mimebundle_(**kwargs) or {})
        bundle |= {"text/plain": self.alt, "image/png": base64.b64encode(self.still).decode()}
        return bundle, {"image/png": {"alt": self.alt}}


def beside(picture: ipywidgets.Widget, controls: list[ipywidgets.Widget]) -> ipywidgets.HBox:
    """A picture and its controls, side by side; where the page is narrow the picture gives way, not the controls."""
    return ipywidgets.HBox([picture, ipywidgets.VBox(controls, layout={"flex": "0 0 auto"})])


class Picture(ipywidgets.HTML):
    """A PNG as an HTML image, with alt text and sharp pixels; a page finds it by its ``css_class``."""

    css_class = "vae-picture"
    style_of_image = "image-rendering:pixelated; border:1px solid #bbb; box-sizing:border-box; max-width:100%"

    def draw(self, png: bytes, alt: str) -> None:
        """Replace the picture."""
        source = base64.b64encode(png).decode()
        self.value = (
            f'<img class="{self.css_class}" alt="{alt}" style="{self.style_of_image}" '
            f'src="data:image/png;base64,{source}">'
        )


def reacting(errors: ipywidgets.Output, act: Callable[[], object]) -> Callable[[object], None]:
    """A callback that calls ``act()`` and shows in ``errors`` what it raises; elsewhere a callback's error is lost."""
    return errors.capture(clear_output=True, wait=True)(lambda _event: act())


def own_copy(model: nn.Module) -> nn.Module:
    """A copy of the model for a widget's callbacks, on the CPU and in evaluation mode.

    Callbacks may run in a second thread, while a cell trains the original.
    """
    return copy_of(model).cpu().eval().requires_grad_(False)


def generator(seed: int = 0) -> torch.Generator:
    """A widget's own source of random numbers, apart from the notebook's."""
    return torch.Generator().manual_seed(seed)
