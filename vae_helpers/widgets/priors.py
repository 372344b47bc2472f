"""Draw codes from one prior or another: where they fall among the codes of images, and the images decoded from them."""

import io
from collections.abc import Mapping
from typing import Annotated

from vae_helpers.plotting import canvas, draw_codes, png_of
from vae_helpers.validation import Condition, Finite, Labels, has, objects, tensors, validated
from vae_helpers.widgets.playable import Picture, Playable, beside, generator, own_copy, reacting

import ipywidgets
import torch
from jaxtyping import Float, Int64
from PIL import Image, ImageDraw
from torch import Tensor, nn

SHOWN, KEPT, ACROSS, ZOOM, SIDE, REACH = 15, 20, 5, 3, 300, 1.15
Priors = Mapping[str, nn.Module]


class Map(Picture):
    """The plane of codes, beside the widget's picture."""

    css_class = "vae-map"
    style_of_image = "border:1px solid #bbb; box-sizing:border-box; max-width:100%"


class PriorExplorer(Playable):
    """What ``prior_explorer`` makes: ``prior`` (buttons), ``draw``, ``map`` (codes on a plane), ``picture`` (decoded).

    ``drawn`` holds each prior's codes, drawn once; the button goes on to the next 15 of them.
    """

    def __init__(
        self, model: nn.Module, priors: Priors, codes: Float[Tensor, " n d"], y: Int64[Tensor, " n"] | None
    ) -> None:
        self.model, self.plane, self.turn = own_copy(model), Plane(codes, y), 0
        self.drawn = {name: _drawn(prior) for name, prior in priors.items()}
        self.prior = ipywidgets.ToggleButtons(options=list(priors), description="prior")
        self.draw = ipywidgets.Button(description="draw again")
        self.picture, self.map, self.errors = Picture(), Map(), ipywidgets.Output()
        self.prior.observe(reacting(self.errors, self.frame), names="value")
        self.draw.on_click(reacting(self.errors, self.next))
        self.frame()
        alt = (
            f"Live in JupyterLab: buttons for the prior ({', '.join(priors)}), {SHOWN} codes drawn from it, on a map "
            f"of the codes of images, and decoded. Here, a still: what codes of {self.prior.value} decode to."
        )
        pictures = ipywidgets.HBox([self.map, self.picture])
        super().__init__([self.prior, beside(pictures, [self.draw]), self.errors], alt, self.png())

    def codes(self) -> Float[Tensor, " 15 d"]:
        """The codes that are shown."""
        start = SHOWN * self.turn
        return self.drawn[self.prior.value][start : start + SHOWN]

    def png(self) -> bytes:
        """The codes decoded, five a row, as PNG."""
        with torch.inference_mode():
            return png_of(self.model.generate(self.codes()), ACROSS, ZOOM)

    def frame(self) -> None:
        """Decode the codes and draw them, on the map too."""
        shown = f"{SHOWN} codes drawn from {self.prior.value}"
        self.picture.draw(self.png(), f"{shown}, decoded")
        self.map.draw(self.plane.png(self.codes()), f"{shown}, among the codes of images")

    def next(self) -> None:
        """Go on to codes not shown yet; after the last, begin anew."""
        self.turn = (self.turn + 1) % KEPT
        self.frame()


class Plane:
    """Codes projected on their two leading principal components, as a picture to lay points on."""

    def __init__(self, codes: Float[Tensor, " n d"], y: Int64[Tensor, " n"] | None) -> None:
        self.mean = codes.mean(0)
        self.axes = torch.linalg.svd(codes - self.mean, full_matrices=False).Vh[:2].T
        places = (codes - self.mean) @ self.axes
        self.extent = REACH * max(places.abs().max().item(), 1e-6)
        self.background = self._background(places, y)

    def _background(self, places: Float[Tensor, " n 2"], y: Int64[Tensor, " n"] | None) -> Image.Image:
        figure, axes = canvas(SIDE / 100, SIDE / 100)
        axis = axes[0, 0]
        if y is None:
            axis.plot(*places.T, "o", ms=1.6, mew=0, alpha=0.4, color="#777")
        else:
            draw_codes(axis, places, y)
        axis.set(xlim=(-self.extent, self.extent), ylim=(-self.extent, self.extent))
        axis.set_axis_off()
        figure.set_layout_engine("none")
        axis.set_position((0, 0, 1, 1))
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=100)
        return Image.open(drawn).convert("RGB")

    def pixels(self, codes: Float[Tensor, " m d"]) -> Float[Tensor, " m 2"]:
        """Where codes lie on the picture, from its upper left corner; on its edge where they lie beyond."""
        places = ((codes - self.mean) @ self.axes / self.extent).clamp(-1, 1)
        return (places * torch.tensor([1.0, -1.0], device="cpu") + 1) * (SIDE - 1) / 2

    def png(self, codes: Float[Tensor, " m d"]) -> bytes:
        """The picture with codes laid on it, as PNG."""
        picture, buffer = self.background.copy(), io.BytesIO()
        pen = ImageDraw.Draw(picture)
        for x, y in self.pixels(codes).tolist():
            pen.ellipse((x - 4, y - 4, x + 4, y + 4), fill="#D55E00", outline="black")
        picture.save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()


def _drawn(prior: nn.Module) -> Float[Tensor, " n d"]:
    """Codes of a prior, on the CPU; the same in each widget, and apart from the notebook's random numbers."""
    device = next(prior.parameters()).device
    random = generator() if device.type == "cpu" else torch.Generator(device).manual_seed(0)
    return prior.sample(SHOWN * KEPT, random).cpu()


@Condition
def _priors_of_codes(value: Priors, name: str, given: Mapping[str, object]) -> None:
    if not value:
        raise ValueError(f"{name} holds no prior: hand over at least one, by its name.")
    for called, prior in value.items():
        has("sample", "latent_dim")(prior, f"{name}[{called!r}]")
        if hasattr(prior, "n_classes"):
            raise TypeError(f"{name}[{called!r}] needs labels, and this widget can't ask for a class.")
        theirs, own = prior.latent_dim, given["model"].latent_dim
        if theirs != own:
            raise ValueError(f"{name}[{called!r}] has {theirs} dimensions, the model {own}.")


@validated
def prior_explorer(
    model: Annotated[nn.Module, has("latent_dim"), objects.needs_no_labels("generate")],
    priors: Annotated[Mapping[str, nn.Module], _priors_of_codes],
    codes: Annotated[Finite[Tensor, " n {model.latent_dim}"], tensors.at_least_two],
    y: Labels[Tensor, " n"] | None = None,
) -> PriorExplorer:
    """Buttons for the prior; fifteen codes drawn from it, on a map of the codes of images, and decoded.

    priors: by the names on the buttons, each with ``sample``. codes: of images, drawn from q(z|x), on whose two leading
    principal components the map is drawn; y: their labels, for its colours. What is drawn is drawn once, on the prior's
    device; the model is a copy, on the CPU. Raises TypeError or ValueError for priors of another number of dimensions,
    or that need labels, and where there is none.
    """
    if model.latent_dim < 2:
        raise ValueError("The map has two dimensions, the model one: use widgets.latent_sliders.")
    return PriorExplorer(model, priors, codes.detach().cpu().float(), None if y is None else y.cpu())
