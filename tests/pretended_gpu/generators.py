"""Chance: a GPU draws other numbers than the CPU from one seed, and a generator serves its own device alone."""

from weakref import WeakValueDictionary

import torch

from pretended_gpu.devices import CPU, kind

OTHER_STREAM = 0x5EED  # added to each seed of the GPU's
TrueGenerator = torch.Generator


def state_after(seed):
    """The GPU's state of chance after a seed."""
    return TrueGenerator().manual_seed(seed + OTHER_STREAM).get_state()


# by address: the dispatcher hands over another Python object for the same generator
of_the_gpu = WeakValueDictionary()


class Generator(TrueGenerator):
    """torch.Generator, that can be one of the GPU."""

    def __new__(cls, device="cpu"):
        made = super().__new__(cls, device="cpu")
        if kind().holds(device):
            of_the_gpu[made._cdata] = made
            made.manual_seed(0)
        return made

    def __init__(self, device="cpu"):
        pass

    @property
    def device(self):
        return kind().device if self._cdata in of_the_gpu else CPU

    def manual_seed(self, seed):
        super().manual_seed(seed if self.device == CPU else seed + OTHER_STREAM)
        return self


def refuse_generator(generator, wanted):
    """Raise where a generator of one device is to draw on the other."""
    if generator is None:
        return
    found = kind().name if generator._cdata in of_the_gpu else "cpu"
    if found != wanted:
        raise RuntimeError(f"Expected a '{wanted}' device type for generator but found '{found}'")
