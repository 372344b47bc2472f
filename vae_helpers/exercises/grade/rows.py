"""A row for each exercise: status, points, the mistake by name; a sheet for each notebook handed in."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vae_helpers.exercises.catalogue import VERSION
from vae_helpers.exercises.engine import Verdict
from vae_helpers.exercises.grade.finding import Found, answers, number_of
from vae_helpers.exercises.grade.reading import Notebook, UnreadableError, read
from vae_helpers.exercises.grade.signing import digest_of

ATTEMPTED = {"mistake", "wrong", "error", "stopped"}
NOTHING_WRITTEN = "the stub is untouched, or a return is missing"
UNKNOWN = "which notebook of the course it is can't be told: no exercise's tag, no check, no number in its name"


@dataclass(frozen=True)
class Points:
    """For a passed answer, for one that was attempted, and for none."""

    passed: float = 1.0
    attempted: float = 0.5
    missing: float = 0.0

    def of(self, status: str) -> float:
        """Points for a row of this status."""
        return self.passed if status == "passed" else self.attempted if status in ATTEMPTED else self.missing


@dataclass(frozen=True)
class Row:
    """What became of one exercise. cell: where its answer stands, 0 for nowhere; says: the mistake, in words."""

    exercise_id: str
    status: str
    says: str
    cell: int
    points: float


@dataclass(frozen=True)
class Sheet:
    """A notebook handed in: its rows, or ``trouble``, why it has none; notes: what else a teacher may want to know."""

    name: str
    number: str = ""
    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    trouble: str = ""

    def points(self) -> float:
        """Of all rows together."""
        return float(sum(Fraction(row.points) for row in self.rows))


@dataclass(frozen=True)
class Handed:
    """A file that was read: the notebook and where its answers are; or the trouble with it."""

    name: str
    notebook: Notebook | None = None
    number: str = ""
    found: tuple[Found, ...] = ()
    trouble: str = ""


def hand_in(path: Path) -> Handed:
    """Read one file; whatever is wrong with it becomes its ``trouble``."""
    try:
        notebook = read(path)
        number = number_of(notebook)
        if number is None:
            return Handed(path.stem, notebook, trouble=UNKNOWN)
        return Handed(path.stem, notebook, number, tuple(answers(notebook, number)))
    except UnreadableError as error:
        return Handed(path.stem, trouble=str(error))
    except RecursionError:
        return Handed(path.stem, trouble="nested deeper than Python reads")


def sheet_of(handed: Handed, verdicts: dict[str, Verdict], points: Points) -> Sheet:
    """The sheet of a file, from the verdicts on those of its answers that could be run."""
    rows = []
    for found in handed.found:
        verdict = verdicts.get(found.exercise_id) or Verdict("not found", found.missing)
        says = verdict.message.removeprefix(f"{found.exercise_id}: ")
        says = NOTHING_WRITTEN if verdict.status == "not attempted" else says
        if found.missing.startswith("cell "):
            verdict = Verdict("error", says)
        rows.append(Row(found.exercise_id, verdict.status, says, found.cell, points.of(verdict.status)))
    notes = _notes(handed.notebook) if handed.notebook else ()
    return Sheet(handed.name, handed.number, tuple(rows), notes, handed.trouble)


def _notes(notebook: Notebook) -> tuple[str, ...]:
    made, notes = notebook.made, []
    if not made:
        return ()
    if made.get("version") != VERSION:
        notes.append(f"made with version {made.get('version')} of the course, graded with {VERSION}")
    if made.get("digest") != digest_of((cell.source, cell.tags) for cell in notebook.cells):
        notes.append("cells beside the answers are not those of the copy that was handed out")
    return tuple(notes)
