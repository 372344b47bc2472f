"""Checks of what a caller hands in. Every error says what is wrong, where, and how to mend it."""

import functools
import inspect
from collections.abc import Callable, Iterable

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


def takes_sizes(init: Callable) -> Callable:
    """Decorate a model's ``__init__``: ``latent_dim``, ``n_classes`` and widths must be positive whole numbers."""
    signature = inspect.signature(init)

    @functools.wraps(init)
    def checked(*args: object, **kwargs: object) -> None:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        for name in ("latent_dim", "n_classes"):
            if name in bound.arguments:
                positive_int(bound.arguments[name], name)
        hidden = bound.arguments.get("hidden", ())
        if not isinstance(hidden, (tuple, list)):
            raise TypeError(f"hidden must be a tuple of layer widths such as (400,), got {hidden!r}.")
        for width in hidden:
            positive_int(width, "each width in hidden")
        init(*args, **kwargs)

    return checked


def takes_images(method: Callable) -> Callable:
    """Decorate a model's method whose first argument is a floating image tensor (n, 1, 28, 28)."""

    @functools.wraps(method)
    def checked(self: object, x: Tensor, *args: object, **kwargs: object) -> object:
        image_tensor(x)
        if x.dtype == torch.uint8:
            raise TypeError("x is uint8, and a network wants floats in [0, 1]: convert it with data.to_float(x).")
        return method(self, x, *args, **kwargs)

    return checked


def takes_codes(method: Callable) -> Callable:
    """Decorate a model's method whose first argument is a code tensor (n, latent_dim)."""

    @functools.wraps(method)
    def checked(self: object, z: Tensor, *args: object, **kwargs: object) -> object:
        code_tensor(z, self.latent_dim)
        weight = next(self.parameters())
        if z.dtype == torch.float64 != weight.dtype:
            raise TypeError("z is float64, the model's weights are not: convert it with z.float().")
        if z.device != weight.device:
            raise ValueError(
                f"z is on {z.device}, the model on {weight.device}: move it with z.to({str(weight.device)!r})."
            )
        return method(self, z, *args, **kwargs)

    return checked


def takes_labels(method: Callable) -> Callable:
    """Decorate a model's method (self, x or z, y): y must be int64 labels (n,) below ``n_classes``, one for each.

    In training on a GPU the range is not looked at, which would wait for the device at every step; ``fit`` looks once.
    """

    @functools.wraps(method)
    def checked(self: object, a: Tensor, y: Tensor | None = None) -> object:
        if y is None:
            raise TypeError(f"{type(self).__name__}.{method.__name__} needs the labels: hand over y, int64 (n,).")
        n_classes = None if isinstance(y, Tensor) and y.is_cuda and torch.is_grad_enabled() else self.n_classes
        label_tensor(y, len(a), n_classes=n_classes)
        if y.device != a.device:
            raise ValueError(f"y is on {y.device}, the batch on {a.device}: move it with y.to({str(a.device)!r}).")
        return method(self, a, y)

    return checked


def takes_a_pair(function: Callable) -> Callable:
    """Decorate a function of two tensors of one shape: it refuses to broadcast, and computes at least in float32."""
    return takes_alike(function)


def takes_alike(function: Callable) -> Callable:
    """Decorate a function of tensors of one shape: it refuses to broadcast, and computes at least in float32."""
    signature = inspect.signature(function)
    names = " and ".join(signature.parameters)

    @functools.wraps(function)
    def checked(*args: Tensor, **kwargs: Tensor) -> Tensor:
        tensors = signature.bind(*args, **kwargs).arguments.values()
        _are_floats(tensors, f"{names} of {function.__name__}")
        if len({t.shape for t in tensors}) > 1:
            shapes = " and ".join(str(tuple(t.shape)) for t in tensors)
            raise ValueError(f"{names} of {function.__name__} must have one shape, got {shapes}.")
        half = (torch.bfloat16, torch.float16)
        return function(*(t.float() if t.dtype in half else t for t in tensors))

    return checked


def takes_gaussians(function: Callable) -> Callable:
    """Decorate a function of pairs (mean (d,), covariance (d, d)), symmetric and positive definite, all with one d."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def checked(*args: Tensor, **kwargs: Tensor) -> Tensor:
        given = signature.bind(*args, **kwargs).arguments
        _are_floats(given.values(), f"{' and '.join(given)} of {function.__name__}")
        d = next(iter(given.values())).numel()
        for name, t, shape in zip(given, given.values(), [(d,), (d, d)] * (len(given) // 2), strict=True):
            if tuple(t.shape) != shape:
                raise ValueError(f"{name} of {function.__name__} must have shape {shape}, got {tuple(t.shape)}.")
            if t.ndim == 2 and (not torch.allclose(t, t.T) or torch.linalg.cholesky_ex(t).info):
                raise ValueError(
                    f"{name} of {function.__name__} must be symmetric and positive definite: "
                    "a covariance is, if it comes from more draws than dimensions."
                )
        return function(*given.values())

    return checked


def _are_floats(tensors: Iterable[Tensor], names: str) -> None:
    if not all(t.is_floating_point() for t in tensors):
        raise TypeError(
            f"{names} must be floats, got {' and '.join(str(t.dtype) for t in tensors)}: "
            "bytes become floats in [0, 1] by data.to_float(x)."
        )


def takes_densities(function: Callable) -> Callable:
    """Decorate a function of log densities (…, n) and, last, a grid (n,): finite, and the grid increasing."""

    signature = inspect.signature(function)

    @functools.wraps(function)
    def checked(*args: Tensor, **kwargs: Tensor) -> Tensor:
        *densities, grid = signature.bind(*args, **kwargs).arguments.values()
        if grid.ndim != 1 or len(grid) < 2 or not (grid.diff() > 0).all():
            raise ValueError(f"grid must be an increasing row of at least two numbers, got shape {tuple(grid.shape)}.")
        for density in densities:
            if density.shape[-1:] != grid.shape:
                raise ValueError(f"log densities must end in {len(grid)}, the grid's size: got {tuple(density.shape)}.")
            if not density.isfinite().all():
                raise ValueError("A log density is NaN or infinite on the grid: take a density that is positive there.")
        return function(*densities, grid)

    return checked


def takes_rows(function: Callable) -> Callable:
    """Decorate a function of a linear-Gaussian model and images as rows (n, p): float64, p as the model's mean."""

    @functools.wraps(function)
    def checked(model: object, x: Tensor, *args: object, **kwargs: object) -> object:
        if not isinstance(x, Tensor) or x.dtype != torch.float64:
            kind = x.dtype if isinstance(x, Tensor) else type(x).__name__
            raise TypeError(f"x must be a float64 tensor, got {kind}: data.to_float(x).flatten(1).double() makes one.")
        if x.ndim != 2 or x.shape[1] != len(model.mean):
            raise ValueError(f"x must have shape (n, {len(model.mean)}) for this model, got {tuple(x.shape)}.")
        return function(model, x, *args, **kwargs)

    return checked
