"""A notebook's statements, and those of them that an answer needs: its definition, imports, helpers, constants."""

import ast
import builtins
import copy
import symtable
from collections.abc import Iterable
from dataclasses import dataclass, field

from vae_helpers.exercises.grade.reading import Cell

SOLUTION, STAR = "solution", "*"


@dataclass(frozen=True)
class Statement:
    """One top-level statement, and what of it is run; the names that it binds, and those it looks up."""

    cell: Cell
    node: ast.stmt
    runs: ast.stmt
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
            try:
                found += [_statement(cell, node) for node in body]
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                broken[cell.number] = SyntaxError(str(error) or "too deep for Python")
    return found, broken


def _statement(cell: Cell, node: ast.stmt) -> Statement:
    runs = ast.fix_missing_locations(_WithoutMine().visit(copy.deepcopy(node)))
    return Statement(cell, node, runs, *_names(runs))


def needed(of: Statement, among: list[Statement]) -> list[Statement]:
    """The statements that ``of`` needs, and what these need, in the notebook's order, itself the last.

    Each name comes from the last statement before ``of`` that binds it; else from the first one after it.
    """
    place = {id(statement): k for k, statement in enumerate(among)}
    stars = [s for s in among if STAR in s.binds]  # import *: nobody can see which names
    taken, open_ = {id(s): s for s in (of, *stars)}, [of]
    while open_:
        current = open_.pop()
        for name in current.needs:
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


def _names(node: ast.stmt) -> tuple[frozenset[str], frozenset[str]]:
    """The names that a statement binds at the top level, and the global ones that it looks up, in functions too."""
    top = symtable.symtable(ast.unparse(node), "a cell", "exec")
    binds = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    star = isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
    needs = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    return frozenset(binds | ({STAR} if star else set())), frozenset(
        needs.union(*map(_global_names, top.get_children()))
    )


def _global_names(scope: symtable.SymbolTable) -> set[str]:
    own = {s.get_name() for s in scope.get_symbols() if s.is_global() and s.is_referenced()}
    return own.union(*map(_global_names, scope.get_children()))


class _WithoutMine(ast.NodeTransformer):
    """``mine(id, answer, otherwise)`` → ``otherwise``, or the right answer: a mistake counts once, at its place."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """One call, changed where it is one of ``exercises.mine``."""
        self.generic_visit(node)
        if not isinstance(node.func, ast.Attribute) or node.func.attr != "mine" or len(node.args) < 2:
            return node
        otherwise = [*node.args[2:], *(k.value for k in node.keywords if k.arg == "otherwise")]
        if otherwise:
            return otherwise[0]
        known = ast.Attribute(node.func.value, "EXERCISES", ast.Load())
        return ast.Attribute(ast.Subscript(known, node.args[0], ast.Load()), "reference", ast.Load())
