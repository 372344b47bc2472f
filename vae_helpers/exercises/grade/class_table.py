"""The table of a class: how many passed each exercise, and which mistake was made how often."""

from collections import Counter
from collections.abc import Sequence

from vae_helpers.exercises.grade.rows import ATTEMPTED, Row, Sheet

SHOWN = 120  # characters of a mistake


def class_table(sheets: Sequence[Sheet]) -> str:
    """Two tables in Markdown: the exercises in their order; the mistakes, the most frequent first."""
    rows = [row for sheet in sheets for row in sheet.rows]
    return f"{_of_exercises(rows)}\n\n{_of_mistakes(rows)}\n" if rows else "No exercise was graded.\n"


def _of_exercises(rows: list[Row]) -> str:
    lines = ["| exercise | passed | attempted | not | refused |", "|---|---|---|---|---|"]
    for name in dict.fromkeys(row.exercise_id for row in rows):
        found = [row.status for row in rows if row.exercise_id == name]
        passed, refused = found.count("passed"), found.count("refused")
        attempted = sum(status in ATTEMPTED for status in found)
        lines.append(f"| {name} | {passed} | {attempted} | {len(found) - passed - attempted - refused} | {refused} |")
    return "\n".join(lines)


def _of_mistakes(rows: list[Row]) -> str:
    counted = Counter((row.exercise_id, row.says) for row in rows if row.status in ATTEMPTED)
    if not counted:
        return "No mistakes."
    lines = ["| how often | exercise | mistake: what to repeat tomorrow |", "|---|---|---|"]
    for (name, says), times in counted.most_common():
        lines.append(f"| {times} | {name} | {_short(says)} |")
    return "\n".join(lines)


def _short(says: str) -> str:
    says = " ".join(says.replace("|", "∣").split())
    return says if len(says) <= SHOWN else says[:SHOWN].rsplit(" ", 1)[0] + " …"
