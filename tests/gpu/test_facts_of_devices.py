"""Which device a tensor is on, and where two devices may meet: known of CUDA, tried on the pretended GPU or a real one.

The same file measures the pretended GPU by a real one, wherever there is one.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Bernoulli, MultivariateNormal, Normal


def there(*size):
    """Random numbers in [0, 1) on the GPU."""
    return torch.rand(*size, device="cuda")


def one():
    """A single number on the GPU."""
    return there(1)[0]


def yes(n):
    return torch.ones(n, dtype=torch.bool)


def test_a_tensor_says_where_it_lies():
    x = torch.ones(2, device="cuda")
    assert x.is_cuda and not x.is_cpu and x.get_device() == 0
    assert x.device == torch.device("cuda:0") != torch.device("cuda")
    assert "device='cuda:0'" in repr(x)


def test_it_goes_there_and_comes_back():
    assert torch.ones(2).cuda().is_cuda and torch.ones(2).to("cuda").is_cuda
    assert not torch.ones(2).cuda().cpu().is_cuda
    assert not torch.from_numpy(np.ones(2)).is_cuda


MADE_THERE = {
    "tensor": lambda: torch.tensor([1.0, 2.0], device="cuda"),
    "a number": lambda: torch.tensor(3.0, device="cuda"),
    "as_tensor of an array": lambda: torch.as_tensor(np.ones(2), device="cuda"),
    "as_tensor of a tensor": lambda: torch.as_tensor(there(2)),
    "arange": lambda: torch.arange(5, device="cuda"),
    "linspace": lambda: torch.linspace(0, 1, 5, device="cuda"),
    "full": lambda: torch.full((2,), 7, device="cuda"),
    "eye": lambda: torch.eye(2, device="cuda"),
    "randperm": lambda: torch.randperm(5, device="cuda"),
    "zeros_like": lambda: torch.zeros_like(there(2)),
    "randn_like": lambda: torch.randn_like(there(2)),
    "like one of the CPU": lambda: torch.zeros_like(torch.zeros(2), device="cuda"),
    "new_zeros": lambda: there(2).new_zeros(3),
    "new_tensor": lambda: there(2).new_tensor([1, 2]),
    "to another": lambda: torch.zeros(2).to(there(2)),
    "a weight": lambda: nn.Linear(2, 3, device="cuda").weight,
}


@pytest.mark.parametrize("make", MADE_THERE.values(), ids=MADE_THERE)
def test_it_is_made_there(make):
    assert make().is_cuda


def gradient_of_a_leaf_here():
    leaf = torch.ones(2, requires_grad=True)
    return torch.autograd.grad(leaf.cuda().sum(), leaf)[0]


MADE_HERE = {
    "like one of the GPU": lambda: torch.zeros_like(there(2), device="cpu"),
    "a tensor of its numbers": lambda: torch.tensor([one(), one()]),
    "to": lambda: there(2).to("cpu"),
    "to another": lambda: there(2).to(torch.zeros(1)),
    "the gradient of a leaf": gradient_of_a_leaf_here,
    "a copy into it": lambda: torch.zeros(2).copy_(there(2)),
    "filled by its number": lambda: torch.zeros(2).fill_(one()),
    "indexed by its number": lambda: torch.arange(5)[torch.tensor(3, device="cuda")],
}


@pytest.mark.parametrize("make", MADE_HERE.values(), ids=MADE_HERE)
def test_it_is_on_the_cpu(make):
    assert make().device.type == "cpu"


REFUSED = {
    "add": lambda: there(2) + torch.ones(2),
    "add, exchanged": lambda: torch.ones(2) + there(2),
    "a row here and a number there": lambda: torch.ones(2) * one(),
    "in place": lambda: torch.ones(2).add_(there(2)),
    "in place, a number here": lambda: torch.ones(()).add_(one()),
    "clamp": lambda: there(2).clamp(min=torch.zeros(2)),
    "where": lambda: torch.where(torch.tensor([True, False]), there(2), there(2)),
    "cat": lambda: torch.cat([there(2), torch.ones(2)]),
    "stack": lambda: torch.stack([one(), torch.ones(())]),
    "sum of a list": lambda: sum([there(2), torch.ones(2)]),
    "equal": lambda: torch.equal(there(2), torch.ones(2)),
    "allclose": lambda: torch.allclose(there(2), torch.ones(2)),
    "index_select": lambda: there(3).index_select(0, torch.tensor([0])),
    "gather": lambda: there(3).gather(0, torch.tensor([0])),
    "index_put": lambda: there(3).index_put_((torch.tensor([0, 1], device="cuda"),), torch.ones(2)),
    "a mask and values": lambda: there(3).__setitem__(yes(3), torch.ones(3)),
    "masked_fill": lambda: there(2).masked_fill(yes(2), 0.0),
    "quantile": lambda: there(9).quantile(torch.tensor([0.1, 0.9])),
    "bucketize": lambda: torch.bucketize(there(2), torch.linspace(0, 1, 3)),
    "matmul": lambda: there(2, 2) @ torch.ones(2, 2),
    "einsum": lambda: torch.einsum("ij,j->i", there(2, 2), torch.ones(2)),
    "cdist": lambda: torch.cdist(there(2, 2), torch.ones(2, 2)),
    "solve": lambda: torch.linalg.solve(there(2, 2), torch.ones(2)),
    "trapezoid": lambda: torch.trapezoid(there(3), torch.linspace(0, 1, 3)),
    "a layer": lambda: nn.Linear(2, 2)(there(1, 2)),
    "an embedding": lambda: nn.Embedding(3, 2).cuda()(torch.tensor([0])),
    "cross-entropy of logits": lambda: F.binary_cross_entropy_with_logits(there(2), torch.ones(2)),
    "cross-entropy of classes": lambda: F.cross_entropy(there(2, 3), torch.tensor([0, 1])),
    "a density": lambda: Normal(there(2), 1.0, validate_args=False).log_prob(torch.ones(2)),
}


@pytest.mark.parametrize("act", REFUSED.values(), ids=REFUSED)
def test_two_devices_do_not_mix(act):
    with pytest.raises(RuntimeError, match=r"same device|different devices|expected device"):  # kernels differ in words
        act()


@pytest.mark.parametrize("index", [[0], [True, False]])
def test_an_index_there_does_not_index_a_tensor_here(index):
    with pytest.raises(RuntimeError, match="indices should be either on cpu or on the same device"):
        torch.ones(2)[torch.tensor(index, device="cuda")]


def after(x, key, value):
    x[key] = value
    return x


TAKEN = {
    "a number here": lambda: there(2) + torch.tensor(2.0),
    "exchanged": lambda: torch.tensor(2.0) * there(2),
    "in place": lambda: there(2).mul_(torch.tensor(2.0)),
    "numpy's number": lambda: 1 - there(2) * np.float64(2),
    "where": lambda: torch.where(there(2) > 0.5, torch.tensor(1.0), there(2)),
    "an index": lambda: there(3)[torch.tensor([0, 2])],
    "a mask": lambda: there(3)[torch.tensor([True, False, True])],
    "a list": lambda: there(3)[[0, 2]],
    "a number there": lambda: there(3)[torch.tensor(1, device="cuda")],
    "copy_": lambda: there(2).copy_(torch.ones(2)),
    "a slice written to": lambda: after(there(3), slice(0, 2), torch.ones(2)),
    "a mask and a number": lambda: after(there(3), yes(3), torch.tensor(1.0)),
    "fill_": lambda: there(2).fill_(torch.tensor(1.0)),
    "masked_fill": lambda: there(2).masked_fill(there(2) > 0, torch.tensor(1.0)),
    "sort": lambda: there(5).sort().values,
    "eigenvalues": lambda: torch.linalg.eigvalsh(torch.eye(2, device="cuda")),
    "draws": lambda: MultivariateNormal(torch.zeros(2, device="cuda"), torch.eye(2, device="cuda")).sample(),
    "coins": lambda: Bernoulli(there(2)).sample(),
}


@pytest.mark.parametrize("act", TAKEN.values(), ids=TAKEN)
def test_this_a_gpu_takes_from_the_cpu(act):
    assert act().is_cuda


def test_only_memory_of_the_cpu_is_pinned():
    assert torch.ones(2).pin_memory().to("cuda", non_blocking=True).is_cuda
    with pytest.raises(RuntimeError, match="cannot pin"):
        there(2).pin_memory()
