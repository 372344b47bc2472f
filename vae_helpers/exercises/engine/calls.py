"""Changes of a reference's functions: a root for a square, another reduction or axis, an order, an index, a choice."""

import ast
from collections.abc import Iterator

from vae_helpers.exercises.engine.formula import Formula, Step
from vae_helpers.exercises.engine.pretty import Pretty
from vae_helpers.exercises.engine.terms import Row, leaves

import torch
import torch.nn.functional as F
from jaxtyping import Shaped
from torch import Tensor

UNARY = {"exp", "log", "sqrt", "square", "abs", "sigmoid", "log10", "arccos", "sin", "cos"}
CALLED = {"exp": "exponential", "log": "logarithm", "log10": "logarithm", "sqrt": "root"}
NOUN = {
    "sum": "the sum",
    "mean": "the mean",
    "logsumexp": "the log of the summed exponentials",
    "var": "the variance",
    "std": "the standard deviation",
    "amax": "the largest",
    "median": "the median",
}


def is_power(step: Step) -> bool:
    """Whether a step is a square or another power."""
    return step.method == "square" or (isinstance(step.source, ast.BinOp) and isinstance(step.source.op, ast.Pow))


def called(step: Step) -> str:
    """What a function of one number is called."""
    return "square" if is_power(step) else CALLED.get(step.method, step.method)


def of_powers(formula: Formula, i: int, step: Step, pretty: Pretty) -> Iterator[Row]:
    """A square missing, an absolute value or a double in its place, terms squared apart."""
    if not is_power(step):
        return
    p = step.parts[0]
    name = pretty.of(p)
    yield "not squared", name, "", f"{name} is not squared", lambda v: v[p], 0.9
    yield "absolute", name, "", f"the absolute value of {name} stands for its square", lambda v: abs(v[p]), 1.0
    yield "doubled", name, "", f"{name} is doubled, not squared", lambda v: 2 * v[p], 1.3
    terms = leaves(formula, p)
    if len(terms) == 2:
        (a, _), (b, sign) = terms
        says = f"{pretty.of(a)} and {pretty.of(b)} are squared apart: subtract first, then square"
        yield "squared apart", name, "", says, lambda v: v[a] ** 2 + sign * v[b] ** 2, 1.0
        yield "squared apart", name, "+", says, lambda v: v[a] ** 2 + v[b] ** 2, 1.2


def of_functions(formula: Formula, i: int, step: Step, pretty: Pretty) -> Iterator[Row]:
    """A function left out, another in its place, a function of one factor alone."""
    if not isinstance(step.source, ast.Call):
        return
    if is_argument_called(formula, step):
        name = list(formula.inputs)[step.parts[0]]
        yield "not called", name, "", f"{name} is not called there", lambda v: v[step.parts[1]], 1.0
    if other := {"argmin": "argmax", "argmax": "argmin"}.get(step.method):
        first, *rest = step.parts
        turned = lambda v: step.compute(-v[first], *[v[k] for k in rest])  # noqa: E731
        yield "instead", pretty.of(first), other, f"{other} stands for {step.method}", turned, 0.9
    if step.method not in UNARY or is_power(step):
        return
    p, whole, what = step.parts[-1], pretty.of(i), called(step)
    name, inner = pretty.of(p), formula.steps[step.parts[-1]]
    yield "missing", name, what, f"the {what} is missing: {name} is used as it is", lambda v: v[p], 0.95
    if isinstance(inner.source, ast.BinOp) and len(inner.parts) == 2:
        for own in inner.parts:
            says = f"a bracket is missing: the {what} is that of {pretty.of(own)} alone"
            alone = lambda v, o=own: inner.compute(*[_of(step, v, k) if k == o else v[k] for k in inner.parts])  # noqa: E731
            yield "bracket", pretty.of(own), what, says, alone, 1.2
    if step.method == "exp":
        yield "power", whole, "0.5", f"the root of {whole} stands for {whole}", lambda v: (0.5 * v[p]).exp(), 1.0
        yield "power", whole, "2", f"{whole} is squared once more", lambda v: (2 * v[p]).exp(), 1.0
        yield "power", whole, "-1", f"{whole} is inverted", lambda v: (-v[p]).exp(), 1.2
        yield "instead", whole, "square", f"{name} is squared, where exp belongs", lambda v: v[p] ** 2, 1.2
        yield "instead", whole, "softplus", f"softplus of {name} stands for exp", lambda v: F.softplus(v[p]), 1.4
    for base, scale in (("2", 2.0), ("10", 10.0), ("e", 2.718281828459045)) if "log" in step.method else ():
        to_base = lambda v, s=scale: torch.as_tensor(v[p]).log() / torch.tensor(s).double().log()  # noqa: E731
        yield "base", whole, base, f"the logarithm {whole} is to base {base}", to_base, 1.0
    if step.method in ("sin", "cos"):
        other = {"sin": "cos", "cos": "sin"}[step.method]
        yield "instead", whole, other, f"{other} stands for {step.method}", lambda v: getattr(v[p], other)(), 1.1


def _of(step: Step, values: list, k: int) -> object:
    return step.compute(*[values[p] for p in step.parts[:-1]], torch.as_tensor(values[k]))


def is_argument_called(formula: Formula, step: Step) -> bool:
    """Whether a step calls a function that the reference was given."""
    return bool(step.parts) and step.parts[0] < len(formula.inputs) and isinstance(step.source.func, ast.Name)


def reduced(method: str, value: Shaped[Tensor, "..."], dim: object) -> Shaped[Tensor, "..."]:
    """A sum, mean, … over an axis, or over everything (None)."""
    value = torch.as_tensor(value).double()
    if method == "median":
        return value.quantile(0.5) if dim is None else value.quantile(0.5, dim=dim)
    if dim is None:
        return value.flatten().logsumexp(0) if method == "logsumexp" else getattr(value, method)()
    return getattr(value, method)(dim)


def axis_of(call: ast.Call) -> object:
    """The axis that a reduction is given: a number, several, or None."""
    named = [k.value for k in call.keywords if k.arg == "dim"]
    placed = [a for a in call.args if isinstance(a, (ast.Constant, ast.Tuple, ast.UnaryOp))]
    return ast.literal_eval([*named, *placed][0]) if named or placed else None


def of_reductions(formula: Formula, i: int, step: Step, pretty: Pretty) -> Iterator[Row]:
    """Another reduction, another axis, none; an entry left out."""
    if step.method not in NOUN or not isinstance(step.source, ast.Call):
        return
    p, dim, noun = step.parts[0], axis_of(step.source), NOUN[step.method]
    name = pretty.of(p)
    yield "not reduced", name, step.method, f"{noun} of {name} is not taken", lambda v: v[p], 0.9
    for other in NOUN.keys() - {step.method, "logsumexp"}:
        says = f"{NOUN[other]} of {name} stands for {noun}"
        yield "reduction", name, other, says, lambda v, o=other: reduced(o, v[p], dim), 1.0
    if step.method in ("var", "std"):
        root = 0.5 if step.method == "std" else 1
        says = f"the mean square of {name} stands for {noun}: the mean is not subtracted"
        yield "reduction", name, "square", says, lambda v: (v[p].double() ** 2).mean(dim) ** root, 1.0
        says = f"the size of the mean of {name} stands for {noun}"
        yield "reduction", name, "size", says, lambda v: v[p].double().mean(dim).abs(), 1.1
    if step.method == "logsumexp":
        yield from _of_logsumexp(step, p, dim, name)
    for axis in (0, 1, 2, None):
        if axis != dim:
            where = f"axis {axis}" if axis is not None else "everything"
            says = f"{noun} of {name} is taken over {where}"
            yield "axis", name, where, says, lambda v, a=axis: reduced(step.method, v[p], a), 1.0
    for end, cut in (("last", slice(None, -1)), ("first", slice(1, None))) if isinstance(dim, int) else ():
        says = f"the {end} entry is left out of {noun} of {name}"
        yield "left out", name, end, says, lambda v, c=cut: reduced(step.method, v[p].movedim(dim, 0)[c], 0), 1.2


def _of_logsumexp(step: Step, p: int, dim: int, name: str) -> Iterator[Row]:
    says = f"exp({name}) underflows or overflows: take the largest out first, as logsumexp does"
    yield "unstable", name, "", says, lambda v: v[p].exp().sum(dim).log(), 0.9
    says = "one maximum is taken out of the whole batch, and the rest underflows: take out each row's own"
    one = lambda v: (v[p] - v[p].max()).exp().sum(dim).log() + v[p].max()  # noqa: E731
    yield "unstable", name, "one maximum", says, one, 1.0
    says = "the largest is taken out and not added again"
    lost = lambda v: v[p].logsumexp(dim) - v[p].amax(dim)  # noqa: E731
    yield "unstable", name, "not added", says, lost, 1.0


def of_orders(formula: Formula, i: int, step: Step, pretty: Pretty) -> Iterator[Row]:
    """The mean of logs for the log of a mean, and the like; a constant counted once, or for each entry."""
    if step.method not in NOUN or not isinstance(step.source, ast.Call):
        return
    p, dim = step.parts[0], axis_of(step.source)
    inner = formula.steps[p]
    if is_power(inner) or (inner.method in UNARY and len(inner.parts) == 1):
        says = f"the {called(inner)} is taken after {NOUN[step.method]}, not before"
        after = lambda v: inner.compute(reduced(step.method, v[inner.parts[0]], dim), *[v[k] for k in inner.parts[1:]])  # noqa: E731
        yield "order", pretty.of(p), step.method, says, after, 1.1
    for t, sign in leaves(formula, p):
        if is_constant(formula, t):
            says = f"{pretty.of(t)} is counted once, and not for each entry"
            once = lambda v, t=t, s=sign: reduced(step.method, v[p] - s * v[t], dim) + s * v[t]  # noqa: E731
            yield "once", pretty.of(t), step.method, says, once, 1.0


def of_outer_orders(formula: Formula, i: int, step: Step, pretty: Pretty) -> Iterator[Row]:
    """The log of a mean for the mean of logs."""
    if not (is_power(step) or (step.method in UNARY and len(step.parts) == 1)):
        return
    inner = formula.steps[step.parts[0]]
    if inner.method in NOUN and isinstance(inner.source, ast.Call):
        says = f"the {called(step)} is taken before {NOUN[inner.method]}, not after"
        rest = step.parts[1:]
        each = lambda v: step.compute(torch.as_tensor(v[inner.parts[0]]).double(), *[v[k] for k in rest])  # noqa: E731
        before = lambda v: reduced(inner.method, each(v), axis_of(inner.source))  # noqa: E731
        yield "order", pretty.of(step.parts[0]), step.method, says, before, 1.1


def is_constant(formula: Formula, i: int) -> bool:
    """Whether a step is made of constants alone."""
    return i >= len(formula.inputs) and all(is_constant(formula, p) for p in formula.steps[i].parts)
