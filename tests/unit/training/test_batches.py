"""Batches: each image once, with its label, in an order that only the random state decides; resident or streamed."""

from vae_helpers import data
from vae_helpers.losses import vae_loss
from vae_helpers.models import VAE
from vae_helpers.training import fit, loop
from vae_helpers.training.batches import Batches, free_bytes

import pytest
import torch

from helpers.small_models import weights

CPU = torch.device("cpu")
X = data.load_glyphs(n=103, n_test=1).x
NUMBERED = torch.arange(103, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 28, 28).contiguous()
EVERYTHING = X.numel()


def trained(**how):
    torch.manual_seed(0)
    model = VAE(2, (16,))
    fit(model, X, vae_loss, epochs=2, batch_size=25, progress=False, **how)
    return weights(model)


@pytest.mark.parametrize("device_bytes", [None, 0], ids=["resident", "streamed"])
def test_an_epoch_deals_out_every_image_once_with_its_label(device_bytes):
    batches = Batches(NUMBERED, torch.arange(103), 25, CPU, device_bytes)
    dealt = [
        (round(255 * image.mean().item()), label) for x, y in batches.epoch() for image, label in zip(x, y, strict=True)
    ]
    assert sorted(number for number, _ in dealt) == list(range(103))
    assert all(number == label for number, label in dealt)
    assert [number for number, _ in dealt] != sorted(number for number, _ in dealt)


def test_batches_are_floats_in_0_1_of_even_sizes():
    sizes = [len(x) for x, _ in Batches(X, None, 25, CPU).epoch()]
    assert sizes == [21, 21, 21, 20, 20]
    x, y = next(Batches(X, None, 25, CPU).epoch())
    assert x.dtype == torch.float32 and x.min() >= 0 and x.max() <= 1 and y is None


@pytest.mark.parametrize(("device_bytes", "resident"), [(EVERYTHING, True), (EVERYTHING - 1, False), (None, True)])
def test_what_fits_is_resident_and_what_does_not_is_streamed(device_bytes, resident):
    assert Batches(X, None, 25, CPU, device_bytes).resident == resident


def test_streamed_images_train_to_the_very_same_weights():
    assert torch.equal(trained(), trained(device_bytes=1000))


def test_fit_hands_the_limit_on(monkeypatch):
    made = []

    class Watched(Batches):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            made.append(self.resident)

    monkeypatch.setattr(loop, "Batches", Watched)
    trained(device_bytes=1000)
    trained()
    assert made == [False, True]


def test_only_a_gpu_has_a_limit_of_its_own():
    assert free_bytes(CPU) == float("inf")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_on_a_gpu_streamed_images_train_as_resident_ones_do():
    gpu = torch.device("cuda", 0)
    assert 0 < free_bytes(gpu) < torch.cuda.get_device_properties(gpu).total_memory
    assert Batches(X, None, 25, gpu, 0).x.device == CPU
    weights = []
    for limit in (None, 0):
        torch.manual_seed(0)
        model = VAE(2, (16,)).to(gpu)
        fit(model, X, vae_loss, epochs=2, batch_size=25, progress=False, precision="float32", device_bytes=limit)
        weights.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert torch.allclose(*weights, atol=1e-5)
