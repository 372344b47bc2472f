"""Every small change of a reference that a learner is apt to make: which step, what instead, and how to say it."""

import ast
from dataclasses import dataclass

from vae_helpers.exercises.engine import calls, choices, terms
from vae_helpers.exercises.engine.formula import Changes, Formula
from vae_helpers.exercises.engine.inputs import of_inputs, of_names
from vae_helpers.exercises.engine.pretty import Pretty
from vae_helpers.exercises.engine.relation import Relation

OPERATORS = (
    terms.of_sums,
    terms.of_products,
    terms.of_matrices,
    terms.of_constants,
    calls.of_powers,
    calls.of_functions,
    calls.of_reductions,
    calls.of_orders,
    calls.of_outer_orders,
    choices.of_sizes,
    choices.of_choices,
    choices.of_limits,
    choices.of_indices,
)


@dataclass(frozen=True)
class Change:
    """A change of some steps, what it amounts to, the sentence for it, and how far-fetched it is."""

    relation: Relation
    says: str
    at: Changes
    cost: float


def changes_of(formula: Formula, words: dict[str, str]) -> list[Change]:
    """All single changes, the simplest first."""
    pretty = Pretty(formula, words)
    rows = [*of_inputs(formula, pretty), *of_names(formula, pretty)]
    found = [Change(Relation(*row[:3]), row[3], row[4], row[5]) for row in rows]
    for i in range(len(formula.inputs), len(formula.steps)):
        if _is_an_axis(formula, i):
            continue
        for operator in OPERATORS:
            for kind, place, factor, says, instead, cost in operator(formula, i, formula.steps[i], pretty):
                at = {i: lambda values, arguments, instead=instead: instead(values)}
                found.append(Change(Relation(kind, place, factor), says, at, cost))
    return sorted(found, key=lambda change: change.cost)


def _is_an_axis(formula: Formula, i: int) -> bool:
    users = {formula.steps[k].method for k in formula.parents(i)}
    return isinstance(formula.steps[i].source, ast.Constant) and bool(users & {*calls.NOUN, "flatten", "cat", "stack"})
