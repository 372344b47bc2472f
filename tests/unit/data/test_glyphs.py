"""The built-in digits: their format, their reproducibility, and factors that say what the pixels show."""

import inspect
import math
import re

from vae_helpers.data import glyphs

import pytest
import torch
from scipy.ndimage import label

EIGHT_NEIGHBOURS = torch.ones(3, 3)
UPRIGHT_FONTS = torch.tensor([i for i, name in enumerate(glyphs.FONTS) if not re.search("Obl|Ita|ti", name)])
DOTTED_ZERO_FONTS = {i for i, name in enumerate(glyphs.FONTS) if "Mono" in name}


@pytest.fixture(scope="module")
def drawn():
    return glyphs.make(4000, seed=0)


@pytest.fixture(scope="module")
def every_glyph():
    """Digit and factors of all fonts × digits, upright, in the middle, at scale 1."""
    y, font = (
        torch.arange(10).repeat(len(glyphs.FONTS)),
        torch.arange(len(glyphs.FONTS)).repeat_interleave(10),
    )
    neutral = {name: torch.zeros(len(y)) for name in glyphs.RANGES}
    return y, {"font": font, **neutral, "scale": torch.ones(len(y))}


def render(every_glyph, **values):
    y, factors = every_glyph
    changed = {name: torch.full((len(y),), value) for name, value in values.items()}
    return glyphs._render(y, {**factors, **changed})[:, 0]


def ink_moments(x):
    """Total ink, centroid to the right and downwards, and lean: pixels to the right per pixel upwards."""
    ink = x.reshape(-1, 28, 28).double() / 255
    total = ink.sum((1, 2))
    pixel = torch.arange(28) - 13.5
    right, down = (ink.sum(1) @ pixel.double()) / total, (ink.sum(2) @ pixel.double()) / total
    from_right, from_down = pixel - right[:, None], pixel - down[:, None]
    covariance = torch.einsum("nij,ni,nj->n", ink, from_down, from_right)
    return total, right, down, -covariance / torch.einsum("nij,ni->n", ink, from_down**2)


def effects(measured, y, factors):
    """Least-squares slope of a measurement on each factor, among images of the same font and digit."""
    group = factors["font"] * 10 + y
    table = torch.stack([measured, *(factors[name].double() for name in glyphs.RANGES)], 1)
    count = torch.bincount(group, minlength=200).clamp(min=1)[:, None]
    table = table - (torch.zeros(200, table.shape[1]).double().index_add(0, group, table) / count)[group]
    slopes = torch.linalg.lstsq(table[:, 1:], table[:, :1]).solution[:, 0]
    return dict(zip(glyphs.RANGES, slopes.tolist(), strict=True))


def correlation(a, b):
    return torch.corrcoef(torch.stack([a.double(), b.double()]))[0, 1].item()


def border(x):
    return torch.cat([x[:, 0, 0], x[:, 0, -1], x[:, 0, :, 0], x[:, 0, :, -1]], dim=1)


def count_parts(mask, structure=None):
    return label(mask.numpy(), structure)[1]


def test_images_labels_and_factors_have_the_promised_shapes(drawn):
    x, y, factors = drawn
    assert x.shape == (4000, 1, 28, 28) and x.dtype == torch.uint8
    assert y.shape == (4000,) and y.dtype == torch.int64
    assert tuple(factors) == glyphs.FACTORS == ("font", "angle", "shear", "scale", "stroke", "dx", "dy")
    assert all(values.shape == (4000,) for values in factors.values())
    assert factors["font"].dtype == torch.int64
    assert all(factors[name].dtype == torch.float32 for name in glyphs.RANGES)


def test_a_single_image_can_be_drawn():
    assert glyphs.make(1)[0].shape == (1, 1, 28, 28)


def test_the_same_seed_gives_the_same_bytes(drawn):
    x, y, factors = glyphs.make(4000, seed=0)
    assert torch.equal(x, drawn[0]) and torch.equal(y, drawn[1])
    assert all(torch.equal(factors[name], drawn[2][name]) for name in glyphs.FACTORS)


def test_another_seed_gives_other_images(drawn):
    x, y, factors = glyphs.make(4000, seed=1)
    assert not torch.equal(x, drawn[0])
    assert abs(correlation(y, drawn[1])) < 0.06
    assert all(abs(correlation(factors[name], drawn[2][name])) < 0.06 for name in glyphs.FACTORS)


def test_a_longer_set_begins_with_the_shorter_one(drawn):
    x, y, factors = glyphs.make(1234, seed=0)
    assert torch.equal(x, drawn[0][:1234]) and torch.equal(y, drawn[1][:1234])
    assert all(torch.equal(factors[name], drawn[2][name][:1234]) for name in glyphs.FACTORS)


@pytest.mark.parametrize("chunk", [1, 7, 64, 5000])
def test_chunking_does_not_change_a_byte(drawn, chunk):
    x, y, factors = drawn
    first = {name: values[:300] for name, values in factors.items()}
    assert torch.equal(glyphs._render(y[:300], first, chunk), x[:300])


def test_global_random_state_and_threads_are_left_alone():
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    glyphs.make(10, seed=3)
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == threads


def test_the_module_asks_for_neither_pyplot_nor_torchvision():
    source = inspect.getsource(glyphs)
    assert "pyplot" not in source and "torchvision" not in source


def test_the_ink_is_white_the_ground_black_and_the_edges_grey(drawn):
    x = drawn[0]
    assert (x.amax((1, 2, 3)) > 220).all()
    assert (x == 0).float().mean() > 0.7
    assert 0.05 < ((x > 0) & (x < 255)).float().mean() < 0.25


def test_the_border_stays_black(drawn):
    touched = (border(drawn[0]) > 0).any(1).float().mean()
    assert touched < 0.005


def test_a_digit_is_about_twenty_pixels_tall(drawn):
    height = (drawn[0][:, 0] > 127).any(2).sum(1).float()
    assert 18 < height.mean() < 21 and height.max() <= 27


def test_digits_and_fonts_are_balanced(drawn):
    _, y, factors = drawn
    for index, kinds in ((y, 10), (factors["font"], len(glyphs.FONTS))):
        count = torch.bincount(index, minlength=kinds).double()
        chi_squared = ((count - 4000 / kinds) ** 2 / (4000 / kinds)).sum().item()
        assert abs(chi_squared - (kinds - 1)) < 4 * math.sqrt(2 * (kinds - 1))


def test_factors_fill_their_ranges(drawn):
    for name, (low, high) in glyphs.RANGES.items():
        values = drawn[2][name]
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high >= values.max() > high - 0.01 * (high - low)


def test_factors_are_independent_of_each_other_and_of_the_digit(drawn):
    table = torch.stack([drawn[1].double(), *(values.double() for values in drawn[2].values())])
    off_diagonal = torch.corrcoef(table) - torch.eye(len(table))
    assert off_diagonal.abs().max() < 0.06


def test_a_nearest_neighbour_reads_the_digits(drawn):
    x, y = drawn[0].reshape(-1, 784).float(), drawn[1]
    nearest = torch.cdist(x[3000:], x[:3000]).argmin(1)
    assert (y[nearest] == y[3000:]).float().mean() > 0.95


def test_the_thinnest_strokes_hold_together(every_glyph):
    thin = render(every_glyph, stroke=glyphs.RANGES["stroke"][0], scale=glyphs.RANGES["scale"][0])
    for image, digit, font in zip(thin, every_glyph[0], every_glyph[1]["font"], strict=True):
        allowed = 2 if digit == 0 and font.item() in DOTTED_ZERO_FONTS else 1
        assert count_parts(image > 63, EIGHT_NEIGHBOURS) <= allowed, (glyphs.FONTS[font], digit)


def test_the_boldest_strokes_leave_the_holes_open(every_glyph):
    bold = render(every_glyph, stroke=glyphs.RANGES["stroke"][1], scale=glyphs.RANGES["scale"][0])
    for image, digit, font in zip(bold, every_glyph[0], every_glyph[1]["font"], strict=True):
        holes = {0: 1, 6: 1, 8: 2, 9: 1}.get(digit.item(), 0)
        assert count_parts(image < 191) >= 1 + holes, (glyphs.FONTS[font], digit)


def test_dx_moves_right_and_dy_down_pixel_by_pixel(every_glyph):
    still = render(every_glyph).int()
    right, down = render(every_glyph, dx=1.0).int(), render(every_glyph, dy=1.0).int()
    assert (right[:, :, 1:] - still[:, :, :-1]).abs().max() <= 1
    assert (down[:, 1:] - still[:, :-1]).abs().max() <= 1


def test_a_quarter_turn_is_counter_clockwise(every_glyph):
    turned = render(every_glyph, angle=math.pi / 2).int()
    assert (turned - torch.rot90(render(every_glyph).int(), 1, dims=(1, 2))).abs().max() <= 1


def test_shear_is_pixels_to_the_right_per_pixel_upwards(every_glyph):
    lean_before, lean = ink_moments(render(every_glyph))[3], ink_moments(render(every_glyph, shear=0.25))[3]
    assert torch.allclose(lean - lean_before, torch.tensor(0.25).double(), atol=0.03)


def test_scale_multiplies_lengths(every_glyph):
    ink_ratio = ink_moments(render(every_glyph, scale=0.8))[0] / ink_moments(render(every_glyph))[0]
    assert torch.allclose(ink_ratio.sqrt(), torch.tensor(0.8).double(), atol=0.03)


def test_stroke_moves_the_edge_outwards_by_so_many_pixels(every_glyph):
    stem_of_one = slice(12, 18)
    width = render(every_glyph)[:, stem_of_one].float().sum(2).mean(1) / 255
    bolder_width = render(every_glyph, stroke=0.5)[:, stem_of_one].float().sum(2).mean(1) / 255
    y, factors = every_glyph
    growth = (bolder_width - width)[(y == 1) & torch.isin(factors["font"], UPRIGHT_FONTS)]
    assert torch.allclose(growth, torch.tensor(1.0), atol=0.02)


def test_true_shifts_are_the_measured_ones(drawn):
    x, y, factors = drawn
    _, right, down, _ = ink_moments(x)
    assert effects(right, y, factors)["dx"] == pytest.approx(1, abs=0.03)
    assert effects(down, y, factors)["dy"] == pytest.approx(1, abs=0.03)


def test_true_lean_is_the_measured_one(drawn):
    x, y, factors = drawn
    slopes = effects(ink_moments(x)[3], y, factors)
    assert slopes["shear"] == pytest.approx(1, abs=0.1)
    assert slopes["angle"] < -0.5
    assert max(abs(slopes[name]) for name in ("dx", "dy", "stroke")) < 0.05


def test_ink_grows_with_stroke_and_scale(drawn):
    x, y, factors = drawn
    total = ink_moments(x)[0]
    slopes = effects(total, y, factors)
    assert slopes["stroke"] > 50 and slopes["scale"] > 50
    assert correlation(total, factors["stroke"]) > 0.3


@pytest.mark.parametrize("n", [0, -5, 2.5, 10.0, "100", None, True])
def test_a_bad_number_of_images_is_refused(n):
    with pytest.raises((TypeError, ValueError), match=r"^make: n must be (a whole number|at least 1), got"):
        glyphs.make(n)


def test_the_default_dtype_makes_no_difference():
    usual, _, _ = glyphs.make(20, seed=3)
    torch.set_default_dtype(torch.float64)
    try:
        other, _, _ = glyphs.make(20, seed=3)
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(usual, other)
