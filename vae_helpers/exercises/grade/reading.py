"""A learner's file → its code cells; or the reason, in a sentence, why there are none."""

import ast
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vae_helpers.exercises.grade.signing import ENTRY

MOST_BYTES = 200 * 2**20
CONFLICT = re.compile(r"^(<{7} |={7}$|>{7} )", re.M)


class UnreadableError(Exception):
    """The file is no notebook that can be graded; the message says why, and what to ask of the learner."""


@dataclass(frozen=True)
class Cell:
    """A code cell as it was handed in. number: its place among all cells, from 1."""

    number: int
    source: str
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Notebook:
    """What was handed in. made: what a class copy says of itself (notebook, version, digest)."""

    name: str
    cells: tuple[Cell, ...]
    made: dict


def read(path: Path) -> Notebook:
    """Read a notebook of any version 4, whoever saved it. Raises UnreadableError."""
    text = _text(path)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        if CONFLICT.search(text):
            raise UnreadableError(
                "saved with conflicts: lines that begin with <<<<<<< or >>>>>>> are git's. Ask for the file after "
                "`git checkout --ours` or `--theirs`, or after the learner has merged by hand."
            ) from None
        raise UnreadableError("no notebook: the file is cut off or not JSON. Ask for it once more.") from None
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise UnreadableError("no notebook of nbformat 4: it has no list of cells.")
    made = _dict(_dict(content.get("metadata")).get(ENTRY))
    cells = (_cell(number, cell) for number, cell in enumerate(content["cells"], 1))
    return Notebook(path.stem, tuple(cell for cell in cells if cell), made)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UnreadableError(f"larger than {MOST_BYTES // 2**20} MB: ask for it with cleared outputs.")
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise UnreadableError("no notebook: the file is not text in UTF-8.") from None
    except OSError as error:
        raise UnreadableError(f"can't be opened ({error.strerror}).") from None


def _dict(value: object) -> dict:
    return value if isinstance(value, dict) else {}


def _cell(number: int, cell: object) -> Cell | None:
    """A code cell; None for prose, and for what is no cell at all."""
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return None
    source = cell.get("source", "")
    source = "".join(map(str, source)) if isinstance(source, list) else str(source)
    tags = _dict(cell.get("metadata")).get("tags")
    tags = tags if isinstance(tags, list) else []
    return Cell(number, _without_magics(source), frozenset(map(str, tags)))


def _without_magics(source: str) -> str:
    """The cell as Python: lines of IPython alone (%, !, ?) are left out, and a cell of %%something is empty."""
    if source.lstrip().startswith("%%"):
        return ""
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        ast.parse(source)
        return source
    lines = source.splitlines()
    kept = ["" if line.lstrip().startswith(("%", "!", "?")) or line.rstrip().endswith("?") else line for line in lines]
    return "\n".join(kept)
