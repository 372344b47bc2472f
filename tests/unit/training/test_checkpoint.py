"""Checkpoints: whole or absent, never run as code, refused where they don't fit; remembered weights."""

import os
import pickle

from vae_helpers.losses import Loss
from vae_helpers.models import VAE
from vae_helpers.training import CheckpointError, History, checkpoint

import pytest
import torch

from helpers.small_models import same_weights

HISTORY = History([Loss(3.0, 1.0), Loss(2.0, 0.5, 4.0)], [Loss(3.5)], [0.5, 1.0])


def vae(seed, latent_dim=2):
    torch.manual_seed(seed)
    return VAE(latent_dim, (5,))


@pytest.fixture
def file(tmp_path):
    checkpoint.save(tmp_path / "new" / "a.pt", vae(0), HISTORY)
    return tmp_path / "new" / "a.pt"


def test_what_was_saved_is_what_is_loaded(file):
    model = vae(1)
    assert checkpoint.load(file, model) == HISTORY
    assert same_weights(model, vae(0))
    assert [p.name for p in file.parent.iterdir()] == ["a.pt"]


@pytest.mark.parametrize("keep", [0, 10, 2000])
def test_a_file_cut_short_is_refused_and_the_model_untouched(file, keep):
    file.write_bytes(file.read_bytes()[:keep])
    model = vae(1)
    with pytest.raises(CheckpointError, match=r"a\.pt is damaged or no checkpoint: delete it"):
        checkpoint.load(file, model)
    assert same_weights(model, vae(1))


def test_a_pickle_that_would_run_code_is_refused_and_not_run(file, tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    file.write_bytes(pickle.dumps(Trap(), protocol=2))
    with pytest.raises(CheckpointError, match="damaged or no checkpoint"):
        checkpoint.load(file, vae(1))
    assert not (tmp_path / "sprung").exists()


def test_a_file_of_something_else_is_refused(file):
    torch.save({"weights": {}}, file)
    with pytest.raises(CheckpointError, match="no checkpoint of this version"):
        checkpoint.load(file, vae(1))


def test_another_architecture_is_refused_and_the_difference_named(file):
    with pytest.raises(CheckpointError, match=r"another architecture: .*coder.* is \(.*\) there and \(.*\) in VAE"):
        checkpoint.load(file, vae(1, latent_dim=3))


def test_where_saving_fails_the_old_file_survives_and_no_scrap_is_left(file, monkeypatch):
    def disk_full(content, target):
        target.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", disk_full)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(file, vae(1), HISTORY)
    monkeypatch.undo()
    model = vae(2)
    checkpoint.load(file, model)
    assert same_weights(model, vae(0))
    assert len(list(file.parent.iterdir())) == 1


def trained(model, log, history=HISTORY):
    def train():
        log.append("trained")
        with torch.no_grad():
            next(model.parameters()).fill_(len(log))
        return history

    return train


def test_a_second_call_loads_and_says_so(cache, capsys):
    log, first, second = [], vae(0), vae(1)
    checkpoint.remembered(first, "mnist", trained(first, log), epochs=2)
    assert capsys.readouterr().out == ""
    history = checkpoint.remembered(second, "mnist", trained(second, log), epochs=2)
    assert log == ["trained"] and history == HISTORY and same_weights(first, second)
    said = capsys.readouterr().out
    assert "trained in 1 s" in said and "delete models/mnist-" in said and str(cache) not in said


def test_another_configuration_data_set_or_shape_is_trained(cache):
    log, model = [], vae(0)
    checkpoint.remembered(model, "mnist", trained(model, log), epochs=2)
    checkpoint.remembered(model, "mnist", trained(model, log), epochs=3)
    checkpoint.remembered(model, "glyphs", trained(model, log), epochs=2)
    wide = vae(0, 3)
    checkpoint.remembered(wide, "mnist", trained(wide, log), epochs=2)
    other = VAE(2, (5,), likelihood="continuous_bernoulli")
    checkpoint.remembered(other, "mnist", trained(other, log), epochs=2)
    assert len(log) == 5


def test_a_damaged_file_in_the_cache_is_said_and_trained_anew(cache, capsys):
    log, model = [], vae(0)
    path = checkpoint.remembered_path(model, "mnist")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"nothing")
    checkpoint.remembered(model, "mnist", trained(model, log))
    assert "so the model is trained anew" in capsys.readouterr().out
    checkpoint.remembered(model, "mnist", trained(model, log))
    assert log == ["trained"]


def test_a_stopped_training_is_not_kept(cache):
    log, model = [], vae(0)
    stopped = History(HISTORY.train, [], [0.5, 1.0], "stopped by you in epoch 3 of 8")
    for _ in range(2):
        checkpoint.remembered(model, "mnist", trained(model, log, stopped))
    assert len(log) == 2


def test_a_cache_that_cannot_be_written_to_is_said_and_no_error(cache, capsys):
    cache.mkdir()
    (cache / "models").write_text("a file where the folder should be")
    log, model = [], vae(0)
    assert checkpoint.remembered(model, "mnist", trained(model, log)) == HISTORY
    assert "could not be kept for later" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "bad"), [("path", 3), ("path", None), ("model", VAE), ("history", [3.0])])
def test_arguments_of_another_type_are_refused_by_their_names(file, name, bad):
    with pytest.raises(TypeError, match=rf"(?<!\w){name}(?!\w)"):
        checkpoint.save(**({"path": file, "model": vae(0), "history": HISTORY} | {name: bad}))
    if name != "history":
        with pytest.raises(TypeError, match=rf"(?<!\w){name}(?!\w)"):
            checkpoint.load(**({"path": file, "model": vae(0)} | {name: bad}))


def test_the_same_sizes_with_another_activation_are_another_architecture(file):
    model = vae(1)
    model.encoder[1] = torch.nn.SiLU()
    with pytest.raises(CheckpointError, match=r"another architecture of the same sizes(.|\n)*SiLU"):
        checkpoint.load(file, model)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such permissions")
def test_others_may_read_a_checkpoint_where_they_may_read_any_new_file(file):
    beside = file.with_name("any.txt")
    beside.write_text("text")
    assert file.stat().st_mode == beside.stat().st_mode
    assert sorted(path.name for path in file.parent.iterdir()) == ["a.pt", "any.txt"]
