"""Ask a conditional model for a class: buttons for the class, sliders for the style, or one style in all classes."""

from collections.abc import Mapping
from typing import Annotated

from vae_helpers.plotting import png_of
from vae_helpers.validation import Condition, Finite, WholeNumber, validated
from vae_helpers.widgets.sliders import LatentSliders

import ipywidgets
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

ZOOM_ONE, ZOOM_ALL, ACROSS = 7, 4, 5


class ClassExplorer(LatentSliders):
    """What ``class_explorer`` makes: ``label`` (buttons), ``everyone`` (a tick), ``sliders``, ``picture``."""

    def __init__(self, model: nn.Module, label: int, style: Float[Tensor, " d"]) -> None:
        names = [str(k) for k in range(model.n_classes)]
        width = {"button_width": "38px", "description_width": "36px"}
        self.label = ipywidgets.ToggleButtons(options=names, value=str(label), description="class", style=width)
        self.everyone = ipywidgets.Checkbox(False, description="same style, all classes", indent=False)
        super().__init__(model, style, torch.ones_like(style), torch.zeros_like(style))
        for control in (self.label, self.everyone):
            control.observe(self.on_move, names="value")
        self.children = (self.label, self.everyone, *self.children)
        self.alt = (
            f"Live in JupyterLab: buttons for the class, {len(style)} sliders for the style, and the image "
            f"that the model makes of them. Here, a still of class {label}."
        )

    def _slider(self, k: int) -> ipywidgets.FloatSlider:
        slider = super()._slider(k)
        slider.description, slider.style.description_width = f"style {k + 1}", "56px"
        return slider

    def asked_for(self) -> Int64[Tensor, " shown"]:
        """The labels of the images shown: the class that is pressed, or all of them."""
        everyone = range(self.model.n_classes)
        asked = list(everyone) if self.everyone.value else [int(self.label.value)]
        return torch.tensor(asked, device="cpu")

    def png(self) -> bytes:
        """The images of the classes asked for, all of the sliders' style, as PNG."""
        y = self.asked_for()
        with torch.inference_mode():
            images = self.model.generate(self.model.place(self.code().expand(len(y), -1), y), y)
        one = len(y) == 1
        return png_of(images, columns=1 if one else ACROSS, zoom=ZOOM_ONE if one else ZOOM_ALL)

    def frame(self) -> None:
        """Decode the sliders' style in the classes asked for, and draw it."""
        values = ", ".join(f"{slider.value:.1f}" for slider in self.sliders)
        which = "All classes" if self.everyone.value else f"Class {self.label.value}"
        self.picture.draw(self.png(), f"{which} in style ({values})")


@Condition
def _with_classes(value: nn.Module, name: str) -> None:
    if not hasattr(value, "place"):
        raise TypeError(f"{name}: {type(value).__name__} has no classes to ask for: use widgets.latent_sliders for it.")
    if hasattr(value, "prior"):
        raise TypeError(
            f"{name} has a prior of its own, and styles are drawn from N(0, I): use widgets.prior_explorer."
        )


@Condition
def _below_n_classes(value: int, name: str, given: Mapping[str, object]) -> None:
    if value >= given["model"].n_classes:
        raise ValueError(f"{name} must be a class from 0 to {given['model'].n_classes - 1}, got {value}.")


@validated
def class_explorer(
    model: Annotated[nn.Module, _with_classes],
    label: Annotated[WholeNumber, _below_n_classes] = 0,
    style: Finite[Tensor, " {model.latent_dim}"] | None = None,
) -> ClassExplorer:
    """Buttons for the class and sliders for the style of a ``ConditionalVAE`` or ``ClassPriorVAE``.

    label: the class to begin with. style: default 0; a style is a draw from N(0, I), and the model's
    ``place`` makes a code of it. Works on a copy of the model, on the CPU. Raises TypeError for a model without
    classes, ValueError for a label or style that the model doesn't have.
    """
    style = torch.zeros(model.latent_dim, device="cpu") if style is None else style.detach().cpu().float()
    return ClassExplorer(model, label, style)
