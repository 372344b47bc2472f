"""fit's after_epoch: when it is called, what it sees, and that training does not notice it."""

from vae_helpers import data
from vae_helpers.losses import vae_loss
from vae_helpers.training import fit, mean_loss

import pytest
import torch

from helpers.small_models import small_vae, weights

X = data.load_glyphs(n=300, n_test=1).x
QUIET = {"progress": False, "batch_size": 64}


def test_it_is_called_once_after_each_epoch_with_its_number():
    epochs = []
    fit(small_vae(), X, vae_loss, epochs=3, after_epoch=epochs.append, **QUIET)
    assert epochs == [1, 2, 3]


def test_it_sees_the_model_of_that_epoch_in_evaluation_mode_and_training_goes_on_in_its_own():
    model, seen, modes = small_vae(), [], set()
    start = weights(model)

    def look(_epoch):
        assert not model.training
        seen.append(weights(model))

    def loss(m, x, y):
        modes.add(m.training)
        return vae_loss(m, x)

    fit(model, X, loss, epochs=2, after_epoch=look, **QUIET)
    assert modes == {True}
    assert not torch.equal(seen[0], start) and not torch.equal(seen[0], seen[1])
    assert torch.equal(seen[1], weights(model))


def test_whatever_it_draws_training_is_the_same():
    without, with_draws = small_vae(), small_vae()
    fit(without, X, vae_loss, epochs=2, **QUIET)
    fit(with_draws, X, vae_loss, epochs=2, after_epoch=lambda _: torch.randn(7), **QUIET)
    assert torch.equal(weights(without), weights(with_draws))


def test_it_may_measure_the_loss_and_finds_the_epochs_in_the_history():
    model, measured = small_vae(), []
    history = fit(
        model,
        X,
        vae_loss,
        epochs=2,
        x_val=X,
        after_epoch=lambda _: measured.append(mean_loss(model, X, vae_loss)),
        **QUIET,
    )
    assert measured == history.val


def test_what_it_raises_ends_training_and_the_model_is_ready_for_use():
    def broken(epoch):
        if epoch == 2:
            raise RuntimeError("no room for the picture")

    model = small_vae()
    with pytest.raises(RuntimeError, match="no room for the picture"):
        fit(model, X, vae_loss, epochs=5, after_epoch=broken, **QUIET)
    assert not model.training


def test_stopping_in_it_keeps_the_epoch_that_was_finished():
    def stop(_epoch):
        raise KeyboardInterrupt

    history = fit(small_vae(), X, vae_loss, epochs=5, after_epoch=stop, **QUIET)
    assert len(history.train) == 1 and history.stopped
