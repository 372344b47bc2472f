"""Pictures: every function returns a matplotlib Figure (made without pyplot); ``show`` displays one with its alt text.

Ink is drawn dark on white paper: a pixel of 1 is black.
"""

import base64
import io
from collections.abc import Sequence

from vae_helpers.data import to_float
from vae_helpers.training import History
from vae_helpers.validation import objects, tensors, validate

import matplotlib
import numpy as np
import torch
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image
from torch import Tensor

CLASS_COLOURS = matplotlib.color_sequences["petroff10"]
BLUE, ORANGE, RED, GREY = "#0072B2", "#E69F00", "#D55E00", "#666666"
DPI = 100


@validate.arguments(figure=objects.an(Figure), alt=objects.an(str))
def show(figure: Figure, alt: str) -> None:
    """Display a figure as image/png; ``alt``, a sentence that says what it shows, is its alt and its plain text."""
    if not alt.strip():
        raise ValueError("alt is empty: say in a sentence what the picture shows.")
    bundle = {"image/png": base64.b64encode(compact_png(figure)).decode(), "text/plain": alt}
    display(bundle, raw=True, metadata={"image/png": {"alt": alt}})


@validate.arguments(figure=objects.an(Figure))
def compact_png(figure: Figure) -> bytes:
    """A figure as PNG with a palette of 256 colours: a third of the bytes, to the eye the same."""
    drawn, compact = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI, bbox_inches="tight", pad_inches=0.06)
    palette = Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    palette.save(compact, "PNG", optimize=True)
    return compact.getvalue()


@validate.arguments(
    width=objects.positive, height=objects.positive, columns=objects.positive_int, rows=objects.positive_int
)
def canvas(width: float, height: float, columns: int = 1, rows: int = 1, **kwargs: object) -> tuple[Figure, np.ndarray]:
    """A figure in inches and its axes, an array (rows, columns): the course's type, no frame at top and right."""
    with matplotlib.rc_context({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(rows, columns, squeeze=False, **kwargs)


@validate.arguments(images=tensors.finite_images, columns=objects.positive_int, gap=objects.whole_number)
def tile(images: Tensor, columns: int, gap: int = 2) -> np.ndarray:
    """Images (n, 1, 28, 28) side by side, ``columns`` a row, as one array of floats in [0, 1] with white gaps."""
    pixels = to_float(images.detach().cpu())[:, 0].numpy()
    rows = -(-len(pixels) // columns)
    sheet = np.zeros((rows * (28 + gap) - gap, columns * (28 + gap) - gap), np.float32)
    for i, picture in enumerate(pixels):
        top, left = (i // columns) * (28 + gap), (i % columns) * (28 + gap)
        sheet[top : top + 28, left : left + 28] = picture
    return sheet


@validate.arguments(axes=objects.an(Axes))
def draw_images(axes: Axes, images: Tensor, columns: int, gap: int = 2) -> None:
    """Draw tiled images (n, 1, 28, 28) on ``axes``, dark ink on white."""
    axes.imshow(tile(images, columns, gap), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


@validate.arguments(
    images=tensors.finite_images, columns=objects.positive_int, title=objects.an(str), inches=objects.positive
)
def image_grid(images: Tensor, columns: int = 10, title: str = "", gap: int = 2, inches: float = 0.55) -> Figure:
    """A grid of images (n, 1, 28, 28), ``columns`` a row, each ``inches`` wide."""
    rows = -(-len(images) // columns)
    figure, axes = canvas(inches * columns + 0.1, inches * rows + (0.35 if title else 0.1))
    draw_images(axes[0, 0], images, columns, gap)
    axes[0, 0].set_title(title, fontsize=10)
    return figure


@validate.arguments(rows=objects.an(dict), inches=objects.positive)
def image_rows(rows: dict[str, Tensor], column_labels: Sequence[str] = (), inches: float = 0.62) -> Figure:
    """One labelled row of images per entry, all of one length: originals above reconstructions, say."""
    for images in rows.values():
        tensors.finite_images(images, "each of rows")
    lengths = {label: len(images) for label, images in rows.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"rows must hold rows of images, all of one length, got {lengths}.")
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


@validate.arguments(history=objects.an(History), parts=objects.an(bool), levels=objects.an(dict))
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


@validate.arguments(axes=objects.an(Axes), z=tensors.table)
def draw_codes(axes: Axes, z: Tensor, y: Tensor) -> None:
    """Scatter 2-D codes (n, 2) coloured by class, each class's digit at its median, so that colour is not needed."""
    tensors.code_tensor(z, 2)
    tensors.label_tensor(y, len(z))
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


@validate.arguments(title=objects.an(str))
def code_scatter(z: Tensor, y: Tensor, title: str = "") -> Figure:
    """2-D codes (n, 2) as points, coloured by class y (n,)."""
    figure, axes = canvas(5.6, 5.0)
    draw_codes(axes[0, 0], z, y)
    axes[0, 0].set_title(title, fontsize=10)
    return figure


@validate.arguments(zoom=objects.positive_int)
def png_of(images: Tensor, columns: int = 1, zoom: int = 8) -> bytes:
    """Images (n, 1, 28, 28) in [0, 1] as one PNG, each pixel ``zoom`` wide: the fast way, for widgets."""
    ink = (255 - 255 * tile(images, columns).clip(0, 1)).round().astype(np.uint8)
    picture = Image.fromarray(ink).resize((ink.shape[1] * zoom, ink.shape[0] * zoom), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
