"""The verdict on an answer: right, a mistake that is known, another relation to the right one, or unexplained."""

import inspect
import re
import textwrap
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from vae_helpers.exercises.engine.exercise import Answer, Exercise
from vae_helpers.exercises.engine.explain import Explanation, Search
from vae_helpers.exercises.engine.outputs import same
from vae_helpers.exercises.engine.probes import (
    ChangedInputError,
    NotATensorError,
    NotAttemptedError,
    NotFiniteError,
    WrongShapeError,
    draws_the_same_twice,
    kind_of_numbers,
    run,
    without_gradient,
)
from vae_helpers.exercises.engine.relation import Finding, Relation
from vae_helpers.exercises.engine.unexplained import NOT_FINITE, WHERE_LOGS_END, WHERE_NOTHING_IS, Results, unexplained

import torch

MEANINGS = {
    "must match the size of tensor": "two shapes don't go together. Print both: a new axis, a[:, None], may lack.",
    "cholesky": "the matrix is no covariance. torch.cov wants one variable per row: of codes (n, d), cov(codes.T).",
    "shapes cannot be multiplied": "two matrices don't go together. Print both shapes; one may have to be transposed.",
    "Expected all tensors to be on the same device": "one tensor lies on the GPU, another on the CPU.",
    "modified by an inplace operation": "the weights changed between a loss and its backward: the step came too early.",
    "does not require grad": "no gradient can flow: the loss was computed under no_grad, or of detached numbers.",
    "out of range": "there is no such axis or entry. Print the shape.",
    "out of bounds": "there is no such entry. Print the shape, and the index.",
}


@dataclass(frozen=True)
class Verdict:
    """What a check found. status: "passed", "not attempted", "mistake" (explained), "wrong" (not), or "error".

    relations: what a mistake is, as data, the message being for people: kind, place, factor of each change.
    """

    status: str
    message: str
    relations: tuple[Relation, ...] = ()

    @property
    def relation(self) -> Relation | None:
        """The first of the relations, or None."""
        return self.relations[0] if self.relations else None

    @property
    def passed(self) -> bool:
        """Whether the answer agreed with the reference on every probe."""
        return self.status == "passed"

    def __repr__(self) -> str:
        mark = {"passed": "✓ ", "not attempted": "○ "}.get(self.status, "✗ ")
        return textwrap.fill(mark + self.message, width=88)


def examine(exercise: Exercise, answer: object, seed: int = 0) -> Verdict:
    """Compare an answer with the reference and the known mistakes; else search for what it has to do with them."""
    if not callable(answer):
        return Verdict(
            "error",
            f"{exercise.id}: hand the function itself to the check, without brackets: got {answer!r}.",
        )
    try:
        if exercise.findings is not None:
            return _of_findings(exercise, exercise.findings(answer, seed))
        results = run(exercise, answer, seed)
    except NotAttemptedError:
        return Verdict(
            "not attempted",
            f"{exercise.id}: not attempted yet. It should return {exercise.expects}. "
            "(Did you write it? Then look for a missing return.)",
        )
    except ChangedInputError as error:
        return _changed_input(exercise, answer, error.position)
    except NotATensorError as error:
        return Verdict("error", f"{exercise.id}: it returns {error}, but it should return {exercise.expects}.")
    except NotFiniteError:
        return Verdict("wrong", f"{exercise.id}: {NOT_FINITE}")
    except WrongShapeError as error:
        return Verdict("wrong", f"{exercise.id}: it returns shape {error}, but it should return {exercise.expects}.")
    except Exception as error:
        raised = f"{_where(error, answer)} raised {type(error).__name__}: {str(error)[:200].rstrip('.')}"
        meaning = next((f". That is: {m}" for words, m in MEANINGS.items() if words in str(error)), "")
        return Verdict("error", f"{exercise.id}: {raised}{meaning}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the check's own wrong answers, with their source
        verdict = judge(exercise, results, seed, lambda: run(exercise, answer, seed + 1))
    return _beside_its_numbers(exercise, answer, seed) or verdict if verdict.passed else verdict


def _beside_its_numbers(exercise: Exercise, answer: Answer, seed: int) -> Verdict | None:
    """What is wrong with an answer whose numbers are right: their type, their gradients, a seed inside."""
    probe = exercise.probes(seed)[0]
    if exercise.floats and (kind := kind_of_numbers(answer, probe)):
        says = f"{exercise.id}: the numbers are right, their type is not: {kind} where floats are asked. Add .float()."
        return Verdict("mistake", says, (Relation("type", "result", kind),))
    missing = without_gradient(exercise, answer, probe) if exercise.graded else []
    if missing:
        says = f"the numbers are right, but no gradient reaches {' or '.join(missing)}: what is trained won't move."
        relation = Relation("no gradient", missing[0])
        return Verdict("mistake", f"{exercise.id}: {says} Where do they become plain numbers?", (relation,))
    if exercise.measure is not None and draws_the_same_twice(answer, probe):
        says = f"{exercise.id}: every call draws the same: a seed is set inside. Leave the seed to the caller."
        return Verdict("mistake", says, (Relation("same draw", "calls"),))
    return None


def _of_findings(exercise: Exercise, found: list[Finding]) -> Verdict:
    if not found:
        return Verdict("passed", f"{exercise.id}: passed.")
    if found[0].relation.kind == "unexplained":
        return Verdict("wrong", f"{exercise.id}: {found[0].says}")
    relations = tuple(f.relation for f in found[:2])
    return Verdict("mistake", f"{exercise.id}: {_said([f.says for f in found[:2]])}", relations)


def judge(exercise: Exercise, results: Results, seed: int = 0, fresh: Callable[[], Results] = list) -> Verdict:
    """The verdict on an answer's results; an explanation has to hold for fresh ones, of the next seed, too."""
    expected = results_of(exercise, exercise.reference, seed)
    if any(
        agree(results, results_of(exercise, right, seed), exercise.tolerance)
        for right in (exercise.reference, *exercise.also)
    ):
        return Verdict("passed", f"{exercise.id}: passed.")
    for mistake in exercise.mistakes:
        if any(
            agree(results, results_of(exercise, wrong, seed), exercise.tolerance)
            for wrong in (mistake.answer, *mistake.alike)
        ):
            found = explanation(exercise, exercise.probes(seed), results, pairs=False)
            relations = found.relations if found else (Relation("known", mistake.message),)
            return Verdict("mistake", f"{exercise.id}: {mistake.message}", relations)
    same_number = _depends_on_nothing(results, expected)
    if same_number is not None and exercise.measure is None:
        says = f"{exercise.id}: it returns {same_number:g} whatever it is given."
        return Verdict("mistake", says, (Relation("constant", "result", f"{same_number:g}"),))
    if exercise.measure is None and _right_where_finite(exercise, results, expected):
        says = WHERE_LOGS_END if _has_logarithms(exercise) else WHERE_NOTHING_IS
        return Verdict("mistake", f"{exercise.id}: {says}", (Relation("not finite", "result"),))
    probes = exercise.probes(seed)
    more = list(fresh()) if _searched(exercise) else []
    found = explanation(exercise, probes + exercise.probes(seed + 1)[: len(more)], [*results, *more])
    if found:
        return Verdict("mistake", f"{exercise.id}: {_said(found.sentences)}", found.relations)
    return Verdict("wrong", f"{exercise.id}: {unexplained(exercise, probes, results, expected)}")


def _right_where_finite(exercise: Exercise, results: Results, expected: Results) -> bool:
    if any(a.shape != b.shape for a, b in zip(results, expected, strict=True)):
        return False
    numbers, right = (torch.cat([r.flatten() for r in rs]) for rs in (results, expected))
    finite, tolerance = numbers.isfinite(), exercise.tolerance
    agrees = torch.allclose(numbers[finite], right[finite], rtol=tolerance, atol=tolerance)
    return bool(finite.any()) and not bool(finite.all()) and agrees


def _has_logarithms(exercise: Exercise) -> bool:
    """Whether a reference takes the log or the exp of something."""
    plain = inspect.isfunction(exercise.reference)
    return not plain or bool(re.search(r"(exp|log|softmax)\(", inspect.getsource(exercise.reference)))


def _depends_on_nothing(results: Results, expected: Results) -> float | None:
    """The number that an answer returns everywhere, where the right one varies."""
    if any(a.shape != b.shape for a, b in zip(results, expected, strict=True)):
        return None
    numbers, right = (torch.cat([r.flatten() for r in rs]) for rs in (results, expected))
    varied = len(right) > 1 and right.std() > 0
    return numbers[0].item() if varied and len(numbers) > 1 and bool((numbers == numbers[0]).all()) else None


@lru_cache(maxsize=1000)
def results_of(exercise: Exercise, answer: Answer, seed: int = 0) -> Results:
    """The results of one of the exercise's own answers, computed once."""
    return run(exercise, answer, seed)


def _searched(exercise: Exercise) -> bool:
    """Whether the reference is written out step by step, so that its steps can be changed."""
    written_out = inspect.isfunction(exercise.reference) and exercise.reference.__name__ != "<lambda>"
    return exercise.measure is None and written_out


def explanation(exercise: Exercise, probes: list[tuple], results: Results, pairs: bool = True) -> Explanation | None:
    """What an answer has to do with the reference, where that is written out step by step."""
    if not _searched(exercise) or any(r.isnan().any() for r in results):
        return None
    others = [r for r in exercise.also if inspect.isfunction(r) and r.__name__ != "<lambda>"]
    found = [_by_search(exercise, r, probes, results, pairs) for r in (exercise.reference, *others)]
    return min((f for f in found if f), key=lambda f: len(f.relations), default=None)


def _by_search(
    exercise: Exercise, reference: Answer, probes: list[tuple], results: Results, pairs: bool
) -> Explanation | None:
    with warnings.catch_warnings(), torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        warnings.simplefilter("ignore")  # of changes that make no sense, the variance of one number among them
        search = Search(reference, exercise.words, probes, list(results), len(exercise.probes()))
        return search.explanation(exercise.tolerance, pairs)


def agree(results: Results, expected: Results, tolerance: float) -> bool:
    """Whether all results have the expected shapes and, within the tolerance, the expected values.

    Where some of a result is finite, its NaN agree with NaN: a mistake may divide 0 by 0 here and there.
    """
    return all(
        same(a, b, tolerance)
        or (a.shape == b.shape and a.isfinite().any() and torch.allclose(a, b, tolerance, tolerance, equal_nan=True))
        for a, b in zip(results, expected, strict=True)
    )


def _said(sentences: Sequence[str]) -> str:
    if len(sentences) == 1:
        return f"{sentences[0].rstrip('.')}."
    first, second = (s.rstrip(".") for s in sentences)
    return f"two things. First, {first}. Second, {second}."


def _changed_input(exercise: Exercise, answer: Answer, position: int) -> Verdict:
    names = list(inspect.signature(answer).parameters)
    name = names[position] if position < len(names) else f"argument {position + 1}"
    says = f"{name} is changed in place: whoever handed it over finds it spoiled, and a second call sees other numbers."
    return Verdict("mistake", f"{exercise.id}: {says} Work on a copy.", (Relation("changed in place", name),))


def _where(error: Exception, answer: Answer) -> str:
    """The learner's line that raised: the last frame in the file or cell of the answer."""
    written_in = getattr(getattr(answer, "__code__", None), "co_filename", None)
    own = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == written_in]
    return f"line {own[-1].lineno} of your cell ({own[-1].line})" if own else "calling your function"
