"""Changes of what a reference is given: arguments exchanged, read as something else, ignored, of another row."""

from collections.abc import Callable, Iterator
from itertools import combinations, permutations

from vae_helpers.exercises.engine.formula import Formula
from vae_helpers.exercises.engine.pretty import Pretty, symbol

import torch

Row = tuple[str, str, str, str, dict[int, Callable], float]  # kind, place, factor, sentence, instead by step, cost
TRANSFORMS = {
    "ignored": ("{0} is not used", lambda t: t * 0, 1.0),
    "ones": ("{0} is not used", lambda t: t * 0 + 1, 1.1),
    "turned": ("{0} has the wrong sign", lambda t: -t, 1.1),
    "doubled": ("{0} is doubled", lambda t: 2 * t, 1.2),
    "halved": ("{0} is halved", lambda t: t / 2, 1.2),
    "squared": ("{0} is squared", lambda t: t**2, 1.1),
    "root": ("the root of {0} is taken", lambda t: abs(t) ** 0.5, 1.2),
    "exp": ("the exponential of {0} is taken", lambda t: torch.as_tensor(t).exp(), 1.2),
    "log": ("the logarithm of {0} is taken", lambda t: torch.as_tensor(t).log(), 1.2),
    "sigmoid": ("the sigmoid of {0} is taken", lambda t: torch.as_tensor(t).sigmoid(), 1.1),
    "absolute": ("the absolute value of {0} is taken", lambda t: abs(t), 1.2),
    "inverted": ("{0} is inverted", lambda t: 1 / t, 1.3),
    "complement": (
        "it is right for 1 − {0} in place of {0}: one of the two stands where the other belongs",
        lambda t: 1 - t,
        1.3,
    ),
    "rounded": ("{0} is rounded", lambda t: torch.as_tensor(t).round(), 1.3),
    "cut off": ("{0} is cut off at 0", lambda t: torch.as_tensor(t).clamp(min=0), 1.3),
    "averaged": ("{0} is averaged over its first axis first", lambda t: t.mean(0, keepdim=True).expand_as(t), 1.1),
    "averaged across": ("{0} is averaged over its last axis too", lambda t: t.mean(-1, True).expand_as(t), 1.15),
    "first row": ("only the first row of {0} is used", lambda t: t[:1].expand_as(t), 1.1),
    "next row": ("{0} is that of another row", lambda t: t.roll(1, 0), 1.3),
    "previous row": ("{0} is that of another row", lambda t: t.roll(-1, 0), 1.3),
    "reversed": ("{0} is taken in reverse order", lambda t: t.flip(0), 1.3),
    "whole": ("{0} is turned into whole numbers", lambda t: t.long(), 1.3),
}
OF_NUMBERS = {
    **{str(n): (f"{n} stands for {{0}}", lambda t, n=n: n, 1.2) for n in (784, 10, 1)},
    "+1": ("{0} is taken as one more", lambda t: t + 1, 1.2),
    "-1": ("{0} is taken as one less", lambda t: t - 1, 1.2),
}
OF_LOGVAR = {
    "σ": ("{0} is read as σ", lambda t: (t**2).log(), 1.0),
    "σ²": ("{0} is read as σ² itself", lambda t: abs(t).log(), 1.0),
    "log σ": ("{0} is read as log σ, so that σ² is squared once more", lambda t: 2 * t, 0.9),
    "half": ("{0} is halved: σ stands for σ²", lambda t: t / 2, 0.9),
}


def of_inputs(formula: Formula, pretty: Pretty) -> Iterator[Row]:
    """Of one argument everywhere, in one place, of two that are exchanged, of all variances at once."""
    yield from _exchanged(formula)
    widths = [i for name, i in formula.inputs.items() if name.startswith("logvar")]
    for kind, (says, f, cost) in OF_LOGVAR.items() if len(widths) > 1 else ():
        at = {i: (lambda v, x, i=i, f=f: f(x[i])) for i in widths}
        yield "input", "log σ²", kind, says.format("log σ²"), at, cost
    for name, i in formula.inputs.items():
        table = {**(OF_LOGVAR if i in widths else {}), **OF_NUMBERS, **TRANSFORMS}
        places = _places(formula, i, pretty)
        for kind, (says, f, cost) in table.items():
            said = says.format(symbol(name))
            yield "input", symbol(name), kind, said, {i: lambda v, x, i=i, f=f: f(x[i])}, cost
            for steps, place in places if len(places) > 1 else ():
                at = {k: (lambda v, x, k=k, i=i, f=f: _with(formula, k, {i: f(v[i])}, v)) for k in steps}
                yield "input", symbol(name), f"{kind} in {place}", f"{said}, in {place}", at, cost + 0.15


def _places(formula: Formula, i: int, pretty: Pretty) -> list[tuple[list[int], str]]:
    """Where a value is used: each step by itself, and those of one statement together where they are several."""
    users, roots = formula.parents(i), sorted({*formula.local, formula.root})
    found = [([k], pretty.text(formula.steps[k].source)) for k in users]
    for start, root in zip([-1, *roots], roots, strict=False):
        together = [k for k in users if start < k <= root]
        found += [(together, pretty.of(root))] if 1 < len(together) < len(users) else []
    return found


def of_names(formula: Formula, pretty: Pretty) -> Iterator[Row]:
    """Another of the named values in one place, or 1 − another for all of it."""
    for own, other in permutations(sorted({*formula.inputs.values(), *formula.local}), 2):
        right, wrong = pretty.of(own), pretty.of(other)
        if other < own:
            at = {own: lambda v, x, o=other: 1 - v[o]}
            yield "instead", right, f"1 − {wrong}", f"it takes 1 − {wrong} for {right}", at, 1.3
        for k in formula.parents(own):
            if other < k and other not in formula.steps[k].parts:
                place = pretty.text(formula.steps[k].source)
                at = {k: lambda v, x, k=k, own=own, o=other: _with(formula, k, {own: v[o]}, v)}
                yield "instead", right, f"{wrong} in {place}", f"it takes {wrong} for {right}, in {place}", at, 1.4


def _with(formula: Formula, k: int, other: dict[int, object], values: list) -> object:
    step = formula.steps[k]
    return step.compute(*[other.get(p, values[p]) for p in step.parts])


def _exchanged(formula: Formula) -> Iterator[Row]:
    for (a, i), (b, j) in combinations(formula.inputs.items(), 2):
        at = {i: lambda v, x, j=j: x[j], j: lambda v, x, i=i: x[i]}
        yield "exchanged", f"{symbol(a)}, {symbol(b)}", "", f"{symbol(a)} and {symbol(b)} are exchanged", at, 0.8
    names = list(map(symbol, formula.inputs))
    if len(names) == 4:
        at = {k: (lambda v, x, k=k: x[(k + 2) % 4]) for k in range(4)}
        says = f"{names[0]}, {names[1]} are exchanged with {names[2]}, {names[3]}"
        yield "exchanged", ", ".join(names), "", says, at, 0.8
