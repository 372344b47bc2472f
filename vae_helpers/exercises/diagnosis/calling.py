"""Calling somebody's loss, and finding the number in what it returns."""

import copy
import inspect
import types
from collections.abc import Callable, Iterator, Mapping

from vae_helpers.exercises.diagnosis.images import AnyTensor

import torch
from torch import Tensor, nn

TOTALS = ("total", "loss", "total_loss", "objective", "train_loss")
UNKNOWN_LOSS = "It should return a Loss, a number, or a tuple with it in front."


class ProbeError(Exception):
    """A probe could not be made; the message says why, in a sentence for the learner."""


class BrokenError(ProbeError):
    """The model or the loss returned what can't be used: a mistake, not a probe's failure."""


def for_a_copy(loss: Callable | None, model: nn.Module) -> Callable:
    """The loss as a function of the model that it is handed; None: the model itself returns it."""
    if loss is None:
        return lambda m, *images: m(*images)
    if getattr(loss, "__self__", None) is model:
        return loss.__func__
    return loss


def fresh(loss: Callable) -> Callable:
    """A loss that counts its calls (a warm-up), as it is now; functions and networks stay."""
    if isinstance(loss, (types.FunctionType, types.MethodType, types.BuiltinFunctionType, nn.Module)):
        return loss
    try:
        return copy.deepcopy(loss)
    except Exception:
        return loss


def call_loss(loss: Callable, model: nn.Module, x: AnyTensor, y: AnyTensor | None) -> object:
    """loss(model, x, y), or loss(model, x) where it takes no labels or there are none."""
    try:
        signature = inspect.signature(loss)
        signature.bind(model, x, y)
    except TypeError:
        return loss(model, x)
    except ValueError:  # no signature to be had
        return loss(model, x) if y is None else loss(model, x, y)
    if y is None:
        try:
            signature.bind(model, x)
        except TypeError:
            return loss(model, x, None)
        return loss(model, x)
    return loss(model, x, y)


def total_of(result: object) -> AnyTensor:
    """The number that a loss returned, a tensor with its graph; values are averaged."""
    number = number_in(result)
    if not number.isfinite():
        raise BrokenError(
            f"The loss is {number.item()}. Look for the log of zero, a division by zero, "
            "the exp of a large logvar (clamp it)."
        )
    return number


def number_in(result: object) -> AnyTensor:
    """The same, finite or not."""
    number = _found(result)
    try:
        return (number if isinstance(number, Tensor) else torch.as_tensor(number)).double().mean()
    except (TypeError, ValueError, RuntimeError):
        raise BrokenError(f"The loss returned a {type(result).__name__}. {UNKNOWN_LOSS}") from None


def _found(result: object) -> object:
    if isinstance(result, Mapping):
        return next((result[key] for key in TOTALS if key in result), None)
    if isinstance(result, (tuple, list)) and not hasattr(result, "total"):
        if not result or isinstance(result[0], (Tensor, int, float)):
            return result[0] if result else None
        return _found(result[0])
    if isinstance(result, (Tensor, int, float)):
        return result
    return next((value for key in TOTALS if (value := getattr(result, key, None)) is not None), None)


def parts_of(result: object) -> Iterator[float]:
    """All numbers in what a loss returned."""
    if isinstance(result, Mapping):
        items = result.values()
    elif isinstance(result, (tuple, list)):
        items = result
    else:
        items = getattr(result, "__dict__", {}).values()
    for item in items:
        if isinstance(item, (int, float)) or (isinstance(item, Tensor) and item.numel() == 1):
            yield float(item)
