"""Every public function of the package, called with what lies on the GPU: the rows of ``unit/test_bad_input.py``."""

import copy
import dataclasses
import inspect

from vae_helpers import data

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal
from unit.test_bad_input import CASES, call

# what a row makes by itself, on the device that it is asked for
ON_ITS_INPUTS = {"classifier": lambda x: torch.zeros(len(x), 10, device=x.device)}
# a network is made on the default device, as every nn.Module is; diagnosis has tests of its own
CHOSEN_BY_THE_LEARNER = (*(n for n, (f, _, _) in CASES.items() if inspect.isclass(f)), "models.networks.mlp")
MOVED_AT_ONCE = ("losses.probabilistic_pca.posterior", "losses.probabilistic_pca.linear_gaussian_elbo")  # as 03 writes
TRIES_DEVICES = ("data.devices.default_device",)
DIAGNOSIS = "exercises.diagnosis."


def moved(value, device="cuda"):
    """The same on the device: tensors, models and their methods, and what holds them."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, nn.Module):
        copied = copy.deepcopy(value)
        getattr(getattr(copied, "encode", None), "__self__", copied).to(device)  # a VampPrior's encoder: its model's
        return copied.to(device)
    if isinstance(getattr(value, "__self__", None), nn.Module):
        return getattr(moved(value.__self__, device), value.__name__)
    if isinstance(value, data.Dataset):
        parts = {name: moved(getattr(value, name), device) for name in ("x", "y", "x_test", "y_test")}
        return dataclasses.replace(value, **parts)
    if isinstance(value, MultivariateNormal):
        return MultivariateNormal(moved(value.loc, device), moved(value.covariance_matrix, device))
    if isinstance(value, dict):
        return {name: moved(part, device) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        parts = [moved(part, device) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


def tensors_in(value):
    """All tensors in nested lists, tuples and dictionaries."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [t for part in value for t in tensors_in(part)]
    return [value] if isinstance(value, Tensor) else []


def row(name):
    function, valid, bad = CASES[name]
    return function, {key: ON_ITS_INPUTS.get(key, value) for key, value in valid.items()}, bad


@pytest.mark.parametrize("name", CASES)
def test_what_is_there_stays_there(name):
    function, valid, _ = row(name)
    given = moved(valid)
    result = call(moved(function), given)
    if tensors_in(given):
        assert all(t.is_cuda for t in tensors_in(result))


BAD = [pytest.param(name, argument, id=f"{name}-{argument}") for name, (_, _, bad) in CASES.items() for argument in bad]


@pytest.mark.parametrize(("name", "argument"), BAD)
def test_bad_values_are_refused_before_they_cost_the_device(name, argument):
    function, valid, bad = row(name)
    given, function = moved(valid), moved(function)
    for value in bad[argument]:
        with pytest.raises((TypeError, ValueError)):
            call(function, given | {argument: moved(value)})
    assert torch.ones(2, device="cuda").sum() == 2


def several_on_a_device(function, valid):
    on_one = [v for v in valid.values() if isinstance(v, (Tensor, nn.Module))]
    return len(on_one) + inspect.ismethod(function) > 1


MIXED = [
    pytest.param(name, argument, id=f"{name}-{argument}")
    for name, (function, valid, _) in CASES.items()
    for argument, value in valid.items()
    if isinstance(value, Tensor) and several_on_a_device(function, valid)
]


@pytest.mark.parametrize(("name", "stays"), MIXED)
def test_an_argument_that_stayed_behind_is_named_or_fetched(name, stays):
    function, valid, _ = row(name)
    try:
        call(moved(function), {key: value if key == stays else moved(value) for key, value in valid.items()})
    except ValueError as error:
        assert " on cpu" in str(error) or " on cuda" in str(error)
    except RuntimeError as error:
        assert "same device" in str(error) or "on cpu or on the same device" in str(error)


@pytest.mark.pretended
@pytest.mark.parametrize("name", [n for n in CASES if n not in CHOSEN_BY_THE_LEARNER and not n.startswith(DIAGNOSIS)])
def test_none_takes_a_device_of_its_own_choosing(name, gpu):
    """Where all that is given lies on the CPU, nothing begins on the GPU, whatever the default device is."""
    function, valid, _ = row(name)
    torch.set_default_device("cuda")
    try:
        gpu.made.clear()
        result = call(function, valid)
    finally:
        torch.set_default_device(None)
    assert not any(t.is_cuda for t in tensors_in(result))
    assert name in MOVED_AT_ONCE + TRIES_DEVICES or not +gpu.made
