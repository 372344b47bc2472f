"""What a figure shows, read back from it."""

import io

import numpy as np
from PIL import Image


def lines_by_label(axis):
    """The lines of an axis that stand in its legend, by their label."""
    return {line.get_label(): line for line in axis.get_lines() if not line.get_label().startswith("_")}


def opened(png):
    """A grey picture as numbers from 0, black, to 255, white."""
    return np.asarray(Image.open(io.BytesIO(png)).convert("L")).astype(int)


def coloured(png):
    """A picture as numbers (height, width, 3), 0 to 255."""
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
