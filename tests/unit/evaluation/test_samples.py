"""Nearest images and Fréchet distances against values known in closed form."""

from vae_helpers import evaluation

import pytest
import torch

X = torch.rand(64, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def test_mse_to_nearest_equals_a_search_by_hand():
    bank = torch.rand(9000, 1, 28, 28, generator=torch.Generator().manual_seed(2))
    bank[8000] = X[0]
    found = evaluation.mse_to_nearest(X[:3], bank)
    by_hand = torch.stack([(bank - x).square().mean((1, 2, 3)).min() for x in X[:3]])
    assert torch.allclose(found, by_hand, atol=1e-5)
    assert found[0] == pytest.approx(0, abs=1e-6)


def test_mse_to_nearest_takes_bytes():
    bank = (255 * X).byte()
    assert evaluation.mse_to_nearest(bank[:4], bank).max() < 1e-6
    with pytest.raises(ValueError, match="bank must have shape"):
        evaluation.mse_to_nearest(bank, bank.flatten(1))


def test_frechet_distance_takes_arrays_of_numpy_and_scikit_learn():
    a = torch.randn(100, 3)
    assert evaluation.frechet_distance(a.numpy(), a + 1) == pytest.approx(3, rel=1e-4)


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
    with pytest.raises(ValueError, match=r"reference must have shape \(m, 2\), to go with features, got \(9, 3\)"):
        evaluation.frechet_distance(torch.randn(9, 2), torch.randn(9, 3))
    with pytest.raises(ValueError, match="must be finite"):
        evaluation.frechet_distance(torch.full((9, 2), float("nan")), torch.randn(9, 2))
    with pytest.raises(ValueError, match="more than 5 rows"):
        evaluation.frechet_distance(torch.randn(5, 5), torch.randn(9, 5))


def test_the_nearest_of_a_bank_is_found_per_pixel():
    bank = torch.zeros(3, 1, 28, 28)
    bank[0], bank[2] = 1.0, 0.25
    images = torch.stack([torch.full((1, 28, 28), level) for level in (0.3, 0.9)])
    assert torch.allclose(evaluation.mse_to_nearest(images, bank), torch.tensor([0.0025, 0.01]), atol=1e-6)
    assert evaluation.mse_to_nearest(images, bank[1:2]).tolist() == pytest.approx([0.09, 0.81], rel=1e-4)


def test_frechet_distance_is_finite_where_features_repeat_each_other():
    for seed in range(20):
        a, b = torch.randn(2, 50, 3, generator=torch.Generator().manual_seed(seed))
        twice = evaluation.frechet_distance(torch.cat([a, a[:, :1]], 1), torch.cat([b, b[:, :1]], 1))
        assert twice >= evaluation.frechet_distance(a, b) - 1e-6


def test_agreement_is_the_share_of_labels_that_score_highest():
    images, y = torch.zeros(4, 1, 28, 28), torch.tensor([0, 1, 2, 2])
    scores = torch.eye(3)[torch.tensor([0, 1, 1, 2])]
    assert evaluation.agreement(lambda part: scores, images, y) == 0.75


def test_variance_within_classes_ignores_what_lies_between_them():
    y = torch.tensor([0, 0, 5, 5, 7])
    images = torch.tensor([0.0, 0.0, 1.0, 1.0, 0.5]).view(5, 1, 1, 1).expand(5, 1, 28, 28)
    assert evaluation.variance_within_classes(images, y) == 0
    images = torch.tensor([0.0, 1.0, 0.25, 0.75, 0.5]).view(5, 1, 1, 1).expand(5, 1, 28, 28)
    assert evaluation.variance_within_classes(images, y) == pytest.approx(784 * (0.25 + 0.0625 + 0) / 3)
