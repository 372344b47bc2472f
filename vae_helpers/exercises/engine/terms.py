"""Changes of a reference's sums and products: a term that is missing or turned, a factor, a bracket."""

import ast
from collections.abc import Callable, Iterator

from vae_helpers.exercises.engine.formula import Formula, Step
from vae_helpers.exercises.engine.pretty import Pretty

Row = tuple[str, str, str, str, Callable[[list], object], float]  # kind, place, factor, sentence, instead, cost
SUMS, PRODUCTS = (ast.Add, ast.Sub), (ast.Mult, ast.Div)


def is_binary(step: Step, operators: tuple[type, ...]) -> bool:
    """Whether a step is one of these operations."""
    return isinstance(step.source, ast.BinOp) and isinstance(step.source.op, operators)


def leaves(formula: Formula, i: int) -> list[tuple[int, int]]:
    """The terms of a sum with their signs."""
    step = formula.steps[i]
    if not is_binary(step, SUMS):
        return [(i, 1)]
    sign = 1 if isinstance(step.source.op, ast.Add) else -1
    return [*leaves(formula, step.parts[0]), *((k, sign * s) for k, s in leaves(formula, step.parts[1]))]


def factors(formula: Formula, i: int) -> list[tuple[int, bool]]:
    """The factors of a product, and whether each divides."""
    step = formula.steps[i]
    if not is_binary(step, PRODUCTS):
        return [(i, False)]
    return [*factors(formula, step.parts[0]), (step.parts[1], isinstance(step.source.op, ast.Div))]


def of_sums(formula: Formula, i: int, step: Step, pretty: Pretty) -> Iterator[Row]:
    """One term missing, turned, doubled or halved; the whole in absolute value."""
    if not is_binary(step, SUMS):
        return
    (a, b), sign = step.parts, 1 if isinstance(step.source.op, ast.Add) else -1
    whole = pretty.of(i)
    for own, other, s, t in ((a, b, 1, sign), (b, a, sign, 1)):
        name = pretty.of(own)
        yield "missing", name, "", f"{name} is missing", lambda v, o=other, t=t: t * v[o], 1.0
        turned = lambda v, a=own, o=other, s=s, t=t: t * v[o] - s * v[a]  # noqa: E731
        yield "sign", name, "", f"{name} has the wrong sign", turned, 0.9
        for factor, word in ((2, "twice"), (0.5, "half")):
            weighed = lambda v, a=own, o=other, s=s, t=t, f=factor: t * v[o] + s * f * v[a]  # noqa: E731
            yield "term", name, str(factor), f"{name} counts {word}", weighed, 1.1
    if sign < 0:
        yield "instead", whole, "", f"it takes {pretty.of(b)} for {whole}", lambda v: v[b], 1.2
        yield "absolute", whole, "", f"the absolute value of {whole} is taken", lambda v: abs(v[a] - v[b]), 1.2
        yield "clamped", whole, "", f"{whole} is cut off at 0", lambda v: (v[a] - v[b]).clamp(min=0), 1.5
    both = f"{pretty.of(a)} and {pretty.of(b)}"
    yield "product", both, "", f"{both} are multiplied", lambda v: v[a] * v[b], 1.6


def of_products(formula: Formula, i: int, step: Step, pretty: Pretty) -> Iterator[Row]:
    """A factor missing, on the other side of the fraction, squared, or its root; brackets."""
    if not is_binary(step, PRODUCTS):
        return
    a, b = step.parts
    x, y = pretty.of(a), pretty.of(b)
    if isinstance(step.source.op, ast.Mult):
        for name, own, other, cost in ((y, b, a, 1.0), (x, a, b, 0.9)):
            place = f", in {pretty.of(i)}" if isinstance(formula.steps[own].source, ast.Constant) else ""
            yield "missing", name, "factor", f"the factor {name} is missing{place}", lambda v, o=other: v[o], cost
        yield "inverted", y, "", f"{x} is divided by {y}, not multiplied", lambda v: v[a] / v[b], 1.2
        yield "inverted", x, "", f"{y} is divided by {x}, not multiplied", lambda v: v[b] / v[a], 1.2
        yield "sum", x, "", f"{x} and {y} are added, not multiplied", lambda v: v[a] + v[b], 1.6
    else:
        yield "missing", y, "division", f"the division by {y} is missing", lambda v: v[a], 1.0
        yield "inverted", y, "", f"{x} is multiplied by {y}, not divided", lambda v: v[a] * v[b], 1.2
        whole = pretty.of(i)
        yield "inverted", whole, "", f"the fraction {whole} is upside down", lambda v: v[b] / v[a], 1.2
        yield "root", whole, "", f"the root of {whole} is taken", lambda v: (v[a] / v[b]) ** 0.5, 1.2
        yield "squared", whole, "", f"{whole} is squared", lambda v: (v[a] / v[b]) ** 2, 1.2
    for k, name in ((a, x), (b, y)):
        for kind, says, f in (
            ("squared", f"{name} is squared", lambda t: t**2),
            ("root", f"the root of {name} is taken", lambda t: t**0.5),
        ):
            changed = lambda v, k=k, f=f: step.compute(*[f(v[p]) if p == k else v[p] for p in step.parts])  # noqa: E731
            yield kind, name, "", says, changed, 1.3
        yield from _reach(formula, step, k, pretty)
    yield from _without_brackets(formula, i, pretty)


def _reach(formula: Formula, step: Step, k: int, pretty: Pretty) -> Iterator[Row]:
    """c · (a + b) as c · a + b, or as a + c · b: the factor reaches one term, or all but one."""
    terms, factor = leaves(formula, k), pretty.of(next((p for p in step.parts if p != k), k))
    for t, sign in terms if len(terms) > 1 else []:
        rest, name = [(p, s) for p, s in terms if p != t], pretty.of(t)
        of = lambda v, value: step.compute(*[value if p == k else v[p] for p in step.parts])  # noqa: E731
        only = lambda v, t=t, s=sign, rest=rest, of=of: s * of(v, v[t]) + sum(q * v[p] for p, q in rest)  # noqa: E731
        but = lambda v, t=t, s=sign, rest=rest, of=of: of(v, sum(q * v[p] for p, q in rest)) + s * v[t]  # noqa: E731
        yield "bracket", name, "only", f"{factor} reaches {name} only: the other terms need it too", only, 1.1
        if len(terms) > 2:
            yield "bracket", name, "but", f"{factor} does not reach {name}", but, 1.1


def _without_brackets(formula: Formula, i: int, pretty: Pretty) -> Iterator[Row]:
    """a · (b − c) / d as a · b − c / d, and a / (b · c) as a / b · c."""
    product = factors(formula, i)
    for at, (k, divides) in enumerate(product):
        terms, name = leaves(formula, k), pretty.of(k)
        if len(terms) == 2 and not divides and 0 < at < len(product) - 1:
            says = f"the brackets around {name} are missing"
            yield "bracket", name, "all", says, lambda v, at=at, t=terms: _spread(v, product, at, t), 1.0
        if divides and is_binary(formula.steps[k], (ast.Mult,)) and k == formula.steps[i].parts[1]:
            for near, far in (formula.steps[k].parts, formula.steps[k].parts[::-1]):
                says = f"a bracket is missing: {pretty.of(far)} multiplies, where it should divide"
                instead = lambda v, n=near, f=far: v[formula.steps[i].parts[0]] / v[n] * v[f]  # noqa: E731
                yield "bracket", pretty.of(far), "divided", says, instead, 1.1


def _spread(values: list, product: list[tuple[int, bool]], at: int, terms: list[tuple[int, int]]) -> object:
    (a, s), (b, t) = terms
    ends = [s * values[a], t * values[b]]
    for j, (k, divides) in enumerate(product):
        if j != at:
            end = int(j > at)
            ends[end] = ends[end] / values[k] if divides else ends[end] * values[k]
    return ends[0] + ends[1]


def _place(formula: Formula, i: int, pretty: Pretty) -> str:
    """Where a constant stands: the call or the expression that it is a part of."""
    user = next(iter(formula.parents(i)), None)
    if user is None:
        return ""
    keywords = getattr(formula.steps[user].source, "keywords", [])
    keyword = next((k.arg for k in keywords if k.value is formula.steps[i].source), "")
    whole = pretty.of(user)
    return f", as {keyword} of {whole}" if keyword else f", in {whole}"


def of_matrices(formula: Formula, i: int, step: Step, pretty: Pretty) -> Iterator[Row]:
    """A matrix transposed, or on the other side, in a product of two."""
    if not is_binary(step, (ast.MatMult,)):
        return
    (a, b), whole = step.parts, pretty.of(i)
    for own, f in ((a, lambda v: v[a].T @ v[b]), (b, lambda v: v[a] @ v[b].T)):
        yield "transposed", pretty.of(own), whole, f"{pretty.of(own)} is transposed, in {whole}", f, 1.1
    yield "instead", whole, "entries", f"{whole} is taken entry by entry", lambda v: v[a] * v[b], 1.1
    yield "exchanged", whole, "", f"{pretty.of(b)} stands left of {pretty.of(a)}, not right", lambda v: v[b] @ v[a], 1.2


def of_constants(formula: Formula, i: int, step: Step, pretty: Pretty) -> Iterator[Row]:
    """Another constant."""
    value = getattr(step.source, "value", None)
    if not isinstance(step.source, ast.Constant) or isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    others = {
        0: 1.2,
        -value: 1.2,
        2 * value: 1.1,
        value / 2: 1.1,
        1: 1.2,
        value + 1: 1.3,
        value - 1: 1.3,
        value**2: 1.3,
    }
    for other, cost in others.items():
        number = int(other) if isinstance(value, int) and other == int(other) else other
        if number != value:
            user = next(iter(formula.parents(i)), i)
            turned = number == -value and is_binary(formula.steps[user], PRODUCTS)
            place = _place(formula, i, pretty)
            says = f"{number:g} stands where {value:g} belongs{place}: one constant should be another"
            says = f"the sign of {pretty.of(user)} is turned" if turned else says
            yield "constant", pretty.of(i), f"{number:g}", says, lambda v, n=number: n, cost
