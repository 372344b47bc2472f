"""What a result has to do with the right one, whatever the formula: a factor, a constant, a sum, an axis, an order."""

from collections.abc import Iterator
from itertools import permutations
from math import log, pi

import torch
from jaxtyping import Float64
from torch import Tensor

Result = Float64[Tensor, "..."]
Sizes = dict[str, float]
NUMBERS = {
    -1.0: "minus what it should be: the sign is turned",
    2.0: "twice what it should be",
    0.5: "half of what it should be",
    -2.0: "minus twice what it should be",
    -0.5: "minus half of what it should be",
    1 / log(2): "in bits, not in nats",
    1 / log(10): "divided by log 10: the logarithm is to base 10",
    log(2): "multiplied by log 2",
    log(10): "multiplied by log 10: the natural logarithm stands for log₁₀",
    784.0: "784 times what it should be",
    1 / 784: "divided by 784",
    10.0: "ten times what it should be",
    0.1: "a tenth of what it should be",
    0.25: "a quarter of what it should be",
    4.0: "four times what it should be",
}
BY_SIZE = {
    "multiplied by {}, a size of the input": lambda n: n,
    "divided by {}, a size of the input": lambda n: 1 / n,
    "minus what it should be, and multiplied by {}, a size of the input": lambda n: -n,
    "minus what it should be, and divided by {}, a size of the input": lambda n: -1 / n,
    "divided by n − 1, where n = {}": lambda n: n / (n - 1),
    "multiplied by (n − 1)/n, with n = {}": lambda n: (n - 1) / n,
}
SHIFTS = {
    "log {}": log,
    "½ · {}": lambda n: n / 2,
    "{}": lambda n: n,
    "{} · ½ log 2π": lambda n: n / 2 * log(2 * pi),
    "{} · log 2π": lambda n: n * log(2 * pi),
    "½ · ({} − 1)": lambda n: (n - 1) / 2,
}
UNITS = {"½ log 2π": log(2 * pi) / 2, "log 2π": log(2 * pi), "½": 0.5, "1": 1.0, "784 · ½ log 2π": 392 * log(2 * pi)}
FUNCTIONS = {
    "exponential": ("it is the exponential of what is asked for", torch.exp),
    "logarithm": ("it is the logarithm of what is asked for", torch.log),
    "square": ("it is the square of what is asked for", torch.square),
    "root": ("it is the root of what is asked for", torch.sqrt),
    "inverse": ("it is one over what is asked for", torch.reciprocal),
    "absolute": ("it is the absolute value of what is asked for", torch.abs),
    "rounded": ("it is rounded", torch.round),
    "sigmoid": ("it is the sigmoid of what is asked for", torch.sigmoid),
    "complement": ("it is one minus what is asked for", lambda t: 1 - t),
    "cut off": ("negative values are cut off at 0", lambda t: t.clamp(min=0)),
}


def same(a: Result, b: Result, tolerance: float) -> bool:
    """Whether two results agree in shape and values: the last of each first, since most differ there already."""
    if a.shape != b.shape:
        return False
    if a.numel():
        last = (-1,) * a.ndim
        x, y = a[last].item(), b[last].item()
        if x != y and not abs(x - y) <= tolerance * (1 + abs(y)):
            return False
    return torch.allclose(a, b, rtol=tolerance, atol=tolerance)


def sizes_of(arguments: tuple) -> Sizes:
    """The numbers that a probe brings: sizes of its tensors' axes, whole numbers."""
    found = {}
    for k, value in enumerate(arguments):
        if isinstance(value, Tensor):
            found |= {f"{k}.{axis}": float(n) for axis, n in enumerate(value.shape) if n > 1}
        elif isinstance(value, int) and not isinstance(value, bool) and value > 1:
            found[str(k)] = float(value)
    return found


def ratio(answer: Result, right: Result, tolerance: float) -> float | None:
    """c where the answer is c times the right result."""
    if answer.shape != right.shape or not right.numel() or not answer.isfinite().all():
        return None
    at = right.abs().argmax()
    largest = right.flatten()[at].item()
    c = answer.flatten()[at].item() / largest if abs(largest) > 1e-9 else 0.0
    return c if abs(c) > 1e-9 and same(answer, c * right, tolerance) else None


def offset(answer: Result, right: Result, tolerance: float) -> float | None:
    """c where the answer is the right result plus c."""
    if answer.shape != right.shape or not right.numel() or not answer.isfinite().all():
        return None
    c = (answer - right).mean().item()
    return c if same(answer, right + c, tolerance) else None


def arranged(right: Result) -> Iterator[tuple[str, str, Result]]:
    """Other forms of the right result: (kind, what to say, result)."""
    if right.ndim and right.numel():
        yield "summed", "the right values are summed once more", right.sum()
        yield "averaged", "the right values are averaged once more", right.mean()
        yield "averaged", "the average stands for each value", right.mean().expand_as(right)
        for axis in range(right.ndim if right.ndim > 1 else 0):
            yield "summed", f"the right values are summed over axis {axis} once more", right.sum(axis)
            yield "averaged", f"the right values are averaged over axis {axis} once more", right.mean(axis)
        yield "first", "only the first entry is returned", right[0]
        yield "last", "the last entry is missing", right[:-1]
        yield "rest", "the first entry is missing", right[1:]
        yield "reversed", "it is in reverse order", right.flip(0)
        yield "shifted", "it is shifted by one", right.roll(1, 0)
        yield "shifted", "it is shifted by one", right.roll(-1, 0)
        yield "sorted", "it is sorted", right.sort(0).values
        yield "sorted", "it is sorted, the largest first", right.sort(0, descending=True).values
        yield "cumulated", "it is summed up along the way", right.cumsum(0)
    if 1 < right.ndim < 4 and right.numel():
        for order in list(permutations(range(right.ndim)))[1:]:
            yield "transposed", "it is transposed", right.permute(order)
        yield "reversed", "its columns are in reverse order", right.flip(-1)
        yield "shifted", "it is shifted by one column", right.roll(1, -1)
    for kind, (says, f) in FUNCTIONS.items():
        yield kind, says, f(right)


def named_factor(found: list[float], sizes: list[Sizes], any_number: bool) -> tuple[str, str] | None:
    """(name, sentence) of a factor: a known one, one of the sizes, or any_number that is the same everywhere."""
    constant = max(found) - min(found) < 2e-3 * abs(found[0])
    for number, says in NUMBERS.items() if constant else ():
        if abs(found[0] / number - 1) < 1e-3:
            return f"{number:.4g}", f"the result is {says}"
    for key in set.intersection(*map(set, sizes)):
        for says, f in BY_SIZE.items():
            if all(abs(c / f(s[key]) - 1) < 1e-3 for c, s in zip(found, sizes, strict=True)):
                return says.format("n"), f"the result is {says.format(f'{sizes[0][key]:g}')}"
    if not (constant and any_number):
        return None
    return f"{found[0]:.4g}", f"the result is {found[0]:.4g} times what it should be"


def named_offset(found: list[float], sizes: list[Sizes], any_number: bool) -> tuple[str, str] | None:
    """(name, sentence) of a constant that is added: of a size, a known one, or any_number, the same everywhere."""
    for key in set.intersection(*map(set, sizes)):
        for name, f in SHIFTS.items():
            for sign, word in ((1, "large"), (-1, "small")):
                if all(abs(c - sign * f(s[key])) < 2e-3 * max(1, abs(c)) for c, s in zip(found, sizes, strict=True)):
                    number = f"{sizes[0][key]:g}"
                    return (
                        f"{sign:+d} {name}",
                        f"the result is {name.format(number)} too {word}, where {number} is a size of the input",
                    )
    c = found[0]
    if max(found) - min(found) > 2e-3 * max(1e-6, abs(c)):
        return None
    word = "large" if c > 0 else "small"
    for name, unit in UNITS.items():
        if abs(abs(c) - unit) < 1e-3 * unit:
            return f"{'+' if c > 0 else '−'}{name}", f"the result is {name} too {word}"
    return (f"{c:+.4g}", f"the result is {abs(c):.4g} too {word}, whatever the input") if any_number else None
