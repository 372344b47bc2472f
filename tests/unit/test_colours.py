"""Colours that carry meaning stay apart for readers who are colour-blind: two simulations, measured in CIELAB."""

import re
from itertools import combinations

from vae_helpers.plotting import BLUE, CLASS_COLOURS, GREY, ORANGE, RED

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from helpers.places import EVERY_NOTEBOOK, FIGURES, ROOT

APART = 15  # at least, where 2.3 is the least that an eye tells side by side; the course's closest pair has 17.6
SIGHT = {  # linear RGB → linear RGB as seen; Machado, Oliveira and Fernandes 2009, table 1, severity 1
    "full": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}
LINES = {"#222222", "#666666", "#cccccc", "#f2f2f2", "#ffffff"}  # greys of lines, letters and faces in figures/
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])
THRESHOLD, SLOPE = 216 / 24389, 24389 / 27  # of CIELAB, where its cube root becomes a line


def seen(colours, sight):
    """CIELAB (n, 3) of sRGB colours as this sight has them."""
    rgb = np.array([to_rgb(colour) for colour in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = np.clip(linear @ np.array(SIGHT[sight]).T, 0, 1) @ TO_XYZ.T / WHITE
    x, y, z = np.where(xyz > THRESHOLD, np.cbrt(xyz), (SLOPE * xyz + 16) / 116).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def too_close(colours, sight):
    """Pairs that differ by less than APART."""
    pairs = combinations(zip(colours, seen(colours, sight), strict=True), 2)
    return [(a, b) for (a, a_seen), (b, b_seen) in pairs if np.linalg.norm(a_seen - b_seen) < APART]


def is_grey(colour):
    return np.ptp(to_rgb(colour)) < 0.05


def is_ink(colour):
    """Of an image within a figure: a pixel. (Its green labels look like two of these greys; their boxes say y.)"""
    return is_grey(colour) and colour not in LINES


def code_of_the_course():
    files = [*EVERY_NOTEBOOK, *ROOT.glob("vae_helpers/**/*.py"), *FIGURES.glob("*.py")]
    return "\n".join(path.read_text("utf-8") for path in files).replace('\\"', '"')


every_sight = pytest.mark.parametrize("sight", SIGHT)


def test_the_simulations_are_those_of_the_paper():
    red, green = seen(["#ff0000", "#00ff00"], "full"), seen(["#ff0000", "#00ff00"], "protanopia")
    assert np.linalg.norm(green[1] - green[0]) < np.linalg.norm(red[1] - red[0])
    assert np.allclose([np.sum(matrix, axis=1) for matrix in SIGHT.values()], 1, atol=2e-6)  # white and greys stay
    assert too_close(["#ee0000", "#767600"], "full") == [] != too_close(["#cc3333", "#806e33"], "deuteranopia")


@every_sight
@pytest.mark.parametrize("colours", [(BLUE, ORANGE, RED, GREY), CLASS_COLOURS], ids=["lines", "classes"])
def test_the_palettes_of_the_package(colours, sight):
    assert not too_close(colours, sight)


@every_sight
def test_colours_that_a_notebook_names_itself(sight):
    named = set(re.findall(r"#[0-9A-Fa-f]{6}\b", "".join(path.read_text("utf-8") for path in EVERY_NOTEBOOK)))
    assert not too_close([BLUE, ORANGE, RED, GREY, *sorted(named)], sight)


@every_sight
def test_colour_maps_grow_evenly_lighter_or_darker(sight):
    maps = set(re.findall(r"""cmap\s*=\s*["'](\w+)""", code_of_the_course()))
    assert maps
    for name in maps:
        steps = np.diff(seen(matplotlib.colormaps[name](np.linspace(0, 1, 64))[:, :3], sight)[:, 0])
        assert np.abs(np.sign(steps).sum()) == 63 and np.abs(steps).min() > 0.5, name


@every_sight
@pytest.mark.parametrize("figure", sorted(FIGURES.glob("*.svg")), ids=lambda path: path.stem)
def test_colours_of_a_figure(figure, sight):
    named = sorted(set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", figure.read_text("utf-8"))))
    colours = [colour for colour in named if not is_ink(colour)]
    assert len(colours) > 2
    assert not [pair for pair in too_close(colours, sight) if not all(map(is_grey, pair))]


@every_sight
@pytest.mark.parametrize("ground", ["light", "dark"])
def test_lines_of_the_site_s_explorers(ground, sight):
    style = (ROOT / "site_builder" / "assets" / "site.css").read_text("utf-8")
    named = dict(re.findall(r"--(\w+): light-dark\(([^)]+)\)", style))
    colours = [named[name].split(", ")[ground == "dark"] for name in ("accent", "number", "quiet", "paper")]
    assert not too_close(colours, sight)
