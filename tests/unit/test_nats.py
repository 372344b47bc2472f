"""The race of three minutes: what it takes, how it scores, and the row it prints."""

import sys

from vae_helpers import data
from vae_helpers.data import Dataset
from vae_helpers.evaluation import sampled_log_p
from vae_helpers.losses import bernoulli_nll
from vae_helpers.models import VAE, MixtureVAE

import pytest
import torch
from torch import nn

from helpers.places import ROOT

sys.path.insert(0, str(ROOT / "tests" / "benchmarks"))

import nats

MINE = """
from vae_helpers.models import VAE
from vae_helpers.training import Plan

class MyVAE(VAE):
    plan = Plan(lr=0.02, batch_size=20)

    def __init__(self):
        super().__init__(4, (8,))
"""


def coins(n=40):
    random = torch.Generator().manual_seed(0)
    return torch.rand(n, 1, 28, 28, generator=random).round()


@pytest.fixture
def mine(tmp_path, monkeypatch):
    (tmp_path / "my_model.py").write_text(MINE, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield "my_model:MyVAE"
    sys.modules.pop("my_model", None)


def test_a_model_that_ignores_its_code_is_scored_exactly():
    model, x = VAE(3, (8,)), coins()
    for net in (model.encoder, model.decoder):
        nn.init.zeros_(net[-1].weight)
    nn.init.zeros_(model.encoder[-1].bias)  # q is N(0, I), the prior: all weights are p(x|z), and that is p(x)
    found = nats.score(model, x, n_images=20, n_draws=100)
    exact = bernoulli_nll(model.decoder[-1].bias.view(1, 1, 28, 28).expand_as(x), x).mean().item()
    assert found.nll == pytest.approx(exact, rel=1e-5) and found.elbo == pytest.approx(exact, rel=1e-5)
    assert found.error < 1e-4


def test_a_score_asks_the_models_own_prior_and_its_own_weights():
    class Own(MixtureVAE):
        def log_weights(self, x_bin, k):
            return torch.full((k, len(x_bin)), -90.0)

    torch.manual_seed(0)
    x, model = coins(), MixtureVAE(3, (8,), 4)
    model.prior.means.data += 1
    found = nats.score(model, x, n_images=40, n_draws=400)
    assert found.nll == pytest.approx(-sampled_log_p(model, x, n_samples=400).mean().item(), abs=0.3)
    assert found.nll < found.elbo - 0.5
    assert nats.score(Own(3, (8,), 4), x, 20, 100) == pytest.approx((90, 90, 0), abs=1e-4)


def test_a_class_of_ones_own_gets_a_row(mine, monkeypatch, capsys):
    x = (255 * torch.rand(80, 1, 28, 28, generator=torch.Generator().manual_seed(0)) ** 4).byte()
    y = torch.zeros(80, dtype=torch.int64)
    monkeypatch.setattr(data, "load", lambda name: Dataset("mnist", x, y, x[:30], y[:30]))
    monkeypatch.setattr(nats, "HELD_OUT", 20)
    monkeypatch.setattr(nats.machine, "gigaflops", lambda: 123.4)
    assert nats.entry_of(mine).plan.lr == 0.02
    nats.main([mine, "--seconds", "0.5", "--images", "20", "--draws", "100", "--seed", "3"])
    last = capsys.readouterr().out.splitlines()[-1]
    name, passes, weights, elbo, nll, seed, speed = (cell.strip() for cell in last.strip("|").split("|"))
    assert (name, weights, seed, speed) == (mine, "0.01 M", "3", "123")
    assert int(passes) >= 1 and float(elbo) < 784 * 0.7 and "±" in nll


def test_a_name_that_is_nobodys_is_refused_with_where_it_was_sought(mine, capsys):
    for name, said in (
        ("bset", "smooth"),
        ("my_model:MyVea", "my_model"),
        ("no_module_of_mine:A", "no_module_of_mine"),
    ):
        with pytest.raises(SystemExit):
            nats.main([name])
        assert said in capsys.readouterr().err


def test_every_model_of_the_course_can_be_made_and_differs_from_the_one_before():
    entries = list(nats.COURSE.values())
    assert all(isinstance(entry.build(), VAE) for entry in entries)
    seen = [(repr(entry.build()), repr(entry.plan)) for entry in entries]
    assert len(set(seen)) == len(seen)
