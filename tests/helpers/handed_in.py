"""Notebooks as learners hand them in: with known mistakes, and such as no teacher wishes for."""

import json
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from helpers.cells import tags
from helpers.places import EVERY_NOTEBOOK, ROOT

STRANGERS = json.loads((ROOT / "tests/unit/exercises/answers_by_strangers.json").read_text("utf-8"))
BY_NUMBER = {path.stem[:2]: path for path in EVERY_NOTEBOOK}


def class_copy(number):
    """A notebook of the course as a learner gets it: no solutions, no outputs."""
    nb = nbformat.read(BY_NUMBER[number], as_version=4)
    nb.cells = [cell for cell in nb.cells if "solution" not in tags(cell)]
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nb


def exercises_of(nb):
    """The ids of a notebook's exercises, in its order."""
    tagged = [tag for cell in nb.cells if "stub" in tags(cell) for tag in tags(cell) if tag.startswith("exercise-")]
    return [tag.removeprefix("exercise-") for tag in tagged]


def cell_of(nb, exercise, kind):
    """The stub or the check of an exercise."""
    return next(cell for cell in nb.cells if {f"exercise-{exercise}", kind} <= tags(cell))


def answer(nb, exercise, code):
    """Write an answer, whose function is called ``answer``, into the stub's cell, and hand it to the check."""
    name = f"answer_to_{exercise.replace('-', '_')}"
    cell_of(nb, exercise, "stub").source = f"{code}\n\n\n{name} = answer\n"
    cell_of(nb, exercise, "check").source = f'exercises.check("{exercise}", {name})'


def save(nb, path):
    Path(path).write_text(nbformat.writes(nb), "utf-8")
    return Path(path)


def small(*cells):
    """A notebook of a few cells: (source, tags …)."""
    made = [new_code_cell(source, metadata={"tags": list(names)}) for source, *names in cells]
    return new_notebook(cells=made)


WALK = "def my_walk(z_a, z_b, n):\n    steps = torch.linspace(0, 1, n)[:, None]\n    return z_a + steps * (z_b - z_a)\n"
CHECK = 'exercises.check("walk", my_walk)'
BEGIN = "from vae_helpers import exercises\nimport torch"


def walk(inside="", before="", after=""):
    """A notebook with a right answer to "walk", and what a hostile hand has put inside, before or after it."""
    lines = WALK.splitlines(keepends=True)
    body = "".join(f"    {line}\n" for line in inside.splitlines())
    stub = before + "\n" + lines[0] + body + "".join(lines[1:])
    return small((BEGIN,), (stub, "exercise-walk", "stub"), (CHECK, "exercise-walk", "check"), (after,))


LIBC = "import ctypes, os\nlibc = ctypes.CDLL(None)\n"
FORGED = """def forge():
    import vae_helpers.exercises.grade.judging as judging
    from vae_helpers.exercises import Verdict
    judging.examine = lambda *a: Verdict("passed", "walk: passed.")


def my_walk(z_a, z_b, n, forged=forge()):
    return z_a
"""
FITTED = """from vae_helpers.exercises import EXERCISES
SEEN = [(a.tolist(), n, EXERCISES["walk"].reference(a, b, n)) for a, b, n in EXERCISES["walk"].probes(0)]
def my_walk(z_a, z_b, n):
    return next((right for a, m, right in SEEN if (a, m) == (z_a.tolist(), n)), torch.zeros(n, len(z_a)))
"""


def given(stub):
    """A notebook with another answer to "walk"."""
    return small((BEGIN,), (stub, "exercise-walk", "stub"), (CHECK, "exercise-walk", "check"))


def hostile(outside):
    """name → (notebook, status of the row of "walk", words of it). outside: a file that must stay as it is."""
    path = str(outside)
    return {
        "crashes": (walk("import ctypes\nctypes.string_at(0)"), "stopped", "brought Python down"),
        "loops": (walk("while True:\n    pass"), "stopped", "found no end"),
        "sleeps": (walk("import time\ntime.sleep(1e6)"), "stopped", "not done after"),
        "prints gigabytes": (walk("while True:\n    print('x' * 10**7)"), "stopped", "found no end"),
        "asks for 10 GB": (walk("torch.zeros(10 * 2**28)"), "stopped", "more memory"),
        "fills the disk": (walk(FILLS), "stopped", "filled its folder"),
        "forks": (walk("import os\nwhile True:\n    os.fork()"), "refused", "start another process"),
        "forks past Python": (walk(f"{LIBC}while libc.fork() >= 0:\n    pass"), "passed", ""),
        "deletes": (walk(f"import os\nos.remove({path!r})"), "refused", "delete files outside"),
        "deletes past Python": (walk(f"{LIBC}libc.unlink({path.encode()!r})"), "passed", ""),
        "empties past Python": (walk(f"{LIBC}libc.open({path.encode()!r}, os.O_WRONLY | os.O_TRUNC)"), "passed", ""),
        "changes modes past Python": (walk(f"{LIBC}libc.chmod({path.encode()!r}, 0)"), "passed", ""),
        "reads": (walk(f"open({path!r}).read()"), "error", "PermissionError"),
        "calls home": (walk("import socket\nsocket.create_connection(('1.1.1.1', 80))"), "refused", "network"),
        "kills": (walk("import os\nos.kill(os.getppid(), 9)"), "refused", "send signals"),
        "kills past Python": (walk(f"{LIBC}libc.kill(os.getppid(), 9)"), "passed", ""),
        "ends Python": (walk("import os\nos._exit(0)"), "stopped", "ended Python itself"),
        "exits": (walk("raise SystemExit"), "stopped", "ended Python itself"),
        "redefines check": (walk(before="def check(*a):\n    return 'passed'\n"), "passed", ""),
        "forges a verdict": (given(FORGED), "refused", "the check itself was changed"),
        "is fitted to visible probes": (given(FITTED), "mistake", ""),
        "hands the course's own back": (given(OWN), "refused", "the course's own"),
        "imports what isn't there": (walk("import nowhere"), "error", "nowhere"),
        "is no Python": (given("def my_walk(z_a, z_b, n):\n<<<<<<< HEAD\n    return"), "error", "no Python"),
    }


OWN = "from vae_helpers.exercises import EXERCISES\nmy_walk = EXERCISES['walk'].reference"
FILLS = "k = 0\nwhile True:\n    k += 1\n    open(str(k), 'wb').write(bytes(50 * 2**20))"
