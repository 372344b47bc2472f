"""The figures: each committed file was drawn by the present figures/draw.py, and says what it shows."""

import importlib.util
import itertools
import platform
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib
import pytest

FIGURES = Path(__file__).parents[1] / "figures"
SVG, DUBLIN_CORE = "{http://www.w3.org/2000/svg}", "{http://purl.org/dc/elements/1.1/}"

specification = importlib.util.spec_from_file_location("draw", FIGURES / "draw.py")
draw = importlib.util.module_from_spec(specification)
specification.loader.exec_module(draw)


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


def test_texts_stay_on_the_panel_and_apart(name):
    drawing = draw.DRAWINGS[name]
    with matplotlib.rc_context(draw.STYLE):
        axes = draw.panel(drawing.width, drawing.height)
        drawing.paint(axes)
        extents = {text: text.get_window_extent() for text in axes.texts if text.get_text()}
    panel = axes.get_window_extent().padded(-20)
    for text, extent in extents.items():
        assert panel.contains(*extent.min) and panel.contains(*extent.max), f"{text} is at the edge"
    for (one, first), (other, second) in itertools.combinations(extents.items(), 2):
        assert not first.overlaps(second), f"{one} overlaps {other}"


def test_the_map_knows_which_notebooks_exist():
    existing = {file.name[:2] for file in (FIGURES.parent / "notebooks").glob("[0-9][0-9]_*.ipynb")}
    assert existing <= {number for number, *_ in draw.COURSE}
    assert existing <= draw.WRITTEN, "add them to WRITTEN in figures/draw.py"


def test_every_figure_has_a_drawing():
    assert {file.stem for file in FIGURES.glob("*.svg")} == set(draw.DRAWINGS)
