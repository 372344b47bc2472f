"""Decorators that say what a function takes, and refuse all else: what is wrong, where, and how to mend it."""

import functools
import inspect
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from vae_helpers import checks


def sizes(init: Callable) -> Callable:
    """Decorate a model's ``__init__``: ``latent_dim``, ``n_classes`` and widths must be positive whole numbers."""
    signature = inspect.signature(init)

    @functools.wraps(init)
    def checked(*args: object, **kwargs: object) -> None:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        for name in ("latent_dim", "n_classes"):
            if name in bound.arguments:
                checks.positive_int(bound.arguments[name], name)
        hidden = bound.arguments.get("hidden", ())
        if not isinstance(hidden, (tuple, list)):
            raise TypeError(f"hidden must be a tuple of layer widths such as (400,), got {hidden!r}.")
        for width in hidden:
            checks.positive_int(width, "each width in hidden")
        init(*args, **kwargs)

    return checked


def one_of(**allowed: Iterable[str]) -> Callable:
    """Decorate a function: the arguments named must each be one of the names allowed, else ValueError."""

    def decorate(function: Callable) -> Callable:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def checked(*args: object, **kwargs: object) -> object:
            given = signature.bind(*args, **kwargs).arguments
            for name in allowed.keys() & given.keys():
                if given[name] not in list(allowed[name]):
                    names = ", ".join(map(repr, allowed[name]))
                    raise ValueError(f"{name} must be one of {names}, got {given[name]!r}.")
            return function(*args, **kwargs)

        return checked

    return decorate


def images(method: Callable) -> Callable:
    """Decorate a model's method whose first argument is a floating image tensor (n, 1, 28, 28)."""

    @functools.wraps(method)
    def checked(self: object, x: Tensor, *args: object, **kwargs: object) -> object:
        checks.image_tensor(x)
        if x.dtype == torch.uint8:
            raise TypeError("x is uint8, and a network wants floats in [0, 1]: convert it with data.to_float(x).")
        return method(self, x, *args, **kwargs)

    return checked


def codes(method: Callable) -> Callable:
    """Decorate a model's method whose first argument is a code tensor (n, latent_dim)."""

    @functools.wraps(method)
    def checked(self: object, z: Tensor, *args: object, **kwargs: object) -> object:
        checks.code_tensor(z, self.latent_dim)
        weight = next(self.parameters())
        if z.dtype == torch.float64 != weight.dtype:
            raise TypeError("z is float64, the model's weights are not: convert it with z.float().")
        if z.device != weight.device:
            raise ValueError(
                f"z is on {z.device}, the model on {weight.device}: move it with z.to({str(weight.device)!r})."
            )
        return method(self, z, *args, **kwargs)

    return checked


def labels(method: Callable) -> Callable:
    """Decorate a model's method (self, x or z, y): y must be int64 labels (n,) below ``n_classes``, one for each.

    In training on a GPU the range is not looked at, which would wait for the device at every step; ``fit`` looks once.
    """

    @functools.wraps(method)
    def checked(self: object, a: Tensor, y: Tensor | None = None) -> object:
        if y is None:
            raise TypeError(f"{type(self).__name__}.{method.__name__} needs the labels: hand over y, int64 (n,).")
        n_classes = None if isinstance(y, Tensor) and y.is_cuda and torch.is_grad_enabled() else self.n_classes
        checks.label_tensor(y, len(a), n_classes=n_classes)
        if y.device != a.device:
            raise ValueError(f"y is on {y.device}, the batch on {a.device}: move it with y.to({str(a.device)!r}).")
        return method(self, a, y)

    return checked


def alike(function: Callable) -> Callable:
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


def gaussian_pairs(function: Callable) -> Callable:
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


def densities(function: Callable) -> Callable:
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


def rows(function: Callable) -> Callable:
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
