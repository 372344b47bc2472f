"""What only the pretended GPU can show: how a device is lost, what the host waits for, Apple's lack of float64."""

import os

import pytest
import torch
import torch.nn.functional as F
from torch import nn


def there(*size):
    return torch.rand(*size, device="cuda")


def whole(*values):
    return torch.tensor(values, device="cuda")


LOSES_THE_DEVICE = {
    "an index": lambda: there(3)[whole(5)],
    "gather": lambda: there(3).gather(0, whole(5)),
    "one_hot": lambda: F.one_hot(whole(11), 10),
    "an embedding": lambda: nn.Embedding(3, 2).cuda()(whole(9)),
    "coins": lambda: torch.bernoulli(there(3) + 1),
    "shares": lambda: torch.multinomial(torch.tensor([-1.0, 0.5], device="cuda"), 1),
    "cross-entropy of no probability": lambda: F.binary_cross_entropy(there(3) + 1, there(3)),
    "cross-entropy of no class": lambda: F.cross_entropy(there(2, 3), whole(0, 7)),
}


@pytest.mark.pretended
@pytest.mark.parametrize("act", LOSES_THE_DEVICE.values(), ids=LOSES_THE_DEVICE)
def test_a_value_out_of_range_costs_the_device(act):
    for lost in (act, lambda: there(2) + 1):
        with pytest.raises(RuntimeError, match="device-side assert"):
            lost()
    assert torch.ones(2).sum() == 2


@pytest.mark.pretended
def test_waits_are_counted(gpu):
    with torch.inference_mode():
        y = nn.Linear(2, 2).cuda()(there(3, 2))
    gpu.waits.clear()
    y.sum().item()
    y.cpu()
    y[y > 0]
    assert +gpu.waits == {"_local_scalar_dense": 1, "_to_copy": 1, "index": 1}


@pytest.mark.pretended
def test_what_begins_there_is_counted(gpu):
    gpu.made.clear()
    x = torch.zeros(3, device="cuda")
    torch.ones(3).cuda().add(x).clone()
    torch.randn_like(x)
    assert +gpu.made == {"zeros": 1}


@pytest.mark.pretended
@pytest.mark.parametrize("act", [lambda: there(2), torch.cuda.get_rng_state, torch.cuda.init])
def test_a_forked_process_has_no_gpu(act):
    hear, tell = os.pipe()
    if os.fork() == 0:
        try:
            act()
        except RuntimeError as error:
            os.write(tell, str(error).encode())
        finally:
            os._exit(0)
    os.wait()
    os.close(tell)
    assert b"Cannot re-initialize CUDA in forked subprocess" in os.read(hear, 1000)


@pytest.mark.pretended
def test_there_is_one_gpu():
    torch.cuda.set_device("cuda:0")
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        torch.cuda.set_device("cuda:1")


@pytest.mark.pretended
def test_one_within_the_other_leaves_the_outer(gpu):
    from pretended_gpu.entry import pretended_gpu

    with pretended_gpu("mps"):
        assert torch.ones(1, device="mps").device.type == "mps" and not torch.cuda.is_available()
    assert torch.cuda.is_available() and torch.ones(1, device="cuda").is_cuda


DOUBLES = {
    "double": lambda x: x.double(),
    "to": lambda x: x.to(torch.float64),
    "moved there": lambda x: torch.ones(2, dtype=torch.float64).to("mps"),
    "a sum": lambda x: x.sum(dtype=torch.float64),
    "made there": lambda x: torch.zeros(2, dtype=torch.float64, device="mps"),
}


@pytest.mark.pretended(name="mps")
@pytest.mark.parametrize("act", DOUBLES.values(), ids=DOUBLES)
def test_apples_gpus_have_no_float64(act):
    with pytest.raises(TypeError, match="float64"):
        act(torch.ones(2, device="mps"))


@pytest.mark.pretended(name="mps")
def test_apples_gpus_are_gpus():
    x = torch.tensor([1.0, 2.0], device="mps")
    assert x.device.type == "mps" and not x.is_cuda and torch.ones(2).to("mps").device == x.device
    assert nn.Linear(2, 3).to("mps")(x).device.type == "mps" and x.cpu().double().sum() == 3
    for act in (lambda: x + torch.ones(2), lambda: torch.rand(2, generator=torch.Generator(), device="mps"), x.numpy):
        with pytest.raises((RuntimeError, TypeError), match=r"same device|device type"):
            act()
