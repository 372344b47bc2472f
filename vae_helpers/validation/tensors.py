"""Checks of tensors that a caller hands in (``objects``: of all else). An error says what is wrong, where, the mend.

All take (value, name) and raise TypeError or ValueError; ``validate.arguments`` puts them in front of a function.
"""

from math import isfinite

from vae_helpers.validation import objects

import torch
from torch import Tensor

IMAGE_SHAPE = (1, 28, 28)
N_CLASSES = 10


def floats(value: object, name: str, ndim: int | None = None, least_ndim: int = 0) -> None:
    """Raise TypeError or ValueError unless ``value`` is a floating tensor of so many axes; values are not looked at."""
    if not isinstance(value, Tensor) or not value.is_floating_point():
        kind = value.dtype if isinstance(value, Tensor) else type(value).__name__
        raise TypeError(f"{name} must be a tensor of floats, got {kind}: bytes become floats by data.to_float(x).")
    if (ndim is not None and value.ndim != ndim) or value.ndim < least_ndim:
        axes = f"{ndim} axes" if ndim is not None else f"{least_ndim} axes or more"
        raise ValueError(f"{name} must have {axes}, got shape {tuple(value.shape)}.")


def bytes_or_floats(value: object, name: str) -> None:
    """Raise TypeError unless ``value`` is a tensor of uint8 or of floats; values are not looked at."""
    if not isinstance(value, Tensor) or not (value.dtype == torch.uint8 or value.is_floating_point()):
        kind = value.dtype if isinstance(value, Tensor) else type(value).__name__
        raise TypeError(f"{name} must be a tensor of uint8 (0 to 255) or of floats (0 to 1), got {kind}.")


def scalar(value: object, name: str) -> None:
    """Raise TypeError or ValueError unless ``value`` is a floating tensor that holds one number, of shape ()."""
    floats(value, name, ndim=0)


def rows(value: object, name: str) -> None:
    """Raise TypeError or ValueError unless ``value`` is a floating tensor (n, d); values are not looked at."""
    floats(value, name, ndim=2)


def row(value: object, name: str) -> None:
    """Raise TypeError or ValueError unless ``value`` is a finite floating tensor (n,) with n ≥ 1."""
    floats(value, name, ndim=1)
    finite(value, name)


def table(value: object, name: str) -> None:
    """Raise TypeError or ValueError unless ``value`` is a finite floating tensor (n, d) with n, d ≥ 1."""
    floats(value, name, ndim=2)
    finite(value, name)


def finite(value: Tensor, name: str) -> None:
    """Raise ValueError unless the tensor ``value`` holds something, and neither NaN nor infinity."""
    if value.numel() == 0:
        raise ValueError(f"{name} holds nothing: shape {tuple(value.shape)}. Check how you selected it.")
    if value.is_floating_point() and not (isfinite(value.amin().item()) and isfinite(value.amax().item())):
        raise ValueError(f"{name} must be finite, but holds NaN or infinity: look where it comes from.")


def something(value: object, name: str) -> None:
    """Raise TypeError or ValueError unless ``value`` is a tensor (n, …) with n ≥ 1 and without NaN or infinity."""
    batch(value, name)
    finite(value, name)


def batch(value: object, name: str) -> None:
    """Raise TypeError or ValueError unless ``value`` is a tensor (n, …) with n ≥ 1; values are not looked at."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be a tensor, got {type(value).__name__}: torch.as_tensor makes one.")
    if value.ndim == 0 or len(value) == 0:
        raise ValueError(f"{name} must be a tensor (n, …) with n ≥ 1, one entry per image, got {tuple(value.shape)}.")


def above_zero(value: Tensor, name: str) -> None:
    """Raise TypeError or ValueError unless ``value`` is a finite floating tensor whose entries are all positive."""
    floats(value, name)
    finite(value, name)
    if not value.amin() > 0:
        raise ValueError(f"{name} must be positive everywhere, got {value.amin():g}.")


def as_floats(values: object, name: str) -> Tensor:
    """A tensor, array or list of numbers as float32 (float64 stays) on the CPU; TypeError for what is none."""
    try:
        t = torch.as_tensor(values).detach().cpu()
        return t if t.dtype == torch.float64 else t.float()
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{name} must be numbers, in a tensor, an array or a list, got {values!r:.80}.") from error


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


def float_images(x: object, name: str = "x") -> None:
    """Raise TypeError or ValueError unless ``x`` is a floating tensor (n, 1, 28, 28); values are not looked at."""
    image_tensor(x, name)
    if x.dtype == torch.uint8:
        raise TypeError(f"{name} is uint8, and floats in [0, 1] are wanted: convert it with data.to_float({name}).")


def images(x: object, name: str = "x") -> None:
    """Raise TypeError or ValueError unless ``x`` holds images, (n, 1, 28, 28), bytes or floats in [0, 1], no NaN."""
    image_tensor(x, name)
    image_values(x, name)


def finite_images(x: object, name: str = "x") -> None:
    """Raise TypeError or ValueError unless ``x`` is an image tensor (n, 1, 28, 28) without NaN; it may leave [0, 1]."""
    image_tensor(x, name)
    finite(x, name)


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


def place(t: object, name: str) -> None:
    """Raise TypeError or ValueError unless ``t`` is a finite plain number, or a finite floating tensor (n, 1) or ()."""
    if not isinstance(t, Tensor):
        return objects.number(t, name)
    floats(t, name)
    finite(t, name)
    if t.ndim not in (0, 2) or (t.ndim == 2 and t.shape[1] != 1):
        raise ValueError(f"{name} must be a number, or (n, 1) for one code per row, got shape {tuple(t.shape)}.")


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
