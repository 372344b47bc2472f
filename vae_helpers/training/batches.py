"""Images dealt out in batches: shuffled anew each epoch, shared between processes, streamed where they don't fit."""

from collections.abc import Iterator
from math import ceil

from vae_helpers.data import to_float
from vae_helpers.training import processes
from vae_helpers.validation import Grey, NotNegative

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor

SHARE_OF_FREE_MEMORY = 0.5


class Batches:
    """Float images in [0, 1] and their labels, batch by batch, on ``device``.

    Images of at most ``device_bytes`` are moved to the device as a whole, once (``resident``); more of them stay on the
    host, and each batch travels by itself. None: half of a GPU's free memory, no limit elsewhere. Under torchrun each
    process gets its share of each batch. Raises ValueError where a batch has fewer images than there are processes.
    """

    def __init__(
        self,
        x: Grey[Tensor, " n 1 28 28"],
        y: Int64[Tensor, " n"] | None,
        batch_size: int,
        device: torch.device,
        device_bytes: NotNegative | None = None,
    ) -> None:
        self.device = device
        there_already = x.device == device and device_bytes is None
        limit = free_bytes(device) if device_bytes is None else device_bytes
        self.resident = there_already or x.numel() * x.element_size() <= limit
        place = device if self.resident else torch.device("cpu")
        self.x, self.y = x.to(place), None if y is None else y.to(place)
        self.n_batches = ceil(len(x) / batch_size)
        if len(x) // self.n_batches < processes.count():
            raise ValueError(
                f"batch_size {batch_size} leaves a process without an image: there are {processes.count()} of them "
                f"and {len(x)} images. Take a larger batch_size."
            )

    def __len__(self) -> int:
        return len(self.x)

    def epoch(self) -> Iterator[tuple[Float[Tensor, " batch 1 28 28"], Int64[Tensor, " batch"] | None]]:
        """Every image once, in a new order: batches that differ in size by one image at most."""
        order = processes.agreed(torch.randperm(len(self), device="cpu").to(self.device)).to(self.x.device)
        for batch in order.tensor_split(self.n_batches):
            index = batch.tensor_split(processes.count())[processes.rank()]
            labels = None if self.y is None else self._travel(self.y[index])
            yield to_float(self._travel(self.x.index_select(0, index))), labels

    def _travel(self, part: Shaped[Tensor, " *n"]) -> Shaped[Tensor, " *n"]:
        if self.resident or self.device.type != "cuda":
            return part.to(self.device)
        return part.pin_memory().to(self.device, non_blocking=True)


def free_bytes(device: torch.device) -> float:
    """How many bytes of images may move to a device: half of a GPU's free memory; elsewhere there is no limit."""
    if device.type != "cuda":
        return float("inf")
    return SHARE_OF_FREE_MEMORY * torch.cuda.mem_get_info(device)[0]
