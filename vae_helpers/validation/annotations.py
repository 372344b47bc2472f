"""``@validated``: what a function's annotations ask of its arguments, asked before it runs."""

import functools
import inspect
from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from vae_helpers.validation import objects
from vae_helpers.validation.arrays import ArrayCheck, ShapeError, Sizes
from vae_helpers.validation.conditions import Condition

from jaxtyping import AbstractArray
from torch import nn

Check = Callable[[object, str, Mapping[str, object], Sizes], None]
Function = TypeVar("Function", bound=Callable)
PLAIN = {int: objects.whole_number, float: objects.number, nn.Module: objects.module}


def validated(function: Function) -> Function:
    """Decorate a function or method: each argument must be what its annotation says, else TypeError or ValueError.

    The error says what is wrong, where, and how to mend it. Numbers are finite; arrays have the shape and the values of
    their annotation, and one size for each axis name; ``Annotated[T, condition]`` is a T that meets the condition. Of
    ``*name`` there must be one at least, and each is looked at; an argument left out is not.
    """
    parameters = inspect.signature(function).parameters
    names = [name for name, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    several = next((name for name, p in parameters.items() if p.kind is p.VAR_POSITIONAL), None)
    needed = {name for name, p in parameters.items() if p.default is p.empty}
    # what looks at other arguments comes after them
    ordered = sorted(parameters.values(), key=lambda p: _turn(p.annotation))
    checks = [(p.name, check_of(p.annotation)) for p in ordered if p.kind is not p.VAR_KEYWORD]
    checks = [(name, check) for name, check in checks if check]

    @functools.wraps(function)
    def checked(*args: object, **kwargs: object) -> object:
        given, sizes = {**dict(zip(names, args, strict=False)), **kwargs}, {}  # five times as fast as Signature.bind
        if several and len(args) > len(names):
            given[several] = args[len(names) :]
        try:
            for name, check in checks:
                if name in given:
                    for value in given[name] if name == several else (given[name],):
                        check(value, name, given, sizes)
                elif name in needed:
                    raise TypeError(f"{name} is missing: hand it over.")
        except (TypeError, ValueError) as error:
            raise type(error)(f"{function.__qualname__.removesuffix('.__init__')}: {error}") from None
        return function(*args, **kwargs)

    return checked


def check_of(annotation: object) -> Check | None:
    """The check that an annotation asks for, None where it lets everything pass."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if annotation in (inspect.Parameter.empty, object, Any):
        return None
    if origin is Annotated:
        return _all([check_of(parts[0]), *map(_wrapped, _conditions(annotation))])
    if origin in (Union, UnionType):
        return _any(parts)
    if origin in (dict, Mapping):
        return _each(origin, check_of(parts[1]))
    if origin is Literal:
        return _wrapped(objects.one_of(parts))
    if _is_array(annotation):
        return ArrayCheck(annotation)
    if annotation is Callable or origin in (Callable, type):
        return _wrapped(objects.function)
    return _wrapped(PLAIN.get(annotation) or objects.instance(origin or annotation))


def _is_array(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, AbstractArray)


def _turn(annotation: object) -> int:
    parts = [annotation, *get_args(annotation)]
    if any(_is_array(part) for part in parts):
        return 1
    return (
        2 if get_origin(annotation) is Annotated and any(part.looks_around for part in _conditions(annotation)) else 0
    )


def _conditions(annotation: object) -> list[Condition]:
    return [part for part in get_args(annotation) if isinstance(part, Condition)]


def _wrapped(check: Condition | Callable[[object, str], None]) -> Check:
    if not isinstance(check, Condition):
        return lambda value, name, given, sizes: check(value, name)
    ask = check.check
    if check.looks_around:
        return lambda value, name, given, sizes: ask(value, name, given)
    return lambda value, name, given, sizes: ask(value, name)


def _all(checks: list[Check | None]) -> Check:
    wanted = [check for check in checks if check]

    def checked(value: object, name: str, given: Mapping[str, object], sizes: Sizes) -> None:
        """Ask one after the other."""
        for check in wanted:
            check(value, name, given, sizes)

    return checked


def _each(kind: type, check: Check | None) -> Check:
    def checked(value: object, name: str, given: Mapping[str, object], sizes: Sizes) -> None:
        """Ask for the mapping, then of each of its values."""
        objects.instance(kind)(value, name)
        for key, each in value.items() if check else ():
            check(each, f"{name}[{key!r}]", given, sizes)

    return checked


def _any(parts: tuple) -> Check | None:
    parts_left = [part for part in parts if part is not NoneType]
    types = [get_origin(part) or part for part in parts_left]
    if len(types) > 1 and not any(t in PLAIN or _is_array(t) for t in types):
        checks = [_wrapped(objects.instance(*types))]
    else:
        checks = [check_of(part) for part in parts_left]

    def checked(value: object, name: str, given: Mapping[str, object], sizes: Sizes) -> None:
        """Let pass what one of them lets pass; where none does, the error of the one that comes nearest."""
        errors = []
        for check in checks:
            try:
                return check(value, name, given, sizes)
            except (TypeError, ValueError) as error:
                errors.append(error)
        raise max(errors, key=lambda error: (isinstance(error, ValueError), not isinstance(error, ShapeError)))

    def or_none(value: object, name: str, given: Mapping[str, object], sizes: Sizes) -> None:
        """Let None pass as well."""
        if value is not None:
            only(value, name, given, sizes)

    only = checks[0] if len(checks) == 1 else checked
    return or_none if NoneType in parts else only
