"""Changes of a reference's counts, conditions, limits, indices and lists."""

import ast
from collections.abc import Iterator
from itertools import combinations

from vae_helpers.exercises.engine.formula import Formula, Step
from vae_helpers.exercises.engine.pretty import Pretty
from vae_helpers.exercises.engine.terms import Row

import torch


def of_sizes(formula: Formula, i: int, step: Step, pretty: Pretty) -> Iterator[Row]:
    """A number of entries: one more, one less, of another axis."""
    shape = next((p for p in step.parts if formula.steps[p].method == "shape"), None)
    if step.method != "len" and shape is None:
        return
    text, own = ast.unparse(step.source), step.parts[1] if shape is None else formula.steps[shape].parts[0]
    for k, word in ((-1, "less"), (1, "more")):
        counted = lambda v, k=k: step.compute(*[v[p] for p in step.parts]) + k  # noqa: E731
        yield "count", text, f"{k:+d}", f"one {word} is counted than there are", counted, 1.1
    for axis in (0, 1, 2):
        says = f"the entries of axis {axis} are counted"
        yield "count", text, f"axis {axis}", says, lambda v, a=axis: v[own].shape[a], 1.0


def of_choices(formula: Formula, i: int, step: Step, pretty: Pretty) -> Iterator[Row]:
    """A condition or a comparison turned round or left out."""
    source, whole = step.source, pretty.of(i)
    if isinstance(source, ast.IfExp):
        test, yes, no = step.parts
        condition = ast.unparse(source.test)
        says = f"{condition} makes no difference"
        yield "choice", condition, "always", says, lambda v: v[yes], 1.0
        yield "choice", condition, "never", says, lambda v: v[no], 1.0
        turned = lambda v: v[no] if v[test] else v[yes]  # noqa: E731
        yield "choice", condition, "reversed", f"{condition} is read the wrong way round", turned, 1.0
    if isinstance(source, ast.Compare):
        a, b = step.parts
        yield "comparison", whole, "reversed", f"{whole} is turned round", lambda v: v[b] > v[a], 1.0
        yield "comparison", whole, "none", f"{pretty.of(a)} is not compared with {pretty.of(b)}", lambda v: v[a], 1.0


def of_limits(formula: Formula, i: int, step: Step, pretty: Pretty) -> Iterator[Row]:
    """A limit left out, at the other end, or subtracted."""
    if step.method in ("min", "max") and len(step.parts) == 3:
        _, a, b = step.parts
        for own, other in ((a, b), (b, a)):
            says = f"{pretty.of(other)} sets no limit"
            yield "limit", pretty.of(other), "none", says, lambda v, o=own: v[o], 1.0
        other_end = {"min": max, "max": min}[step.method]
        says = f"{pretty.of(a)} and {pretty.of(b)}: the wrong one of the two is taken"
        yield "limit", pretty.of(i), "other", says, lambda v: other_end(v[a], v[b]), 1.0
    if step.method == "clamp":
        p, limit = step.parts[0], step.parts[-1]
        name, border = pretty.of(p), pretty.of(limit)
        yield "limit", name, "none", f"the limit {border} is missing", lambda v: v[p], 1.0
        says = f"{border} is the upper limit, not the lower"
        yield "limit", name, "other", says, lambda v: v[p].clamp(max=v[limit]), 1.0
        less = lambda v: (v[p] - v[limit]).clamp(min=0)  # noqa: E731
        yield "limit", name, "subtracted", f"{border} is subtracted from {name}", less, 1.1


def of_indices(formula: Formula, i: int, step: Step, pretty: Pretty) -> Iterator[Row]:
    """Another entry than the index asks for; items of a list exchanged or missing."""
    whole = pretty.of(i)
    if isinstance(step.source, ast.Subscript) and len(step.parts) == 2:
        a, k = step.parts
        first = lambda v: v[a][torch.zeros_like(v[k])]  # noqa: E731
        yield "index", whole, "first", f"the first entry stands for {whole}", first, 1.1
        yield "index", whole, "place", f"entries are taken by position, not {whole}", lambda v: v[a][: len(v[k])], 1.1
        yield "index", whole, "-1", f"the index of {whole} is one too low", lambda v: v[a][v[k] - 1], 1.1
        yield "index", whole, "+1", f"the index of {whole} is one too high", lambda v: v[a][(v[k] + 1) % len(v[a])], 1.1
        mean = lambda v: v[a].mean(0).expand(len(v[k]), -1)  # noqa: E731
        yield "index", whole, "mean", f"an average over all entries stands for {whole}", mean, 1.1
    items = step.parts if isinstance(step.source, (ast.List, ast.Tuple)) else ()
    for a, b in combinations(range(len(items)), 2):
        order = list(items)
        order[a], order[b] = order[b], order[a]
        says = f"{pretty.of(items[a])} and {pretty.of(items[b])} have changed places"
        yield "exchanged", whole, f"{a} {b}", says, lambda v, order=order: [v[p] for p in order], 1.1
    for a, p in enumerate(items if len(items) > 1 else ()):
        rest = lambda v, a=a: [v[q] for j, q in enumerate(items) if j != a]  # noqa: E731
        yield "missing", pretty.of(p), "item", f"{pretty.of(p)} is missing", rest, 1.1
