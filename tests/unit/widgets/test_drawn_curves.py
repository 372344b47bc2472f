"""Curves that widgets draw, read back from their lines and axes, against torch.distributions."""

import base64
import math

from vae_helpers.plotting import BLUE, CLASS_COLOURS, GREY, ORANGE, RED
from vae_helpers.widgets import elbo_explorer, forward_reverse_kl, kl_explorer, latent_plane
from vae_helpers.widgets.plane import has_pad

import numpy as np
import pytest
import torch
from matplotlib.colors import same_color, to_rgb
from torch.distributions import Normal, kl_divergence

from helpers.drawings import coloured, lines_by_label
from helpers.pictures import shown
from helpers.small_models import plane_vae

SEEN = torch.tensor(0.8, dtype=torch.float64)
POSTERIOR, EVIDENCE = Normal(0.8 / 1.25, 0.2**0.5), Normal(0.0, 1.25**0.5).log_prob(SEEN).item()
TARGET = Normal(0.5, 0.4)


def log_joint(z):
    """A prior N(0, 1), and x = 0.8 seen through noise of spread 0.5."""
    return Normal(0.0, 1.0).log_prob(z) + Normal(z, 0.5).log_prob(SEEN)


def points(widget, name):
    return widget.curves.lines[name].get_xydata().T


def density_of(q, z):
    return q.log_prob(torch.from_numpy(np.asarray(z))).exp().numpy()


def filled(axis):
    """The upper edge of what is filled on an axis, as (across, up)."""
    (area,) = axis.collections
    edge = area.get_paths()[0].vertices
    return edge[edge[:, 1] > 0].T, area


def kls(ps, qs):
    return np.array([kl_divergence(p, q).item() for p, q in zip(ps, qs, strict=True)])


# KL


@pytest.mark.parametrize(("mu", "logvar"), [(1.3, -2.1), (-2.4, 1.7)])
def test_q_is_drawn_where_it_is_beside_the_prior(mu, logvar):
    widget = kl_explorer(mu, logvar)
    z, up = points(widget, "q")
    assert np.allclose(up, density_of(Normal(mu, math.exp(logvar / 2)), z))
    left = widget.curves.axes[0]
    lines = lines_by_label(left)
    assert np.allclose(lines["p = N(0, 1)"].get_ydata(), density_of(Normal(0.0, 1.0), z))
    assert same_color(lines["p = N(0, 1)"].get_color(), GREY) and lines["q = N(μ, σ²)"].get_color() == BLUE
    assert (left.get_xlim(), left.get_ylim(), left.get_xlabel(), left.get_ylabel()) == ((-6, 6), (0, 3), "z", "density")
    assert (z[0], z[-1]) == (-6, 6) and len(left.get_legend().get_texts()) == 2


def test_the_legend_stays_at_the_right_also_where_q_lies_behind_it():
    left = kl_explorer(3.0, -4.0).curves.axes[0]
    legend, panel = left.get_legend().get_window_extent(), left.get_window_extent()
    assert legend.x0 > panel.x0 + panel.width / 2 and legend.y0 > panel.y0 + panel.height / 2


def test_the_bars_are_as_high_as_the_parts_of_the_kl():
    widget = kl_explorer(0.0, 0.0)
    widget.mu.value, widget.logvar.value = 1.5, -2.0
    heights = [0.5 * 1.5**2, 0.5 * (math.exp(-2) - 1), 1.0]
    heights.append(kl_divergence(Normal(1.5, math.exp(-1)), Normal(0.0, 1.0)).item())
    for i, (height, colour) in enumerate(zip(heights, (BLUE, ORANGE, ORANGE, RED), strict=True)):
        across, up = points(widget, f"bar{i}")
        assert list(across) == [i, i] and up == pytest.approx([0, height], abs=1e-6)
        assert widget.curves.lines[f"bar{i}"].get_color() == colour
    right = widget.curves.axes[1]
    assert [text.get_text() for text in right.get_xticklabels()] == ["½ μ²", "½ (σ² − 1)", "−½ log σ²", "KL"]
    assert (right.get_ylim(), right.get_ylabel()) == ((-1.2, 8), "nats") and list(right.get_xticks()) == [0, 1, 2, 3]


def test_the_readout_says_the_parts_in_their_order():
    widget = kl_explorer(1.5, -2.0)
    assert "KL = 1.12 + (−0.43) + 1.00 = 1.69 nats" in widget.readout.value
    widget.logvar.value = 1.0
    assert "KL = 1.12 + 0.86 + (−0.50) = 1.48 nats" in widget.readout.value
    assert [(s.min, s.max, s.step, s.description) for s in (widget.mu, widget.logvar)] == [
        (-3, 3, 0.1, "μ"),
        (-4, 2, 0.1, "log σ²"),
    ]


def test_a_bar_of_the_picture_is_as_high_as_its_number_on_the_axis():
    widget = kl_explorer(2.0, 0.0)  # ½ μ² = 2
    picture, axis = coloured(shown(widget.picture)), widget.curves.axes[1]
    across, top = axis.transData.transform((0, 2.0))
    bottom = axis.transData.transform((0, 0.0))[1]
    column = picture[:, round(across)]
    blue = np.abs(column - 255 * np.array(to_rgb(BLUE))).max(axis=1) <= 16
    assert blue.sum() == pytest.approx(top - bottom, abs=3)
    assert np.flatnonzero(blue)[0] == pytest.approx(len(column) - top, abs=3)


# The bound


def test_the_bound_is_the_elbo_of_every_mean_at_the_sliders_spread():
    widget = elbo_explorer(log_joint, mu=-1.0, sigma=0.8)
    for sigma in (0.8, 0.4):
        widget.sigma.value = sigma
        means, up = points(widget, "bound")
        gap = kls([Normal(mu, sigma) for mu in means], [POSTERIOR] * len(means))
        assert np.allclose(up, EVIDENCE - gap, atol=2e-3)
        here = points(widget, "here")
        assert here[:, 0] == pytest.approx(
            [-1.0, EVIDENCE - kl_divergence(Normal(-1.0, sigma), POSTERIOR).item()], abs=2e-3
        )
    assert (means[0], means[-1], len(means)) == (-5, 5, 61)


@pytest.mark.parametrize("kind", [lambda: elbo_explorer(log_joint), lambda: forward_reverse_kl(POSTERIOR.log_prob)])
def test_q_is_drawn_at_its_mean_beside_what_it_is_to_be_like(kind):
    widget = kind()
    widget.mu.value, widget.sigma.value = 1.5, 0.6
    z, up = points(widget, "q")
    assert np.allclose(up, density_of(Normal(1.5, 0.6), z))
    axis = widget.curves.axes[0]
    (across, height), area = filled(axis)
    assert np.allclose(height, density_of(POSTERIOR, across), atol=1e-4)
    assert same_color(area.get_facecolor()[0][:3], GREY) and widget.curves.lines["q"].get_color() == BLUE
    assert axis.get_xlim() == (-5, 5)
    assert axis.get_ylim() == pytest.approx((0, 1.6 * density_of(POSTERIOR, 0.64).item()), rel=0.01)
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("z", "density")


def test_the_evidence_is_a_dashed_line_above_the_bound():
    axis = elbo_explorer(log_joint).curves.axes[1]
    lines = lines_by_label(axis)
    assert set(lines) == {"log p(x)", "ELBO at this σ"}
    assert lines["log p(x)"].get_ydata() == pytest.approx([EVIDENCE] * 2, abs=1e-3)
    assert (lines["log p(x)"].get_color(), lines["log p(x)"].get_linestyle()) == (RED, "--")
    assert lines["ELBO at this σ"].get_color() == BLUE
    assert axis.get_ylim() == pytest.approx((EVIDENCE - 20, EVIDENCE + 2), abs=1e-3)
    assert (axis.get_xlabel(), axis.get_ylabel(), axis.get_xlim()) == ("mean μ of q", "nats", (-5, 5))


def test_both_divergences_are_drawn_over_the_mean_each_in_its_colour():
    widget = forward_reverse_kl(lambda z: TARGET.log_prob(z) + 3, low=-2.0, high=3.0)
    widget.mu.value, widget.sigma.value = 1.0, 0.5
    axis = widget.curves.axes[1]
    for name, colour, label, exactly in (
        ("forward", ORANGE, "forward, KL(p‖q)", lambda q: (TARGET, q)),
        ("reverse", BLUE, "reverse, KL(q‖p)", lambda q: (q, TARGET)),
    ):
        means, up = points(widget, name)
        assert np.allclose(up, [kl_divergence(*exactly(Normal(mu, 0.5))).item() for mu in means], atol=5e-3)
        here = points(widget, f"{name}_here")[:, 0]
        assert here == pytest.approx([1.0, kl_divergence(*exactly(Normal(1.0, 0.5))).item()], abs=5e-3)
        line, dot = widget.curves.lines[name], widget.curves.lines[f"{name}_here"]
        assert (line.get_color(), line.get_label()) == (dot.get_color(), label) == (colour, label)
    assert (means[0], means[-1]) == (-2, 3)
    assert (axis.get_xlim(), axis.get_ylim()) == ((-2, 3), (0, 6))
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("mean μ of q", "nats")


def test_sliders_of_q_reach_what_the_axes_show():
    widget = elbo_explorer(log_joint, low=-2.0, high=3.0)
    assert (widget.mu.min, widget.mu.max, widget.mu.step) == pytest.approx((-2, 3, 0.05))
    assert (widget.sigma.min, widget.sigma.max, widget.sigma.step) == (0.05, 1.5, 0.01)
    assert (widget.mu.description, widget.sigma.description) == ("mean μ", "spread σ")


# The pad's map


@pytest.mark.skipif(not has_pad(), reason="anywidget is not installed")
@pytest.mark.parametrize(("k", "place"), [(3, (2.0, 2.5)), (7, (-2.5, 1.0)), (0, (1.5, -3.0))])
def test_the_map_shows_a_code_where_the_point_would_stand_in_its_classs_colour(k, place):
    codes = torch.tensor(place) + 0.05 * torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
    plane = latent_plane(plane_vae(), codes, torch.full((40,), k), start=place, pad=True)
    picture = coloured(base64.b64decode(plane.pad.background))
    rows, columns = np.nonzero((picture < 250).any(axis=2))
    height, width = picture.shape[:2]
    assert columns.mean() / width == pytest.approx((place[0] + 3.5) / 7, abs=0.02)
    assert rows.mean() / height == pytest.approx((3.5 - place[1]) / 7, abs=0.02)
    ink = picture[rows, columns]
    nearest = np.abs(ink - 255 * np.array(to_rgb(CLASS_COLOURS[k]))).max(axis=1).min()
    assert nearest < 40 and height == width == 260


@pytest.mark.skipif(not has_pad(), reason="anywidget is not installed")
def test_the_pad_begins_at_the_start_and_move_to_moves_it():
    plane = latent_plane(plane_vae(), start=(1.0, -2.0), pad=True)
    assert plane.pad.z == [1.0, -2.0]
    plane.move_to(-0.5, 3.0)
    assert plane.pad.z == [-0.5, 3.0] and plane.code().tolist() == [[-0.5, 3.0]]
