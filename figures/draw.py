"""Draw the course's figures as SVG files beside this script: ``python figures/draw.py [--only NAME]``.

Every figure is drawn in points on an opaque white panel, so that it is legible on light and on dark pages.
The same code and the same matplotlib give the same bytes; each file names both in its metadata.
"""

import argparse
import hashlib
import io
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path as File

import matplotlib
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Polygon
from matplotlib.path import Path

from vae_helpers.plotting import BLUE, GREY, ORANGE, RED

HERE = File(__file__).parent
WRITTEN = {f"{k:02}" for k in range(10)}  # the notebooks that exist: filled on the map, the others outlined
# Number, name, and the failure that leads on to the next notebook.
COURSE = [
    ("00", "start here", "pixels\ndon’t agree"),
    ("01", "autoencoder", "a wide code\njust copies"),
    ("02", "denoising", "codes can’t\nbe sampled"),
    ("03", "ELBO", "a sample\nblocks the\ngradient"),
    ("04", "reparameterization\n& KL", "linear: only blobs"),
    ("05", "VAE", "is it\nany good?"),
    ("06", "likelihood", "what is in\nthe code?"),
    ("07", "latent space", "can’t ask\nfor a 7"),
    ("08", "conditional\nVAE", "what goes\nwrong?"),
    ("09", "spot the bug", ""),
]

INK, PALE, EDGE = "#222222", "#F2F2F2", "#CCCCCC"
LINE, TYPE, SMALL = 2.5, 22, 18
IMAGE, LEFT, UNDER = 110, 96, 118  # side of a picture, centre of x, how far below the middle shapes stand
GAP, CORNER = 5, 12  # between an arrow and what it touches; radius of rounded corners
STYLE = {
    "svg.hashsalt": "vae_helpers",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "mathtext.fontset": "dejavusans",
}
Point = tuple[float, float]


@dataclass(frozen=True)
class Drawing:
    """What to draw on a panel of ``width`` × ``height`` points, and how to say it in words."""

    paint: Callable[[Axes], None]
    width: float
    height: float
    title: str
    description: str


def panel(width: float, height: float) -> Axes:
    """An empty white panel with rounded corners, in points, the origin at bottom left."""
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
    head = "-|>,head_length=11,head_width=6"
    style = {"arrowstyle": head, "mutation_scale": 1, "joinstyle": "miter", "capstyle": "butt"}
    axes.add_patch(FancyArrowPatch(path=path, color=colour, lw=LINE, **style))


def ink(column: int, row: int, blur: float) -> float:
    """Darkness in [0, 1] of a pixel of a 28 × 28 picture of a seven."""

    def distance(a: Point, b: Point) -> float:
        (ax, ay), (bx, by) = a, b
        share = ((column - ax) * (bx - ax) + (row - ay) * (by - ay)) / math.dist(a, b) ** 2
        share = min(max(share, 0), 1)
        return math.hypot(column - ax - share * (bx - ax), row - ay - share * (by - ay))

    nearest = min(distance((7, 22), (20, 22)), distance((20, 22), (12, 4)))
    return min(max((1.6 - nearest) / blur + 0.5, 0), 1)


def image(axes: Axes, at: Point, blur: float) -> None:
    """A picture of a seven, pixel by pixel, in a frame: ``blur`` is the width of its edges in pixels."""
    box(axes, at, IMAGE, IMAGE)
    pixel, left, bottom = (IMAGE - 10) / 28, at[0] - IMAGE / 2 + 5, at[1] - IMAGE / 2 + 5
    squares, greys = [], []
    for column, row in itertools.product(range(28), range(28)):
        grey = round(1 - ink(column, row, blur), 1)
        if grey < 1:
            x, y, side = left + column * pixel, bottom + row * pixel, pixel + 0.6  # overlapping: no seams
            squares.append([(x, y), (x + side, y), (x + side, y + side), (x, y + side)])
            greys.append(str(grey))
    axes.add_collection(PolyCollection(squares, facecolors=greys, linewidths=0))


def chain(axes: Axes, y: float, *edges: float) -> None:
    """Arrows from left to right at one height, between pairs of edges."""
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        arrow(axes, (start, y), (end, y))


def station(axes: Axes, at: Point, radius: float, written: bool) -> None:
    """A notebook's place on the map."""
    axes.add_patch(Circle(at, radius, fc=BLUE if written else "white", ec=BLUE, lw=LINE))


def legend(axes: Axes, at: Point) -> None:
    """What filled and outlined places mean."""
    for x, written, text in ((at[0], True, "ready"), (at[0] + 104, False, "to come")):
        station(axes, (x, at[1]), 8, written)
        label(axes, (x + 16, at[1]), text, SMALL, ha="left")


def course_map(axes: Axes) -> None:
    """Two rows of five notebooks; on each arrow, the failure that leads on."""
    radius, left, step, upper, lower = 29, 90, 180, 334, 122
    places = [(left + step * (i % 5), lower if i > 4 else upper) for i in range(len(COURSE))]
    for (number, name, failure), (x, y) in zip(COURSE, places, strict=True):
        written = number in WRITTEN
        station(axes, (x, y), radius, written)
        label(axes, (x, y), number, colour="white" if written else BLUE, weight="bold")
        label(axes, (x, y - radius - 14), name, SMALL, va="top")
        if failure and x < places[4][0]:
            arrow(axes, (x + radius, y), (x + step - radius, y))
            label(axes, (x + step / 2, y + 16), failure, SMALL, RED, va="bottom")
    (start, _), (end, _) = places[4:6]
    turn = lower + radius + 54
    arrow(axes, (start, upper - 88), (start, turn), (end, turn), (end, lower + radius))
    label(axes, ((start + end) / 2, turn + 12), COURSE[4][2], SMALL, RED, va="bottom")
    if len(WRITTEN) < len(COURSE):
        legend(axes, (left - 34, 30))


def ends(axes: Axes, y: float, right: float, shape: str, term: str, width: float, depth: float) -> None:
    """x and x̂ with their shape, and an arrow from each to the term of the loss that compares them."""
    middle = (LEFT + right) / 2
    box(axes, (middle, depth), width, 48, term, edge=RED)
    for x, name, blur, side in ((LEFT, "$x$", 1, -1), (right, r"$\hat{x}$", 3, 1)):
        image(axes, (x, y), blur)
        label(axes, (x, y + IMAGE / 2 + 22), name, TYPE + 4)
        label(axes, (x, y - UNDER), shape)
        arrow(axes, (x, y - UNDER - 14), (x, depth), (middle + side * width / 2, depth), colour=RED)


def autoencoder(axes: Axes) -> None:
    """Picture → encoder → code → decoder → picture."""
    y = 230
    ends(axes, y, 844, "28×28 = 784", "squared error or cross-entropy", 536, depth=48)
    trapezoid(axes, (291, y), 178, 184, 92, "encoder", BLUE)
    box(axes, (470, y), 76, 76, "$z$", face=PALE)
    trapezoid(axes, (649, y), 178, 92, 184, "decoder", ORANGE)
    chain(axes, y, 151, 201, 381, 431, 509, 559, 739, 789)
    for x, shape in ((291, "512 → 256"), (470, "$d$"), (649, "256 → 512")):
        label(axes, (x, y - UNDER), shape)


def sigmoid(axes: Axes, at: Point, radius: float) -> None:
    """A circle with the curve of the logistic function in it."""
    axes.add_patch(Circle(at, radius, fc="white", ec=GREY, lw=LINE))
    steps = [t / 10 for t in range(-10, 11)]
    across = [at[0] + 0.62 * radius * t for t in steps]
    axes.plot(across, [at[1] + 0.5 * radius * math.tanh(3 * t) for t in steps], color=INK, lw=LINE)


def vae(axes: Axes) -> None:
    """Picture → encoder → μ and log σ² → sample z → decoder → picture; the loss terms where they attach."""
    y, code, sample = 320, 397, 561
    ends(axes, y, 1046, "784", r"reconstruction  $-\log p(x\,|\,z)$", 380, depth=48)
    trapezoid(axes, (246, y), 122, 184, 120, "encoder", BLUE)
    for name, side in ((r"$\mu$", 1), (r"$\log\,\sigma^2$", -1)):
        box(axes, (code, y + 36 * side), 92, 54, name, face=PALE)
        arrow(axes, (307, y + 24 * side), (351, y + 36 * side))
        arrow(axes, (443, y + 36 * side), (487, y + 14 * side))
    box(axes, (sample, y), 148, 64, r"$z = \mu + \sigma\,\epsilon$", face=PALE)
    box(axes, (sample, y + 120), 148, 54, r"$\epsilon \sim \mathcal{N}(0, I)$", dash="--")
    arrow(axes, (sample, y + 93), (sample, y + 32))
    trapezoid(axes, (730, y), 122, 120, 184, "decoder", ORANGE)
    sigmoid(axes, (931, y), 26)
    chain(axes, y, 151, 185, 635, 669, 791, 905, 957, 991)
    label(axes, (844, y + 20), "x_logits")
    for x, text in ((246, "400"), (code, "$d$ each"), (sample, "$d$"), (730, "400"), (931, "sigmoid")):
        label(axes, (x, y - UNDER), text)
    divergence = r"$D_{\mathrm{KL}}(\mathcal{N}(\mu, \sigma^2)\,\|\,\mathcal{N}(0, I))$"
    box(axes, (code, y - 194), 330, 48, divergence, edge=RED)
    arrow(axes, (code, y - UNDER - 14), (code, y - 170), colour=RED)


def node(axes: Axes, at: Point, name: str, face: str) -> None:
    """A random variable: a circle with its name."""
    axes.add_patch(Circle(at, 46, fc=face, ec=INK, lw=LINE))
    label(axes, at, name, TYPE + 10)


def bow(axes: Axes, start: Point, end: Point, bend: float, colour: str, dash: str) -> None:
    """A bent arrow between two nodes."""
    style = {"arrowstyle": "-|>,head_length=11,head_width=6", "mutation_scale": 1, "shrinkA": 52, "shrinkB": 52}
    curve = f"arc3,rad={bend}"
    axes.add_patch(FancyArrowPatch(start, end, connectionstyle=curve, color=colour, lw=LINE + 1, ls=dash, **style))


def graphical_model(axes: Axes) -> None:
    """The prior's arrow into z, the decoder's from z to x, the encoder's dashed one back."""
    z, x = (246, 178), (640, 178)
    box(axes, (443, 178), 560, 316, edge=EDGE)
    label(axes, (706, 38), "for every image", SMALL, GREY, ha="right")
    node(axes, z, "$z$", "white")
    node(axes, x, "$x$", PALE)
    label(axes, (80, 178 + 40), "prior", weight="bold")
    label(axes, (80, 178 - 42), r"$p(z)$")
    arrow(axes, (36, 178), (z[0] - 46, 178))
    bow(axes, z, x, -0.28, ORANGE, "-")
    bow(axes, x, z, -0.28, BLUE, (0, (4, 2.5)))
    label(axes, (443, 296), r"decoder $\theta$:  $p(x\,|\,z)$")
    label(axes, (443, 60), r"encoder $\phi$:  $q(z\,|\,x)$")
    label(axes, (x[0], 178 - 72), "observed", SMALL, GREY)
    label(axes, (z[0], 178 - 72), "latent", SMALL, GREY)


def cross(axes: Axes, at: Point, half: float = 13) -> None:
    """A red cross: nothing passes here."""
    for slope in (-1, 1):
        across, up = (at[0] - half, at[0] + half), (at[1] - slope * half, at[1] + slope * half)
        axes.plot(across, up, color=RED, lw=2 * LINE, solid_capstyle="round")


def through_a_draw(axes: Axes, left: float, title: str, z: str, blocked: bool) -> None:
    """μ and σ → z → loss, and the gradient on its way back; where z is drawn, it ends there."""
    y, node, end = 214, left + 268, left + 486
    label(axes, (left + 258, 424), title, weight="bold")
    for name, side in ((r"$\mu$", 1), (r"$\sigma$", -1)):
        box(axes, (left + 46, y + 84 * side), 76, 66, name, face=PALE)
        arrow(axes, (left + 84, y + 96 * side), (node - 98, y + 25 * side))
        if blocked:
            cross(axes, (node - 124, y))
        else:
            arrow(axes, (node - 98, y + 8 * side), (left + 84, y + 70 * side), colour=RED)
    box(axes, (node, y), 196, 78, z, face="white" if blocked else PALE, dash="--" if blocked else "-")
    box(axes, (end, y), 92, 78, "loss", edge=RED)
    arrow(axes, (node + 98, y + 15), (end - 46, y + 15))
    arrow(axes, (end - 46, y - 15), (node + 98, y - 15), colour=RED)


def reparameterization(axes: Axes) -> None:
    """Left: z is drawn, and the gradient ends there. Right: ε is drawn outside, and the gradient reaches μ and σ."""
    through_a_draw(axes, 30, "draw z itself", r"$z \sim \mathcal{N}(\mu, \sigma^2)$", blocked=True)
    through_a_draw(axes, 618, r"draw $\epsilon$, compute z", r"$z = \mu + \sigma\,\epsilon$", blocked=False)
    box(axes, (886, 346), 176, 54, r"$\epsilon \sim \mathcal{N}(0, I)$", dash="--")
    arrow(axes, (886, 319), (886, 253))
    axes.plot((580, 580), (92, 440), color=EDGE, lw=LINE)
    for x, text, colour in ((330, "values", GREY), (640, "gradient", RED)):
        arrow(axes, (x, 48), (x + 74, 48), colour=colour)
        label(axes, (x + 88, 48), text, ha="left")


DRAWINGS = {
    "course_map": Drawing(
        course_map,
        920,
        438,
        "The course, from 00 to 09",
        "Ten notebooks as a path; on each arrow, the failure that leads on to the next notebook.",
    ),
    "autoencoder": Drawing(
        autoencoder,
        940,
        352,
        "Autoencoder",
        "An image x passes through the encoder (512, 256 units) to a code z of d numbers, and through the "
        "decoder (256, 512 units) to a reconstruction; the loss compares the two images.",
    ),
    "graphical_model": Drawing(
        graphical_model,
        752,
        360,
        "A latent-variable model and its approximate posterior",
        "For every image a code z is drawn from the prior p(z), and the image x from p(x|z), the decoder with weights "
        "θ; a dashed arrow leads back from x to z: the encoder's q(z|x), with weights φ.",
    ),
    "vae": Drawing(
        vae,
        1142,
        492,
        "Variational autoencoder",
        "An image x passes through the encoder (400 units) to μ and log σ²; z = μ + σ ε, with ε drawn from "
        "N(0, I), passes through the decoder (400 units) to logits and a sigmoid. The loss has two terms: "
        "reconstruction, between the two images, and the KL divergence of N(μ, σ²) from N(0, I).",
    ),
    "reparameterization": Drawing(
        reparameterization,
        1188,
        464,
        "The reparameterization trick",
        "Two computation graphs from μ and σ over z to the loss. Left, z is drawn from N(μ, σ²): the gradient comes "
        "back from the loss to z and ends there. Right, ε is drawn from N(0, I) outside, and z = μ + σ ε: the "
        "gradient passes through z to μ and to σ.",
    ),
}


def origin() -> str:
    """This script's fingerprint and the version of matplotlib: what a file was drawn by."""
    code = hashlib.sha256(File(__file__).read_text(encoding="utf-8").encode()).hexdigest()
    return f"figures/draw.py, sha256 {code}, matplotlib {matplotlib.__version__}"


def draw(name: str, folder: File = HERE) -> File:
    """Draw one figure into a folder, and return the file."""
    drawing, file, svg = DRAWINGS[name], folder / f"{name}.svg", io.StringIO()
    told = {"Title": drawing.title, "Description": drawing.description, "Source": origin()}
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # whatever a user's matplotlibrc says
        matplotlib.rcParams.update(STYLE)
        axes = panel(drawing.width, drawing.height)
        drawing.paint(axes)
        axes.figure.savefig(svg, format="svg", metadata={**told, "Date": None, "Creator": None})
    file.write_bytes(svg.getvalue().encode())  # bytes: the same line ends on every system
    return file


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Draw the course's figures as SVG files beside this script.")
    parser.add_argument("--only", choices=DRAWINGS, metavar="NAME", help=f"one of {', '.join(DRAWINGS)}")
    only = parser.parse_args().only
    for name in [only] if only else DRAWINGS:
        file = draw(name)
        print(f"{file.name}: {file.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
