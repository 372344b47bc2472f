"""In the process of one answer: run what it needs, hand it to the check with the hidden seed, say what came of it."""

import ast
import linecache
from types import ModuleType

from vae_helpers.exercises.catalogue import EXERCISES
from vae_helpers.exercises.engine import Exercise, Verdict, examine
from vae_helpers.exercises.grade.finding import Found
from vae_helpers.exercises.grade.needs import Statement
from vae_helpers.training.randomness import own_random_state

import torch

NO_MEMORY = (
    "can't allocate memory",
    "not enough memory",
    "Cannot allocate memory",
    "Unable to allocate",
    "MemoryError",
)
TAMPERED = "the check itself was changed by the notebook: a wrong answer passes it. Look at the notebook yourself"


class NeededError(Exception):
    """A statement that the answer needs raised; the message says where and what."""


def verdict_on(found: Found, seed: int) -> Verdict:
    """The verdict on an answer; status "refused" for the course's own answer handed back, and for a changed check."""
    verdict = _verdict(found, EXERCISES[found.exercise_id], seed)
    if verdict.status == "error" and any(words in verdict.message for words in NO_MEMORY):
        return Verdict("stopped", f"{found.exercise_id}: it asks for more memory than is allowed.")
    return verdict


def _verdict(found: Found, exercise: Exercise, seed: int) -> Verdict:
    with torch.device("cpu"), own_random_state():
        try:
            answer = _run(found)
        except NeededError as error:
            return Verdict("error", f"{exercise.id}: {error}")
        if _is_the_courses_own(answer, exercise):
            says = "what is handed to the check is the course's own function, not the learner's"
            return Verdict("refused", f"{exercise.id}: {says}.")
        verdict = examine(exercise, answer, seed)
        if verdict.passed and any(examine(exercise, wrong, seed).passed for wrong in _wrong_ones(exercise)):
            return Verdict("refused", f"{exercise.id}: {TAMPERED}.")
    return verdict


def _run(found: Found) -> object:
    """The answer, after the statements that it needs; warnings and prints go nowhere."""
    module = ModuleType("__main__")
    world = vars(module)
    for statement in found.code:
        _execute(statement, world)
    if found.name not in world:
        raise NeededError(f"cell {found.cell} does not define {found.name} in the end.")
    return world[found.name]


def _execute(statement: Statement, world: dict) -> None:
    name = f"cell {statement.cell.number}"
    linecache.cache[name] = (len(statement.cell.source), None, statement.cell.source.splitlines(True), name)
    tree = compile(ast.Module([statement.runs], type_ignores=[]), name, "exec", dont_inherit=True)
    try:
        exec(tree, world)
    except ImportError as error:
        raise NeededError(f"{name} imports what isn't installed here: {error}.") from None
    except BaseException as error:  # SystemExit, too: a cell is no program
        line = statement.cell.source.splitlines()[statement.node.lineno - 1].strip()
        raise NeededError(
            f"{name}, which it needs, raised {type(error).__name__}: {str(error)[:200]} ({line})"
        ) from None


def _is_the_courses_own(answer: object, exercise: Exercise) -> bool:
    if any(answer is right for right in (exercise.reference, *exercise.also)):
        return True
    return str(getattr(answer, "__module__", "")).startswith("vae_helpers")


def _wrong_ones(exercise: Exercise) -> list:
    """Answers that no sound check lets pass: nothing at all, and the first mistake that is known."""
    return [lambda *a, **k: None, *(mistake.answer for mistake in exercise.mistakes[:1])]
