"""What an annotation asks beside type and shape: ``Annotated[float, not_negative]``."""

import functools
import inspect
from collections.abc import Callable


class Condition:
    """A check of a value that a signature shows by its name: check(value, name), or check(value, name, given).

    It raises TypeError or ValueError for what may not be. given: all that the function was called with, by name, for a
    condition that depends on another argument.
    """

    def __init__(self, check: Callable[..., None]) -> None:
        functools.update_wrapper(self, check)
        self.check, self.looks_around = check, len(inspect.signature(check).parameters) == 3

    def __call__(self, *args: object) -> None:
        """Raise TypeError or ValueError for what may not be."""
        self.check(*args)

    def __repr__(self) -> str:
        return self.__name__.strip("_")


def named(name: str) -> Callable[[Callable[..., None]], Condition]:
    """Make a condition of a check, shown by this name."""

    def decorate(check: Callable[..., None]) -> Condition:
        check.__name__ = name
        return Condition(check)

    return decorate
