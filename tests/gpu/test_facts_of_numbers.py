"""How numbers come back from a GPU, its chance, its gradients and modules, autocast, and what costs the device."""

import copy
import io

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import nn


def there(*size):
    return torch.rand(*size, device="cuda")


def test_numbers_come_by_item_and_lists():
    x = torch.tensor([1.5, 2.5], device="cuda")
    assert x[0].item() == float(x[0]) == 1.5 and x.tolist() == [1.5, 2.5] == [t.item() for t in x]
    assert bool(x[0] > 1) and 2.5 in x and len(x) == 2 and f"{x[1]:.1f}" == "2.5"


def test_numpy_gets_what_is_on_the_cpu():
    x = torch.tensor([1.5, 2.5], device="cuda")
    assert x.cpu().numpy().tolist() == [1.5, 2.5]
    for act in (x.numpy, lambda: np.asarray(x), lambda: np.array([x[0], x[1]]), lambda: np.sqrt(x[0])):
        with pytest.raises(TypeError, match="can't convert cuda:0 device type tensor to numpy"):
            act()


def test_matplotlib_draws_what_is_on_the_cpu():
    axes = Figure().subplots()
    for draw in (axes.plot, axes.imshow, axes.hist, lambda x: axes.bar(range(2), x[0])):
        with pytest.raises(TypeError, match="can't convert cuda:0"):
            draw(there(2, 2))


DRAWS = {
    "rand": lambda g, device: torch.rand(2, generator=g, device=device),
    "randn": lambda g, device: torch.randn(2, generator=g, device=device),
    "randperm": lambda g, device: torch.randperm(3, generator=g, device=device),
    "bernoulli": lambda g, device: torch.bernoulli(torch.full((2,), 0.5, device=device), generator=g),
    "multinomial": lambda g, device: torch.multinomial(torch.ones(3, device=device), 2, generator=g),
    "normal_": lambda g, device: torch.zeros(2, device=device).normal_(generator=g),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_a_generator_serves_its_own_device(draw):
    for mine, other in (("cpu", "cuda"), ("cuda", "cpu")):
        generator = torch.Generator(mine).manual_seed(0)
        first = draw(generator, mine)
        assert torch.equal(first, draw(generator.manual_seed(0), mine)) and generator.device.type == mine
        with pytest.raises(RuntimeError, match=r"Expected a '.*' device type for generator but found"):
            draw(generator, other)


def test_each_device_has_its_own_chance():
    torch.manual_seed(3)
    of_the_cpu, of_the_gpu = torch.rand(4), there(4)
    torch.manual_seed(3)
    assert torch.equal(there(4), of_the_gpu) and torch.equal(torch.rand(4), of_the_cpu)
    assert not torch.equal(of_the_cpu, of_the_gpu.cpu())


def test_the_state_of_chance_is_kept_on_the_cpu_and_comes_back():
    state = torch.cuda.get_rng_state()
    first = there(2)
    torch.cuda.set_rng_state(state)
    assert state.device.type == "cpu" and torch.equal(there(2), first)
    with pytest.raises(TypeError, match="ByteTensor"):
        torch.cuda.set_rng_state(state.cuda())


def test_a_fork_leaves_the_gpus_chance_as_it_was():
    state = torch.cuda.get_rng_state()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(9)
        there(3)
    assert torch.equal(torch.cuda.get_rng_state(), state)


def test_a_gradient_is_where_its_leaf_is():
    x, w = there(2, 3).requires_grad_(), torch.ones(3, 1, requires_grad=True)
    (x @ w.cuda()).square().sum().backward()
    assert x.grad.is_cuda and not w.grad.is_cuda
    with pytest.raises(RuntimeError, match="on the same device"):
        there(2).requires_grad_().grad = torch.ones(2)


def test_views_share_memory_and_writes_have_gradients():
    x = torch.zeros(2, 3, device="cuda")
    x[:, 1:].add_(1)
    x.flatten()[0] = 5
    assert x.tolist() == [[5, 1, 1], [0, 1, 1]]
    leaf = torch.ones(3, device="cuda", requires_grad=True)
    twice = leaf * 2
    twice[1:] *= 3
    twice.sum().backward()
    assert leaf.grad.tolist() == [2, 6, 6]


def small_network():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))


def test_a_module_moves_and_its_weights_stay_the_same_objects():
    model = small_network()
    weights, optimizer = list(model.parameters()), torch.optim.Adam(model.parameters(), lr=0.1, fused=True)
    assert model.to("cuda") is model and model.cuda() is model and model[1].running_mean.is_cuda
    for weight, now in zip(weights, model.parameters(), strict=True):
        assert weight is now and weight.is_cuda and isinstance(weight, nn.Parameter)
    before = weights[0].clone()
    model(there(5, 3)).square().sum().backward()
    optimizer.step()
    assert not torch.equal(before, weights[0]) and optimizer.state[weights[0]]["step"].is_cuda


def test_a_module_is_copied_and_loaded_across_devices():
    model = small_network().cuda()
    model(there(5, 3)).sum().backward()
    twin = copy.deepcopy(model).cpu().eval()
    assert twin(torch.ones(2, 3)).shape == (2, 1) and next(model.parameters()).is_cuda
    model.load_state_dict(twin.state_dict())
    assert next(model.parameters()).is_cuda and model.double()[0].weight.dtype == torch.float64
    with pytest.raises(RuntimeError, match="explicitly by the user"):
        copy.deepcopy(model[0].weight * 2)


@pytest.mark.parametrize("optimizer", [torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD, torch.optim.RMSprop])
def test_training_ends_where_it_ends_on_the_cpu(optimizer):
    x, ends = torch.rand(8, 3), []
    for device in ("cpu", "cuda"):
        torch.manual_seed(0)
        model = nn.Linear(3, 2).to(device)
        stepper = optimizer(model.parameters(), lr=0.1)
        for _ in range(3):
            stepper.zero_grad()
            model(x.to(device)).square().sum().backward()
            stepper.step()
        ends.append(model.weight.detach().cpu())
    assert torch.allclose(*ends, atol=1e-6)


@pytest.mark.parametrize("place", ["cpu", "cuda", torch.device("cuda", 0), None], ids=str)
def test_what_was_saved_is_loaded_where_it_is_asked_for(place):
    stored = io.BytesIO()
    torch.save({"w": there(2), "here": torch.ones(2), "net": nn.Linear(2, 2).cuda().state_dict()}, stored)
    stored.seek(0)
    content = torch.load(stored, map_location=place, weights_only=True)
    assert content["w"].is_cuda == content["net"]["weight"].is_cuda == (str(place) != "cpu")
    assert content["here"].is_cuda == (place is not None and str(place) != "cpu")


def test_autocast_computes_as_cudas_does():
    model, x = nn.Linear(3, 3).cuda(), there(2, 3)
    with torch.autocast("cuda", dtype=torch.bfloat16):
        y = model(x)
        assert {y.dtype, (x @ x.T).dtype, y.sigmoid().dtype} == {torch.bfloat16}
        assert {y.exp().dtype, y.sum().dtype, (y**2).dtype, y.square().dtype, F.softplus(y).dtype} == {torch.float32}
        assert F.binary_cross_entropy_with_logits(y, x).dtype == torch.float32
        assert (x.double() @ x.T.double()).dtype == torch.float64
        with torch.autocast("cuda", enabled=False):
            assert model(x).dtype == torch.float32
        y.sum().backward()
    assert model.weight.grad.dtype == model(x).dtype == torch.float32


def test_autocast_refuses_a_cross_entropy_of_probabilities():
    with torch.autocast("cuda", dtype=torch.bfloat16), pytest.raises(RuntimeError, match="unsafe to autocast"):
        F.binary_cross_entropy(there(3), there(3))


def test_some_operations_have_no_kernel():
    whole = torch.ones(2, 2, dtype=torch.long, device="cuda")
    with pytest.raises(NotImplementedError, match="not implemented for"):
        whole @ whole
    with pytest.raises(NotImplementedError, match="'CUDA' backend"):
        torch.histogram(there(5), 3)
    assert torch.histc(there(5), 3).is_cuda and torch.bincount(whole[0]).tolist() == [0, 2]


def test_what_the_host_knows_raises_as_on_the_cpu():
    for act in (lambda: there(3)[5], lambda: there(3).sum(4), lambda: there(3) + there(2)):
        with pytest.raises((IndexError, RuntimeError), match=r"out of bounds|out of range|must match"):
            act()
    assert there(2).sum() > 0
