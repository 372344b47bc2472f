"""A pad to draw one's own digit on, by mouse, finger or keys, and beside it what each model makes of it."""

import base64
import html
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated

from vae_helpers.data import fit_and_centre, to_float
from vae_helpers.plotting import png_of
from vae_helpers.validation import Condition, Pixels, objects, tensors, validated
from vae_helpers.widgets.playable import Picture, Playable, own_copy, reacting

import ipywidgets
import torch
import traitlets
from jaxtyping import Float32
from torch import Tensor, nn

SIDE, ZOOM, GAP = 28, 4, 2
JAVASCRIPT = """
const SIDE = 28, SIZE = 252, REACH = 2;  // a stroke is three pixels wide, full in the middle and soft at its edges
function render({ model, el }) {
  const make = (tag, style) => Object.assign(document.createElement(tag), { style });
  const pad = make("div", `position:relative; width:${SIZE}px; height:${SIZE}px; border:1px solid #666; ` +
    "touch-action:none; cursor:crosshair; overflow:hidden; flex:none");
  const sheet = make("canvas", "width:100%; height:100%; image-rendering:pixelated; display:block");
  const brush = make("div", "position:absolute; width:27px; height:27px; margin:-15px; border-radius:50%; " +
    "border:2px solid #D55E00; pointer-events:none");
  sheet.width = sheet.height = SIDE;
  pad.className = "vae-drawing-pad"; pad.tabIndex = 0; pad.setAttribute("role", "application");
  pad.dataset.lmSuppressShortcuts = "true";  // JupyterLab would take arrows and Space for its own
  pad.append(sheet, brush); el.append(pad);

  const paper = sheet.getContext("2d"), ink = new Uint8ClampedArray(SIDE * SIDE);
  let at = [SIDE / 2, SIDE / 2], sent = null;
  const paint = () => {
    const picture = paper.createImageData(SIDE, SIDE);
    ink.forEach((value, i) => picture.data.set([255 - value, 255 - value, 255 - value, 255], 4 * i));
    paper.putImageData(picture, 0, 0);
  };
  const read = () => {
    if (model.get("pixels") === sent) return;
    ink.set(Uint8Array.from(atob(model.get("pixels")), letter => letter.charCodeAt(0)));
    paint();
  };
  const send = () => {
    sent = btoa(String.fromCharCode(...ink));
    model.set("pixels", sent); model.save_changes(); paint();
  };
  const dab = (x, y) => ink.forEach((value, i) => {
    const far = Math.hypot(i % SIDE + 0.5 - x, Math.floor(i / SIDE) + 0.5 - y);
    ink[i] = Math.max(value, 255 * Math.min(1, REACH - far));
  });
  const move = to => {
    at = to;
    brush.style.left = `${100 * at[0] / SIDE}%`; brush.style.top = `${100 * at[1] / SIDE}%`;
    const [column, row] = at.map(v => Math.min(SIDE, Math.floor(v) + 1));
    pad.setAttribute("aria-label", `Drawing pad, brush at column ${column}, row ${row} of ${SIDE}. Arrow keys move ` +
      "the brush, with Shift they draw a line, Space draws a dot, Backspace clears.");
  };
  const drawTo = to => {
    const steps = 1 + Math.ceil(2 * Math.hypot(to[0] - at[0], to[1] - at[1]));
    for (let k = 1; k <= steps; k++) dab(...at.map((from, axis) => from + (to[axis] - from) * k / steps));
    move(to); send();
  };
  const clear = () => { ink.fill(0); send(); };
  const inside = v => Math.min(SIDE - 0.5, Math.max(0.5, v));
  const place = e => {
    const box = sheet.getBoundingClientRect();
    return [(e.clientX - box.left) / box.width, (e.clientY - box.top) / box.height].map(v => inside(SIDE * v));
  };
  pad.addEventListener("pointerdown", e => { pad.setPointerCapture(e.pointerId); move(place(e)); drawTo(at); });
  pad.addEventListener("pointermove", e => { if (e.buttons) drawTo(place(e)); else move(place(e)); });
  pad.addEventListener("keydown", e => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
    if (!step && ![" ", "Backspace", "Delete"].includes(e.key)) return;
    e.preventDefault(); e.stopPropagation();
    if (e.key === " ") drawTo(at);
    else if (!step) clear();
    else (e.shiftKey ? drawTo : move)(at.map((v, axis) => inside(v + step[axis])));
  });
  model.on("change:pixels", read); move(at); read(); paint();
}
export default { render };
"""
Image = Pixels[Tensor, " 1 1 28 28"]
Draws = Callable[[Float32[Tensor, " 1 1 28 28"]], Tensor]


def _blank() -> Float32[Tensor, " 1 1 28 28"]:
    return torch.zeros(1, 1, SIDE, SIDE, device="cpu")


@cache
def _pad_class() -> type | None:
    try:
        import anywidget
    except ImportError:
        return None

    class Pad(anywidget.AnyWidget):
        """The sheet: ``pixels``, 784 bytes of ink in base64, the same in the page and in the kernel."""

        _esm = JAVASCRIPT
        pixels = traitlets.Unicode(_packed(_blank())).tag(sync=True)

    return Pad


class Captioned(Picture):
    """Images in a row, below each its name."""

    def draw_row(self, images: Mapping[str, Float32[Tensor, " 1 1 28 28"]], alt: str) -> None:
        """Replace the picture and its captions."""
        self.draw(_row(images), alt)
        style = f"width:{(SIDE + GAP) * ZOOM}px; text-align:center; line-height:1.3; padding-right:4px"
        captions = "".join(f'<div style="{style}">{html.escape(name)}</div>' for name in images)
        self.value += f'<div style="display:flex">{captions}</div>'


class DrawingPad(Playable):
    """The widget that ``drawing_pad`` makes: ``pad``, ``fitted``, ``clear``, ``picture``, ``draw(x)``, ``frame()``."""

    def __init__(self, models: Mapping[str, Draws], x: Image) -> None:
        self.models, self.picture, self.errors = models, Captioned(), ipywidgets.Output()
        self.pad = _pad_class()(pixels=_packed(x))
        self.fitted = ipywidgets.Checkbox(value=True, description="fit and centre, as MNIST does", indent=False)
        self.clear = ipywidgets.Button(description="clear")
        redraw = reacting(self.errors, self.frame)
        self.pad.observe(redraw, names="pixels")
        self.fitted.observe(redraw, names="value")
        blank = reacting(self.errors, lambda: self.draw(_blank()))
        self.clear.on_click(blank)
        self.frame()
        alt = (
            "Live in JupyterLab: a sheet to draw a digit on, by mouse, finger or keys, and what "
            f"{' and '.join(models)} make of it. Here, a still of the image it starts with."
        )
        controls = ipywidgets.HBox([self.clear, self.fitted])
        beside = ipywidgets.VBox(
            [self.picture, controls], layout={"padding": "0 0 0 12px", "flex": "1 1 0", "min_width": "0"}
        )
        super().__init__([ipywidgets.HBox([self.pad, beside]), self.errors], alt, _row(self.images_shown()))

    def drawing(self) -> Float32[Tensor, " 1 1 28 28"]:
        """What is on the sheet, in [0, 1]."""
        values = bytearray(base64.b64decode(self.pad.pixels))
        return to_float(torch.frombuffer(values, dtype=torch.uint8).view(1, 1, SIDE, SIDE))

    def draw(self, x: Image) -> None:
        """Put an image on the sheet."""
        self.pad.pixels = _packed(x)

    def images_shown(self) -> dict[str, Float32[Tensor, " 1 1 28 28"]]:
        """Name → image: the input that the models see, and what each makes of it."""
        x = self.drawing()
        if self.fitted.value:
            x = fit_and_centre(x)
        with torch.inference_mode():
            return {"input": x} | {name: _made_by(model, x, name) for name, model in self.models.items()}

    def frame(self) -> None:
        """Ask every model, and draw."""
        images = self.images_shown()
        ink = self.drawing().mean().item()
        names = html.escape(", ".join(self.models))
        self.picture.draw_row(images, f"Your drawing, {ink:.1%} of it ink, and what is made of it by: {names}")


def _row(images: Mapping[str, Float32[Tensor, " 1 1 28 28"]]) -> bytes:
    return png_of(torch.cat(list(images.values())), columns=len(images), zoom=ZOOM)


def _packed(x: Image) -> str:
    values = (255 * to_float(x.detach().cpu())).round().to(torch.uint8)
    return base64.b64encode(values.numpy().tobytes()).decode()


def _made_by(model: Draws, x: Float32[Tensor, " 1 1 28 28"], name: str) -> Float32[Tensor, " 1 1 28 28"]:
    """What a model makes of x; TypeError or ValueError, by its name, where that is no finite image."""
    x_hat = model(x.clone())
    if not isinstance(x_hat, Tensor) or x_hat.shape != x.shape:
        got = tuple(x_hat.shape) if isinstance(x_hat, Tensor) else type(x_hat).__name__
        raise ValueError(f"models[{name!r}] must make an image {tuple(x.shape)} of an image, but gives {got}.")
    tensors.finite(x_hat, f"what models[{name!r}] makes of an image")
    return x_hat.detach().cpu().float().clamp(0, 1)


def _as_function(model: nn.Module | Callable) -> Draws:
    """The function x → x̂ of a model (embed, then generate), of another module, or the function itself."""
    if not isinstance(model, nn.Module):
        return model
    model = own_copy(model)
    if not (hasattr(model, "embed") and hasattr(model, "generate")):
        return model
    return lambda x: model.generate(model.embed(x))


@Condition
def _draw_images(value: Mapping[object, object], name: str) -> None:
    if not value or any(not isinstance(key, str) or key == "input" for key in value):
        example = '{"autoencoder": model}'
        raise ValueError(f"{name} must hold a name (not 'input') and a model at least, such as {example}.")
    for key, model in value.items():
        if isinstance(model, type) or not callable(model):
            objects.module(model, f"{name}[{key!r}], if no function of an image,")


@validated
def drawing_pad(
    models: Annotated[Mapping[str, nn.Module | Callable], _draw_images],
    x_start: Image | None = None,
) -> DrawingPad:
    """A sheet of 28 × 28 pixels to draw on, and beside it what each model makes of the drawing.

    models: name → any model with ``embed`` and ``generate``, or a function of an image (1, 1, 28, 28) in [0, 1] that
    gives another. Modules are copied, to the CPU and into evaluation mode. x_start: what is on the sheet at first. A
    box, ticked at first, gives the models the drawing as MNIST would (``data.fit_and_centre``). Raises TypeError or
    ValueError for other models and images, RuntimeError where anywidget is not installed.
    """
    if _pad_class() is None:
        raise RuntimeError("The drawing pad needs the package anywidget: pip install anywidget.")
    x = _blank() if x_start is None else x_start
    return DrawingPad({name: _as_function(model) for name, model in models.items()}, x)
