"""Thirty notebooks with known mistakes and two dozen hostile ones, graded: is every row right, and how soon?

Run on a quiet machine: ``python tests/benchmarks/grading.py``. A row of the thirty is right where the grader, in its
process, says what the check says here, on the same seed, to the answer that was written into the notebook. Prints a
Markdown table; the exit status is 1 if any row is wrong or anything outside has changed.
"""

import argparse
import ast
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from vae_helpers.exercises import EXERCISES, check
from vae_helpers.exercises.grade.class_table import class_table
from vae_helpers.exercises.grade.grading import grade, hidden_seed
from vae_helpers.exercises.grade.limits import Limits

import nbformat
import torch

from helpers.cells import tags
from helpers.handed_in import BY_NUMBER, STRANGERS, answer, class_copy, exercises_of, hostile, save

NUMBERS = sorted(number for number in BY_NUMBER if number.isdigit())
KINDS = ("right", "mistake", "mistake", "stub")


def solution(exercise, number):
    """The course's own answer, with all that its notebook imports and defines before it."""
    nb = nbformat.read(BY_NUMBER[number], as_version=4)
    (cell,) = (c for c in nb.cells if {f"exercise-{exercise}", "solution"} <= tags(c))
    *body, last = ast.parse(cell.source).body
    return ast.unparse(ast.Module(body, [])) + f"\n\n\nanswer = {last.value.args[1].id}"


def mistaken(exercise, rng):
    """A wrong answer: by a stranger, or one that the check knows."""
    theirs = [e["code"] for e in STRANGERS if e["exercise"] == exercise and e["kind"] != "right"]
    known = len(EXERCISES[exercise].mistakes)
    if known and (not theirs or rng.random() < 0.5):
        k = rng.randrange(known)
        return f"def answer(*a):\n    return exercises.EXERCISES[{exercise!r}].mistakes[{k}].answer(*a)"
    return "\n".join(rng.choice(theirs)) if theirs else None


def learner(k, folder, rng):
    """A notebook, and for each exercise the code that stands in it, None for a stub."""
    number = NUMBERS[k % len(NUMBERS)]
    nb, written = class_copy(number), {}
    for exercise in exercises_of(nb):
        kind = rng.choice(KINDS)
        code = {"right": lambda e: solution(e, number), "mistake": lambda e: mistaken(e, rng)}.get(kind, lambda e: None)
        written[exercise] = code(exercise)
        if written[exercise]:
            answer(nb, exercise, written[exercise])
    return save(nb, folder / f"{number}_learner_{k:02}.ipynb"), written


def expected(written, path, seed):
    """exercise → (status, words) that the check has for what was written, here in this process."""
    nb = nbformat.read(path, as_version=4)
    before = [c.source for c in nb.cells if c.cell_type == "code" and not {"stub", "check"} & tags(c)]
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    body = [node for source in before for node in ast.parse(source).body if isinstance(node, kinds)]
    world, found = {}, {}
    exec(compile(ast.Module(body, []), "before", "exec"), world)
    for exercise, code in written.items():
        if code is None:
            found[exercise] = ("not attempted", None)
            continue
        exec(code, world)  # one world: an answer may use an earlier one
        verdict = check(exercise, world["answer"], seed=seed)
        found[exercise] = (verdict.status, verdict.message.removeprefix(f"{exercise}: "))
    return found


def cpu():
    return sum(getattr(resource.getrusage(resource.RUSAGE_CHILDREN), f"ru_{kind}time") for kind in "us")


def main():
    """Make them, grade them, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notebooks", type=int, default=30)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rng, seed, wrong = random.Random(0), hidden_seed(), []
    with tempfile.TemporaryDirectory() as folder:
        made = [learner(k, Path(folder), rng) for k in range(asked.notebooks)]
        start, used, own = time.perf_counter(), cpu(), time.process_time()
        sheets = grade([path for path, _ in made], seed)
        seconds, used, own = time.perf_counter() - start, cpu() - used, time.process_time() - own
        rows = 0
        for (path, written), sheet in zip(made, sheets, strict=True):
            right = expected(written, path, seed)
            for row in sheet.rows:
                rows += 1
                status, says = right[row.exercise_id]
                if row.status != status or (says and row.says != says):
                    wrong.append(f"{path.stem} {row.exercise_id}: {row.status}, {row.says} | expected {status}, {says}")
        print("| files | rows | right | seconds | CPU seconds | hidden seed |\n|---|---|---|---|---|---|")
        counts = (len(made), rows, rows - len(wrong), f"{seconds:.0f}", f"{used + own:.0f}", seed)
        print(f"| {' | '.join(map(str, counts))} |\n")
        print(class_table(sheets))
        wrong += hostile_ones(Path(folder), seed)
    print("\n".join(wrong))
    return 1 if wrong else 0


def hostile_ones(folder, seed):
    """Grade the hostile ones; a table, and what is not as it should be."""
    outside = folder / "outside.txt"
    outside.write_text("stays")
    before = outside.stat()
    notebooks, wrong = hostile(outside), []
    paths = [save(nb, folder / f"{k:02}_walk.ipynb") for k, (nb, *_) in enumerate(notebooks.values())]
    sheets = grade(paths, seed, Limits(seconds=3))
    print("| hostile | row |\n|---|---|")
    for (name, (_, status, words)), sheet in zip(notebooks.items(), sheets, strict=True):
        row = next(r for r in sheet.rows if r.exercise_id == "walk")
        print(f"| {name} | {row.status}: {row.says} |")
        wrong += [] if row.status == status and words in row.says else [f"{name}: {row}, expected {status}, {words}"]
    after = outside.stat()
    same = (outside.read_text(), after.st_mtime, after.st_mode) == ("stays", before.st_mtime, before.st_mode)
    return wrong if same else [*wrong, "the file outside has changed"]


if __name__ == "__main__":
    sys.exit(main())
