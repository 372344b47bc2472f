"""Every notebook on the pretended GPU, on the glyphs, its training cut to a few steps; each in a process of its own.

So little training misses what the notebooks claim of it: an AssertionError is forgiven where the CPU raises one too, in
that cell, at these lengths; by chance, which is another on a GPU, it may take other seeds. Everything else that a cell
raises counts, and an answer that raises within a check.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.places import EVERY_NOTEBOOK, ROOT
from pretended_gpu.private import missing

SHIFTS = ("0", "1", "2")
SCRIPT = Path(__file__).with_name("one_notebook.py")


def failures(path, *asked):
    """Cells that raise: {number: (type, message)}."""
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": paths}
    command = [sys.executable, str(SCRIPT), str(path), *asked]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return {number: (kind, says) for number, kind, says in json.loads(done.stdout.strip().splitlines()[-1])}


@pytest.mark.skipif(bool(missing()), reason=f"this release of PyTorch lacks {', '.join(missing())}")
@pytest.mark.parametrize("path", EVERY_NOTEBOOK, ids=[path.stem for path in EVERY_NOTEBOOK])
def test_a_notebook_runs_on_a_gpu(path):
    found = failures(path, "cuda")
    assert all(kind == "AssertionError" for kind, _ in found.values()), found
    for shift in SHIFTS:
        if found:
            on_the_cpu = failures(path, "cpu", shift, str(max(found)))
            found = {number: said for number, said in found.items() if number not in on_the_cpu}
    assert not found
