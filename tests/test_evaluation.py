"""Figures of merit against values known in closed form."""

import pytest
import torch

from vae_helpers import evaluation


def test_mse_is_per_pixel_and_takes_bytes_and_floats():
    x = torch.zeros(3000, 1, 28, 28, dtype=torch.uint8)
    assert evaluation.mse(torch.full((3000, 1, 28, 28), 0.5), x) == pytest.approx(0.25)


def test_mse_refuses_images_of_unlike_shape():
    with pytest.raises(ValueError, match="must have one shape"):
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


def test_in_batches_equals_all_at_once():
    x = torch.rand(33, 1, 28, 28)
    assert torch.equal(evaluation.in_batches(lambda b: b.flatten(1), x, batch_size=10), x.flatten(1))


def test_frechet_distance_takes_arrays_of_numpy_and_scikit_learn():
    a = torch.randn(100, 3)
    assert evaluation.frechet_distance(a.numpy(), a + 1) == pytest.approx(3, rel=1e-4)


def test_in_batches_refuses_a_function_of_several_results():
    with pytest.raises(TypeError, match=r"got tuple: for codes, use model.embed"):
        evaluation.in_batches(lambda b: (b, b), torch.rand(3, 1, 28, 28))


def test_mse_refuses_floats_up_to_255():
    with pytest.raises(ValueError, match=r"x must lie in \[0, 1\].*divide by 255"):
        evaluation.mse(torch.rand(2, 1, 28, 28), 255 * torch.rand(2, 1, 28, 28))


def test_frechet_distance_of_a_set_to_itself_is_zero():
    a = torch.randn(500, 4)
    assert evaluation.frechet_distance(a, a) == pytest.approx(0, abs=1e-6)


def test_frechet_distance_of_a_shift_is_its_squared_length():
    a, shift = torch.randn(500, 3), torch.tensor([1.0, -2.0, 0.5])
    assert evaluation.frechet_distance(a + shift, a) == pytest.approx(5.25, rel=1e-4)


def test_frechet_distance_of_a_stretch_is_known_in_closed_form():
    a = torch.randn(2000, 3)
    variance = torch.cov(a.T).trace().item()
    assert evaluation.frechet_distance(3 * (a - a.mean(0)), a - a.mean(0)) == pytest.approx(4 * variance, rel=1e-4)


def test_frechet_distance_of_rotated_gaussians_agrees_with_scipys_matrix_root():
    from scipy.linalg import sqrtm

    a, b = torch.randn(300, 4) @ torch.randn(4, 4), torch.randn(300, 4) @ torch.randn(4, 4)
    cov_a, cov_b = torch.cov(a.T.double()), torch.cov(b.T.double())
    root = torch.from_numpy(sqrtm((cov_a @ cov_b).numpy()).real)
    oracle = (a.mean(0) - b.mean(0)).double().square().sum() + (cov_a + cov_b - 2 * root).trace()
    assert evaluation.frechet_distance(a, b) == pytest.approx(oracle.item(), rel=1e-4)


def test_frechet_distance_refuses_what_it_cant_fit():
    with pytest.raises(ValueError, match=r"got \(9, 2\) and \(9, 3\)"):
        evaluation.frechet_distance(torch.randn(9, 2), torch.randn(9, 3))
    with pytest.raises(ValueError, match="must be finite"):
        evaluation.frechet_distance(torch.full((9, 2), float("nan")), torch.randn(9, 2))
    with pytest.raises(ValueError, match="more than 5 rows"):
        evaluation.frechet_distance(torch.randn(5, 5), torch.randn(9, 5))


def test_mean_and_error_take_two_values_and_any_number_more():
    assert evaluation.mean_and_error(torch.tensor([1.0, 3.0])) == pytest.approx((2, 1))
    values = torch.arange(9.0)
    assert evaluation.mean_and_error(values) == pytest.approx((4, values.std().item() / 3))


def test_the_nearest_of_a_bank_is_found_per_pixel():
    bank = torch.zeros(3, 1, 28, 28)
    bank[0], bank[2] = 1.0, 0.25
    images = torch.stack([torch.full((1, 28, 28), level) for level in (0.3, 0.9)])
    assert torch.allclose(evaluation.mse_to_nearest(images, bank), torch.tensor([0.0025, 0.01]), atol=1e-6)
    assert evaluation.mse_to_nearest(images, bank[1:2]).tolist() == pytest.approx([0.09, 0.81], rel=1e-4)


def test_figures_of_merit_leave_no_graph_behind():
    weight = torch.tensor(0.5, requires_grad=True)
    x = torch.rand(4, 1, 28, 28)
    assert not evaluation.in_batches(lambda part: weight * part, x).requires_grad
    assert not evaluation.mse_to_nearest(weight * x, x).requires_grad


def test_frechet_distance_is_finite_where_features_repeat_each_other():
    for seed in range(20):
        a, b = torch.randn(2, 50, 3, generator=torch.Generator().manual_seed(seed))
        twice = evaluation.frechet_distance(torch.cat([a, a[:, :1]], 1), torch.cat([b, b[:, :1]], 1))
        assert twice >= evaluation.frechet_distance(a, b) - 1e-6


def test_in_batches_takes_one_number_per_image_and_refuses_one_for_all():
    x = torch.rand(5, 1, 28, 28)
    brightness = lambda images: images.mean(dim=(1, 2, 3))  # noqa: E731
    assert torch.equal(evaluation.in_batches(brightness, x, batch_size=2), brightness(x))
    with pytest.raises(TypeError, match=r"function must return a tensor \(batch, …\), got Tensor"):
        evaluation.in_batches(torch.mean, x)
