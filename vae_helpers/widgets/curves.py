"""Curves that a widget redraws in about a millisecond: axes are drawn once, and only the lines again."""

import io
from collections.abc import Sequence

from vae_helpers.plotting import canvas
from vae_helpers.widgets.playable import Picture

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from PIL import Image

Points = Float64[np.ndarray, " _"] | Sequence[float] | float


class Curves:
    """Panels side by side, with named lines whose points change. Lines keep their axes' limits: set those first.

    Use: ``curves = Curves(7, 3, panels=2)``, set up ``curves.axes``, add lines with ``line``, then call ``png`` with
    the points of every line that has moved. It holds its own Agg canvas, and never touches pyplot.
    """

    def __init__(self, width: float, height: float, panels: int = 1) -> None:
        self.figure, axes = canvas(width, height, columns=panels)
        self.axes: list[Axes] = list(axes[0])
        self.agg, self.lines = FigureCanvasAgg(self.figure), {}
        self.background, self.palette = None, None

    def line(self, name: str, panel: int = 0, label: str | None = None, **style: object) -> None:
        """Add a line that moves, in a panel; style as of matplotlib's ``plot``; ``label`` goes into the legend."""
        (self.lines[name],) = self.axes[panel].plot([], [], label=label, animated=True, **style)

    def png(self, **points: tuple[Points, Points]) -> bytes:
        """The picture as PNG, after the named lines have been given new points (horizontal, vertical)."""
        for name, (across, up) in points.items():
            self.lines[name].set_data(np.atleast_1d(across), np.atleast_1d(up))
        if self.background is None:
            self._draw_what_stays()
        self.agg.restore_region(self.background)
        for line in self.lines.values():
            line.axes.draw_artist(line)
        drawn = io.BytesIO()
        self._pixels().quantize(palette=self.palette, dither=Image.Dither.NONE).save(drawn, "PNG", compress_level=1)
        return drawn.getvalue()

    def _pixels(self) -> Image.Image:
        return Image.fromarray(np.asarray(self.agg.buffer_rgba())).convert("RGB")

    def _draw_what_stays(self) -> None:
        """Axes, texts and still curves; and 256 colours, those of the lines and their soft edges among them."""
        self.agg.draw()
        self.figure.set_layout_engine("none")
        self.background = self.agg.copy_from_bbox(self.figure.bbox)
        colours = np.array([to_rgb(line.get_color()) for line in self.lines.values()] or [(0, 0, 0)])
        shades = np.linspace(1, colours, 10)  # (10, lines, 3), from white to the full colour
        strip = Image.fromarray((255 * shades).astype(np.uint8)).resize((self._pixels().width, 40), 0)
        sheet = Image.fromarray(np.concatenate([np.asarray(self._pixels()), np.asarray(strip)]))
        self.palette = sheet.quantize(256, dither=Image.Dither.NONE)
        entries = np.array(self.palette.getpalette()).reshape(-1, 3)
        entries[entries.min(axis=1) > 247] = 255  # paper stays white
        self.palette.putpalette(entries.flatten().tolist())


class CurvesPicture(Picture):
    """A PNG of curves as an HTML image with alt text, smooth where it is scaled."""

    style_of_image = "max-width:100%"
