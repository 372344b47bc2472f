"""A notebook's statements, and those of them that an answer needs: its definition, imports, helpers, constants."""

import ast
import builtins
from collections.abc import Iterable
from dataclasses import dataclass, field

from vae_helpers.exercises.grade.reading import Cell

SOLUTION = "solution"


@dataclass(frozen=True)
class Statement:
    """One top-level statement: the names that it binds, and those it looks up."""

    cell: Cell
    node: ast.stmt
    binds: frozenset[str] = field(default=frozenset())
    needs: frozenset[str] = field(default=frozenset())


def statements(cells: Iterable[Cell]) -> tuple[list[Statement], dict[int, SyntaxError]]:
    """All top-level statements outside of solution cells; and the error of each cell that is no Python, by number."""
    found, broken = [], {}
    for cell in cells:
        if SOLUTION in cell.tags:
            continue
        try:
            body = ast.parse(cell.source).body
        except SyntaxError as error:
            broken[cell.number] = error
        except (ValueError, RecursionError, MemoryError) as error:
            broken[cell.number] = SyntaxError(str(error) or "too deep for Python")
        else:
            found += [Statement(cell, node, _bound(node), _looked_up(node)) for node in body]
    return found, broken


def needed(of: Statement, among: list[Statement]) -> list[Statement]:
    """The statements that ``of`` needs, and what these need, in the notebook's order, itself the last.

    Each name comes from the last statement before ``of`` that binds it; else from the first one after it.
    """
    place = {id(statement): k for k, statement in enumerate(among)}
    stars = [s for s in among if "*" in s.binds]  # import *: nobody can see which names
    taken, open_ = {id(s): s for s in (of, *stars)}, [of]
    while open_:
        current = open_.pop()
        for name in current.needs - current.binds if isinstance(current.node, ast.Assign) else current.needs:
            source = _source_of(name, current, among, place)
            if source is not None and id(source) not in taken:
                taken[id(source)] = source
                open_.append(source)
    ordered = sorted(taken.values(), key=lambda s: place[id(s)])
    return [s for s in ordered if s is not of] + [of]


def _source_of(name: str, of: Statement, among: list[Statement], place: dict[int, int]) -> Statement | None:
    binding = [s for s in among if name in s.binds and s is not of]
    before = [s for s in binding if place[id(s)] < place[id(of)]]
    if before:
        return before[-1]
    return binding[0] if binding and not hasattr(builtins, name) else None


def _bound(node: ast.stmt) -> frozenset[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return frozenset({node.name})
    if isinstance(node, ast.Import | ast.ImportFrom):
        return frozenset((alias.asname or alias.name).split(".")[0] for alias in node.names)
    stored = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    defined = {n.name for n in ast.walk(node) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    return frozenset(stored | defined)


def _looked_up(node: ast.stmt) -> frozenset[str]:
    loaded = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    changed = {n.target.id for n in ast.walk(node) if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)}
    return frozenset(loaded | changed)
