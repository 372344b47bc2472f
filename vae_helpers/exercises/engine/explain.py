"""Searching for what an answer has to do with the right one: at most two changes, the simplest explanation first."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from vae_helpers.exercises.engine.changes import Change, changes_of
from vae_helpers.exercises.engine.formula import Changes, Formula, as_result
from vae_helpers.exercises.engine.outputs import (
    Result,
    arranged,
    named_factor,
    named_offset,
    offset,
    ratio,
    same,
    sizes_of,
)
from vae_helpers.exercises.engine.relation import Relation

import torch
from torch import Tensor

SECONDS = 0.6  # of the processor's time, after which a search ends
NAMED_BY_NUMBER = 6  # results; of fewer numbers a factor or a constant is no finding unless it has a name


@dataclass(frozen=True)
class Explanation:
    """What an answer is: the changes that make it of the right one, as data and in a sentence each."""

    relations: tuple[Relation, ...]
    sentences: tuple[str, ...]


@cache
def formula_of(reference: Callable) -> Formula:
    """A reference as steps, read once."""
    return Formula(reference)


@cache
def _changes(reference: Callable, words: tuple[tuple[str, str], ...]) -> list[Change]:
    """All single changes of a reference, found once."""
    return changes_of(formula_of(reference), dict(words))


class Search:
    """One answer's results beside those of the reference, probe by probe.

    in_a_set: probes that were run one after the other, the random state of each being its number.
    """

    def __init__(
        self,
        reference: Callable,
        words: Mapping[str, str],
        probes: list[tuple],
        results: list[Result],
        in_a_set: int | None = None,
    ) -> None:
        self.formula, self.changes = formula_of(reference), _changes(reference, tuple(words.items()))
        self.probes, self.results, self.in_a_set = probes, results, in_a_set or len(probes)
        self.sizes = [sizes_of(p) for p in probes]
        self.draws = [any(callable(a) for a in p) for p in probes]
        self.most = 4 * max(r.numel() for r in results) + 4000
        self.base = [self._values(k, {}, None) for k in range(len(probes))]
        self.right = [as_result(v[self.formula.root]) for v in self.base]
        differs = [not same(a, r, 1e-4) for a, r in zip(results, self.right, strict=True)]
        self.screen = differs.index(True) if any(differs) else 0  # the probe that tells most

    def explanation(self, tolerance: float, pairs: bool = True) -> Explanation | None:
        """The simplest explanation that holds on all probes, or None."""
        self.tolerance, self.start = tolerance, time.thread_time()
        found = self._of_output(self.right, ())
        if found:
            return found
        tried = [(c, self._changed(self.screen, c.at)) for c in self.changes]
        tried = [(c, r) for c, r in tried if r is not None and not same(r, self.right[self.screen], 1e-6)]
        for change, result in tried:
            if same(result, self.results[self.screen], tolerance) and self._everywhere(change.at):
                return Explanation((change.relation,), (change.says,))
        if not pairs:
            return None
        for change, result in tried:
            if time.thread_time() - self.start < SECONDS and self._may_be_output(result):
                results = [self._changed(k, change.at) for k in range(len(self.probes))]
                more = None if any(r is None for r in results) else self._of_output(results, (change,))
                if more:
                    return more
        shapes = {self.right[self.screen].shape, *(r.shape for _, r in tried)}
        return self._of_two([c for c, _ in tried]) if self.results[self.screen].shape in shapes else None

    def _values(self, k: int, at: Changes, base: list | None) -> list:
        if base and not self.draws[k]:
            return self.formula.values(tuple(base[: len(self.probes[k])]), at, base)
        if self.draws[k]:
            torch.default_generator.manual_seed(k % self.in_a_set)  # of the CPU alone: hundreds of times as quick
        arguments = tuple(a.clone() if isinstance(a, Tensor) else a for a in self.probes[k])
        return self.formula.values(arguments, at)

    def _changed(self, k: int, at: Changes) -> Result | None:
        """The changed reference's result on a probe; None where there is none."""
        try:
            result = as_result(self._values(k, at, self.base[k])[self.formula.root])
        except Exception:
            return None
        return result if result.numel() <= self.most else None

    def _everywhere(self, at: Changes) -> bool:
        found = (self._changed(k, at) for k in range(len(self.probes)))
        return all(f is not None and same(f, r, self.tolerance) for f, r in zip(found, self.results, strict=True))

    def _may_be_output(self, result: Result) -> bool:
        answer = self.results[self.screen]
        if result.shape == answer.shape and (
            ratio(answer, result, self.tolerance) is not None or offset(answer, result, self.tolerance) is not None
        ):
            return True
        if result.numel() == answer.numel() and same(result.flatten(), answer.flatten(), self.tolerance):
            return True
        return any(same(r, answer, self.tolerance) for _, _, r in arranged(result))

    def _of_output(self, results: list[Result], so_far: tuple[Change, ...]) -> Explanation | None:
        """The answer as a factor, a constant or another form of these results."""
        pairs = list(zip(self.results, results, strict=True))
        any_number = not so_far and sum(r.numel() for r in results) >= NAMED_BY_NUMBER
        for kind, measure, name in (("factor", ratio, named_factor), ("offset", offset, named_offset)):
            found = [measure(a, r, self.tolerance) for a, r in pairs]
            named = None if any(f is None for f in found) else name(found, self.sizes, any_number)
            if named:
                return _joined(so_far, Relation(kind, "result", named[0]), named[1])
        flat = [(a.flatten(), r.flatten()) for a, r in pairs if a.shape != r.shape]
        if len(flat) == len(pairs) and all(same(a, r, self.tolerance) for a, r in flat):
            shapes = f"{tuple(self.results[0].shape)} where {tuple(results[0].shape)} is expected"
            return _joined(so_far, Relation("form", "result", "shape"), f"the numbers are right, the shape is {shapes}")
        forms = [list(arranged(r)) for r in results]
        for j, (kind, says, _) in enumerate(forms[0]):
            if all(
                len(f) > j and f[j][0] == kind and same(f[j][2], a, self.tolerance)
                for f, a in zip(forms, self.results, strict=True)
            ):
                return _joined(so_far, Relation("form", "result", kind), says)
        return None

    def _of_two(self, changes: list[Change]) -> Explanation | None:
        answer, until = self.results[self.screen], self.start + SECONDS
        pairs = ((a.cost + b.cost, i, j) for i, a in enumerate(changes) for j, b in enumerate(changes[:i]))
        for _, i, j in sorted(pairs):
            a, b = changes[i], changes[j]
            if time.thread_time() > until:
                break
            if a.at.keys().isdisjoint(b.at):
                at = {**a.at, **b.at}
                result = self._changed(self.screen, at)
                if result is not None and same(result, answer, self.tolerance) and self._everywhere(at):
                    return Explanation((b.relation, a.relation), (b.says, a.says))
        return None


def _joined(so_far: tuple[Change, ...], relation: Relation, says: str) -> Explanation:
    return Explanation((*(c.relation for c in so_far), relation), (*(c.says for c in so_far), says))
