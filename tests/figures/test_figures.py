"""The figures: each committed file was drawn by the present figures/draw.py, and says what it shows."""

import itertools
import platform
import re
import sys
import xml.etree.ElementTree as ET

from vae_helpers import data
from vae_helpers.data import glyphs
from vae_helpers.models import VAE, ConditionalVAE
from vae_helpers.plotting import BLUE, GREY, ORANGE, RED

import matplotlib
import pytest
import torch
from matplotlib.colors import to_rgb
from PIL import Image

from helpers.places import FIGURES

SVG, DUBLIN_CORE = "{http://www.w3.org/2000/svg}", "{http://purl.org/dc/elements/1.1/}"
sys.path.insert(0, str(FIGURES))  # as `python figures/draw.py` has it

import draw  # noqa: E402
import graphs  # noqa: E402
import language  # noqa: E402
import results  # noqa: E402


@pytest.fixture(params=draw.DRAWINGS)
def name(request):
    return request.param


def committed(name):
    return FIGURES / f"{name}.svg"


def source(file):
    """What the file says it was drawn by."""
    return ET.parse(file).find(f".//{DUBLIN_CORE}source").text


def test_committed_file_was_drawn_by_the_present_script(name):
    said, present = (text.rsplit(", matplotlib", 1)[0] for text in (source(committed(name)), draw.origin()))
    assert said == present, f"figures/draw.py has changed: run python figures/draw.py --only {name}"


def test_redrawing_gives_the_committed_bytes(name, tmp_path):
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        pytest.skip("drawn on Linux, x86-64: another processor may round the last digit of a coordinate otherwise")
    said = source(committed(name)).rsplit(" ", 1)[1]
    if said != matplotlib.__version__:
        pytest.skip(f"drawn with matplotlib {said}; {matplotlib.__version__} may write it otherwise")
    assert draw.draw(name, tmp_path).read_bytes() == committed(name).read_bytes()


def test_drawing_depends_on_no_setting_of_the_user_and_changes_none(name, tmp_path):
    first = draw.draw(name, tmp_path).read_bytes()
    theirs = {"font.size": 30, "svg.fonttype": "none", "lines.linewidth": 9, "path.snap": False}
    with matplotlib.rc_context(theirs):
        second = draw.draw(name, tmp_path).read_bytes()
        assert all(matplotlib.rcParams[key] == value for key, value in theirs.items())
    assert first == second


def test_file_is_small_self_contained_and_titled(name):
    svg = committed(name).read_text(encoding="utf-8")
    root = ET.fromstring(svg)
    assert len(svg.encode()) <= 150_000
    assert root.find(f"{SVG}title").text == draw.DRAWINGS[name].title
    assert root.find(f".//{DUBLIN_CORE}date") is None
    assert not list(root.iter(f"{SVG}text")), "text must be paths: fonts differ between machines"
    assert not list(root.iter(f"{SVG}image")), "a bitmap does not scale"


def painted(name):
    """The axes of a drawing, painted."""
    drawing = draw.DRAWINGS[name]
    with matplotlib.rc_context(language.STYLE):
        axes = language.panel(drawing.width, drawing.height)
        drawing.paint(axes)
    return axes


def texts_of(axes):
    return [text for text in axes.texts if text.get_text()]


def test_texts_stay_on_the_panel_and_apart(name):
    with matplotlib.rc_context(language.STYLE):
        axes = painted(name)
        extents = {text: text.get_window_extent() for text in texts_of(axes)}
    panel = axes.get_window_extent().padded(-16)
    for text, extent in extents.items():
        assert panel.contains(*extent.min) and panel.contains(*extent.max), f"{text} is at the edge"
    for (one, first), (other, second) in itertools.combinations(extents.items(), 2):
        assert not first.overlaps(second), f"{one} overlaps {other}"


def test_texts_are_at_least_nine_pixels_high_on_half_a_page(name):
    scale = draw.HALF_A_PAGE / draw.DRAWINGS[name].width
    assert min(text.get_fontsize() for text in texts_of(painted(name))) * scale >= 9


def contrast(colour, other):
    """WCAG 2's ratio of two colours' luminances, from 1 to 21."""

    def luminance(hexadecimal):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(hexadecimal)]
        return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    darker, lighter = sorted((luminance(colour), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_texts_stand_out_from_their_ground(name):
    for text in texts_of(painted(name)):
        ground = BLUE if text.get_color() == "white" else "white"
        assert contrast(text.get_color(), ground) >= 3.4, text


def test_colours_are_those_of_the_language(name):
    greys = {language.INK, language.PALE, language.EDGE, "#ffffff", "none"}
    known = {colour.lower() for colour in greys | {BLUE, ORANGE, RED, GREY, language.GREEN}}
    used = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", committed(name).read_text("utf-8")))
    pixels = {colour for colour in used if len(set(re.findall("..", colour[1:]))) == 1}  # the greys of a picture
    assert used - pixels <= known


def test_the_map_knows_the_notebooks_that_exist():
    existing = {file.name[:2] for file in (FIGURES.parent / "notebooks").glob("[0-9][0-9]_*.ipynb")}
    assert existing == {number for number, *_ in graphs.COURSE}


def test_every_figure_has_a_drawing():
    assert {file.stem for file in FIGURES.glob("*.svg")} == set(draw.DRAWINGS)


def test_every_figure_is_shown_somewhere():
    pages = [*FIGURES.parent.glob("*.md"), *FIGURES.parent.glob("notebooks/*.ipynb")]
    shown = "".join(page.read_text("utf-8") for page in pages)
    files = [*FIGURES.glob("*.svg"), *FIGURES.glob("*.png"), *FIGURES.glob("latent_explorer.html")]
    assert not [file.name for file in files if f"figures/{file.name}" not in shown]


# The picture of results


@pytest.fixture(scope="module")
def untrained_blocks():
    x, y, factors = glyphs.make(60, seed=0)
    dataset = data.Dataset("glyphs", x, y, x, y, {"train": factors, "test": factors})
    torch.manual_seed(0)
    return results.blocks_of(dataset, VAE(20), VAE(2), ConditionalVAE(5))


def test_results_were_made_by_the_present_script():
    with Image.open(results.PICTURE) as picture:
        assert picture.text["Source"] == results.origin(), "run python figures/draw.py --only results"
    assert results.PICTURE.stat().st_size <= 300_000


def test_blocks_of_results_fill_their_rows(untrained_blocks):
    *left, plane = (len(images) for images in untrained_blocks.values())
    assert left == [20, 20, 10 * results.STYLES]
    assert plane == results.PLANE**2


def test_a_row_of_the_last_block_on_the_left_has_one_style_and_all_classes():
    asked = []

    class Recorder(ConditionalVAE):
        def generate(self, z, y):
            asked.append((z, y))
            return super().generate(z, y)

    x, y, factors = glyphs.make(60, seed=0)
    results.blocks_of(
        data.Dataset("glyphs", x, y, x, y, {"train": factors, "test": factors}), VAE(20), VAE(2), Recorder(5)
    )
    [(z, labels)] = asked
    styles, labels = z.view(results.STYLES, 10, 5), labels.view(results.STYLES, 10)
    assert (styles == styles[:, :1]).all()
    assert (labels == torch.arange(10)).all()
    assert len(styles[:, 0].unique(dim=0)) == results.STYLES


def test_the_plane_is_evenly_spaced_in_probability():
    codes = results.codes_of_the_plane(5)
    shares = torch.distributions.Normal(0.0, 1.0).cdf(codes).view(5, 5, 2)
    assert torch.allclose(shares[0, :, 0], torch.tensor([0.1, 0.3, 0.5, 0.7, 0.9]), atol=1e-5)
    assert torch.allclose(shares[:, 0, 1], torch.tensor([0.9, 0.7, 0.5, 0.3, 0.1]), atol=1e-5)


def test_the_picture_has_a_heading_for_each_block(untrained_blocks):
    figure = results.picture(untrained_blocks)
    assert {axes.get_title() for axes in figure.get_axes()} == set(untrained_blocks)
