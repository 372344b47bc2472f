"""The built-in data set: digits from matplotlib's own fonts, warped at random, their true factors known.

A glyph is kept as a signed distance field s (pixels to its outline, positive inside): a field can be warped
smoothly, and its level sets s > −stroke are bolder versions of the same glyph.
"""

from functools import lru_cache
from pathlib import Path

from vae_helpers.validation import PositiveInt, Seed, validated

import matplotlib
import numpy as np
import torch
from jaxtyping import Int64, Shaped, UInt8
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D
from torch import Tensor
from torch.nn.functional import grid_sample

FONTS = (
    *(f"DejaVuSans{style}" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSansMono{style}" for style in ("", "-Bold", "-Oblique")),
    *(f"DejaVuSerif{style}" for style in ("", "-Bold", "-Italic", "-BoldItalic")),
    *(f"STIXGeneral{style}" for style in ("", "Bol", "Italic", "BolIta")),
    *(f"cm{style}10" for style in ("r", "b", "ss", "tt", "ti")),
)
RANGES = {
    "angle": (-0.2, 0.2),
    "shear": (-0.25, 0.25),
    "scale": (0.8, 1.05),
    "stroke": (0.0, 0.6),
    "dx": (-1.0, 1.0),
    "dy": (-1.0, 1.0),
}
FACTORS = ("font", *RANGES)

IMAGE_SIZE = 28
GLYPH_HEIGHT = 20
FIELD_SIZE = 64
CELLS_PER_PIXEL = 2.4
SUBCELLS = 3


@validated
def make(
    n: PositiveInt, seed: Seed = 0
) -> tuple[UInt8[Tensor, " n 1 28 28"], Int64[Tensor, " n"], dict[str, Shaped[Tensor, " n"]]]:
    """Draw n digits in MNIST's format: 28 × 28 pixels, 0 = background, 255 = ink, about 20 pixels tall.

    Digit, font and the other factors are independent and uniform, the latter over `RANGES`. Image i depends
    on (seed, i) alone: a longer set begins with the shorter one. torch's global random state stays as it is.

    Args:
        n: number of images, at least 1.
        seed: of a generator of its own; a training set and its test set need different ones.

    Returns:
        x: images.
        y: the digit, 0 … 9.
        factors: the names of `FACTORS`, in that order, each with a tensor, all float32 but the first:
            font: int64, index into `FONTS`.
            angle: radians, positive turns the digit counter-clockwise.
            shear: pixels to the right per pixel upwards, positive leans the digit like an italic.
            scale: height of the digit in units of 20 pixels, before stroke, shear and turn.
            stroke: pixels by which every edge moves outwards, after scaling; a line grows by twice as much.
            dx, dy: pixels from the centre of the image to the centre of the digit, right and *downwards*. The
                digit's centre is that of its box, before it is warped (MNIST's is its centre of mass).

    Raises:
        TypeError, ValueError: n is not a positive whole number, or seed not a whole number of at least 0.
    """
    y, factors = _draw_factors(n, seed)
    return _render(y, factors), y, factors


def _draw_factors(n: int, seed: int) -> tuple[Tensor, dict[str, Tensor]]:
    own_generator = torch.Generator().manual_seed(seed)
    uniform = torch.rand(n, 1 + len(FACTORS), generator=own_generator, dtype=torch.float64, device="cpu")
    digit, font, *rest = uniform.unbind(1)
    factors = {"font": (font * len(FONTS)).long()}
    for (name, (low, high)), u in zip(RANGES.items(), rest, strict=True):
        factors[name] = (low + (high - low) * u).float()
    return (digit * 10).long(), factors


def _render(y: Tensor, factors: dict[str, Tensor], chunk: int = 200) -> Tensor:
    """Images (n, 1, 28, 28) uint8; `chunk` bounds the memory in use and changes nothing else."""
    fields, to_glyph = _signed_distances(), _image_to_glyph(factors)
    x = torch.empty(len(y), 1, IMAGE_SIZE, IMAGE_SIZE, dtype=torch.uint8, device="cpu")
    for start in range(0, len(y), chunk):
        part = slice(start, start + chunk)
        f = {name: values[part, None, None] for name, values in factors.items()}
        grid = _sampling_grid(to_glyph[part], f["dx"], f["dy"])
        field = fields[factors["font"][part], y[part]].unsqueeze(1)
        signed_distance = grid_sample(field, grid, padding_mode="border", align_corners=False).squeeze(1)
        # ink = clamp(scale · s + stroke + ½, 0, 1): a pixel whose centre lies on the edge is half covered
        ink = (f["scale"] * signed_distance + f["stroke"] + 0.5).clamp(0, 1)
        x[part, 0] = (255 * ink).round().to(torch.uint8)
    return x


def _image_to_glyph(factors: dict[str, Tensor]) -> Tensor:
    """Matrices (n, 2, 2) that undo turn, shear and scale, in coordinates whose y axis points down."""
    angle, shear, scale = (factors[name].double() for name in ("angle", "shear", "scale"))
    cos, sin = angle.cos(), angle.sin()
    # image = scale · R · H · glyph,  R = [[cos, sin], [−sin, cos]],  H = [[1, −shear], [0, 1]]
    # (R H)⁻¹ = [[1, shear], [0, 1]] · [[cos, −sin], [sin, cos]]
    rows = torch.stack([cos + shear * sin, shear * cos - sin, sin, cos], dim=1)
    return (rows / scale[:, None]).view(-1, 2, 2).float()


def _sampling_grid(to_glyph: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    """Where in its field, [−1, 1]², each pixel looks: (n, 28, 28, 2). Elementwise: rounds alike for any n."""
    pixel = torch.arange(IMAGE_SIZE, dtype=torch.float32, device="cpu") - (IMAGE_SIZE - 1) / 2
    right, down = pixel - dx, pixel[:, None] - dy
    to_field = (to_glyph * (2 * CELLS_PER_PIXEL / FIELD_SIZE))[..., None, None]
    return torch.stack([row[:, 0] * right + row[:, 1] * down for row in to_field.unbind(1)], dim=-1)


@lru_cache(maxsize=1)
def _signed_distances() -> Tensor:
    """The fields of every font and digit, (20, 10, 64, 64), in pixels of an image at scale 1."""
    return torch.from_numpy(np.stack([[_signed_distance(font, str(k)) for k in range(10)] for font in FONTS]))


def _signed_distance(font: str, character: str) -> np.ndarray:
    from scipy.ndimage import distance_transform_edt  # takes 16 MiB, and who learns from MNIST needs none of it

    inside = _silhouette(font, character)
    # distance_transform_edt measures to the centre of the nearest cell beyond the edge, half a cell too far
    outward = np.where(inside, distance_transform_edt(inside) - 0.5, 0.5 - distance_transform_edt(~inside))
    distance = outward.reshape(FIELD_SIZE, SUBCELLS, FIELD_SIZE, SUBCELLS).mean(axis=(1, 3))
    return (distance / (SUBCELLS * CELLS_PER_PIXEL)).astype(np.float32)


def _silhouette(font: str, character: str) -> np.ndarray:
    """The character 20 pixels tall in the middle of its field, (192, 192) bool, every cell cut into 3 × 3."""
    file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"
    outline = TextPath((0, 0), character, size=100, prop=FontProperties(fname=file))
    box, side = outline.get_extents(), FIELD_SIZE * SUBCELLS
    zoom = GLYPH_HEIGHT * CELLS_PER_PIXEL * SUBCELLS / box.height
    to_middle = Affine2D().translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2).scale(zoom)
    renderer = RendererAgg(side, side, dpi=72)
    pen = renderer.new_gc()
    pen.set_linewidth(0)
    renderer.draw_path(pen, outline, to_middle.translate(side / 2, side / 2), (0.0, 0.0, 0.0))
    return np.asarray(renderer.buffer_rgba())[..., 3] > 127
