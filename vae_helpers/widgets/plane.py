"""A plane of codes to walk on: a pad with a point that drag and arrow keys move, and the image decoded there."""

import base64
import io
from collections.abc import Sequence
from functools import cache
from typing import Annotated

from vae_helpers.plotting import canvas, draw_codes, png_of
from vae_helpers.validation import Condition, Finite, Labels, has, objects, validated
from vae_helpers.widgets.playable import Picture, Playable, own_copy, reacting

import ipywidgets
import torch
import traitlets
from jaxtyping import Float32
from torch import Tensor, nn

ZOOM, EXTENT = 9, 3.5
JAVASCRIPT = """
function render({ model, el }) {
  const pad = document.createElement("div"), dot = document.createElement("div");
  pad.className = "vae-pad"; pad.tabIndex = 0; pad.setAttribute("role", "application");
  Object.assign(pad.style, { position: "relative", width: "252px", height: "252px", border: "1px solid #666",
    touchAction: "none", cursor: "crosshair", backgroundSize: "100% 100%",
    backgroundImage: `url(data:image/png;base64,${model.get("background")})` });
  Object.assign(dot.style, { position: "absolute", width: "14px", height: "14px", margin: "-8px", borderRadius: "50%",
    border: "2px solid white", outline: "2px solid black", background: "#D55E00", pointerEvents: "none" });
  pad.append(dot); el.append(pad);
  const far = model.get("extent"), keep = v => Math.round(100 * Math.min(far, Math.max(-far, v))) / 100;
  const draw = () => {
    const [a, b] = model.get("z");
    dot.style.left = `${50 + 50 * a / far}%`; dot.style.top = `${50 - 50 * b / far}%`;
    pad.setAttribute("aria-label",
      `Latent plane, z = (${a.toFixed(1)}, ${b.toFixed(1)}). Arrow keys move the point.`);
  };
  const move = (a, b) => { model.set("z", [keep(a), keep(b)]); model.save_changes(); };
  const follow = e => {
    const box = pad.getBoundingClientRect();
    move(far * (2 * (e.clientX - box.left) / box.width - 1), far * (1 - 2 * (e.clientY - box.top) / box.height));
  };
  pad.addEventListener("pointerdown", e => { pad.setPointerCapture(e.pointerId); follow(e); });
  pad.addEventListener("pointermove", e => { if (e.buttons) follow(e); });
  pad.addEventListener("keydown", e => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key];
    if (!step) return;
    e.preventDefault(); e.stopPropagation();
    const [a, b] = model.get("z"); move(a + 0.1 * step[0], b + 0.1 * step[1]);
  });
  model.on("change:z", draw); draw();
}
export default { render };
"""


def has_pad() -> bool:
    """Whether the pad can be shown: it needs the package anywidget."""
    return _pad_class() is not None


@cache
def _pad_class() -> type | None:
    try:
        import anywidget
    except ImportError:
        return None

    class Pad(anywidget.AnyWidget):
        _esm = JAVASCRIPT
        z = traitlets.List([0.0, 0.0]).tag(sync=True)
        extent = traitlets.Float(EXTENT).tag(sync=True)
        background = traitlets.Unicode("").tag(sync=True)

    return Pad


class LatentPlane(Playable):
    """The widget that ``latent_plane`` makes: ``pad`` (or None) or ``sliders``, ``picture``, ``frame()``."""

    def __init__(self, model: nn.Module, start: list[float], background: bytes, with_pad: bool) -> None:
        self.model, self.picture, self.errors = own_copy(model), Picture(), ipywidgets.Output()
        self.pad, self.sliders = None, []
        if with_pad:
            self.pad = _pad_class()(z=start, background=base64.b64encode(background).decode())
            self.pad.observe(reacting(self.errors, self.frame), names="z")
            controls, how = [self.pad], "a pad whose point is moved by dragging or by the arrow keys"
        else:
            self.sliders = [_slider(f"z {k + 1}", value) for k, value in enumerate(start)]
            for slider in self.sliders:
                slider.observe(reacting(self.errors, self.frame), names="value")
            controls, how = [ipywidgets.VBox(self.sliders)], "two sliders, one per latent dimension"
        self.frame()
        alt = f"Live in JupyterLab: {how}, and the image decoded there. Here, a still of the starting place."
        super().__init__([ipywidgets.HBox([*controls, self.picture]), self.errors], alt, self.png())

    def code(self) -> Float32[Tensor, " 1 2"]:
        """The code z under the point."""
        values = self.pad.z if self.pad is not None else [slider.value for slider in self.sliders]
        return torch.tensor([values], dtype=torch.float32, device="cpu")

    def move_to(self, z1: float, z2: float) -> None:
        """Put the point somewhere and draw."""
        if self.pad is not None:
            self.pad.z = [float(z1), float(z2)]
        for slider, value in zip(self.sliders, (z1, z2), strict=False):
            slider.value = value

    def png(self) -> bytes:
        """The decoded image as PNG."""
        with torch.inference_mode():
            return png_of(self.model.generate(self.code()), zoom=ZOOM)

    def frame(self) -> None:
        """Decode the code under the point and draw it."""
        z1, z2 = self.code()[0].tolist()
        self.picture.draw(self.png(), f"The image decoded from z = ({z1:.1f}, {z2:.1f})")


def _slider(name: str, value: float) -> ipywidgets.FloatSlider:
    return ipywidgets.FloatSlider(value=value, min=-EXTENT, max=EXTENT, step=0.1, description=name)


def _map_of(codes: Finite[Tensor, " n 2"] | None, y: Labels[Tensor, " n"] | None) -> bytes:
    """The codes as points, coloured by class, filling a square picture: the pad's background."""
    figure, axes = canvas(2.6, 2.6)
    axis = axes[0, 0]
    if codes is not None:
        draw_codes(axis, codes, y)
    axis.set(xlim=(-EXTENT, EXTENT), ylim=(-EXTENT, EXTENT))
    axis.set_axis_off()
    figure.set_layout_engine("none")
    axis.set_position((0, 0, 1, 1))
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=100)
    return drawn.getvalue()


@Condition
def _on_the_plane(value: Sequence[object], name: str) -> None:
    for each in value:
        objects.number(each, f"{name} must be two numbers: each", -EXTENT, EXTENT)
    if len(value) != 2:
        raise ValueError(f"{name} must be two numbers between −{EXTENT} and {EXTENT}, got {value!r}.")


@validated
def latent_plane(
    model: Annotated[nn.Module, has("latent_dim"), objects.needs_no_labels("generate")],
    codes: Finite[Tensor, " n 2"] | None = None,
    y: Labels[Tensor, " n"] | None = None,
    start: Annotated[tuple[float, ...] | list[float], _on_the_plane] = (0.0, 0.0),
    pad: bool | None = None,
) -> LatentPlane:
    """A 2-D pad, z₁ to the right and z₂ up, from −3.5 to 3.5, and the image that a model with two dimensions decodes.

    codes with labels y: drawn below the pad as a map. pad: whether to show the pad or two sliders; default
    the pad where anywidget is installed. Works on a copy of the model, on the CPU. Raises ValueError for a model with
    another number of dimensions or a start that is off the plane, RuntimeError for a pad without anywidget.
    """
    if model.latent_dim != 2:
        raise ValueError(f"The plane has two dimensions, the model {model.latent_dim}: use widgets.latent_sliders.")
    if codes is not None and y is None:
        raise TypeError("codes need their labels: hand over y, one for each.")
    with_pad = has_pad() if pad is None else pad
    if with_pad and not has_pad():
        raise RuntimeError("The pad needs the package anywidget: pip install anywidget, or take pad=False (sliders).")
    return LatentPlane(model, [float(value) for value in start], _map_of(codes, y) if with_pad else b"", with_pad)
