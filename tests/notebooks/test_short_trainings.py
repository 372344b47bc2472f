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

from helpers.places import EVERY_NOTEBOOK, ROOT


@pytest.fixture
def short_for(monkeypatch):
    """What is cut in a notebook's kernel; takes the notebook's name."""

    def cut(notebook):
        monkeypatch.setenv("VAE_NOTEBOOK", notebook)
        return runpy.run_path(ROOT / "tests" / "short_trainings.py")

    monkeypatch.setattr(TrainingRun, "__init__", TrainingRun.__init__)  # put back at the end
    return cut


@pytest.fixture
def short(short_for):
    return short_for("07_latent_space")


def seen(loss, batch_size=100, n=40_000, y=None):
    """The batches of a training on n images."""
    x = torch.zeros(n, 1, 28, 28, dtype=torch.uint8)
    settings = {"epochs": 1, "batch_size": batch_size, "lr": 1e-3, "precision": "float32"}
    batches = Batches(x, y, batch_size, torch.device("cpu"))
    return TrainingRun(Autoencoder(2, (4,)), loss, batches, settings, visible=False).batches


@pytest.mark.parametrize(
    ("notebook", "n", "images"),
    [
        ("07_latent_space", 40_000, 5_000),
        ("07_latent_space", 8_000, 2_048),
        ("07_latent_space", 1_000, 1_000),
        ("05_vae", 40_000, 5_000),
        ("05_vae", 8_000, 4_096),
    ],
)
def test_an_epoch_sees_a_part_of_the_images_and_never_a_few(short_for, notebook, n, images):
    short, y = short_for(notebook), torch.arange(n) % 10
    batches = seen(autoencoder_loss, 128, n, y)
    assert len(batches) == images == min(n, max(n // short["PART"], short["FEWEST"]))
    assert torch.equal(batches.y, y[:images])
    assert [len(x) for x, _ in batches.epoch()] == [
        len(part) for part in torch.arange(images).tensor_split(-(-images // 128))
    ]


def test_a_denoiser_sees_more(short):
    loss = partial(denoising_loss, corrupt=partial(gaussian, sigma_noise=0.5))
    assert len(seen(loss)) == 40_000 // short["PART_OF_DENOISERS"] > len(seen(autoencoder_loss))


def test_the_notebooks_that_want_more_are_there(short):
    assert {*short["WANT_MORE"]} <= {path.stem for path in EVERY_NOTEBOOK}


def test_every_epoch_is_trained(short):
    x = torch.rand(50, 1, 28, 28)
    history = fit(Autoencoder(2, (4,)), x, autoencoder_loss, batch_size=10, epochs=3, progress=False)
    assert len(history.train) == 3


def test_11s_own_loop_goes_over_few_images_as_often_as_over_many(short):
    after_a_cell, names = [], {"PASSES": 3}
    events = SimpleNamespace(register=lambda event, function: after_a_cell.append(function))
    exec(short["AFTER_EACH_CELL"], {"get_ipython": lambda: SimpleNamespace(user_ns=names, events=events)})
    after_a_cell[0](None)
    assert names["PASSES"] == 3  # which 10 has too
    names["train_on_codes"] = "defined by the cell"
    after_a_cell[0](None)
    assert names["PASSES"] == 1
