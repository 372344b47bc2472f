"""fit: learns, repeats itself, keeps what was learned, and refuses what can't be trained on."""

from vae_helpers import data, losses
from vae_helpers.losses import Loss, autoencoder_loss, vae_loss
from vae_helpers.models import VAE, Autoencoder
from vae_helpers.training import NotFiniteError, fit, mean_loss

import pytest
import torch

from helpers.small_models import small_vae, weights

X = data.load_glyphs(n=400, n_test=1).x
QUIET = {"progress": False, "batch_size": 64}


def test_the_loss_falls_and_the_history_tells():
    model = small_vae()
    before = mean_loss(model, X, vae_loss).total
    history = fit(model, X, vae_loss, epochs=10, x_val=X[:50], **QUIET)
    assert history.train[-1].total < before / 2
    assert mean_loss(model, X, vae_loss).total < before / 2
    assert len(history.train) == len(history.val) == len(history.seconds) == 10
    assert not history.stopped and not model.training


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    runs = []
    for seed in (1, 1, 2):
        model = small_vae()
        fit(model, X, vae_loss, epochs=1, seed=seed, **QUIET)
        runs.append(weights(model))
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


def test_the_global_random_state_is_left_alone():
    before = torch.random.get_rng_state()
    model = small_vae()
    torch.random.set_rng_state(before)
    fit(model, X, vae_loss, epochs=1, **QUIET)
    mean_loss(model, X, vae_loss)
    assert torch.equal(before, torch.random.get_rng_state())


def test_floats_train_as_bytes_do():
    models = small_vae(), small_vae()
    fit(models[0], X, vae_loss, epochs=1, **QUIET)
    fit(models[1], data.to_float(X), vae_loss, epochs=1, **QUIET)
    assert torch.equal(weights(models[0]), weights(models[1]))


def test_the_reported_loss_is_the_mean_over_all_images():
    seen = []

    def counting(model, x, y=None):
        loss = vae_loss(model, x)
        seen.append((loss.total.item(), len(x)))
        return loss

    history = fit(small_vae(), X[:150], counting, epochs=1, **QUIET)
    assert sum(n for _, n in seen) == 150
    assert history.train[0].total == pytest.approx(sum(v * n for v, n in seen) / 150, rel=1e-5)


def test_batches_differ_in_size_by_one_image_at_most():
    sizes = []
    fit(small_vae(), X[:130], lambda m, x, y: sizes.append(len(x)) or vae_loss(m, x), epochs=1, **QUIET)
    assert sorted(sizes) == [43, 43, 44]


def test_a_batch_larger_than_the_data_is_one_batch_and_learns():
    model, sizes = small_vae(), []
    before = weights(model)
    fit(model, X[:10], lambda m, x, y: sizes.append(len(x)) or vae_loss(m, x), epochs=1, batch_size=999, progress=False)
    assert sizes == [10]
    assert (weights(model) - before).abs().max() > 1e-4


def test_labels_reach_the_loss_beside_their_images():
    y = torch.arange(400) % 10
    x = data.to_float(X)

    def checks_pairs(model, batch, labels):
        for image, label in zip(batch, labels, strict=True):
            assert (x[y == label] == image).flatten(1).all(1).any()
        return vae_loss(model, batch)

    fit(small_vae(), x[:64], checks_pairs, y[:64], epochs=1, **QUIET)


@pytest.mark.parametrize("when", [3, 9])
def test_stopping_keeps_what_has_been_learned(when):
    model, steps = small_vae(), []
    before = weights(model)

    def stopped(m, x, y):
        steps.append(1)
        if len(steps) == when:
            raise KeyboardInterrupt
        return vae_loss(m, x)

    history = fit(model, X, stopped, epochs=5, **QUIET)
    assert history.stopped == f"stopped by you in epoch {1 + when // 7} of 5"
    assert not torch.equal(before, weights(model))
    assert not model.training


def test_a_loss_that_turns_nan_restores_the_weights_of_the_epochs_start():
    model, steps, kept = small_vae(), [], {}

    def turns_nan(m, x, y):
        steps.append(1)
        if len(steps) == 8:
            kept["weights"] = weights(m)
        loss = vae_loss(m, x)
        return Loss(loss.reconstruction * float("nan"), loss.kl) if len(steps) == 10 else loss

    with pytest.raises(NotFiniteError, match=r"NaN or infinite in epoch 2.*weights of that epoch's start") as caught:
        fit(model, X, turns_nan, epochs=5, **QUIET)
    assert torch.equal(weights(model), kept["weights"])
    assert len(caught.value.history.train) == 1
    assert len(steps) == 14, "it stops at the end of the epoch"


def test_weights_that_turn_infinite_in_the_last_step_are_noticed():
    model = small_vae()

    def explodes(m, x, y):
        loss = vae_loss(m, x)
        return Loss(loss.reconstruction + (m.decoder[-1].bias * float("inf")).sum().nan_to_num(0.0) * 0, loss.kl)

    with pytest.raises(NotFiniteError):
        fit(model, X[:64], explodes, epochs=1, **QUIET)
    assert weights(model).isfinite().all()


def test_bf16_trains_as_well_as_float32():
    losses_by_precision = {}
    for precision in ("float32", "bf16"):
        model = small_vae()
        fit(model, X, vae_loss, epochs=6, precision=precision, **QUIET)
        losses_by_precision[precision] = mean_loss(model, X, vae_loss).total
    assert losses_by_precision["bf16"] == pytest.approx(losses_by_precision["float32"], rel=0.05)


def test_mean_loss_does_not_depend_on_the_batch_size():
    model = Autoencoder(3, hidden=(16,))
    values = [mean_loss(model, X, autoencoder_loss, batch_size=b).total for b in (7, 64, 1000)]
    assert values == pytest.approx([values[0]] * 3, rel=1e-5)


@pytest.mark.parametrize("bad", [0, -1])
def test_epochs_and_batch_size_below_one_are_refused(bad):
    with pytest.raises(ValueError, match=f"epochs must be at least 1, got {bad}"):
        fit(small_vae(), X, vae_loss, epochs=bad)
    with pytest.raises(ValueError, match=f"batch_size must be at least 1, got {bad}"):
        fit(small_vae(), X, vae_loss, batch_size=bad)


def test_epochs_that_are_no_whole_number_are_refused():
    with pytest.raises(TypeError, match=r"epochs must be a whole number, got 2.0"):
        fit(small_vae(), X, vae_loss, epochs=2.0)


@pytest.mark.parametrize(
    ("lr", "error", "message"),
    [
        (0, ValueError, "lr must be positive, got 0"),
        (-1e-3, ValueError, "lr must be positive, got -0.001"),
        (float("nan"), ValueError, "lr must be finite, got nan"),
        ("fast", TypeError, "lr must be a plain number, got 'fast'"),
    ],
)
def test_a_learning_rate_that_is_not_positive_is_refused(lr, error, message):
    with pytest.raises(error, match=message):
        fit(small_vae(), X, vae_loss, lr=lr)


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="precision must be"):
        fit(small_vae(), X, vae_loss, precision="float16")


IMAGES = torch.rand(6, 1, 28, 28)
BAD_IMAGES = {
    "a list": ([1, 2], TypeError, "x must be a tensor of uint8 .*, got list"),
    "flat": (IMAGES.flatten(1), ValueError, r"shape \(n, 1, 28, 28\), got \(6, 784\)"),
    "no channel": (IMAGES[:, 0], ValueError, r"got \(6, 28, 28\)"),
    "empty": (IMAGES[:0], ValueError, "x holds nothing"),
    "int64": ((IMAGES * 255).long(), TypeError, r"got torch.int64.*torch.uint8"),
    "too bright": (IMAGES * 255, ValueError, r"x must lie in \[0, 1\].*divide by 255"),
    "negative": (IMAGES - 0.5, ValueError, r"x must lie in \[0, 1\]"),
    "NaN": (torch.where(IMAGES > 0.99, float("nan"), IMAGES), ValueError, "x holds NaN in . of 6 images"),
}


@pytest.mark.parametrize(("x", "error", "message"), BAD_IMAGES.values(), ids=BAD_IMAGES.keys())
def test_images_that_cant_be_trained_on_are_refused_at_the_door(x, error, message):
    for enter in (lambda: fit(small_vae(), x, vae_loss), lambda: mean_loss(small_vae(), x, vae_loss)):
        with pytest.raises(error, match=message):
            enter()


BAD_LABELS = {
    "too large": (torch.tensor([0, 1, 2, 3, 4, 10]), ValueError, "labels from 0 to 9, but runs from 0 to 10"),
    "negative": (torch.tensor([0, 1, 2, 3, 4, -1]), ValueError, "runs from -1 to 4"),
    "too few": (torch.zeros(5, dtype=torch.int64), ValueError, r"y must have shape \(6,\).*got \(5,\)"),
    "floats": (torch.zeros(6), TypeError, r"y must be a tensor of int64 labels.*y.long\(\)"),
}


@pytest.mark.parametrize(("y", "error", "message"), BAD_LABELS.values(), ids=BAD_LABELS.keys())
def test_labels_that_cant_be_trained_on_are_refused_at_the_door(y, error, message):
    with pytest.raises(error, match=message):
        fit(small_vae(), IMAGES, vae_loss, y)


def test_a_frozen_model_is_refused():
    with pytest.raises(ValueError, match="VAE has no weight to train"):
        fit(small_vae().requires_grad_(False), X, vae_loss)


@pytest.mark.parametrize("steps", range(1, 9))
def test_runs_of_very_few_steps_learn_too(steps):
    model = small_vae()
    before = mean_loss(model, X[:8], vae_loss).total
    fit(model, X[:8], vae_loss, epochs=steps, batch_size=8, progress=False)
    assert mean_loss(model, X[:8], vae_loss).total < before


def test_stopping_during_validation_leaves_a_whole_history():
    def stopped_at_validation(m, x, y):
        if not m.training:
            raise KeyboardInterrupt
        return vae_loss(m, x)

    history = fit(small_vae(), X, stopped_at_validation, epochs=2, x_val=X[:9], **QUIET)
    assert len(history.train) == len(history.val) == len(history.seconds) == 0
    assert repr(history) == "History: no finished epoch; stopped by you in epoch 1 of 2"


def test_stopping_after_a_weight_went_to_nan_restores_the_epochs_start():
    model, steps = small_vae(), []
    before = weights(model)

    def poisoned(m, x, y):
        steps.append(1)
        if len(steps) == 3:
            raise KeyboardInterrupt
        return Loss(vae_loss(m, x).reconstruction * float("nan"))

    fit(model, X, poisoned, epochs=1, **QUIET)
    assert torch.equal(weights(model), before)


def test_a_beta_that_changes_is_reported_with_the_true_total():
    totals, betas = [], iter([0.0, 0.5, 2.0, 1.0, 1.0, 1.0, 1.0])

    def warm_up(m, x, y):
        loss = vae_loss(m, x, beta=next(betas))
        totals.append(loss.total.item() * len(x))
        return loss

    history = fit(small_vae(), X, warm_up, epochs=1, **QUIET)
    assert history.train[0].total == pytest.approx(sum(totals) / len(X), rel=1e-5)


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (lambda m, x, y: vae_loss(m, x).total, TypeError, "must return a losses.Loss, got Tensor"),
        (lambda m, x, y: Loss(torch.ones(len(x), requires_grad=True)), ValueError, "average them over the batch"),
    ],
    ids=["a tensor", "one value per image"],
)
def test_a_loss_of_the_wrong_kind_is_refused(bad, error, message):
    for enter in (lambda: fit(small_vae(), X, bad, progress=False), lambda: mean_loss(small_vae(), X, bad)):
        with pytest.raises(error, match=message):
            enter()


def test_validation_images_are_checked_at_the_door_by_their_own_name():
    with pytest.raises(ValueError, match="x_val must lie in"):
        fit(small_vae(), X, vae_loss, x_val=IMAGES * 9)
    with pytest.raises(ValueError, match="y_val must have shape"):
        fit(small_vae(), X, vae_loss, x_val=IMAGES, y_val=torch.zeros(2, dtype=torch.int64))


def test_a_loss_that_raises_leaves_the_model_in_its_mode():
    def broken(m, x, y):
        raise RuntimeError

    model = small_vae().train()
    with pytest.raises(RuntimeError):
        mean_loss(model, X, broken)
    assert model.training


def test_the_loss_of_fit_is_the_callers():
    half = lambda m, x, y: Loss(0.5 * losses.vae_loss(m, x).reconstruction)  # noqa: E731
    history = fit(small_vae(), X, half, epochs=1, **QUIET)
    assert history.train[0].kl == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_on_a_gpu_data_and_model_meet_on_the_models_device():
    model = small_vae().cuda()
    history = fit(model, X, vae_loss, epochs=2, **QUIET)
    assert history.train[-1].total < history.train[0].total


BAD_ARGUMENTS = {
    "model": [None, "VAE", VAE],
    "loss": [None, 3.0, Loss(1.0)],
    "seed": [-1, 0.5, True, "one"],
    "after_epoch": [3, "print"],
    "checkpoint": [3, True],
    "resume": [True],
    "device_bytes": [-1, float("nan"), "much"],
    "precision": ["half", None],
}


@pytest.mark.parametrize(("name", "bad"), [(name, bad) for name, values in BAD_ARGUMENTS.items() for bad in values])
def test_every_argument_of_fit_is_refused_by_its_name(name, bad):
    arguments = {"model": small_vae(), "x": X[:9], "loss": vae_loss, "epochs": 1, "progress": False}
    with pytest.raises((TypeError, ValueError), match=rf"(?<!\w){name}(?!\w)"):
        fit(**(arguments | {name: bad}))


@pytest.mark.parametrize(
    ("name", "bad"), [("model", VAE), ("loss", None), ("seed", -1), ("batch_size", 0), ("batch_size", 1.5)]
)
def test_every_argument_of_mean_loss_is_refused_by_its_name(name, bad):
    arguments = {"model": small_vae(), "x": X[:9], "loss": vae_loss}
    with pytest.raises((TypeError, ValueError), match=rf"(?<!\w){name}(?!\w)"):
        mean_loss(**(arguments | {name: bad}))


@pytest.mark.parametrize("part", [lambda t: t.item(), lambda t: t.detach()])
def test_a_loss_without_a_gradient_is_refused_with_its_mend(part):
    def loss(model, x, y=None):
        return Loss(part(vae_loss(model, x).total))

    with pytest.raises(TypeError, match=r"no gradient.*without \.item\(\)"):
        fit(small_vae(), X, loss, epochs=1, progress=False)


def test_labels_for_validation_want_images():
    with pytest.raises(ValueError, match="y_val has no images to go with"):
        fit(small_vae(), X, vae_loss, y_val=torch.zeros(3, dtype=torch.int64), progress=False)


def test_what_is_refused_leaves_no_progress_bar_behind(capsys):
    with pytest.raises(ValueError, match="x_val"):
        fit(small_vae(), X, vae_loss, x_val=torch.rand(3, 784))
    with pytest.raises(ValueError, match="resume needs a checkpoint"):
        fit(small_vae(), X, vae_loss, resume=True)
    printed = capsys.readouterr()
    assert printed.out + printed.err == ""


def test_a_kl_may_be_a_tensor_in_one_batch_and_a_number_in_another():
    seen = []

    def loss(model, x, y=None):
        part = vae_loss(model, x)
        seen.append(part.kl.item() if len(seen) % 2 else 0.0)
        return Loss(part.reconstruction, part.kl if len(seen) % 2 == 0 else 0.0)

    history = fit(small_vae(), X[:200], loss, epochs=1, batch_size=100, progress=False)
    assert history.train[0].kl == pytest.approx(sum(seen) / 2, rel=1e-5)
