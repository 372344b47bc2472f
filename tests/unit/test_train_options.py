"""Every option of the command line reaches what it names; what it can't be is refused by its name, before any data."""

from pathlib import Path
from types import SimpleNamespace

from vae_helpers import data, losses, models, train
from vae_helpers.losses import Loss
from vae_helpers.training import History

import pytest
import torch
from torch import nn

TINY = data.load_glyphs(n=40, n_test=20)
SIZES = ["--latent-dim", "3", "--hidden", "8"]


@pytest.fixture
def caught(monkeypatch, tmp_path):
    """What the command line hands to ``load``, ``group``, ``to``, ``fit`` and ``mean_loss``; nothing is trained."""
    caught = SimpleNamespace(history=History([Loss(9.0)], [], [1.0]), moved=[])

    def fit(model, x, loss, y, **how):
        vars(caught).update(model=model, x=x, loss=loss, y=y, how=how)
        return caught.history

    def group(device):
        caught.device = device
        return group_of_one(device)

    def load(name, device):
        caught.name = name
        return TINY

    group_of_one = train.processes.group
    monkeypatch.setattr(data, "load", load)
    monkeypatch.setattr(train, "fit", fit)
    monkeypatch.setattr(train, "mean_loss", lambda *scored: vars(caught).update(scored=scored) or Loss(8.0, 2.0, 3.0))
    monkeypatch.setattr(train.processes, "group", group)
    monkeypatch.setattr(nn.Module, "to", lambda model, device: caught.moved.append(device) or model)
    monkeypatch.setenv("VAE_CACHE", str(tmp_path))
    return caught


def asked(caught, *options):
    assert train.main([*SIZES, *options]) == 0
    return caught


def widths(model):
    return [layer.out_features for layer in model.encoder if hasattr(layer, "out_features")]


def beta_of(loss):
    return loss.keywords["beta"]


def corrupted(loss, seed=0):
    torch.manual_seed(seed)
    return loss.keywords["corrupt"](data.to_float(TINY.x))


REACHES = {
    "--model": (["--model", "class_prior"], lambda c: type(c.model), models.ClassPriorVAE),
    "--data": (["--data", "fashion"], lambda c: c.name, "fashion"),
    "--latent-dim": (["--latent-dim", "5"], lambda c: c.model.latent_dim, 5),
    "--hidden": (["--hidden", "7", "6"], lambda c: widths(c.model), [7, 6, 6]),
    "--likelihood": (["--likelihood", "gaussian"], lambda c: type(c.model.likelihood), models.Gaussian),
    "--beta": (["--beta", "2.5"], lambda c: beta_of(c.loss), 2.5),
    "--noise": (
        ["--model", "denoising", "--noise", "gaussian"],
        lambda c: corrupted(c.loss).min().item() < -0.2,
        True,
    ),
    "--noise-amount": (
        ["--model", "denoising", "--noise-amount", "1"],
        lambda c: corrupted(c.loss).max().item(),
        0.0,
    ),
    "--epochs": (["--epochs", "11"], lambda c: c.how["epochs"], 11),
    "--batch-size": (["--batch-size", "13"], lambda c: c.how["batch_size"], 13),
    "--lr": (["--lr", "0.002"], lambda c: c.how["lr"], 0.002),
    "--seed": (["--seed", "4"], lambda c: c.how["seed"], 4),
    "--precision": (["--precision", "bf16"], lambda c: c.how["precision"], "bf16"),
    "--device": (["--device", "cpu:0"], lambda c: [c.device, *c.moved], [torch.device("cpu", 0)] * 2),
    "--checkpoint": (["--checkpoint", "here.pt"], lambda c: c.how["checkpoint"], Path("here.pt")),
    "--resume": (["--resume"], lambda c: c.how["resume"], True),
    "--quiet": (["--quiet"], lambda c: c.how["progress"], False),
}


def test_every_option_has_its_row():
    options = {action.option_strings[-1] for action in train._parser()._actions} - {"--help"}
    assert options == set(REACHES)


@pytest.mark.parametrize("option", REACHES)
def test_an_option_reaches_what_it_names(option, caught):
    arguments, found, expected = REACHES[option]
    assert found(asked(caught, *arguments)) == expected


def test_without_options_all_is_as_the_help_says(caught, tmp_path, monkeypatch):
    monkeypatch.setattr(data, "default_device", lambda: torch.device("cpu", 0))
    assert train.main([]) == 0
    assert caught.how == {
        "epochs": 8,
        "batch_size": 256,
        "lr": 5e-3,
        "seed": 0,
        "precision": "auto",
        "progress": True,
        "checkpoint": tmp_path / "runs" / "vae-glyphs.pt",
        "resume": False,
    }
    assert (caught.name, caught.device, caught.model.latent_dim) == ("mnist", torch.device("cpu", 0), 20)
    assert widths(caught.model) == [400, 40] and beta_of(caught.loss) == 1
    assert caught.x is TINY.x


@pytest.mark.parametrize("noise", ["masking", "salt_and_pepper"])
def test_the_noise_is_laid_in_the_amount_asked_for(noise, caught):
    loss = asked(caught, "--model", "denoising", "--noise", noise, "--noise-amount", "0.5").loss
    torch.manual_seed(0)
    expected = getattr(data, noise)(data.to_float(TINY.x), 0.5)
    assert torch.equal(corrupted(loss), expected)


LOSSES = {
    "autoencoder": losses.autoencoder_loss,
    "denoising": losses.denoising_loss,
    "wide_denoising": losses.denoising_loss,
    "vae": losses.vae_loss,
    "linear_vae": losses.linear_vae_loss,
    "smooth_vae": losses.binarized_loss,
    "conditional": losses.conditional_vae_loss,
    "class_prior": losses.class_prior_loss,
}


@pytest.mark.parametrize("name", train.RECIPES)
def test_a_model_is_trained_and_scored_by_its_own_loss_with_labels_where_it_needs_them(name, caught):
    asked(caught, "--model", name)
    assert getattr(caught.loss, "func", caught.loss) is LOSSES[name]
    model, x, loss, y = caught.scored
    needs_labels = name in ("conditional", "class_prior")
    assert (model, loss) == (caught.model, caught.loss) and x is TINY.x_test
    assert caught.y is (TINY.y if needs_labels else None) and y is (TINY.y_test if needs_labels else None)


@pytest.mark.parametrize("name", train.RECIPES)
def test_every_model_starts_at_the_mean_image(name, caught):
    model = asked(caught, "--model", name).model
    mean = data.mean_image(TINY.x).flatten()
    start = mean if name == "linear_vae" else torch.logit(mean.clamp(1e-3, 1 - 1e-3))
    last = model.decoder if name == "linear_vae" else model.decoder[-1]
    assert torch.equal(last.bias, start)


def test_the_seed_is_that_of_the_weights_too(caught):
    first, again, other = (asked(caught, "--seed", seed).model.encoder[0].weight for seed in "112")
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_it_says_what_it_trained_and_how_it_ended(caught, capsys):
    asked(caught, "--model", "conditional", "--checkpoint", "somewhere/mine.pt")
    assert capsys.readouterr().out.splitlines() == [
        f"conditional on {TINY!r}, 1 process(es) on {caught.device.type}; checkpoint mine.pt",
        "History: 1 epochs in 1.0 s, last training loss 9.00 nats per image",
        "test loss 14.00 = 8.00 + 3 · 2.00 nats per image",
    ]


def test_a_training_that_was_stopped_says_how_to_go_on(caught, capsys):
    caught.history.stopped = "stopped by you in epoch 2 of 8"
    asked(caught)
    assert "give the same command with --resume" in capsys.readouterr().out


REFUSED = {
    "--model": (["gan"], "choose from"),
    "--data": (["cifar"], "choose from"),
    "--latent-dim": (["0", "2.5", "many"], "at least 1|a whole number"),
    "--hidden": (["0", "-3", "wide"], "at least 1|a whole number"),
    "--likelihood": (["poisson"], "choose from"),
    "--beta": (["-1", "nan", "high"], "must be finite|a plain number"),
    "--noise": (["fog"], "choose from"),
    "--noise-amount": (["-0.1", "nan", "25", "1.01"], "must be finite|a share of the pixels, from 0 to 1"),
    "--epochs": (["0", "-1", "2.5", "many"], "at least 1|a whole number"),
    "--batch-size": (["0", "all"], "at least 1|a whole number"),
    "--lr": (["0", "-1", "nan", "inf"], "positive|finite"),
    "--seed": (["-1", "0.5", str(2**63)], "at least 0|a whole number"),
    "--precision": (["half"], "choose from"),
    "--device": (["teapot", "cuda", "cuda:7"], "such as|sees no GPU|can't use here"),
}


@pytest.mark.parametrize("option", REFUSED)
def test_a_bad_value_is_refused_in_the_options_own_name_before_anything_is_loaded(option, monkeypatch, capsys):
    monkeypatch.setattr(data, "load", lambda *arguments, **more: pytest.fail("data were loaded"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    values, message = REFUSED[option]
    for value in values:
        with pytest.raises(SystemExit) as ended:
            train.main([f"{option}={value}"])
        said = capsys.readouterr().err.splitlines()[-1]
        assert ended.value.code == 2 and f"argument {option}: " in said
        assert any(part in said for part in message.split("|")), said


def test_sigma_may_be_larger_than_1_and_a_share_of_pixels_may_be_1(caught):
    asked(caught, "--model", "denoising", "--noise", "gaussian", "--noise-amount", "1.5")
    asked(caught, "--model", "denoising", "--noise", "masking", "--noise-amount", "1")


def test_a_folder_is_no_checkpoint_and_an_empty_list_no_widths(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(data, "load", lambda *arguments, **more: pytest.fail("data were loaded"))
    for options, message in (
        (["--checkpoint", str(tmp_path)], f"argument --checkpoint: it must be a file, and {tmp_path} is a folder"),
        (["--hidden"], "argument --hidden: expected at least one argument"),
    ):
        with pytest.raises(SystemExit) as ended:
            train.main(options)
        assert ended.value.code == 2 and message in capsys.readouterr().err
