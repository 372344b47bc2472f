"""The command line: every model trains, on one process or two, and goes on where it was killed."""

import os
import re
import subprocess
import sys
from math import isfinite

from vae_helpers import data, models, train
from vae_helpers.training.checkpoint import load

import pytest
import torch

from helpers.ranks import printed_by, training

TINY = data.load_glyphs(n=60, n_test=20)
ONE_PROCESS = [sys.executable, "-m", "vae_helpers.train"]
TWO_PROCESSES = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
TWO_PROCESSES.append("vae_helpers.train")
EVENLY = ["--data", "glyphs", "--device", "cpu", "--precision", "float32", "--quiet"]
SHORT = [*EVENLY, "--model", "autoencoder", "--latent-dim", "5", "--hidden", "64", "--epochs", "2"]
TEST_LOSS = r"^test loss (-?[\d.]+)"
can_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


@pytest.fixture
def tiny_data(monkeypatch, tmp_path):
    monkeypatch.setattr(data, "load", lambda name, device: TINY)
    monkeypatch.setenv("VAE_CACHE", str(tmp_path))
    return tmp_path


def tiny(*options):
    return train.main(["--epochs", "1", "--batch-size", "20", "--hidden", "16", "--quiet", *options])


def run(command, folder):
    """Its standard output, each process on one thread."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "VAE_CACHE": str(folder)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def printed_loss(printed):
    return float(re.search(TEST_LOSS, printed, re.MULTILINE)[1])


@pytest.mark.parametrize("model", train.RECIPES)
def test_every_model_of_the_course_trains_and_is_scored(model, tiny_data, capsys):
    assert tiny("--model", model, "--latent-dim", "3") == 0
    printed = capsys.readouterr().out
    assert isfinite(printed_loss(printed))
    assert f"checkpoint {model}-glyphs.pt" in printed
    assert (tiny_data / "runs" / f"{model}-glyphs.pt").is_file()


@pytest.mark.parametrize("noise", train.CORRUPTIONS)
def test_every_corruption_can_be_asked_for(noise, tiny_data):
    assert tiny("--model", "denoising", "--noise", noise, "--noise-amount", "0.5") == 0


def test_the_checkpoint_is_one_that_a_notebook_can_load(tiny_data):
    tiny("--latent-dim", "3", "--likelihood", "gaussian", "--checkpoint", str(tiny_data / "a.pt"))
    model = models.VAE(3, (16,), likelihood="gaussian")
    assert len(load(tiny_data / "a.pt", model).train) == 1


def test_beta_and_the_seed_reach_the_training(tiny_data, capsys):
    printed = []
    for options in ((), ("--beta", "4"), ("--seed", "1"), ()):
        tiny(*options)
        printed.append(capsys.readouterr().out.splitlines()[-1])
    assert printed[0] == printed[3]
    assert len(set(printed)) == 3
    assert "+ 4 · " in printed[1]


def test_another_training_than_the_checkpoints_is_refused(tiny_data, capsys):
    assert tiny() == 0
    assert tiny("--epochs", "2", "--resume") == 1
    assert "begun with epochs = 1, and this training has 2" in capsys.readouterr().err


@pytest.mark.slow
def test_two_processes_do_the_same_steps_as_one(tmp_path):
    one = run([*ONE_PROCESS, *SHORT, "--checkpoint", str(tmp_path / "1.pt")], tmp_path)
    two = run([*TWO_PROCESSES, *SHORT, "--checkpoint", str(tmp_path / "2.pt")], tmp_path)
    assert "2 process(es) on cpu" in two
    assert two.count("test loss") == 1
    assert printed_loss(two) == pytest.approx(printed_loss(one), rel=1e-3)  # no noise: they differ by rounding alone


@pytest.mark.slow
@can_fork
def test_two_processes_learn_a_vae_as_well_as_one(tmp_path):
    if data.load("mnist", device="cpu").name != "mnist":
        pytest.skip("needs MNIST: on the fewer glyphs two seeds of one process differ by more than this bar")
    how = ["--device", "cpu", "--precision", "float32", "--quiet", "--model", "vae", "--epochs", "2", "--checkpoint"]
    printed = printed_by(training(1, *how, str(tmp_path / "1.pt")), training(2, *how, str(tmp_path / "2.pt")))
    one, two = map(float, re.findall(TEST_LOSS, printed, re.MULTILINE))
    assert abs(two - one) < 0.3


@pytest.mark.slow
@can_fork
def test_two_processes_killed_and_resumed_end_in_the_same_weights(tmp_path):
    whole, killed = tmp_path / "whole.pt", tmp_path / "killed.pt"
    how = [*EVENLY, "--model", "vae", "--latent-dim", "3", "--hidden", "64", "--epochs", "4", "--checkpoint"]
    begun = training(2, *how, str(killed), killed_at=killed)
    printed_by(training(2, *how, str(whole)), begun, training(2, *how, str(killed), "--resume"))
    assert len(load(tmp_path / "killed.pt.then", models.VAE(3, (64,))).train) < 4
    again, model = models.VAE(3, (64,)), models.VAE(3, (64,))
    load(whole, again), load(killed, model)
    assert all(map(torch.equal, model.parameters(), again.parameters()))
