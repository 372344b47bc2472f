"""Several processes that train one model, started by torchrun: which of them this is, and what all have together.

Without torchrun there is one process, and each function here gives back what it was handed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Shaped
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


def count() -> int:
    """How many processes train together; 1 without torchrun."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """The number of this process, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


@contextmanager
def group(device: torch.device) -> Iterator[torch.device]:
    """Join the processes that torchrun started, if it did; gives the device of this one.

    device: where to compute; of several GPUs each process takes that of its own number. Gradients travel by NCCL
    between GPUs, by gloo between CPUs. torchrun tells each process who it is by environment variables. Raises
    ValueError for more processes than there are GPUs.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield device
        return
    if device.type == "mps":
        raise ValueError("torchrun's processes share CUDA's GPUs or the CPU, not Apple's GPU: give --device cpu.")
    if device.type == "cuda":
        device = _own_gpu(int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield device
    finally:
        distributed.destroy_process_group()


def _own_gpu(number: int) -> torch.device:
    gpus = torch.cuda.device_count()
    if number >= gpus:
        raise ValueError(
            f"torchrun started more processes here than there are GPUs ({gpus}), and each takes one: "
            f"give it --nproc-per-node {gpus}, or the training --device cpu."
        )
    return torch.device("cuda", number)


def shared(module: nn.Module) -> nn.Module:
    """The module, its gradients averaged over all processes; weights start as those of process 0. Li et al. 2020."""
    return module if count() == 1 else DistributedDataParallel(module)


def agreed(values: Shaped[Tensor, " *n"]) -> Shaped[Tensor, " *n"]:
    """What process 0 handed in, in all processes."""
    if count() > 1:
        distributed.broadcast(values, src=0)
    return values


def gathered(value: object) -> list:
    """What each process handed in, in the order of their numbers."""
    values = [value]
    if count() > 1:
        values = [None] * count()
        distributed.all_gather_object(values, value)
    return values
