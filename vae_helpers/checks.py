"""Checks of what a caller hands in. Every error says what is wrong, where, and how to mend it."""

import torch
from torch import Tensor

IMAGE_SHAPE = (1, 28, 28)
N_CLASSES = 10


def positive_int(value: object, name: str) -> None:
    """Raise TypeError or ValueError unless ``value`` is an int of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, got {value!r} of type {type(value).__name__}.")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}.")


def image_tensor(x: object, name: str = "x") -> None:
    """Raise TypeError or ValueError unless ``x`` is a tensor (n, 1, 28, 28) with n ≥ 1, uint8 or floating."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name} must be a torch tensor of images, got {type(x).__name__}: torch.as_tensor makes one.")
    if x.ndim != 4 or tuple(x.shape[1:]) != IMAGE_SHAPE:
        raise ValueError(
            f"{name} must have shape (n, 1, 28, 28), got {tuple(x.shape)}"
            + (f": reshape it with {name}.view(-1, 1, 28, 28)." if x.shape[1:].numel() == 784 else ".")
        )
    if len(x) == 0:
        raise ValueError(f"{name} holds no image: shape {tuple(x.shape)}. Check how you selected it.")
    if x.dtype != torch.uint8 and not x.is_floating_point():
        raise TypeError(
            f"{name} must be uint8 (0 to 255) or floating (0 to 1), got {x.dtype}: "
            f"convert it with {name}.to(torch.uint8) if it counts to 255."
        )


def image_values(x: Tensor, name: str = "x") -> None:
    """Raise ValueError unless all of a floating ``x`` is finite and in [0, 1] (uint8 always passes)."""
    if not x.is_floating_point():
        return
    low, high = x.amin().item(), x.amax().item()
    if low != low or high != high:
        raise ValueError(
            f"{name} holds NaN in {int(x.isnan().flatten(1).any(1).sum())} of {len(x)} images: drop or mend them."
        )
    if low < 0 or high > 1:
        raise ValueError(
            f"{name} must lie in [0, 1], but runs from {low:g} to {high:g}: "
            f"divide by 255, or clamp added noise with {name}.clamp(0, 1)."
        )


def label_tensor(y: object, n: int, name: str = "y", n_classes: int | None = N_CLASSES) -> None:
    """Raise TypeError or ValueError unless ``y`` is an int64 tensor (n,) of labels 0 … n_classes − 1 (None: any)."""
    if not isinstance(y, Tensor) or y.dtype != torch.int64:
        kind = y.dtype if isinstance(y, Tensor) else type(y).__name__
        mend = f"{name}.long()" if isinstance(y, Tensor) else f"torch.as_tensor({name})"
        raise TypeError(f"{name} must be an int64 tensor of labels, got {kind}: convert it with {mend}.")
    if tuple(y.shape) != (n,):
        raise ValueError(f"{name} must have shape ({n},), one label per image, got {tuple(y.shape)}.")
    if n_classes is None or n == 0:
        return
    low, high = y.min().item(), y.max().item()
    if low < 0 or high >= n_classes:
        raise ValueError(f"{name} must hold labels from 0 to {n_classes - 1}, but runs from {low} to {high}.")


def code_tensor(z: object, latent_dim: int, name: str = "z") -> None:
    """Raise TypeError or ValueError unless ``z`` is a floating tensor (n, latent_dim)."""
    if not isinstance(z, Tensor) or not z.is_floating_point():
        kind = z.dtype if isinstance(z, Tensor) else type(z).__name__
        raise TypeError(f"{name} must be a floating tensor of codes, got {kind}.")
    if z.ndim != 2 or z.shape[1] != latent_dim:
        raise ValueError(
            f"{name} must have shape (n, {latent_dim}) for this model, got {tuple(z.shape)}; "
            f"one code alone needs {name}[None]."
        )


def two_codes(z_a: object, z_b: object) -> None:
    """Raise TypeError or ValueError unless both are finite floating tensors of one shape, (d,) or (n, d)."""
    for z, name in ((z_a, "z_a"), (z_b, "z_b")):
        if not isinstance(z, Tensor) or not z.is_floating_point():
            kind = z.dtype if isinstance(z, Tensor) else type(z).__name__
            raise TypeError(f"{name} must be a floating tensor of codes, got {kind}.")
        if z.ndim not in (1, 2) or not z.isfinite().all():
            raise ValueError(f"{name} must be finite codes (latent_dim,) or (n, latent_dim), got {tuple(z.shape)}.")
    if z_a.shape != z_b.shape:
        raise ValueError(f"z_a and z_b must have one shape, got {tuple(z_a.shape)} and {tuple(z_b.shape)}.")
