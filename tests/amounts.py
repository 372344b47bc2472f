"""How much a learner reads and writes in each notebook: `python tests/amounts.py` prints the table.

Own lines and statements are those of the bodies of the solutions' functions: no signature, docstring, comment or
empty line.
"""

import ast
import re
import sys
from pathlib import Path
from statistics import median

import nbformat

sys.path.insert(0, str(Path(__file__).parent))

from helpers.places import COURSE

COLUMNS = (
    "exercises",
    "own lines",
    "statements",
    "last one at",
    "visible lines",
    "median of a cell",
    "words",
    "with asserts",
)


def amounts(nb):
    """The row of a notebook, by column."""
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    shown = [len(_filled(cell.source)) for cell in code if not _folded(cell)]
    stubs = [i for i, cell in enumerate(nb.cells) if "stub" in cell.metadata.get("tags", [])]
    solved = [cell.source for cell in code if "solution" in cell.metadata.get("tags", [])]
    own, statements = (sum(column) for column in zip(*map(own_lines, solved), strict=True)) if solved else (0, 0)
    values = (
        len(stubs),
        own,
        statements,
        round(stubs[-1] / len(nb.cells), 2) if stubs else 0,
        sum(shown),
        median(shown),
        len(_words(nb)),
        sum("assert " in cell.source for cell in code),
    )
    return dict(zip(COLUMNS, values, strict=True))


def own_lines(source):
    """(lines, statements) that a learner writes: those in the functions' bodies."""
    lines, statements = set(), 0
    for function in _outermost(ast.parse(source).body):
        body = [s for s in function.body if not _is_text(s)]
        written = [s for first in body for s in ast.walk(first) if isinstance(s, ast.stmt)]
        statements += sum(not _is_text(s) for s in written)
        lines |= {k for s in body for k in range(s.lineno, s.end_lineno + 1)}
    rows = source.splitlines()
    return sum(bool(rows[k - 1].strip()) and not rows[k - 1].strip().startswith("#") for k in lines), statements


def _outermost(statements):
    for statement in statements:
        if isinstance(statement, ast.FunctionDef):
            yield statement
        elif isinstance(statement, ast.ClassDef):
            yield from _outermost(statement.body)


def _is_text(statement):
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _filled(source):
    return [line for line in source.splitlines() if line.strip()]


def _folded(cell):
    return cell.metadata.get("jupyter", {}).get("source_hidden", False)


def _words(nb):
    from notebooks.test_form import prose_of, words

    return words(re.sub(r"^\|.*$", "", prose_of(nb), flags=re.M))  # a table is looked up, not read


if __name__ == "__main__":
    print("| notebook | " + " | ".join(COLUMNS) + " |\n|" + "---|" * (len(COLUMNS) + 1))
    for path in [Path(p) for p in sys.argv[1:]] or COURSE:
        row = amounts(nbformat.read(path, as_version=4))
        print(f"| {path.stem} | " + " | ".join(f"{v:g}" for v in row.values()) + " |")
