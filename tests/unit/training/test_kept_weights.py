"""Weights that notebook 05 keeps are those that notebooks 06 and 07 look for, though their class was written anew."""

import ast
import json
from types import SimpleNamespace

from vae_helpers import losses, models
from vae_helpers.losses import Loss
from vae_helpers.models import likelihoods
from vae_helpers.training import History, checkpoint

import pytest
import torch
from torch import nn

from helpers.places import ROOT

NOTEBOOK = ROOT / "notebooks" / "05_vae.ipynb"
HISTORY = History([Loss(120.0, 20.0)], [], [1.0])
HOW = {"loss": "vae_loss", "epochs": 8, "lr": 5e-3, "seed": 0}

pytestmark = pytest.mark.usefixtures("cache")


def written_in_the_notebook(*names):
    """Classes and functions, executed from the notebook's cells with no more than their imports."""
    cells = [c for c in json.loads(NOTEBOOK.read_text("utf-8"))["cells"] if c["cell_type"] == "code"]
    namespace = {
        "torch": torch,
        "nn": nn,
        "F": nn.functional,
        "likelihoods": likelihoods,
        "mlp": models.mlp,
        "Loss": Loss,
        "checkpoint": checkpoint,
        "dataset": SimpleNamespace(name="mnist"),
    }
    for node in (node for c in cells for node in ast.parse("".join(c["source"])).body):
        named = getattr(node, "name", None) or (isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None))
        if named in names:
            exec(compile(ast.Module([node], []), "notebook", "exec"), namespace)
    return [namespace[name] for name in names]


@pytest.fixture(scope="module")
def own_vae():
    return written_in_the_notebook("bernoulli_nll", "Bernoulli", "LIKELIHOODS", "VAE")[-1]


@pytest.mark.parametrize("d", [2, 20])
def test_what_the_notebooks_own_class_keeps_the_packages_class_finds(own_vae, d):
    torch.manual_seed(0)
    own = own_vae(d)
    checkpoint.keep(own, HISTORY, "mnist", **HOW)
    torch.manual_seed(1)
    theirs = models.VAE(d)
    train = lambda: pytest.fail("it was trained anew")  # noqa: E731
    assert checkpoint.remembered(theirs, "mnist", train, **HOW) == HISTORY
    assert all(torch.equal(a, b) for a, b in zip(own.parameters(), theirs.parameters(), strict=True))


def test_the_notebook_trains_and_keeps_in_this_configuration():
    *_, keep_weights = written_in_the_notebook("Bernoulli", "LIKELIHOODS", "VAE", "keep_weights")
    trained = models.VAE(3)
    keep_weights(trained, HISTORY)
    found = models.VAE(3)
    assert checkpoint.remembered(found, "mnist", pytest.fail, **HOW) == HISTORY
    assert torch.equal(found.decoder[0].weight, trained.decoder[0].weight)
    code = "".join(line for cell in json.loads(NOTEBOOK.read_text("utf-8"))["cells"] for line in cell["source"])
    for name in ("model", "plane"):
        assert f"training.fit({name}, x, loss_of, epochs=8, lr=5e-3" in code
        assert f"keep_weights({name}, history)" in code


@pytest.mark.parametrize("other", [{"epochs": 9}, {"lr": 4e-3}, {"seed": 1}, {"loss": "another"}])
def test_another_configuration_is_not_found(own_vae, other):
    checkpoint.keep(own_vae(2), HISTORY, "mnist", **HOW)
    trained = []
    train = lambda: trained.append(1) or HISTORY  # noqa: E731
    checkpoint.remembered(models.VAE(2), "mnist", train, **(HOW | other))
    assert trained


@pytest.mark.parametrize("history", [History(), History([Loss(1.0)], [], [1.0], "stopped by you in epoch 2 of 8")])
def test_what_was_not_trained_to_its_end_is_not_kept(cache, history):
    checkpoint.keep(models.VAE(2), history, "mnist", **HOW)
    assert not list(cache.rglob("*.pt"))


def test_the_notebooks_model_and_loss_compute_what_the_packages_do(own_vae):
    names = ("reparameterize", "kl_to_standard_normal", "vae_loss")
    own_loss = written_in_the_notebook(*names)[-1]
    torch.manual_seed(0)
    own, x = own_vae(3, (8,)), torch.rand(5, 1, 28, 28)
    package = models.VAE(3, (8,))
    package.load_state_dict(own.state_dict())
    for beta in (1.0, 0.5):
        torch.manual_seed(2)
        ours = own_loss(own, x, beta=beta)
        torch.manual_seed(2)
        theirs = losses.vae_loss(package, x, beta=beta)
        assert ours.total.item() == theirs.total.item()
    assert isinstance(own, nn.Module) and own_vae(3, (8,), "gaussian_per_pixel").decode(torch.zeros(2, 3)).shape[1] == 2
