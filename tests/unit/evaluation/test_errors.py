"""Errors per pixel against values known in closed form."""

from vae_helpers import evaluation

import pytest
import torch


def test_mse_is_per_pixel_and_takes_bytes_and_floats():
    x = torch.zeros(3000, 1, 28, 28, dtype=torch.uint8)
    assert evaluation.mse(torch.full((3000, 1, 28, 28), 0.5), x) == pytest.approx(0.25)


def test_mse_refuses_images_of_unlike_shape():
    with pytest.raises(ValueError, match="x must have shape \\(2, 1, 28, 28\\), to go with x_hat"):
        evaluation.mse(torch.zeros(2, 1, 28, 28), torch.zeros(1, 1, 28, 28))


def test_reconstruction_mse_does_not_depend_on_the_batch_size():
    x = torch.rand(50, 1, 28, 28)
    values = [evaluation.reconstruction_mse(lambda b: b * 0.9, x, batch_size=b) for b in (7, 50)]
    assert values == pytest.approx([0.01 * x.square().mean().item()] * 2, rel=1e-4)


def test_reconstruction_mse_can_have_another_target():
    x, target = torch.zeros(5, 1, 28, 28), torch.ones(5, 1, 28, 28)
    assert evaluation.reconstruction_mse(lambda b: b, x, target) == 1


def test_psnr_of_a_hundredth_is_20_db():
    assert evaluation.psnr(0.01) == pytest.approx(20)
    with pytest.raises(ValueError, match="must be positive"):
        evaluation.psnr(0.0)


def test_mse_refuses_floats_up_to_255():
    with pytest.raises(ValueError, match=r"x must lie in \[0, 1\].*divide by 255"):
        evaluation.mse(torch.rand(2, 1, 28, 28), 255 * torch.rand(2, 1, 28, 28))


def test_mean_and_error_take_two_values_and_any_number_more():
    assert evaluation.mean_and_error(torch.tensor([1.0, 3.0])) == pytest.approx((2, 1))
    values = torch.arange(9.0)
    assert evaluation.mean_and_error(values) == pytest.approx((4, values.std().item() / 3))


def test_mean_and_error_are_those_of_the_textbook():
    mean, error = evaluation.mean_and_error(torch.tensor([1.0, 2.0, 3.0, 6.0]))
    assert mean == 3 and error == pytest.approx((14 / 3) ** 0.5 / 2)
    with pytest.raises(ValueError, match="at least two"):
        evaluation.mean_and_error(torch.ones(1))
