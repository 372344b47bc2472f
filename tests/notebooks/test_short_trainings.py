"""What the gate cuts in the notebooks that it runs without network: a part of each epoch, and nothing else."""

import runpy

from vae_helpers.losses import autoencoder_loss
from vae_helpers.models import Autoencoder
from vae_helpers.training import fit
from vae_helpers.training.batches import Batches

import pytest
import torch

from helpers.places import ROOT

CPU = torch.device("cpu")


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(Batches, "__init__", Batches.__init__)  # put back at the end
    return runpy.run_path(ROOT / "tests" / "short_trainings.py")


@pytest.mark.parametrize(("batch_size", "images"), [(100, 2_000), (250, 4_000)], ids=["a part", "the fewest batches"])
def test_an_epoch_sees_a_part_of_the_images_and_never_a_few_batches(short, batch_size, images):
    x, y = torch.zeros(8_000, 1, 28, 28, dtype=torch.uint8), torch.arange(8_000) % 10
    batches = Batches(x, y, batch_size, CPU)
    assert len(batches) == images == len(x) // short["PART"] or images == short["FEWEST"] * batch_size
    assert torch.equal(batches.y, y[:images])


def test_every_epoch_is_trained_and_a_small_set_is_left_whole(short):
    x = torch.rand(50, 1, 28, 28)
    assert len(Batches(x, None, 10, CPU)) == 50
    assert len(fit(Autoencoder(2, (4,)), x, autoencoder_loss, epochs=3, progress=False).train) == 3
