"""A drawing laid into its frame as MNIST's digits are: 20 pixels long, its centre of mass in the middle."""

from vae_helpers import data

import pytest
import torch

ROWS = torch.arange(28.0)


def centre_of_mass(x):
    ink = x.sum((1, 2, 3))
    return (x.sum((1, 3)) * ROWS).sum(1) / ink, (x.sum((1, 2)) * ROWS).sum(1) / ink


def sides(x):
    return [(x[0, 0] > 0).any(axis).sum().item() for axis in (1, 0)]


@pytest.fixture
def drawing():
    """A bar of 6 × 3 pixels in a corner, a foot to its right."""
    x = torch.zeros(1, 1, 28, 28)
    x[..., 1:7, 20:22] = 1
    x[..., 5:7, 20:25] = 1
    return x


def test_the_longer_side_becomes_20_pixels_and_the_shape_stays(drawing):
    assert sides(drawing) == [6, 5]
    assert sides(data.fit_and_centre(drawing)) == [20, 17]


def test_the_centre_of_mass_moves_to_the_middle(drawing):
    for centre in centre_of_mass(data.fit_and_centre(drawing)):
        assert abs(centre.item() - 14) <= 0.5


def test_the_picture_stays_the_right_way_up(drawing):
    x = data.fit_and_centre(drawing)[0, 0]
    top, bottom = x[:14].sum(), x[14:].sum()
    assert bottom > top
    assert x[4:10].sum(0).nonzero().max() < x[18:24].sum(0).nonzero().max()


def test_a_picture_without_ink_stays_white():
    assert data.fit_and_centre(torch.zeros(2, 1, 28, 28, dtype=torch.uint8)).max() == 0


def test_a_full_frame_and_a_single_pixel_come_out_finite_and_inside():
    dot = torch.zeros(1, 1, 28, 28)
    dot[0, 0, 27, 0] = 0.5
    both = data.fit_and_centre(torch.cat([dot, torch.ones(1, 1, 28, 28)]))
    assert both.isfinite().all() and both.min() >= 0 and both.max() <= 1
    assert sides(both[:1]) == sides(both[1:]) == [20, 20]


def test_a_digit_of_mnist_stays_as_it_is():
    dataset = data.load("mnist", device="cpu")
    if dataset.name != "mnist":
        pytest.skip("MNIST is not on this machine")
    x = data.to_float(dataset.x_test[:200])
    assert torch.equal(data.fit_and_centre(x), x)
