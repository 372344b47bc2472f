"""Which notebook it is, and where in it each exercise's answer stands: by checks, by tags, at last by name."""

import ast
from collections import Counter
from dataclasses import dataclass, field

from vae_helpers.exercises.catalogue import BY_NOTEBOOK, NOTEBOOK_OF
from vae_helpers.exercises.grade.needs import Statement, needed, statements
from vae_helpers.exercises.grade.reading import Notebook

PREFIX = "exercise-"


@dataclass(frozen=True)
class Found:
    """An exercise's answer in a notebook. code: what must run, in order; name: what is then handed to the check.

    Without code, ``missing`` says why. cell: its number.
    """

    exercise_id: str
    name: str = ""
    code: tuple[Statement, ...] = field(default=(), repr=False)
    cell: int = 0
    missing: str = ""


def number_of(notebook: Notebook) -> str | None:
    """The notebook's number, "05": by its exercises; else as the copy says; else by the file's name."""
    votes = Counter(NOTEBOOK_OF[i] for i in _ids(notebook) if i in NOTEBOOK_OF)
    if votes:
        return votes.most_common(1)[0][0]
    told = str(notebook.made.get("notebook", ""))[:2]
    return next((number for number in (told, notebook.name[:2]) if number in BY_NOTEBOOK), None)


def answers(notebook: Notebook, number: str) -> list[Found]:
    """One row for each exercise of the course's notebook of this number, found or not."""
    among, broken = statements(notebook.cells)
    calls = _checks(among)
    return [_answer(exercise.id, notebook, among, broken, calls) for exercise in BY_NOTEBOOK[number]]


def _ids(notebook: Notebook) -> list[str]:
    tagged = [t.removeprefix(PREFIX) for cell in notebook.cells for t in cell.tags if t.startswith(PREFIX)]
    return tagged + [exercise_id for exercise_id, *_ in _checks(statements(notebook.cells)[0])]


def _checks(among: list[Statement]) -> list[tuple[str, str, int]]:
    """(exercise, name of the answer, place of the statement) of each call of check or mine with a plain name."""
    found = []
    for place, statement in enumerate(among):
        for node in ast.walk(statement.node):
            if isinstance(node, ast.Call) and len(node.args) > 1 and _called(node) in ("check", "mine"):
                exercise_id, answer = node.args[:2]
                if isinstance(exercise_id, ast.Constant) and isinstance(answer, ast.Name):
                    found.append((str(exercise_id.value), answer.id, place))
    return found


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _answer(
    exercise_id: str, notebook: Notebook, among: list[Statement], broken: dict, calls: list[tuple[str, str, int]]
) -> Found:
    """By the check of the exercise, by its tags, by the name that its stub usually has."""
    tag = PREFIX + exercise_id
    kinds = ast.FunctionDef | ast.ClassDef | ast.Assign
    definitions = {s.cell.number: s for s in among if tag in s.cell.tags and isinstance(s.node, kinds)}  # a cell's last
    named = [(name, place) for i, name, place in calls if i == exercise_id and not name.lower().startswith("solution")]
    named += [(name, len(among)) for s in reversed(definitions.values()) for name in s.binds]
    named += [("my_" + exercise_id.replace("-", "_"), len(among))]
    defined = [(name, s) for name, place in named if (s := _definition(name, place, among)) is not None]
    for name, statement in sorted(defined, key=lambda pair: is_stub(pair[1].node)):  # what is written before stubs
        return Found(exercise_id, name, tuple(needed(statement, among)), statement.cell.number)
    return Found(exercise_id, missing=_why_missing(tag, notebook, broken, [name for name, _ in named]))


def _definition(name: str, place: int, among: list[Statement]) -> Statement | None:
    """The last definition before the check that is more than a stub; else any that is; else the stub."""
    binding = [s for s in among if name in s.binds]
    before = [s for s in among[:place] if name in s.binds]
    written = [s for s in binding if not is_stub(s.node)]
    written_before = [s for s in before if not is_stub(s.node)]
    return next((group[-1] for group in (written_before, written, before, binding) if group), None)


def is_stub(node: ast.stmt) -> bool:
    """Whether a function says nothing beside its docstring; a class, in none of its methods but __init__."""
    if isinstance(node, ast.ClassDef):
        methods = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name != "__init__"]
        return bool(methods) and all(map(is_stub, methods))
    if not isinstance(node, ast.FunctionDef):
        return False
    return all(
        isinstance(n, ast.Pass) or (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)) for n in node.body
    )


def _why_missing(tag: str, notebook: Notebook, broken: dict[int, SyntaxError], names: list[str]) -> str:
    for cell in notebook.cells:
        if cell.number in broken and (tag in cell.tags or any(name in cell.source for name in names)):
            error = broken[cell.number]
            return f"cell {cell.number} is no Python: {error.msg}, line {error.lineno} ({(error.text or '').strip()})"
    return f"no answer found: no check of it, no cell with the tag {tag}, no function {names[-1]}"
