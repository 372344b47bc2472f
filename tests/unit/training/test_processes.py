"""Without torchrun there is one process, and each function gives back what it was handed."""

from vae_helpers.training import processes

import torch
from torch import distributed, nn


def test_one_process_computes_where_it_was_told_to():
    with processes.group(torch.device("cpu", 0)) as device:
        assert device == torch.device("cpu", 0)
        assert not distributed.is_initialized()
        assert (processes.count(), processes.rank()) == (1, 0)


def test_one_process_agrees_with_itself():
    module, values = nn.Linear(2, 2), torch.arange(3)
    assert processes.shared(module) is module
    assert processes.agreed(values) is values
    assert processes.gathered("mine") == ["mine"]
