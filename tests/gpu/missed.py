"""What so short a training misses: the asserts of the notebooks that fail on the CPU too, kept in ``missed.json``.

    python tests/gpu/missed.py [notebook …]      (default: all; ten minutes)

runs the notebooks on the pretended GPU, what fails there on the CPU, and writes those asserts that fail there as well.
"""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FILE, SCRIPT = HERE / "missed.json", HERE / "one_notebook.py"
SHIFTS = ("0", "1", "2")


def failures(path, *asked):
    """Cells that raise: {number: (type, message, the assert that failed)}."""
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": paths}
    command = [sys.executable, str(SCRIPT), str(path), *asked]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return {number: tuple(said) for number, *said in json.loads(done.stdout.strip().splitlines()[-1])}


def missed():
    """The asserts that are known to fail after so short a training, by notebook."""
    return json.loads(FILE.read_text("utf-8"))


def without_the_missed(path, found, known):
    """What remains of a notebook's failures: asserts that are known are gone, and those that the CPU misses too."""
    found = {n: said for n, said in found.items() if said[2] is None or said[2] not in known}
    for shift in SHIFTS:
        if found and all(kind == "AssertionError" for kind, *_ in found.values()):
            on_the_cpu = failures(path, "cpu", shift, str(max(found)))
            found = {n: said for n, said in found.items() if on_the_cpu.get(n, ("",))[0] != "AssertionError"}
    return found


def missed_by(path, found=None):
    """The asserts of a notebook that fail on the pretended GPU, and on the CPU as well."""
    found = failures(path, "cuda") if found is None else found
    remain = without_the_missed(path, found, ()).values()
    return sorted({said[2] for said in found.values() if said[2]} - {said[2] for said in remain})


def main(paths):
    """Write anew what these notebooks miss, two at a time."""
    table = missed()
    with ThreadPoolExecutor(2) as pool:
        for path, found in zip(paths, pool.map(missed_by, paths), strict=True):
            print(path.stem, found, flush=True)
            table = {name: those for name, those in sorted((table | {path.stem: found}).items()) if those}
            FILE.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main([Path(name).resolve() for name in sys.argv[1:]] or sorted((ROOT / "notebooks").glob("*.ipynb")))
