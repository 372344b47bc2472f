"""Pictures: made without pyplot, shown as image/png with alt text."""

import base64
import io
import sys

from vae_helpers import plotting
from vae_helpers.losses import Loss
from vae_helpers.training import History

import numpy as np
import pytest
import torch
from PIL import Image

IMAGES = torch.rand(7, 1, 28, 28)


@pytest.fixture
def shown(monkeypatch):
    """What was displayed: (bundle, metadata) pairs."""
    calls = []
    monkeypatch.setattr(plotting, "display", lambda bundle, raw, metadata: calls.append((bundle, metadata)))
    return calls


FIGURES = {
    "image_grid": lambda: plotting.image_grid(IMAGES, columns=3, title="seven"),
    "image_rows": lambda: plotting.image_rows({"x": IMAGES, "x̂": IMAGES}, column_labels=list("abcdefg")),
    "loss_curves": lambda: plotting.loss_curves(
        History([Loss(9.0, 1.0), Loss(7.0, 2.0)], [Loss(9.0, 1.0), Loss(7.0, 2.0)], [1.0, 2.0]), levels={"floor": 3.0}
    ),
    "code_scatter": lambda: plotting.code_scatter(torch.randn(50, 2), torch.arange(50) % 9, "codes"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_shown_as_png_with_its_alt_text(name, shown):
    plotting.show(FIGURES[name](), alt="A picture.")
    (bundle, metadata) = shown[0]
    assert set(bundle) == {"image/png", "text/plain"}
    assert bundle["text/plain"] == metadata["image/png"]["alt"] == "A picture."
    picture = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert picture.size[0] > 100 and len(picture.getcolors()) > 2


def test_a_figure_without_alt_text_is_refused(shown):
    with pytest.raises(ValueError, match="alt is empty"):
        plotting.show(FIGURES["image_grid"](), alt=" ")


@pytest.mark.parametrize("rows", [1, 4])
def test_row_labels_stay_inside_the_picture(rows):
    figure = plotting.image_rows({f"a rather long label of row {i}": IMAGES for i in range(rows)})
    picture = np.asarray(Image.open(io.BytesIO(plotting.compact_png(figure))).convert("L"))
    assert (picture[:, :3] == 255).all(), "a margin is left of the labels"


def test_tiles_hold_every_image_at_its_place():
    sheet = plotting.tile(IMAGES, columns=3, gap=2)
    assert sheet.shape == (3 * 30 - 2, 3 * 30 - 2)
    assert np.array_equal(sheet[30:58, 60:88], IMAGES[5, 0].numpy())
    assert (sheet[60:, 30:] == 0).all(), "an incomplete row is left white"


def test_the_fast_png_is_zoomed_and_dark_where_there_is_ink():
    picture = Image.open(io.BytesIO(plotting.png_of(torch.ones(1, 1, 28, 28), zoom=4)))
    assert picture.size == (112, 112)
    assert picture.getextrema() == (0, 0)


def test_values_outside_the_range_are_paper_or_ink_and_never_wrap():
    images = torch.full((1, 1, 28, 28), -0.1)
    images[..., 14:] = 1.1
    picture = np.asarray(Image.open(io.BytesIO(plotting.png_of(images, zoom=1))))
    assert (picture[:, :14] == 255).all() and (picture[:, 14:] == 0).all()


BAD_PICTURES = {
    "rows of unlike length": (lambda: plotting.image_rows({"a": IMAGES, "b": IMAGES[:3]}), r"rows\['b'\].*to go with"),
    "no row": (lambda: plotting.image_rows({}), "rows holds no row"),
    "no column": (lambda: plotting.image_grid(IMAGES, columns=0), "columns must be at least 1"),
    "no epoch": (lambda: plotting.loss_curves(History()), "no finished epoch"),
    "3-D codes": (lambda: plotting.code_scatter(torch.randn(5, 3), torch.arange(5)), r"\(n, 2\)"),
    "too few labels": (lambda: plotting.code_scatter(torch.randn(5, 2), torch.arange(4)), r"y must have shape \(5,\)"),
}


@pytest.mark.parametrize(("draw", "message"), BAD_PICTURES.values(), ids=BAD_PICTURES.keys())
def test_what_cant_be_drawn_is_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()


def test_pyplot_is_never_imported():
    import subprocess

    code = "import sys; from vae_helpers import plotting, widgets; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
