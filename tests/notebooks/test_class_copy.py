"""The command of TEACHING.md makes a copy for a class: all of every notebook but its solutions and its outputs."""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from vae_helpers.exercises.catalogue import VERSION
from vae_helpers.exercises.grade.signing import ENTRY, entry_of

import nbformat
import pytest

from execute import read
from helpers.cells import tags
from helpers.places import ROOT

NAMES = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
MARKER = re.compile(r"<!-- class-copy-command -->\s*```\w*\n(.+)\n```")
QUICK = "03_elbo.ipynb"  # the quickest with solutions
SECONDS = 600  # at most, for a run of the quick one
TELLING = 15  # characters of a line that gives something away


def solutions_of(cells):
    return [cell for cell in cells if "solution" in tags(cell)]


def without_solutions(cells):
    return [cell for cell in cells if "solution" not in tags(cell)]


def as_written(cell):
    return cell.cell_type, cell.id, cell.source, sorted(tags(cell))


def lines(cells):
    """The lines of some cells, without regard to spaces."""
    return {"".join(line.split()) for cell in cells for line in cell.source.splitlines()}


CELLS = [cell for name in NAMES for cell in read(ROOT / "notebooks" / name).cells]
TAUGHT = lines(without_solutions(CELLS))


def names_bound(cells):
    """What code cells define or import at their top level."""
    statements = [node for cell in cells if cell.cell_type == "code" for node in ast.parse(cell.source).body]
    bound = {node.name for node in statements if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for node in statements:
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.For | ast.With | ast.If):
            bound |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return bound


def names_read(cells):
    """Every name that code cells look up."""
    nodes = [n for cell in cells if cell.cell_type == "code" for n in ast.walk(ast.parse(cell.source))]
    return {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def environment():
    """This environment's programs first, and nothing of the pytest that runs this test."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"}


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """A folder like this repository in which the command, as it stands in TEACHING.md, has been run."""
    repository = tmp_path_factory.mktemp("repository")
    for folder in ("notebooks", "figures"):
        shutil.copytree(ROOT / folder, repository / folder)
    command = MARKER.search((ROOT / "TEACHING.md").read_text("utf-8"))[1]
    done = subprocess.run(shlex.split(command), cwd=repository, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return repository / "class_copy"


@pytest.fixture(params=NAMES)
def pair(request, copies):
    """A notebook and its copy."""
    return read(ROOT / "notebooks" / request.param), nbformat.read(copies / request.param, as_version=4)


def test_the_copy_is_the_notebook_without_its_solutions(pair):
    original, copy = pair
    assert [as_written(cell) for cell in copy.cells] == [as_written(cell) for cell in without_solutions(original.cells)]


def test_the_copy_holds_no_outputs(pair):
    _, copy = pair
    code = [cell for cell in copy.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)


@pytest.mark.parametrize("name", NAMES)
def test_the_copy_says_what_it_is(name, copies):
    """Its notebook, the course's version, and a digest by which grading sees edited cells."""
    copy = nbformat.read(copies / name, as_version=4)
    cells = [(cell.source, tags(cell)) for cell in copy.cells if cell.cell_type == "code"]
    assert copy.metadata[ENTRY] == entry_of(name.removesuffix(".ipynb"), VERSION, cells)


def test_no_line_that_only_a_solution_has_survives_anywhere_in_the_copies(copies):
    """Searched in the whole files. (Some answers stand in a later cell, as the course's own: these don't count.)"""
    text = "".join("".join((copies / name).read_text("utf-8").split()) for name in NAMES)
    in_json = [line.replace("\\", "\\\\").replace('"', '\\"') for line in lines(solutions_of(CELLS)) - TAUGHT]
    assert not [line for line in in_json if len(line) >= TELLING and line in text]


def test_almost_every_solution_has_a_line_of_its_own():
    """Else the test above would look for nothing."""
    solutions = solutions_of(CELLS)
    telling = [cell for cell in solutions if any(len(line) >= TELLING for line in lines([cell]) - TAUGHT)]
    assert len(telling) >= len(solutions) - 1 > 20


def test_no_later_cell_needs_a_name_that_only_a_solution_defines(pair):
    original, copy = pair
    assert not (names_bound(solutions_of(original.cells)) - names_bound(copy.cells)) & names_read(copy.cells)


def test_the_links_of_the_copy_lead_to_the_figures(copies):
    shown = re.findall(r"\(\.\./(figures/[^)]+)\)", "".join((copies / name).read_text("utf-8") for name in NAMES))
    assert shown
    assert all((copies.parent / figure).is_file() for figure in shown)


@pytest.mark.slow
def test_the_copy_of_a_notebook_runs_with_its_stubs_untouched(copies):
    options = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=300", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "-q", *options, f"--rootdir={copies}", QUICK]
    done = subprocess.run(command, cwd=copies, env=environment(), capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout
