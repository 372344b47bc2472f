"""Every folded solution of a notebook, run live with what the notebook has imported and defined before it."""

import ast

from vae_helpers.exercises import EXERCISES, Verdict

import nbformat
import pytest

from helpers.cells import tags
from helpers.places import EVERY_NOTEBOOK


def cells_of(notebook):
    return [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]


def exercise_ids(cells):
    return {tag.removeprefix("exercise-") for cell in cells for tag in tags(cell) if tag.startswith("exercise-")}


def imports_and_functions(cells):
    """The statements that a solution may build on: no training, no data."""
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef)
    return [node for cell in cells for node in ast.parse(cell.source).body if isinstance(node, kinds)]


SOLUTIONS = [
    pytest.param(cells[:i], cell, id=f"{notebook.stem}-{sorted(tags(cell) - {'solution'})[0]}")
    for notebook in EVERY_NOTEBOOK
    for cells in [cells_of(notebook)]
    for i, cell in enumerate(cells)
    if "solution" in tags(cell)
]


@pytest.mark.parametrize(("before", "solution"), SOLUTIONS)
def test_a_solution_passes_its_check(before, solution):
    body = ast.parse(solution.source).body
    module = ast.Module([*imports_and_functions(before), *body[:-1]], type_ignores=[])
    namespace = {}
    exec(compile(module, "notebook", "exec"), namespace)
    verdict = eval(compile(ast.Expression(body[-1].value), "solution", "eval"), namespace)
    assert isinstance(verdict, Verdict)
    assert verdict.passed, verdict


def test_every_exercise_of_the_package_stands_in_a_notebook_and_the_reverse():
    assert {i for notebook in EVERY_NOTEBOOK for i in exercise_ids(cells_of(notebook))} == set(EXERCISES)
