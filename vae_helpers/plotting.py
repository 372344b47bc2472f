"""Pictures: every function returns a matplotlib Figure (made without pyplot); ``show`` displays one with its alt text.

Ink is drawn dark on white paper: a pixel of 1 is black.
"""

import base64
import io
from collections.abc import Sequence

from vae_helpers.data import to_float
from vae_helpers.training import History
from vae_helpers.validation import Finite, FinitePixels, Labels, Positive, PositiveInt, WholeNumber, tensors, validated

import matplotlib
import numpy as np
import torch
from IPython.display import display
from jaxtyping import Float32, Shaped
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image
from torch import Tensor

CLASS_COLOURS = matplotlib.color_sequences["petroff10"]
BLUE, ORANGE, RED, GREY = "#0072B2", "#E69F00", "#D55E00", "#666666"
DPI = 100
Images = FinitePixels[Tensor, " n 1 28 28"]
Plane = Finite[Tensor, " n 2"]  # codes of two dimensions


@validated
def show(figure: Figure, alt: str) -> None:
    """Display a figure as image/png; ``alt``, a sentence that says what it shows, is its alt and its plain text."""
    if not alt.strip():
        raise ValueError("alt is empty: say in a sentence what the picture shows.")
    bundle = {"image/png": base64.b64encode(compact_png(figure)).decode(), "text/plain": alt}
    display(bundle, raw=True, metadata={"image/png": {"alt": alt}})


@validated
def compact_png(figure: Figure) -> bytes:
    """A figure as PNG with a palette of 256 colours: a third of the bytes, to the eye the same."""
    drawn, compact = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI, bbox_inches="tight", pad_inches=0.06)
    palette = Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    palette.save(compact, "PNG", optimize=True)
    return compact.getvalue()


@validated
def canvas(
    width: Positive, height: Positive, columns: PositiveInt = 1, rows: PositiveInt = 1, **kwargs: object
) -> tuple[Figure, Shaped[np.ndarray, " rows columns"]]:
    """A figure in inches and its axes: the course's type, no frame at top and right."""
    with matplotlib.rc_context({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(rows, columns, squeeze=False, **kwargs)


@validated
def tile(images: Images, columns: PositiveInt, gap: WholeNumber = 2) -> Float32[np.ndarray, " height width"]:
    """Images side by side, ``columns`` a row, as one array in [0, 1] with white gaps."""
    pixels = to_float(images.detach().cpu())[:, 0].numpy()
    rows = -(-len(pixels) // columns)
    sheet = np.zeros((rows * (28 + gap) - gap, columns * (28 + gap) - gap), np.float32)
    for i, picture in enumerate(pixels):
        top, left = (i // columns) * (28 + gap), (i % columns) * (28 + gap)
        sheet[top : top + 28, left : left + 28] = picture
    return sheet


@validated
def draw_images(axes: Axes, images: Images, columns: PositiveInt, gap: WholeNumber = 2) -> None:
    """Draw tiled images on ``axes``, dark ink on white."""
    axes.imshow(tile(images, columns, gap), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


@validated
def image_grid(
    images: Images, columns: PositiveInt = 10, title: str = "", gap: WholeNumber = 2, inches: Positive = 0.55
) -> Figure:
    """A grid of images, ``columns`` a row, each ``inches`` wide."""
    rows = -(-len(images) // columns)
    figure, axes = canvas(inches * columns + 0.1, inches * rows + (0.35 if title else 0.1))
    draw_images(axes[0, 0], images, columns, gap)
    axes[0, 0].set_title(title, fontsize=10)
    return figure


@validated
def image_rows(rows: dict[str, Images], column_labels: Sequence[str] = (), inches: Positive = 0.62) -> Figure:
    """One labelled row of images per entry, all of one length: originals above reconstructions, say."""
    if not rows:
        raise ValueError("rows holds no row of images: there is nothing to draw.")
    columns = len(next(iter(rows.values())))
    label_inches = 0.4 + 0.095 * max(len(label) for label in rows)
    figure, axes = canvas(inches * columns + label_inches, inches * len(rows) + (0.3 if column_labels else 0.1))
    images = torch.cat([to_float(images.detach().cpu()) for images in rows.values()])
    draw_images(axes[0, 0], images, columns)
    axes[0, 0].set_yticks([13.5 + 30 * i for i in range(len(rows))], rows.keys())
    if column_labels:
        axes[0, 0].set_xticks([13.5 + 30 * i for i in range(columns)], column_labels)
        axes[0, 0].xaxis.tick_top()
    axes[0, 0].tick_params(length=0)
    return figure


@validated
def loss_curves(history: History, parts: bool = True, levels: dict[str, float] | None = None) -> Figure:
    """Loss per epoch in nats per image: total, parts where there is a KL, held-out images, named levels (dashed)."""
    if not history.train:
        raise ValueError("history holds no finished epoch: there is nothing to draw. Train for at least one.")
    figure, axes = canvas(6.4, 3.2)
    epochs, axis = range(1, len(history.train) + 1), axes[0, 0]
    axis.plot(epochs, [e.total for e in history.train], "o-", color=BLUE, label="training, total")
    if history.val:
        axis.plot(epochs, [e.total for e in history.val], "s--", color=ORANGE, label="held out, total")
    if parts and history.train[-1].kl:
        axis.plot(epochs, [e.reconstruction for e in history.train], ":", color=BLUE, label="reconstruction")
        axis.plot(epochs, [e.kl for e in history.train], "-.", color=RED, label="KL")
    for name, level in (levels or {}).items():
        axis.axhline(level, color=GREY, ls="--", lw=1)
        axis.annotate(name, (epochs[-1], level), ha="right", va="bottom", fontsize=9, color=GREY)
    axis.set(xlabel="epoch", ylabel="nats per image")
    axis.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, steps=[1, 2, 5, 10]))
    axis.legend(frameon=False, fontsize=9)
    return figure


@validated
def draw_codes(axes: Axes, z: Plane, y: Labels[Tensor, " n"]) -> None:
    """Scatter 2-D codes coloured by class, each class's digit at its median, so that colour is not needed."""
    z, y = z.detach().cpu(), y.cpu()
    for k in range(tensors.N_CLASSES):
        of_class = z[y == k]
        if len(of_class) == 0:
            continue
        axes.plot(*of_class.T, "o", ms=1.6, mew=0, alpha=0.4, color=CLASS_COLOURS[k])
        box = {"boxstyle": "circle,pad=0.2", "fc": "white", "ec": CLASS_COLOURS[k]}
        axes.text(
            *of_class.median(0).values, str(k), ha="center", va="center", fontweight="bold", bbox=box, clip_on=True
        )
    axes.set(xlabel="z₁", ylabel="z₂")


@validated
def code_scatter(z: Plane, y: Labels[Tensor, " n"], title: str = "") -> Figure:
    """2-D codes as points, coloured by class y."""
    figure, axes = canvas(5.6, 5.0)
    draw_codes(axes[0, 0], z, y)
    axes[0, 0].set_title(title, fontsize=10)
    return figure


@validated
def png_of(images: Images, columns: PositiveInt = 1, zoom: PositiveInt = 8) -> bytes:
    """Images in [0, 1] as one PNG, each pixel ``zoom`` wide: the fast way, for widgets."""
    ink = (255 - 255 * tile(images, columns).clip(0, 1)).round().astype(np.uint8)
    picture = Image.fromarray(ink).resize((ink.shape[1] * zoom, ink.shape[0] * zoom), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
