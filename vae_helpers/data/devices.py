"""Where to compute: the device that the course takes by itself, or the one that ``VAE_DEVICE`` asks for."""

import os
import warnings
from contextlib import AbstractContextManager, nullcontext

from vae_helpers.validation import Device, objects, validated

import torch
from jaxtyping import Float64, Shaped
from torch import Tensor

WITHOUT_FLOAT64 = ("mps",)


def default_device() -> torch.device:
    """The device that ``VAE_DEVICE`` names ("cuda", "mps" or "cpu"); else the first CUDA device, else the CPU.

    A GPU must show that it computes: one that says it is there and fails at its first kernel (older than this build of
    PyTorch knows, or taken by others) is passed over with a warning. Raises ValueError where ``VAE_DEVICE`` names no
    device, or one that can't be used here.
    """
    asked = os.environ.get("VAE_DEVICE")
    if asked:
        objects.device(asked, "VAE_DEVICE")
        if reason := why_not(asked):
            raise ValueError(f"VAE_DEVICE asks for {asked}, but {reason}. Set it to cpu, or leave it unset.")
        return torch.device(asked)
    if not torch.cuda.is_available():
        return torch.device("cpu")
    if reason := why_not("cuda"):
        warnings.warn(
            f"{reason[0].upper()}{reason[1:]}. The course computes on the CPU. Set VAE_DEVICE=cpu to ask for that.",
            stacklevel=2,
        )
        return torch.device("cpu")
    return torch.device("cuda")


@validated
def why_not(device: Device) -> str:
    """Why a device can't be used, as the end of a sentence; "" where it has just added two numbers."""
    return objects.why_not(device)


@validated
def in_float64(t: Shaped[Tensor, " *n"]) -> Float64[Tensor, " *n"]:
    """The same numbers in float64: where they are, or on the CPU if their device has no float64 (Apple's GPUs)."""
    return (t.cpu() if t.device.type in WITHOUT_FLOAT64 else t).double()


@validated
def new_tensors_on(device: Device) -> AbstractContextManager:
    """While it lasts, tensors that name no device are made there, whatever ``torch.set_default_device`` was told.

    Where they are made there anyway it does nothing: PyTorch's own way makes each of its functions a little slower.
    """
    device = torch.device(device)
    return nullcontext() if torch.get_default_device() == device else device
