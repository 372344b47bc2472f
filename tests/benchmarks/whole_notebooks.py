"""Seconds and peak memory of every notebook, run from top to bottom on a fresh kernel: copies, nothing is saved.

They go into notebooks.json, and from there into the minutes of all pages (minutes.py).
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from vae_helpers import data
from vae_helpers.doctor import learning

import machine
import minutes

from execute import NOTEBOOKS, execute, read

ONCE = ("06_likelihood", "playground")  # most of their seconds train what is kept for the next time


def spent(path: Path) -> tuple[float, float | None]:
    """Seconds of one notebook, and its kernel's peak memory in MiB."""
    start = time.perf_counter()
    peak = execute(read(path), path.parent)
    return time.perf_counter() - start, peak


def measured() -> dict:
    """One after the other, the weights that notebooks share trained where they are; the playground as if met first."""
    found, rows, speeds, rates = data.find("mnist"), {}, [], []
    with tempfile.TemporaryDirectory() as cache, patch.dict(os.environ):
        if found:  # only weights are made anew, data stay where they are
            os.environ["VAE_DATA"] = str(found)
        for path in sorted(NOTEBOOKS.glob("*.ipynb")):
            os.environ["VAE_CACHE"] = f"{cache}/{'playground' if path.stem == 'playground' else 'course'}"
            speeds.append(machine.gigaflops())
            rates.append(learning.measured()[0])
            seconds, peak = spent(path)
            row = rows[path.stem] = {"seconds": round(seconds), "peak_mib": peak and round(peak)}
            if path.stem in ONCE:
                row["again"] = round(spent(path)[0])
            print(path.stem, row, flush=True)
    speed = round(median(speeds))
    return {
        "machine": machine.in_words(speed),
        "gigaflops": speed,
        "images_per_second": round(median(rates), -2),
        "notebooks": rows,
    }


def rows() -> list[str]:
    """The table; the measurement itself goes into the file that all pages' minutes are written from."""
    found = measured()
    minutes.MEASURED.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    return minutes.table(found)
