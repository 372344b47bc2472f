"""The language of the course's figures: colours, type, lines, and the shapes that every drawing is made of.

All measures are points on an opaque white panel, the origin at bottom left. Filled blue: an encoder; filled orange: a
decoder; red: a term of the loss and its gradient; green: a label; a dashed edge: drawn at random; grey face: a value.
"""

import itertools
import math
import random

from vae_helpers.plotting import BLUE, GREY

from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Polygon
from matplotlib.path import Path

INK, PALE, EDGE, GREEN = "#222222", "#F2F2F2", "#CCCCCC", "#009E73"
LINE, TYPE, SMALL = 2.5, 22, 19
IMAGE, MARGIN, UNDER = 100, 40, 118  # side of a picture, edge of the panel, how far below the middle shapes stand
GAP, CORNER = 5, 12  # between an arrow and what it touches; radius of rounded corners
HEAD = {"arrowstyle": "-|>,head_length=11,head_width=6", "mutation_scale": 1}
STYLE = {
    "svg.hashsalt": "vae_helpers",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "mathtext.fontset": "dejavusans",
}
Point = tuple[float, float]


def panel(width: float, height: float) -> Axes:
    """An empty white panel with rounded corners."""
    axes = Figure(figsize=(width / 72, height / 72), facecolor="none").add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()
    box(axes, (width / 2, height / 2), width - 2, height - 2, edge=EDGE, line=1)
    return axes


def label(axes: Axes, at: Point, text: str, size: float = TYPE, colour: str = INK, **kwargs: str) -> None:
    """Lines of text about a point; ``va`` "top" hangs them from it, "bottom" stacks them on it."""
    lines, pitch, capital = text.split("\n"), 1.2 * size, 0.73 * size
    height = capital + pitch * (len(lines) - 1)
    top = at[1] + {"top": 0, "center": height / 2, "bottom": height}[kwargs.pop("va", "center")]
    style = {"ha": "center", "size": size, "color": colour} | kwargs
    for i, line in enumerate(lines):
        axes.text(at[0], top - capital - i * pitch, line, **style)


def box(
    axes: Axes,
    at: Point,
    width: float,
    height: float,
    text: str = "",
    edge: str = GREY,
    face: str = "white",
    line: float = LINE,
    dash: str = "-",
) -> None:
    """A rounded box around a point, with a text in its middle."""
    corner = (at[0] - width / 2, at[1] - height / 2)
    style = f"round,pad=0,rounding_size={CORNER}"
    axes.add_patch(FancyBboxPatch(corner, width, height, style, ec=edge, fc=face, lw=line, ls=dash))
    label(axes, at, text)


def trapezoid(axes: Axes, at: Point, width: float, left: float, right: float, text: str, face: str) -> None:
    """A network: ``left`` and ``right`` are the heights of its two ends."""
    ends = (at[0] - width / 2, left / 2), (at[0] + width / 2, -right / 2)
    corners = [(x, at[1] + side * half) for x, half in ends for side in (-1, 1)]
    axes.add_patch(Polygon(corners, fc=face, ec=face, lw=LINE, joinstyle="round"))
    label(axes, at, text, colour="white" if face == BLUE else INK, weight="bold")


def towards(start: Point, end: Point, length: float) -> Point:
    """The point ``length`` from ``start`` on the way to ``end``."""
    share = length / math.dist(start, end)
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def arrow(axes: Axes, *points: Point, colour: str = GREY) -> None:
    """An arrow along points, its corners rounded, with a gap at both ends."""
    start, *corners, end = points
    vertices, codes = [towards(start, points[1], GAP)], [Path.MOVETO]
    for before, corner, after in zip(points, corners, points[2:], strict=False):
        vertices += [towards(corner, before, CORNER), corner, towards(corner, after, CORNER)]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    path = Path([*vertices, towards(end, points[-2], GAP)], [*codes, Path.LINETO])
    axes.add_patch(FancyArrowPatch(path=path, color=colour, lw=LINE, joinstyle="miter", capstyle="butt", **HEAD))


def bow(axes: Axes, start: Point, end: Point, bend: float, colour: str, dash: str) -> None:
    """A bent arrow between two nodes."""
    style = HEAD | {"shrinkA": 52, "shrinkB": 52, "connectionstyle": f"arc3,rad={bend}"}
    axes.add_patch(FancyArrowPatch(start, end, color=colour, lw=LINE + 1, ls=dash, **style))


def chain(axes: Axes, y: float, *edges: float) -> None:
    """Arrows from left to right at one height, between pairs of edges."""
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        arrow(axes, (start, y), (end, y))


def centres(*sizes: float) -> list[float]:
    """Where shapes stand in a row that starts at the margin: their widths, and the gaps between them, in turn."""
    left_edges = itertools.accumulate(sizes, initial=MARGIN)
    return [left + width / 2 for left, width in zip(left_edges, sizes, strict=False)][::2]


def ink(column: int, row: int, blur: float) -> float:
    """Darkness in [0, 1] of a pixel of a 28 × 28 picture of a seven."""

    def distance(a: Point, b: Point) -> float:
        (ax, ay), (bx, by) = a, b
        share = ((column - ax) * (bx - ax) + (row - ay) * (by - ay)) / math.dist(a, b) ** 2
        share = min(max(share, 0), 1)
        return math.hypot(column - ax - share * (bx - ax), row - ay - share * (by - ay))

    nearest = min(distance((7, 22), (20, 22)), distance((20, 22), (12, 4)))
    return min(max((1.6 - nearest) / blur + 0.5, 0), 1)


def image(axes: Axes, at: Point, blur: float, holes: float = 0) -> None:
    """A picture of a seven in a frame: ``blur``, the width of its edges in pixels; ``holes``, the share masked."""
    box(axes, at, IMAGE, IMAGE)
    pixel, left, bottom = (IMAGE - 10) / 28, at[0] - IMAGE / 2 + 5, at[1] - IMAGE / 2 + 5
    lots, squares, greys = random.Random(7), [], []
    for column, row in itertools.product(range(28), range(28)):
        grey = round(1 - ink(column, row, blur), 1)
        if lots.random() >= holes and grey < 1:
            x, y, side = left + column * pixel, bottom + row * pixel, pixel + 0.6  # overlapping: no seams
            squares.append([(x, y), (x + side, y), (x + side, y + side), (x, y + side)])
            greys.append(str(grey))
    axes.add_collection(PolyCollection(squares, facecolors=greys, linewidths=0))


def disc(axes: Axes, at: Point, radius: float, face: str = "white", edge: str = GREY) -> None:
    """A circle: a random variable, an activation, a place on the map."""
    axes.add_patch(Circle(at, radius, fc=face, ec=edge, lw=LINE))
