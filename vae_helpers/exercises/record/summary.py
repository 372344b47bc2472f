"""``progress()``: what the record says of each notebook, for the learner alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from vae_helpers.exercises.catalogue import BY_NOTEBOOK, EXERCISES, NOTEBOOK_OF
from vae_helpers.exercises.record.notes import entries, is_off, record_folder

PAUSE = 30 * 60  # seconds without a check, after which nobody is taken to be at work
LAST = 5  # open mistakes that are shown


@dataclass(frozen=True)
class OfNotebook:
    """done: passed once; tried: not passed yet; open: never tried. mended: mistakes in exercises that have passed."""

    number: str
    done: int
    tried: int
    open: int
    met: int
    mended: int
    hours: float


@dataclass(frozen=True)
class Progress:
    """The page, shown at the end of a cell. unmended: what the last check said of each exercise that is tried."""

    notebooks: tuple[OfNotebook, ...]
    unmended: tuple[tuple[str, str], ...]
    capstone: dict | None
    kept_in: str

    @property
    def done(self) -> int:
        """Exercises passed, of all notebooks."""
        return sum(one.done for one in self.notebooks)

    def __repr__(self) -> str:
        lines = ["notebook   done  tried  open   mistakes met  mended   hours"]
        for one in self.notebooks:
            counts = f"{one.done:>9}{one.tried:>7}{one.open:>6}{one.met:>15}{one.mended:>8}{one.hours:>8.1f}"
            lines.append(f"{one.number:>6}{counts}")
        hours = sum(one.hours for one in self.notebooks)
        lines.append(f"Done: {self.done} of {len(EXERCISES)} exercises, in about {hours:.1f} hours.")
        lines += [f"✗ {name}: {says[:140]}" for name, says in self.unmended[-LAST:]]
        about = self.capstone["about"] if self.capstone else "open. A VAE of your own: help(exercises.capstone)"
        return "\n".join([*lines, f"Capstone: {about}", f"Kept in {self.kept_in}, for you alone."])


def progress() -> Progress:
    """Per notebook: exercises done, tried and open, mistakes met and mended, hours; from the notes on this machine."""
    everything = entries()
    noted = [e for e in everything if _names_an_exercise(e)]
    spent = _hours(noted)
    passed = {e["exercise"] for e in noted if e["status"] == "passed"}
    last = {e["exercise"]: str(e.get("says", "")) for e in noted if e["exercise"] not in passed}
    rows = tuple(_row(number, noted, passed, spent.get(number, 0.0)) for number in BY_NOTEBOOK)
    capstones = [e["capstone"] for e in everything if _is_a_capstone(e.get("capstone"))]
    where = f"{record_folder()} (turned off)" if is_off() else str(record_folder())
    return Progress(rows, tuple(last.items()), capstones[-1] if capstones else None, where)


def _names_an_exercise(entry: dict) -> bool:
    name, status, says = (entry.get(key, "") for key in ("exercise", "status", "says"))
    return all(isinstance(value, str) for value in (name, status, says)) and name in EXERCISES


def _is_a_capstone(entry: object) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("levels"), dict):
        return False
    numbers = [entry.get("nats"), *entry["levels"].values()]
    return isinstance(entry.get("about"), str) and all(isinstance(number, int | float) for number in numbers)


def _row(number: str, noted: Sequence[dict], passed: set[str], hours: float) -> OfNotebook:
    ids = {exercise.id for exercise in BY_NOTEBOOK[number]}
    tried = {e["exercise"] for e in noted} & ids
    mistakes = {(e["exercise"], e.get("says")) for e in noted if e["exercise"] in ids and e["status"] != "passed"}
    mended = sum(name in passed for name, _ in mistakes)
    done = len(ids & passed)
    return OfNotebook(number, done, len(tried - passed), len(ids - tried), len(mistakes), mended, hours)


def _hours(noted: Sequence[dict]) -> dict[str, float]:
    """Hours between checks, where the pause is short; they count for the notebook of the later one."""
    hours: dict[str, float] = {}
    for before, now in pairwise(noted):
        gap = now["at"] - before["at"]
        if 0 < gap <= PAUSE:
            number = NOTEBOOK_OF[now["exercise"]]
            hours[number] = hours.get(number, 0.0) + gap / 3600
    return hours
