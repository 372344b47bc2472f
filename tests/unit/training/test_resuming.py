"""Training that can be taken up again: killed anywhere and resumed, it ends in the very same weights."""

import os
import random
import signal
import subprocess
import sys
import warnings

from vae_helpers import data
from vae_helpers.losses import WarmUp, vae_loss
from vae_helpers.training import CheckpointError, checkpoint, fit

import pytest
import torch

from helpers.small_models import same_weights, small_vae

pytestmark = pytest.mark.slow

X = data.load_glyphs(n=300, n_test=1).x
EPOCHS, STEPS = 5, 5
HOW = {"epochs": EPOCHS, "batch_size": 60, "progress": False}
A_RUN_THAT_KILLS_ITSELF = f"""
import os, signal, sys
from vae_helpers import data
from vae_helpers.losses import vae_loss
from vae_helpers.models import VAE
from vae_helpers.training import fit
import torch

torch.set_num_threads(int(sys.argv[3]))
left = [int(sys.argv[2])]

def loss(model, x, y):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return vae_loss(model, x)

torch.manual_seed(0)
x = data.load_glyphs(n={len(X)}, n_test=1).x
fit(VAE(3, (32,)), x, loss, checkpoint=sys.argv[1], **{HOW})
"""


def stop_after(epochs):
    """An after_epoch that stops the training there, as the learner would."""

    def stop(epoch):
        if epoch == epochs:
            raise KeyboardInterrupt

    return stop


@pytest.fixture
def whole():
    """A training that nothing interrupted."""
    model = small_vae()
    return model, fit(model, X, vae_loss, **HOW)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "run.pt"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
@pytest.mark.parametrize("steps", [0, random.randrange(STEPS, EPOCHS * STEPS)], ids=["at the start", "at random"])
def test_killed_at_any_step_and_resumed_it_ends_in_the_same_weights(whole, file, steps):
    command = [sys.executable, "-c", A_RUN_THAT_KILLS_ITSELF, str(file), str(steps), str(torch.get_num_threads())]
    killed = subprocess.run(command, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert file.exists() == (steps >= STEPS), f"killed after {steps} steps"

    model = small_vae(seed=1)
    if not file.exists():
        model = small_vae()
    history = fit(model, X, vae_loss, checkpoint=file, resume=True, **HOW)
    assert same_weights(model, whole[0]), f"killed after {steps} steps"
    assert history.train == whole[1].train


@pytest.mark.parametrize("epochs", [1, EPOCHS - 1])
def test_stopped_and_resumed_it_ends_in_the_same_weights(whole, file, epochs):
    fit(small_vae(), X, vae_loss, checkpoint=file, after_epoch=stop_after(epochs + 1), **HOW)
    model = small_vae(seed=1)
    seen = []
    history = fit(model, X, vae_loss, checkpoint=file, resume=True, after_epoch=seen.append, **HOW)
    assert same_weights(model, whole[0])
    assert seen == list(range(epochs + 1, EPOCHS + 1))
    assert history.train == whole[1].train
    assert history.seconds == sorted(history.seconds)


def test_a_finished_run_resumed_is_loaded_and_not_trained(whole, file):
    fit(small_vae(), X, vae_loss, checkpoint=file, **HOW)
    model = small_vae(seed=1)
    history = fit(model, X, lambda *_: pytest.fail("trained"), checkpoint=file, resume=True, **HOW)
    assert same_weights(model, whole[0])
    assert len(history.train) == EPOCHS


def test_without_resume_a_file_that_is_there_is_trained_over(whole, file):
    fit(small_vae(), X, vae_loss, checkpoint=file, after_epoch=stop_after(2), **HOW)
    model = small_vae()
    fit(model, X, vae_loss, checkpoint=file, **HOW)
    assert same_weights(model, whole[0])


def test_a_checkpoint_of_a_training_is_one_of_weights_too(file):
    model = small_vae()
    history = fit(model, X, vae_loss, checkpoint=file, **HOW)
    again = small_vae(seed=1)
    assert checkpoint.load(file, again) == history
    assert same_weights(model, again)


def test_the_steps_that_a_warm_up_has_counted_are_kept(file):
    models = small_vae(), small_vae()
    warm_up = lambda: WarmUp(vae_loss, steps=4 * STEPS)  # noqa: E731
    fit(models[0], X, warm_up(), **HOW)
    fit(models[1], X, warm_up(), checkpoint=file, after_epoch=stop_after(3), **HOW)
    fit(models[1], X, warm_up(), checkpoint=file, resume=True, **HOW)
    assert same_weights(*models)


OTHERS = {
    "epochs": ({"epochs": 9}, X, "begun with epochs = 5, and this training has 9"),
    "batch size": ({"batch_size": 100}, X, "begun with batch_size = 60, and this training has 100"),
    "learning rate": ({"lr": 1e-3}, X, "begun with lr = 0.004, and this training has 0.001"),
    "seed": ({"seed": 3}, X, "begun with seed = 0, and this training has 3"),
    "fewer images": ({}, X[:200], "begun with images = 300, and this training has 200"),
    "other images": ({}, 255 - X, "begun with sum of all pixels = "),
}


@pytest.mark.parametrize(("other", "x", "message"), OTHERS.values(), ids=OTHERS.keys())
def test_a_training_begun_otherwise_is_refused_and_the_difference_named(file, other, x, message):
    fit(small_vae(), X, vae_loss, checkpoint=file, after_epoch=stop_after(2), **HOW)
    model = small_vae(seed=1)
    with pytest.raises(CheckpointError, match=message):
        fit(model, x, vae_loss, checkpoint=file, resume=True, **(HOW | other))
    assert same_weights(model, small_vae(seed=1))
    assert not model.training


def test_weights_alone_are_refused_for_resuming(file):
    model = small_vae()
    checkpoint.save(file, model, fit(model, X, vae_loss, **HOW))
    with pytest.raises(CheckpointError, match=r"run.pt holds weights, but no training to go on with"):
        fit(model, X, vae_loss, checkpoint=file, resume=True, **HOW)


def test_resume_without_a_file_to_resume_from_is_refused():
    with pytest.raises(ValueError, match="resume needs a checkpoint"):
        fit(small_vae(), X, vae_loss, resume=True, **HOW)


def test_where_a_checkpoint_cant_be_written_training_goes_on_and_says_so(whole, tmp_path):
    blocked = tmp_path / "a file where a folder should be"
    blocked.write_text("")
    model = small_vae()
    with pytest.warns(UserWarning, match=r"Epoch [1-5] could not be saved as run.pt .*Training goes on"):
        fit(model, X, vae_loss, checkpoint=blocked / "run.pt", **HOW)
    assert same_weights(model, whole[0])


FULL_DISK = """
import resource, sys
from vae_helpers.models import VAE
from vae_helpers.training import History, checkpoint
import torch

torch.manual_seed(1)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    checkpoint.save(sys.argv[1], VAE(3, (32,)), History())
except OSError as error:
    print("OSError:", error.strerror)
"""


@pytest.mark.skipif(os.name != "posix", reason="no limit on file sizes on this system")
def test_where_the_file_system_takes_only_part_of_a_file_the_old_one_survives(file):
    fit(small_vae(), X, vae_loss, checkpoint=file, **HOW)
    before = file.read_bytes()
    run = subprocess.run([sys.executable, "-c", FULL_DISK, str(file)], capture_output=True, text=True)
    assert run.stdout == "OSError: File too large\n", run.stderr
    assert file.read_bytes() == before
    assert [p.name for p in file.parent.iterdir()] == ["run.pt"]


def test_where_the_disk_fills_up_during_training_the_last_whole_checkpoint_survives(whole, file, monkeypatch):
    replace, calls = os.replace, []

    def full_from_the_third_on(scratch, path):
        calls.append(path)
        if len(calls) > 2:
            raise OSError(28, "No space left on device")
        replace(scratch, path)

    monkeypatch.setattr(os, "replace", full_from_the_third_on)
    with pytest.warns(UserWarning, match=r"Epoch [3-5] could not be saved.*No space left on device"):
        fit(small_vae(), X, vae_loss, checkpoint=file, **HOW)
    monkeypatch.undo()
    assert [p.name for p in file.parent.iterdir()] == ["run.pt"]
    model = small_vae(seed=1)
    seen = []
    fit(model, X, vae_loss, checkpoint=file, resume=True, after_epoch=seen.append, **HOW)
    assert seen == [3, 4, 5]
    assert same_weights(model, whole[0])


def test_the_training_itself_gives_no_warning(file):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(small_vae(), X, vae_loss, checkpoint=file, **HOW)


@pytest.mark.parametrize("place", range(0, 100, 7))
def test_one_flipped_bit_anywhere_is_noticed_or_does_no_harm(file, place):
    checkpoint.save(file, small_vae(), fit(small_vae(), X, vae_loss, **(HOW | {"epochs": 1})))
    stored = bytearray(file.read_bytes())
    stored[len(stored) * place // 100] ^= 0x10
    file.write_bytes(bytes(stored))
    model = small_vae(seed=1)
    untouched = small_vae(seed=1)
    try:
        checkpoint.load(file, model)
    except CheckpointError:
        assert same_weights(model, untouched)
    else:  # in the padding between two weights
        assert same_weights(model, small_vae())
