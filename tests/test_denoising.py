"""The wide autoencoder, its loss, and what notebook 02's exercises must tell apart."""

from functools import partial

import pytest
import torch

from vae_helpers import evaluation, training
from vae_helpers.corruption import gaussian, masking
from vae_helpers.exercises import EXERCISES, check
from vae_helpers.losses import denoising_loss
from vae_helpers.models import WideAutoencoder, start_at_mean

X = torch.rand(64, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def test_the_wide_autoencoder_has_the_methods_of_all_models():
    model = WideAutoencoder(900)
    z = model.embed(X)
    assert z.shape == (64, 900) and torch.equal(z, model.encode(X))
    assert torch.equal(model.generate(z), model.decode(z).sigmoid())
    assert model.generate(z).shape == X.shape


def test_its_code_is_bent():
    model = WideAutoencoder(9)
    with torch.no_grad():
        model.encoder[0].bias.zero_()
    both, apart = model.embed(X[:1] + X[1:2]), model.embed(X[:1]) + model.embed(X[1:2])
    assert not torch.allclose(both, apart, atol=1e-2)


@pytest.mark.parametrize("size", [0, 2.5, "10"])
def test_a_size_that_is_no_positive_whole_number_is_refused(size):
    with pytest.raises((TypeError, ValueError), match="latent_dim must be"):
        WideAutoencoder(size)


def test_the_denoising_loss_is_the_cross_entropy_of_the_clean_image_given_the_corrupted():
    torch.manual_seed(0)
    model = WideAutoencoder(20)
    x_noisy = gaussian(X, 0.5, torch.Generator().manual_seed(1))
    x_hat = model.generate(model.embed(x_noisy)).double()
    oracle = -(X * x_hat.log() + (1 - X) * (1 - x_hat).log()).sum() / len(X)
    loss = denoising_loss(
        model, X, corrupt=partial(gaussian, sigma_noise=0.5, generator=torch.Generator().manual_seed(1))
    )
    assert loss.total.item() == pytest.approx(oracle.item(), rel=1e-5)


def test_a_decoder_that_ignores_its_code_needs_the_mean_alone_whatever_the_corruption():
    x = X[:1].expand(4, 1, 28, 28)
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


@pytest.mark.parametrize("seed", range(10))
def test_masks_from_any_random_stream_are_judged_alike(seed):
    exercise = EXERCISES["masking-noise"]
    answers = {"passed": exercise.reference} | {m.message: m.answer for m in exercise.mistakes}
    for message, answer in answers.items():
        shifted = lambda *args, f=answer: (torch.manual_seed(100 + seed), f(*args))[1]  # noqa: E731
        assert message in check("masking-noise", shifted).message


def test_a_mask_of_whole_batches_is_told_its_shape():
    assert "it returns shape" in check("masking-noise", lambda x, p: masking(x, p).flatten(1)).message


def test_pooled_psnr_agrees_with_the_packages_own():
    x_hat = (X + 0.1 * torch.randn(X.shape)).clamp(0, 1)
    mine = EXERCISES["pooled-psnr"].reference(x_hat, X)
    assert mine.item() == pytest.approx(evaluation.psnr(evaluation.mse(x_hat, X)), rel=1e-6)
