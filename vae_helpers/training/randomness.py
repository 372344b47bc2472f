"""The random state of a training run: its own while it lasts, and kept in checkpoints."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import UInt8
from torch import Tensor


@contextmanager
def own_random_state(seed: int | None = None) -> Iterator[None]:
    """Within it, draws start at ``seed`` (None: where they are); after it the global state is what it was."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())), _forked_on_apples_gpu():
        if seed is not None:
            torch.manual_seed(seed)
        yield


@contextmanager
def _forked_on_apples_gpu() -> Iterator[None]:
    if not torch.backends.mps.is_available():
        yield
        return
    state = torch.mps.get_rng_state()
    try:
        yield
    finally:
        torch.mps.set_rng_state(state)


def random_state(device: torch.device) -> dict[str, UInt8[Tensor, " bytes"]]:
    """The state of the generators that a run on ``device`` draws from."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    if device.type == "mps":
        state["mps"] = torch.mps.get_rng_state()
    return state


def restore_random_state(state: dict[str, UInt8[Tensor, " bytes"]], device: torch.device) -> None:
    """Go on drawing where ``random_state`` was taken."""
    torch.set_rng_state(state["cpu"].cpu())
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"].cpu(), device)
    if device.type == "mps" and "mps" in state:
        torch.mps.set_rng_state(state["mps"].cpu())
