"""Figures read back: which numbers lie where, in which colour, under which label, on which scale."""

import base64
import io

from vae_helpers import plotting
from vae_helpers.losses import Loss
from vae_helpers.plotting import BLUE, CLASS_COLOURS, GREY, ORANGE, RED
from vae_helpers.training import History

import numpy as np
import pytest
import torch
from matplotlib.colors import same_color

from helpers.drawings import coloured, lines_by_label, opened

IMAGES = torch.rand(7, 1, 28, 28, generator=torch.Generator().manual_seed(0))
DIM = 0.3 * IMAGES
TRAIN = [Loss(90.0, 10.0, 2.0), Loss(70.0, 20.0, 2.0), Loss(65.0, 22.0, 2.0)]
VAL = [Loss(95.0, 11.0), Loss(75.0, 19.0), Loss(71.0, 23.0)]
HISTORY = History(TRAIN, VAL, [1.0, 2.0, 3.0])


def only_axis(figure):
    (axis,) = figure.axes
    return axis


def sheet_of(axis):
    (image,) = axis.get_images()
    return image


# Losses


def test_the_loss_curves_are_the_historys_from_epoch_1_on():
    lines = lines_by_label(only_axis(plotting.loss_curves(HISTORY)))
    expected = {
        "training, total": [110.0, 110.0, 109.0],
        "held out, total": [106.0, 94.0, 94.0],
        "reconstruction": [90.0, 70.0, 65.0],
        "KL": [10.0, 20.0, 22.0],
    }
    assert {name: list(line.get_ydata()) for name, line in lines.items()} == expected
    assert all(list(line.get_xdata()) == [1, 2, 3] for line in lines.values())


def test_each_loss_curve_has_its_colour_and_its_stroke():
    lines = lines_by_label(only_axis(plotting.loss_curves(HISTORY)))
    seen = {name: (line.get_color(), line.get_linestyle(), line.get_marker()) for name, line in lines.items()}
    assert seen == {
        "training, total": (BLUE, "-", "o"),
        "held out, total": (ORANGE, "--", "s"),
        "reconstruction": (BLUE, ":", "None"),
        "KL": (RED, "-.", "None"),
    }


def test_the_axes_of_the_loss_curves_say_what_they_count_and_the_legend_names_every_curve():
    axis = only_axis(plotting.loss_curves(HISTORY))
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("epoch", "nats per image")
    assert [text.get_text() for text in axis.get_legend().get_texts()] == list(lines_by_label(axis))
    assert not axis.xaxis_inverted() and not axis.yaxis_inverted()
    assert all(tick == int(tick) for tick in axis.get_xticks())


@pytest.mark.parametrize(
    ("epochs", "ticks"), [(3, [1, 2, 3]), (10, list(range(1, 11))), (35, [5, 10, 15, 20, 25, 30, 35])]
)
def test_up_to_a_dozen_epochs_have_a_tick_each_and_more_of_them_round_ones(epochs, ticks):
    history = History([Loss(9.0)] * epochs, [], [1.0] * epochs)
    axis = only_axis(plotting.loss_curves(history))
    low, high = axis.get_xlim()
    assert [tick for tick in axis.get_xticks() if max(low, 1) <= tick <= high] == ticks


def test_pictures_have_their_sizes_and_no_title_but_the_one_that_is_given():
    curves, scatter = plotting.loss_curves(HISTORY), plotting.code_scatter(torch.zeros(3, 2), torch.arange(3))
    assert list(curves.get_size_inches()) == [6.4, 3.2] and list(scatter.get_size_inches()) == [5.6, 5.0]
    for figure in (curves, scatter, plotting.image_grid(IMAGES), plotting.image_rows({"x": IMAGES})):
        assert only_axis(figure).get_title() == ""
    assert {text.get_fontweight() for text in only_axis(scatter).texts} == {"bold"}


def test_only_what_there_is_is_drawn():
    without = lambda history, **how: set(lines_by_label(only_axis(plotting.loss_curves(history, **how))))  # noqa: E731
    assert without(History(TRAIN, [], [1.0] * 3)) == {"training, total", "reconstruction", "KL"}
    assert without(HISTORY, parts=False) == {"training, total", "held out, total"}
    assert without(History([Loss(9.0), Loss(8.0)], [], [1.0, 2.0])) == {"training, total"}


def test_a_level_is_a_dashed_line_at_its_height_with_its_name_at_the_last_epoch():
    axis = only_axis(plotting.loss_curves(HISTORY, levels={"floor": 45.5, "mean image": 206.0}))
    levels = [line for line in axis.get_lines() if line.get_color() == GREY]
    assert [(list(line.get_ydata()), line.get_linestyle()) for line in levels] == [
        ([45.5] * 2, "--"),
        ([206.0] * 2, "--"),
    ]
    assert [(text.get_text(), text.xy) for text in axis.texts] == [("floor", (3, 45.5)), ("mean image", (3, 206.0))]


# Codes


def test_each_class_has_its_colour_and_its_digit_at_its_median():
    z = torch.randn(60, 2, generator=torch.Generator().manual_seed(1))
    y = torch.arange(60) % 9  # no 9
    axis = only_axis(plotting.code_scatter(z, y, "codes"))
    lines, texts = axis.get_lines(), axis.texts
    assert len(lines) == len(texts) == 9
    for k, (line, text) in enumerate(zip(lines, texts, strict=True)):
        of_class = z[y == k]
        assert np.array_equal(line.get_xydata(), of_class.numpy().astype(float))
        assert same_color(line.get_color(), CLASS_COLOURS[k]) and line.get_linestyle() == "None"
        assert text.get_text() == str(k)
        assert text.get_position() == pytest.approx(of_class.median(0).values.tolist())
        assert same_color(text.get_bbox_patch().get_edgecolor(), CLASS_COLOURS[k])
        assert (text.get_ha(), text.get_va(), text.get_clip_on()) == ("center", "center", True)
        assert (line.get_markersize(), line.get_markeredgewidth(), line.get_alpha()) == (1.6, 0, 0.4)


def test_a_class_without_a_code_takes_no_other_classs_colour():
    axis = only_axis(plotting.code_scatter(torch.zeros(3, 2), torch.tensor([2, 2, 7])))
    assert [text.get_text() for text in axis.texts] == ["2", "7"]
    assert all(same_color(line.get_color(), CLASS_COLOURS[k]) for line, k in zip(axis.get_lines(), (2, 7), strict=True))


def test_the_plane_of_codes_has_z1_to_the_right_and_z2_up():
    axis = only_axis(plotting.code_scatter(torch.randn(20, 2), torch.arange(20) % 10, "codes"))
    assert (axis.get_xlabel(), axis.get_ylabel(), axis.get_title()) == ("z₁", "z₂", "codes")
    assert not axis.xaxis_inverted() and not axis.yaxis_inverted()


# Images


def test_ink_has_one_scale_from_0_white_to_1_black_however_dim_the_images():
    for figure in (plotting.image_grid(DIM, columns=3), plotting.image_rows({"dim": DIM})):
        image = sheet_of(only_axis(figure))
        assert image.get_clim() == (0, 1) and image.cmap.name == "gray_r"
        assert image.get_array().max() == pytest.approx(DIM.max().item(), abs=1e-6)
        assert image.origin == "upper" and image.get_interpolation() == "nearest"


def test_a_grid_holds_the_images_row_by_row():
    axis = only_axis(plotting.image_grid(IMAGES, columns=3, title="seven", gap=1))
    sheet = sheet_of(axis).get_array()
    for i, picture in enumerate(IMAGES[:, 0].numpy()):
        top, left = (i // 3) * 29, (i % 3) * 29
        assert np.array_equal(sheet[top : top + 28, left : left + 28], picture)
    assert sheet.shape == (86, 86) and axis.get_title() == "seven"
    assert not len(axis.get_xticks()) and not len(axis.get_yticks())
    assert not any(spine.get_visible() for spine in axis.spines.values())


@pytest.mark.parametrize(("n", "columns", "size"), [(7, 3, (3, 3)), (10, 10, (10, 1)), (11, 10, (10, 2))])
def test_a_grid_is_as_wide_and_high_as_its_images_ask(n, columns, size):
    images = torch.zeros(n, 1, 28, 28)
    width, height = plotting.image_grid(images, columns, inches=0.5).get_size_inches()
    assert (width, height) == pytest.approx((0.5 * size[0] + 0.1, 0.5 * size[1] + 0.1))
    assert plotting.image_grid(images, columns, "t", inches=0.5).get_size_inches()[1] > height


def test_rows_stand_in_their_order_each_beside_its_label():
    rows = {"x": IMAGES, "x̃": DIM, "x̂": 1 - IMAGES}
    axis = only_axis(plotting.image_rows(rows, column_labels=list("abcdefg")))
    labels = [text.get_text() for text in axis.get_yticklabels()]
    assert labels == list(rows)
    sheet = sheet_of(axis).get_array()
    for label, middle in zip(labels, axis.get_yticks(), strict=True):
        top = round(middle - 13.5)
        band = sheet[top : top + 28]
        assert np.allclose(np.stack(np.split(np.pad(band, ((0, 0), (0, 2))), 7, axis=1))[..., :28], rows[label][:, 0])
    assert axis.yaxis_inverted(), "the first row is at the top"


def test_columns_stand_in_their_order_each_below_its_label():
    axis = only_axis(plotting.image_rows({"x": IMAGES, "x̂": DIM}, column_labels=list("abcdefg")))
    assert [text.get_text() for text in axis.get_xticklabels()] == list("abcdefg")
    assert list(axis.get_xticks()) == [13.5 + 30 * i for i in range(7)]
    assert axis.xaxis.get_ticks_position() == "top" and not axis.xaxis_inverted()
    assert {tick.tick1line.get_markersize() for tick in axis.yaxis.get_major_ticks()} == {0}
    assert not len(only_axis(plotting.image_rows({"x": IMAGES})).get_xticks())


@pytest.mark.parametrize("columns", [1, 2, 7])
def test_the_fast_png_shows_the_same_ink_on_the_same_scale(columns):
    shown = opened(plotting.png_of(DIM, columns=columns, zoom=3))
    expected = np.round(255 - 255 * plotting.tile(DIM, columns)).astype(int)
    assert shown.shape == (3 * expected.shape[0], 3 * expected.shape[1])
    assert np.array_equal(shown[1::3, 1::3], expected)


# What all share


def test_a_canvas_has_its_panels_and_no_frame_at_top_and_right():
    figure, axes = plotting.canvas(6, 3, columns=3, rows=2)
    assert axes.shape == (2, 3) and list(figure.get_size_inches()) == [6, 3]
    seen = {side: spine.get_visible() for side, spine in axes[1, 2].spines.items()}
    assert seen == {"left": True, "bottom": True, "right": False, "top": False}
    assert figure.get_layout_engine() is not None
    assert axes[0, 0].xaxis.label.get_size() == 10


def test_a_canvas_leaves_the_learners_own_settings_alone():
    import matplotlib

    before = dict(matplotlib.rcParams)
    plotting.canvas(2, 2)
    assert dict(matplotlib.rcParams) == before


def test_the_compact_png_shows_what_the_figure_shows():
    figure = plotting.loss_curves(HISTORY)
    whole = io.BytesIO()
    figure.savefig(whole, format="png", dpi=plotting.DPI, bbox_inches="tight", pad_inches=0.06)
    compact = plotting.compact_png(figure)
    a, b = (coloured(png) for png in (whole.getvalue(), compact))
    assert a.shape == b.shape and np.abs(a - b).mean() < 1 and (a - b).max() < 40
    assert len(compact) < 0.6 * len(whole.getvalue())
    assert (b[0, 0] == 255).all()


def test_what_is_shown_is_the_figures_own_png(monkeypatch):
    shown = []
    monkeypatch.setattr(plotting, "display", lambda bundle, raw, metadata: shown.append((bundle, raw)))
    figure = plotting.image_grid(IMAGES)
    plotting.show(figure, alt="Seven pictures.")
    ((bundle, raw),) = shown
    assert raw and base64.b64decode(bundle["image/png"]) == plotting.compact_png(figure)


def test_colours_are_told_apart_and_as_named():
    assert len({*CLASS_COLOURS}) == 10
    blue, orange, red = (tuple(int(c[i : i + 2], 16) for i in (1, 3, 5)) for c in (BLUE, ORANGE, RED))
    assert blue[2] == max(blue) and orange[0] == max(orange) and red[0] == max(red)
    assert orange[1] - red[1] > 50
