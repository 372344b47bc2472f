"""When a check may look at the numbers in a tensor: on a GPU each look waits for the device, at every training step."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

_LOOKED_AT = ContextVar("the data were looked at", default=False)


@contextmanager
def looked_at() -> Iterator[None]:
    """A training step whose caller has looked at all images and labels beforehand, as ``fit`` has."""
    before = _LOOKED_AT.set(True)
    try:
        yield
    finally:
        _LOOKED_AT.reset(before)


def may_look(device: torch.device) -> bool:
    """Whether to look at what lies there, in a step: always on the CPU; on a GPU unless that was done beforehand."""
    return device.type == "cpu" or not _LOOKED_AT.get()
