"""Optimizers load no compiler, and step as torch's do; where the compiler is there, they are torch's."""

import subprocess
import sys

from vae_helpers.training.optimizers import COMPILER, without_compiler

import pytest
import torch

LESSON = """
import sys
from vae_helpers import data, evaluation, exercises, plotting, training, widgets
from vae_helpers.losses import vae_loss
from vae_helpers.models import VAE
import torch
x = torch.rand(64, 1, 28, 28)
model = VAE(2)
training.fit(model, x, vae_loss, epochs=2, x_val=x, progress=False)
training.mean_loss(model, x, vae_loss)
evaluation.refined_q(model, model.encode, torch.bernoulli(x), steps=2)
for kind in (torch.optim.SGD, torch.optim.Adam, torch.optim.LBFGS):
    w = torch.ones(3, requires_grad=True)
    optimizer = kind([w], lr=0.1)
    optimizer.zero_grad()
    w.square().sum().backward()
    optimizer.step(lambda: w.square().sum())
    optimizer.load_state_dict(optimizer.state_dict())
    assert w.lt(1).all(), kind
print([name for name in ("torch._dynamo", "sympy", "triton", "scipy.ndimage") if name in sys.modules])
"""
KINDS = (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD, torch.optim.RMSprop)


def in_a_new_python(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def test_training_and_evaluation_load_neither_compiler_nor_scipys_images():
    assert in_a_new_python(LESSON) == "[]"


def trained(kind, **options):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    optimizer, x = kind(net.parameters(), lr=0.1, **options), torch.randn(16, 4)
    for _ in range(5):
        optimizer.zero_grad()
        net(x).square().mean().backward()
        optimizer.step()
    return [p.detach() for p in net.parameters()], optimizer.state_dict()["state"]


@pytest.mark.parametrize("kind", KINDS)
def test_without_and_with_the_compiler_there_every_step_is_the_same(kind, monkeypatch):
    monkeypatch.delitem(sys.modules, COMPILER, raising=False)
    weights, state = trained(kind)
    monkeypatch.undo()
    import torch._dynamo

    assert COMPILER in sys.modules
    weights_with, state_with = trained(kind)
    torch.testing.assert_close(weights, weights_with, rtol=0, atol=0)
    torch.testing.assert_close(state, state_with, rtol=0, atol=0)


@pytest.mark.parametrize("differentiable", [False, True])
def test_autograd_takes_note_of_a_step_only_where_asked_to(differentiable, monkeypatch):
    monkeypatch.delitem(sys.modules, COMPILER, raising=False)
    start = torch.ones(3, requires_grad=True)
    w = start.clone() if differentiable else start
    optimizer = torch.optim.SGD([w], lr=0.1, differentiable=differentiable)
    w.grad = torch.ones(3)
    optimizer.step()
    assert torch.is_grad_enabled()
    assert (w.grad_fn is not None) == differentiable


def test_twice_is_the_same():
    before = {kind: kind.step for kind in KINDS} | {"zero_grad": torch.optim.Optimizer.zero_grad}
    without_compiler()
    assert before == {kind: kind.step for kind in KINDS} | {"zero_grad": torch.optim.Optimizer.zero_grad}
