"""In which precision a device computes best."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch

Precision = Literal["auto", "float32", "bf16"]


def processor_has_bf16() -> bool:
    """Whether the processor computes in bfloat16 in hardware (elsewhere it is slower than float32)."""
    probes = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(probe() for probe in probes if probe is not None)


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """The context to compute in: "float32", "bf16", or "auto" (bf16 on a processor that has it in hardware).

    "auto" is float32 on GPUs: nets as small as the course's wait for kernels to be launched, and bf16 launches more.
    """
    wanted = precision == "bf16" or (precision == "auto" and device.type == "cpu" and processor_has_bf16())
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=wanted)


@contextmanager
def in_our_words() -> Iterator[None]:
    """Within it, what a GPU's autocast refuses becomes a ValueError that says how to mend it."""
    try:
        yield
    except RuntimeError as error:
        if "unsafe to autocast" not in str(error):
            raise
        raise ValueError(
            "loss takes the cross-entropy of probabilities (F.binary_cross_entropy, nn.BCELoss), which no GPU computes "
            "in bfloat16, for want of digits near 0 and 1. Hand the decoder's outputs, before any sigmoid, to "
            'F.binary_cross_entropy_with_logits; or call fit(…, precision="float32").'
        ) from error
