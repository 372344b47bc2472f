"""Sheets as text, JSON, CSV, and as Gradescope reads them (results.json of its autograders)."""

import csv
import io
import json
import textwrap
from collections.abc import Sequence

from vae_helpers.exercises.grade.rows import Points, Row, Sheet

MARKS = {"passed": "✓", "not attempted": "○", "not found": "○", "refused": "!", "stopped": "!"}
FORMAT = "vae_course grades 1"


def as_text(sheets: Sequence[Sheet], seed: int) -> str:
    """For people: a block for each notebook, a line for each exercise."""
    return "\n\n".join(_block(sheet) for sheet in sheets) + f"\n\n(Hidden seed {seed}: --seed {seed} repeats this.)\n"


def _block(sheet: Sheet) -> str:
    head = f"{sheet.name}: {sheet.trouble or f'notebook {sheet.number}, {sheet.points():g} points'}"
    lines = [head, *(f"  note: {note}" for note in sheet.notes)]
    return "\n".join([*lines, *(_line(row) for row in sheet.rows)])


def _line(row: Row) -> str:
    says = "passed" if row.status == "passed" else f"{row.status}: {row.says}"
    start = f"  {MARKS.get(row.status, '✗')} {row.exercise_id} ({row.points:g}): "
    return textwrap.fill(says, 110, initial_indent=start, subsequent_indent="      ")


def as_json(sheets: Sequence[Sheet], seed: int, points: Points) -> str:
    """For programs: everything."""
    content = {"format": FORMAT, "seed": seed, "notebooks": [_plain(sheet, points) for sheet in sheets]}
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _plain(sheet: Sheet, points: Points) -> dict:
    rows = [
        {"exercise": r.exercise_id, "status": r.status, "says": r.says, "cell": r.cell, "points": r.points}
        for r in sheet.rows
    ]
    most = points.passed * len(rows)
    head = {"name": sheet.name, "notebook": sheet.number, "trouble": sheet.trouble, "notes": list(sheet.notes)}
    return head | {"points": sheet.points(), "max_points": most, "exercises": rows}


def as_csv(sheets: Sequence[Sheet]) -> str:
    """For a spreadsheet: a line for each exercise of each notebook."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("name", "notebook", "exercise", "status", "points", "cell", "says"))
    for sheet in sheets:
        if sheet.trouble:
            writer.writerow((_harmless(sheet.name), sheet.number, "", "unreadable", 0, "", _harmless(sheet.trouble)))
        for r in sheet.rows:
            row = (sheet.number, r.exercise_id, r.status, f"{r.points:g}", r.cell or "", _harmless(r.says))
            writer.writerow((_harmless(sheet.name), *row))
    return text.getvalue()


def _harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def as_gradescope(sheet: Sheet, points: Points) -> str:
    """The results.json of one submission: a test for each exercise, seen by the learner."""
    tests = [
        {
            "name": row.exercise_id,
            "score": row.points,
            "max_score": points.passed,
            "status": "passed" if row.status == "passed" else "failed",
            "output": row.says,
            "output_format": "text",
            "visibility": "visible",
        }
        for row in sheet.rows
    ]
    output = "\n".join([sheet.trouble, *sheet.notes]).strip() or f"Notebook {sheet.number}: {len(tests)} exercises."
    results = {"output": output, "output_format": "text", "visibility": "visible", "stdout_visibility": "hidden"}
    results |= {"tests": tests} if tests else {"score": 0.0}
    return json.dumps(results, ensure_ascii=False, indent=1) + "\n"
