"""A function applied in batches is the function applied at once, and leaves no graph."""

from vae_helpers import evaluation

import pytest
import torch


def test_in_batches_equals_all_at_once():
    x = torch.rand(33, 1, 28, 28)
    assert torch.equal(evaluation.in_batches(lambda b: b.flatten(1), x, batch_size=10), x.flatten(1))


def test_in_batches_refuses_a_function_of_several_results():
    with pytest.raises(TypeError, match=r"got tuple: for codes, use model.embed"):
        evaluation.in_batches(lambda b: (b, b), torch.rand(3, 1, 28, 28))


def test_figures_of_merit_leave_no_graph_behind():
    weight = torch.tensor(0.5, requires_grad=True)
    x = torch.rand(4, 1, 28, 28)
    assert not evaluation.in_batches(lambda part: weight * part, x).requires_grad
    assert not evaluation.mse_to_nearest(weight * x, x).requires_grad


def test_in_batches_takes_one_number_per_image_and_refuses_one_for_all():
    x = torch.rand(5, 1, 28, 28)
    brightness = lambda images: images.mean(dim=(1, 2, 3))  # noqa: E731
    assert torch.equal(evaluation.in_batches(brightness, x, batch_size=2), brightness(x))
    with pytest.raises(TypeError, match=r"function must return a tensor \(batch, …\), got Tensor"):
        evaluation.in_batches(torch.mean, x)


def test_in_batches_refuses_other_numbers_of_rows_than_of_images():
    with pytest.raises(ValueError, match=r"function must return a row for each image: it was given 2 and returned 1"):
        evaluation.in_batches(lambda images: images.mean(dim=0, keepdim=True), torch.rand(5, 1, 28, 28), batch_size=2)
