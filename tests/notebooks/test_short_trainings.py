"""What the gate cuts in the notebooks that it runs without network: a part of each epoch, and nothing else."""

import runpy
from functools import partial
from types import SimpleNamespace

from vae_helpers.data.corruption import gaussian
from vae_helpers.losses import autoencoder_loss, denoising_loss
from vae_helpers.models import Autoencoder
from vae_helpers.training import fit
from vae_helpers.training.batches import Batches
from vae_helpers.training.run import TrainingRun

import pytest
import torch

from helpers.places import ROOT


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(TrainingRun, "__init__", TrainingRun.__init__)  # put back at the end
    return runpy.run_path(ROOT / "tests" / "short_trainings.py")


def seen(loss, batch_size, y=None):
    """The batches of a training on 8,000 images."""
    x = torch.zeros(8_000, 1, 28, 28, dtype=torch.uint8)
    settings = {"epochs": 1, "batch_size": batch_size, "lr": 1e-3, "precision": "float32"}
    batches = Batches(x, y, batch_size, torch.device("cpu"))
    return TrainingRun(Autoencoder(2, (4,)), loss, batches, settings, visible=False).batches


@pytest.mark.parametrize(("batch_size", "images"), [(100, 2_000), (250, 4_000)], ids=["a part", "the fewest batches"])
def test_an_epoch_sees_a_part_of_the_images_and_never_a_few_batches(short, batch_size, images):
    y = torch.arange(8_000) % 10
    batches = seen(autoencoder_loss, batch_size, y)
    assert len(batches) == images == 8_000 // short["PART"] or images == short["FEWEST"] * batch_size
    assert torch.equal(batches.y, y[:images])
    assert [len(x) for x, _ in batches.epoch()] == [batch_size] * (images // batch_size)


def test_a_denoiser_sees_more(short):
    loss = partial(denoising_loss, corrupt=partial(gaussian, sigma_noise=0.5))
    assert len(seen(loss, 100)) == 8_000 // short["PART_OF_DENOISERS"] > 8_000 // short["PART"]


def test_every_epoch_is_trained_and_a_small_set_is_left_whole(short):
    x = torch.rand(50, 1, 28, 28)
    history = fit(Autoencoder(2, (4,)), x, autoencoder_loss, batch_size=10, epochs=3, progress=False)
    assert len(history.train) == 3
    assert len(seen(autoencoder_loss, 1_000)) == 8_000


def test_11s_own_loop_goes_over_few_images_as_often_as_over_many(short):
    after_a_cell, names = [], {"PASSES": 3}
    events = SimpleNamespace(register=lambda event, function: after_a_cell.append(function))
    exec(short["AFTER_EACH_CELL"], {"get_ipython": lambda: SimpleNamespace(user_ns=names, events=events)})
    after_a_cell[0](None)
    assert names["PASSES"] == 3  # which 10 has too
    names["train_on_codes"] = "defined by the cell"
    after_a_cell[0](None)
    assert names["PASSES"] == 1
