"""A digit of one's own, laid into its frame as MNIST lays its digits.

They were scaled, width and height alike, until the longer side had 20 pixels, and then moved by whole pixels so that
their centre of mass lies in the middle of the frame of 28 × 28: http://yann.lecun.com/exdb/mnist/.
"""

from vae_helpers.data.dataset import to_float
from vae_helpers.validation import Pixels, validated

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

FRAME, BOX, MIDDLE = 28, 20, 14  # pixels; the centre of mass of MNIST's images rounds to row and column 14


@validated
def fit_and_centre(x: Pixels[Tensor, " n 1 28 28"]) -> Float[Tensor, " n 1 28 28"]:
    """Each image's ink, scaled so that its longer side is 20 pixels, its centre of mass moved to the frame's middle.

    x: bytes, or floats in [0, 1], ink 1 on paper 0. An image without ink stays as it is, and so does one of MNIST.
    Raises TypeError or ValueError for anything else.
    """
    return torch.cat([_fitted_and_centred(image) for image in to_float(x).split(1)])


def _fitted_and_centred(x: Float[Tensor, " 1 1 28 28"]) -> Float[Tensor, " 1 1 28 28"]:
    rows, columns = ((x[0, 0] > 0).any(axis).nonzero().flatten().tolist() for axis in (1, 0))
    if not rows:
        return x
    digit = x[..., rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    longest = max(digit.shape)
    if longest != BOX:
        size = [max(1, round(BOX * side / longest)) for side in digit.shape[2:]]
        digit = functional.interpolate(digit, size, mode="bilinear", antialias=True).clamp(0, 1)
    top, left = (_start(digit.sum(axis).flatten()) for axis in (3, 2))
    height, width = digit.shape[2:]
    frame = torch.zeros_like(x)
    frame[..., top : top + height, left : left + width] = digit
    return frame


def _start(ink: Float[Tensor, " side"]) -> int:
    """Where ink per row, or per column, begins in the frame, so that its centre of mass is in the middle."""
    places = torch.arange(len(ink), device=ink.device)
    centre = ((ink * places).sum() / ink.sum()).item()
    return min(max(round(MIDDLE - centre), 0), FRAME - len(ink))
