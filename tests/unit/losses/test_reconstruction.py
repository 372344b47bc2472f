"""Reconstructions, and the losses made of them alone, against oracles: torch.distributions, autograd, sums by hand."""

from functools import partial

from vae_helpers import evaluation, losses, training
from vae_helpers.data import gaussian, masking
from vae_helpers.losses import (
    denoising_loss,
    gaussian_nll,
)
from vae_helpers.models import Autoencoder, WideAutoencoder, start_at_mean

import pytest
import torch
from torch.distributions import (
    Bernoulli,
    Independent,
    Normal,
)

torch.manual_seed(0)
LOGITS, X = torch.randn(5, 1, 28, 28, dtype=torch.float64), torch.rand(5, 1, 28, 28, dtype=torch.float64)
X_HAT = torch.rand(5, 1, 28, 28, dtype=torch.float64)
IMAGES = torch.rand(64, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def test_bernoulli_nll_equals_torch_distributions_on_binary_images():
    x_bin = X.round()
    oracle = -Independent(Bernoulli(logits=LOGITS), 3).log_prob(x_bin)
    assert torch.allclose(losses.bernoulli_nll(LOGITS, x_bin), oracle)


def test_bernoulli_nll_of_grey_is_the_expectation_over_binarized_images():
    draws = torch.bernoulli(X[0].expand(20_000, 1, 28, 28))
    values = losses.bernoulli_nll(LOGITS[0].expand_as(draws), draws)
    error = values.std() / len(values) ** 0.5
    assert (values.mean() - losses.bernoulli_nll(LOGITS, X)[0]).abs() < 4 * error


def test_squared_error_is_a_gaussian_nll_with_variance_one_half_up_to_its_constant():
    oracle = -Independent(Normal(LOGITS, 0.5**0.5), 3).log_prob(X)
    assert torch.allclose(losses.squared_error(LOGITS, X) + 392 * torch.log(torch.tensor(torch.pi)), oracle)


def test_autoencoder_loss_sums_over_pixels_and_averages_over_the_batch():
    model, x = Autoencoder(3, hidden=(8,)), torch.rand(6, 1, 28, 28)
    mse = torch.nn.functional.mse_loss(model.generate(model.encode(x)), x)
    assert losses.autoencoder_loss(model, x).total.item() == pytest.approx(784 * mse.item(), rel=1e-5)
    assert losses.autoencoder_loss(model, x).kl == 0


@pytest.mark.parametrize("function", [losses.bernoulli_nll, losses.squared_error], ids=lambda f: f.__name__)
def test_shapes_that_would_broadcast_are_refused(function):
    with pytest.raises(
        ValueError, match=r"x must have shape \(5, 1, 28, 28\), to go with x_(hat|logits), got \(1, 1, 28, 28\)"
    ):
        function(LOGITS, X[:1])


def test_bytes_are_refused_instead_of_summed_as_numbers_up_to_255():
    with pytest.raises(TypeError, match=r"must be a tensor of floats.*to_float"):
        losses.squared_error(LOGITS.float(), (X * 255).byte())


def test_half_precision_is_summed_in_float32():
    logits = LOGITS.to(torch.bfloat16)
    assert losses.bernoulli_nll(logits, X.float()).dtype == torch.float32


@pytest.mark.parametrize("loss", [losses.squared_error, losses.bernoulli_nll])
def test_pixels_may_lie_in_a_row_but_images_must_be_several(loss):
    flat = [LOGITS.flatten(1), X.flatten(1)]
    assert torch.equal(loss(*flat), loss(LOGITS, X))
    with pytest.raises(ValueError, match="must have"):
        loss(*(rows[0] for rows in flat))


@pytest.mark.parametrize("logvar_x", [-3.0, 0.0, 1.5])
def test_gaussian_nll_equals_torch_distributions_and_its_gradients(logvar_x):
    mine, theirs = (torch.tensor(logvar_x, dtype=torch.float64, requires_grad=True) for _ in range(2))
    nll, oracle = gaussian_nll(X_HAT, X, mine), -Independent(Normal(X_HAT, (theirs / 2).exp()), 3).log_prob(X)
    assert nll.shape == (5,) and torch.allclose(nll, oracle)
    nll.sum().backward()
    oracle.sum().backward()
    assert torch.allclose(mine.grad, theirs.grad)


def test_the_denoising_loss_is_the_cross_entropy_of_the_clean_image_given_the_corrupted():
    torch.manual_seed(0)
    model = WideAutoencoder(20)
    x_noisy = gaussian(IMAGES, 0.5, torch.Generator().manual_seed(1))
    x_hat = model.generate(model.embed(x_noisy)).double()
    oracle = -(IMAGES * x_hat.log() + (1 - IMAGES) * (1 - x_hat).log()).sum() / len(IMAGES)
    loss = denoising_loss(
        model, IMAGES, corrupt=partial(gaussian, sigma_noise=0.5, generator=torch.Generator().manual_seed(1))
    )
    assert loss.total.item() == pytest.approx(oracle.item(), rel=1e-5)


def test_a_decoder_that_ignores_its_code_needs_the_mean_alone_whatever_the_corruption():
    x = IMAGES[:1].expand(4, 1, 28, 28)
    model = WideAutoencoder(5)
    start_at_mean(model, x)
    with torch.no_grad():
        model.decoder[-1].weight.zero_()
    loss = denoising_loss(model, x, corrupt=partial(masking, proportion=0.9)).total
    floor = torch.nn.functional.binary_cross_entropy(x, x, reduction="sum") / 4
    assert loss.item() == pytest.approx(floor.item(), rel=1e-3)


def test_training_to_denoise_beats_leaving_the_noise():
    torch.manual_seed(0)
    strokes = torch.zeros(600, 1, 28, 28)
    rows = torch.randint(4, 24, (600,))
    strokes[torch.arange(600), 0, rows] = 1
    model = WideAutoencoder(64)
    start_at_mean(model, strokes)
    corrupt = partial(gaussian, sigma_noise=0.5)
    training.fit(model, strokes, partial(denoising_loss, corrupt=corrupt), epochs=8, batch_size=50, progress=False)
    noisy = corrupt(strokes)
    left = evaluation.mse(noisy, strokes)
    assert evaluation.reconstruction_mse(lambda b: model.generate(model.embed(b)), noisy, strokes) < left / 10


def test_a_gaussian_of_shapes_that_would_broadcast_is_refused():
    with pytest.raises(ValueError, match="gaussian_nll: x must have shape \\(5, 1, 28, 28\\), to go with x_hat"):
        gaussian_nll(X_HAT, X[:1], torch.tensor(0.0))
