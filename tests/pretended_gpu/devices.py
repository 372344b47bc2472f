"""Which GPU is pretended: CUDA's, or Apple's, which has no float64."""

from dataclasses import dataclass

import torch

CPU = torch.device("cpu")
# To C++ the tensors are on "meta", a device without streams: for "cuda" autograd would ask a driver for some.
IN_CPP = ("cuda", "meta")
OLDEST = (7, 5)


@dataclass(frozen=True)
class Kind:
    """What differs between makers. capability: CUDA's, major and minor; below (8, 0) there is no bfloat16."""

    name: str = "cuda"
    capability: tuple[int, int] = (8, 0)
    bytes_free: int = 40 * 2**30
    bytes_in_all: int = 80 * 2**30

    @property
    def device(self):
        return torch.device(self.name, 0)

    @property
    def is_too_old(self):
        """Whether a build of PyTorch has no kernels for it any more, though its driver says that it is there."""
        return self.name == "cuda" and self.capability < OLDEST

    @property
    def lacks(self):
        """Types of numbers that it can't hold."""
        return (torch.float64, torch.complex128) if self.name == "mps" else ()

    def holds(self, device):
        """Whether a device, as an argument of PyTorch's names it, is this one."""
        return torch.device(device).type in (self.name, *IN_CPP)


class Pretended:
    """The kind that is pretended now."""

    kind = Kind()


def kind():
    return Pretended.kind
