"""The training of the course's best model."""

from vae_helpers.data import Dataset
from vae_helpers.losses import Loss
from vae_helpers.training import History, best, checkpoint

import torch


def test_the_best_model_leaves_the_held_out_images_out_and_is_found_again(cache, monkeypatch):
    monkeypatch.setattr(best, "EPOCHS", 1)
    x = torch.zeros(5300, 1, 28, 28, dtype=torch.uint8)
    x[-5000:] = 255  # were these seen, the ink would show
    dataset = Dataset("glyphs", x, torch.zeros(5300, dtype=torch.int64), x[:5], torch.zeros(5, dtype=torch.int64))
    model, history = best.best_vae(dataset)
    assert model.generate(torch.zeros(1, 50)).max() < 0.01
    again, kept = best.best_vae(dataset)
    assert torch.equal(again.decoder[-1].bias, model.decoder[-1].bias) and kept.seconds == history.seconds


def test_another_training_has_another_file(cache, monkeypatch):
    monkeypatch.setattr(best, "EPOCHS", 1)
    x = torch.zeros(5100, 1, 28, 28, dtype=torch.uint8)
    dataset = Dataset("glyphs", x, torch.zeros(5100, dtype=torch.int64), x[:5], torch.zeros(5, dtype=torch.int64))
    model, _ = best.best_vae(dataset)
    told = {"loss": "binarized_loss", "epochs": 1, "warm_up": 8, "lr": 3e-3, "seed": 0, "held_out": 5000}
    assert [*(cache / "models").iterdir()] == [checkpoint.remembered_path(model, "glyphs", **told)]


def test_the_best_mixture_is_trained_as_the_leaderboard_says(cache, monkeypatch):
    handed = []
    monkeypatch.setattr(best, "fit_for", lambda *a: (handed.append(a), History([Loss(1.0)], [], [2.0]))[1])
    x = torch.zeros(5100, 1, 28, 28, dtype=torch.uint8)
    dataset = Dataset("glyphs", x, torch.zeros(5100, dtype=torch.int64), x[:5], torch.zeros(5, dtype=torch.int64))
    model, _ = best.best_mixture_vae(dataset, seed=3)
    assert handed[0][0] is model and len(handed[0][1]) == 100
    seconds, plan, seed = handed[0][2:]
    assert (seconds, seed) == (180, 3)
    assert repr(plan) == "Plan(lr=0.005, batch_size=256, rise=0.1, warm_up=0.4, draws=5, draws_from=0.6)"
