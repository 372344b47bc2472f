"""Corruptions: how many pixels, which ones, what range; the same seed, the same draw; bad arguments are refused."""

import math
from functools import partial

from vae_helpers.data import choose_pixels, gaussian, masking, salt_and_pepper

import numpy as np
import pytest
import torch
from scipy import stats

X = 0.1 + 0.9 * torch.rand(300, 1, 28, 28, generator=torch.Generator().manual_seed(0))
GREY = torch.full((2000, 1, 28, 28), 0.5)
ALL = {
    "masking": partial(masking, proportion=0.4),
    "gaussian": partial(gaussian, sigma_noise=0.4),
    "salt_and_pepper": partial(salt_and_pepper, proportion=0.4),
    "choose_pixels": partial(choose_pixels, proportion=0.4),
}
each = pytest.mark.parametrize("corrupt", ALL.values(), ids=ALL.keys())


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("proportion", "count"), [(0, 0), (0.25, 196), (0.5, 392), (0.001, 1), (0.999, 783), (1, 784)])
def test_masking_forces_the_same_number_of_pixels_to_0_in_every_image(proportion, count):
    assert ((masking(X, proportion) == 0).flatten(1).sum(1) == count).all()


def test_masking_leaves_the_other_pixels_as_they_were():
    masked = masking(X, 0.3)
    assert torch.equal(masked[masked != 0], X[masked != 0])


def test_every_pixel_is_as_likely_to_be_chosen_as_any_other():
    chosen = choose_pixels(GREY, 0.25, seeded()).flatten(1).sum(0)
    z = (chosen - 500) / math.sqrt(2000 * 0.25 * 0.75)
    assert z.abs().max() < 5


def test_two_pixels_are_chosen_together_as_often_as_without_repetition():
    chosen = choose_pixels(GREY, 0.5, seeded()).flatten(1).double()
    together = chosen.T @ chosen / len(chosen)
    off_diagonal = together[~torch.eye(784, dtype=torch.bool)].mean().item()
    assert off_diagonal == pytest.approx(392 * 391 / (784 * 783), abs=1e-9)


def test_every_image_has_a_mask_of_its_own():
    chosen = choose_pixels(X, 0.5, seeded()).flatten(1).double()
    shared = (chosen[1:] * chosen[:-1]).mean(1)
    assert shared.min() > 0.18 and shared.max() < 0.32  # independent: 0.25


def test_gaussian_noise_is_normal_with_the_standard_deviation_asked_for():
    noise = (gaussian(GREY[:100], 0.3, seeded()) - 0.5).flatten().double().numpy()
    assert stats.kstest(noise, stats.norm(0, 0.3).cdf).pvalue > 1e-3
    assert noise.std() == pytest.approx(0.3, rel=0.01)


def test_gaussian_noise_leaves_the_range_unless_clipped():
    free, clipped = gaussian(X, 0.5, seeded()), gaussian(X, 0.5, seeded(), clip=True)
    assert free.min() < 0 and free.max() > 1
    assert torch.equal(clipped, free.clamp(0, 1))


def test_clipped_noise_lifts_black_paper_by_sigma_over_root_two_pi():
    paper = gaussian(torch.zeros(500, 1, 28, 28), 0.3, seeded(), clip=True)
    assert paper.mean().item() == pytest.approx(0.3 / math.sqrt(2 * math.pi), rel=0.01)


def test_salt_and_pepper_sets_its_share_to_0_or_1_by_a_fair_coin():
    spoiled = salt_and_pepper(GREY, 0.3, seeded())
    salt, pepper = (spoiled == 1).flatten(1).sum(1), (spoiled == 0).flatten(1).sum(1)
    assert (salt + pepper == round(0.3 * 784)).all()
    assert salt.sum().item() / (salt + pepper).sum().item() == pytest.approx(0.5, abs=0.005)
    assert (spoiled[(spoiled != 0) & (spoiled != 1)] == 0.5).all()


@each
def test_the_same_seed_gives_the_same_draw_and_another_another(corrupt):
    assert torch.equal(corrupt(X, generator=seeded(3)), corrupt(X, generator=seeded(3)))
    assert not torch.equal(corrupt(X, generator=seeded(3)), corrupt(X, generator=seeded(4)))


@each
def test_with_a_generator_the_global_random_state_is_left_alone(corrupt):
    before = torch.random.get_rng_state()
    corrupt(X, generator=seeded())
    assert torch.equal(before, torch.random.get_rng_state())


@each
def test_the_clean_images_are_not_changed(corrupt):
    copy = X.clone()
    corrupt(X)
    assert torch.equal(X, copy)


@each
def test_shape_and_type_are_kept(corrupt):
    result = corrupt(X[:3].double())
    assert result.shape == X[:3].shape
    assert result.dtype in (torch.float64, torch.bool)


@pytest.mark.parametrize("corrupt", [masking, salt_and_pepper, choose_pixels])
@pytest.mark.parametrize("proportion", [-0.1, 1.1, 25, float("nan"), float("inf")])
def test_a_proportion_outside_0_to_1_is_refused(corrupt, proportion):
    with pytest.raises(
        ValueError, match=r"proportion must be (finite|a share of the pixels, from 0 to 1 \(25 % is 0.25\))"
    ):
        corrupt(X, proportion)


@pytest.mark.parametrize("sigma_noise", [-0.3, float("nan"), float("inf")])
def test_a_sigma_that_is_negative_or_not_finite_is_refused(sigma_noise):
    with pytest.raises(ValueError, match="sigma_noise must be finite"):
        gaussian(X, sigma_noise)


@pytest.mark.parametrize("amount", ["0.3", None, True, torch.tensor(0.3)])
def test_an_amount_that_is_no_plain_number_is_refused(amount):
    with pytest.raises(TypeError, match="must be a plain number"):
        masking(X, amount)


@each
def test_what_is_no_batch_of_float_images_is_refused(corrupt):
    with pytest.raises(ValueError, match=r"x must have shape \(n, 1, 28, 28\)"):
        corrupt(torch.rand(5, 784))
    with pytest.raises(TypeError, match=r"uint8.*data\.to_float"):
        corrupt(torch.zeros(5, 1, 28, 28, dtype=torch.uint8))
    with pytest.raises(TypeError, match="must be a tensor of floats"):
        corrupt(np.zeros((5, 1, 28, 28)))
    with pytest.raises(ValueError, match="holds nothing"):
        corrupt(X[:0])


def test_arguments_may_be_given_by_name_or_place():
    assert torch.equal(masking(X, 0.2, seeded()), masking(x=X, proportion=0.2, generator=seeded()))


@each
@pytest.mark.parametrize("generator", [3, "seed 3", np.random.default_rng(3)])
def test_a_generator_that_is_not_torchs_is_refused_by_name(corrupt, generator):
    with pytest.raises(TypeError, match="generator must be of type Generator"):
        corrupt(X, generator=generator)
