"""Decorators that say what a function takes, and refuse all else: what is wrong, where, and how to mend it."""

import functools
import inspect
from collections.abc import Callable, Iterable

from vae_helpers.validation import objects, tensors

import torch
from torch import Tensor, nn

Check = Callable[[object, str], None]


def arguments(**kinds: Check) -> Callable:
    """Decorate a function or method: each argument named is handed, with its name, to its check, which may raise.

    An argument that is left out, or is None where None is the default, is not looked at. Each ``*name`` is one by one.
    """

    def decorate(function: Callable) -> Callable:
        parameters = inspect.signature(function).parameters
        optional = {name for name, p in parameters.items() if p.default is None}
        names = [name for name, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
        several = next((name for name, p in parameters.items() if p.kind is p.VAR_POSITIONAL), None)

        @functools.wraps(function)
        def checked(*args: object, **kwargs: object) -> object:
            given = {**dict(zip(names, args, strict=False)), **kwargs}  # five times as fast as Signature.bind
            for name, check in kinds.items():
                if name == several:
                    for each in args[len(names) :]:
                        check(each, name)
                elif name in given and not (given[name] is None and name in optional):
                    check(given[name], name)
            return function(*args, **kwargs)

        return checked

    return decorate


def of_one_shape(*names: str) -> Callable:
    """Decorate a function: the arguments named must be floating tensors of one shape; it refuses to broadcast."""

    def decorate(function: Callable) -> Callable:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def checked(*args: object, **kwargs: object) -> object:
            given = signature.bind(*args, **kwargs).arguments
            _have_one_shape({name: given[name] for name in names}, function.__name__)
            return function(*args, **kwargs)

        return checked

    return decorate


def _have_one_shape(given: dict[str, Tensor], function: str) -> None:
    """Raise TypeError or ValueError unless all are floating tensors of one shape."""
    names = f"{' and '.join(given)} of {function}"
    _are_floats(given.values(), names)
    if len({t.shape for t in given.values()}) > 1:
        shapes = " and ".join(str(tuple(t.shape)) for t in given.values())
        raise ValueError(f"{names} must have one shape, got {shapes}.")


def sizes(init: Callable) -> Callable:
    """Decorate a model's ``__init__``: ``latent_dim``, ``n_classes`` and widths must be positive whole numbers."""
    signature = inspect.signature(init)

    @functools.wraps(init)
    def checked(*args: object, **kwargs: object) -> None:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        for name in ("latent_dim", "n_classes"):
            if name in bound.arguments:
                objects.positive_int(bound.arguments[name], name)
        hidden = bound.arguments.get("hidden", ())
        if not isinstance(hidden, (tuple, list)):
            raise TypeError(f"hidden must be a tuple of layer widths such as (400,), got {hidden!r}.")
        for width in hidden:
            objects.positive_int(width, "each width in hidden")
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
        tensors.float_images(x)
        if x.dtype == torch.float64:
            _suits(self, x, "x")
        return method(self, x, *args, **kwargs)

    return checked


def codes(method: Callable) -> Callable:
    """Decorate a model's method whose first argument is a code tensor (n, latent_dim)."""
    name = list(inspect.signature(method).parameters)[1]

    @functools.wraps(method)
    def checked(self: object, *args: object, **kwargs: object) -> object:
        code_of(self, args[0] if args else kwargs[name], name)
        return method(self, *args, **kwargs)

    return checked


def code_of(model: nn.Module, z: Tensor, name: str) -> None:
    """Raise TypeError or ValueError unless z is a floating tensor (n, latent_dim) as this model's weights are."""
    tensors.code_tensor(z, model.latent_dim, name)
    _suits(model, z, name)


def _suits(model: nn.Module, t: Tensor, name: str) -> None:
    """Raise TypeError or ValueError where a tensor has another precision than the model's weights, or is elsewhere."""
    weight = next(model.parameters())
    if t.dtype == torch.float64 != weight.dtype:
        raise TypeError(f"{name} is float64, the model's weights are not: convert it with {name}.float().")
    if t.device != weight.device:
        raise ValueError(
            f"{name} is on {t.device}, the model on {weight.device}: move it with {name}.to({str(weight.device)!r})."
        )


def labels(method: Callable) -> Callable:
    """Decorate a model's method (self, x or z, y): y must be int64 labels (n,) below ``n_classes``, one for each.

    In training on a GPU the range is not looked at, which would wait for the device at every step; ``fit`` looks once.
    """
    signature = inspect.signature(method)

    @functools.wraps(method)
    def checked(*args: object, **kwargs: object) -> object:
        self, a, *y = signature.bind_partial(*args, **kwargs).arguments.values()
        if not y or y[0] is None:
            raise TypeError(f"{type(self).__name__}.{method.__name__} needs the labels: hand over y, int64 (n,).")
        labels_of(a, y[0], self.n_classes)
        return method(self, a, y[0])

    return checked


def labels_of(a: Tensor, y: Tensor, n_classes: int) -> None:
    """Raise TypeError or ValueError unless y holds a label below ``n_classes`` for each row of a, on a's device."""
    unseen = isinstance(y, Tensor) and y.is_cuda and torch.is_grad_enabled()
    tensors.label_tensor(y, len(a), n_classes=None if unseen else n_classes)
    if y.device != a.device:
        raise ValueError(f"y is on {y.device}, the batch on {a.device}: move it with y.to({str(a.device)!r}).")


def alike(function: Callable) -> Callable:
    """Decorate a function of tensors of one shape: it refuses to broadcast, and computes at least in float32."""
    signature = inspect.signature(function)
    names = list(signature.parameters)

    @functools.wraps(function)
    def checked(*args: Tensor, **kwargs: Tensor) -> Tensor:
        by_place = not kwargs and len(args) == len(names)  # five times as fast as Signature.bind
        given = dict(zip(names, args, strict=True)) if by_place else signature.bind(*args, **kwargs).arguments
        _have_one_shape(given, function.__name__)
        half = (torch.bfloat16, torch.float16)
        return function(*(t.float() if t.dtype in half else t for t in given.values()))

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
            tensors.finite(t, name)
            if t.ndim == 2 and (not torch.allclose(t, t.T) or torch.linalg.cholesky_ex(t).info):
                raise ValueError(
                    f"{name} of {function.__name__} must be symmetric and positive definite: "
                    "a covariance is, if it comes from more draws than dimensions."
                )
        return function(*given.values())

    return checked


def _are_floats(values: Iterable[Tensor], names: str) -> None:
    kinds = [t.dtype if isinstance(t, Tensor) else type(t).__name__ for t in values]
    if not all(isinstance(t, Tensor) and t.is_floating_point() for t in values):
        raise TypeError(
            f"{names} must be floats, got {' and '.join(map(str, kinds))}: "
            "bytes become floats in [0, 1] by data.to_float(x)."
        )


def densities(function: Callable) -> Callable:
    """Decorate a function of log densities (…, n) and, last, a grid (n,): finite, and the grid increasing."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def checked(*args: Tensor, **kwargs: Tensor) -> Tensor:
        given = signature.bind(*args, **kwargs).arguments
        for name, t in given.items():
            tensors.floats(t, name, least_ndim=1)
        grid = given.pop("grid")
        if grid.ndim != 1 or len(grid) < 2 or not (grid.diff() > 0).all():
            raise ValueError(f"grid must be an increasing row of at least two numbers, got shape {tuple(grid.shape)}.")
        for name, density in given.items():
            if density.shape[-1:] != grid.shape:
                raise ValueError(f"{name} must end in {len(grid)}, the grid's size: got {tuple(density.shape)}.")
            if not density.isfinite().all():
                raise ValueError(f"{name} is NaN or infinite on the grid: take a density that is positive there.")
        return function(*given.values(), grid)

    return checked
