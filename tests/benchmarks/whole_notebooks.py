"""Seconds and peak memory of every notebook, run from top to bottom on a fresh kernel: copies, nothing is saved."""

import os
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[1]))

from vae_helpers import data

from execute import NOTEBOOKS, execute, read


def rows() -> list[str]:
    """One after the other, with a cache of their own: the weights that notebooks share are trained where they are."""
    found = data.find("mnist")
    told = ["| notebook | seconds | peak memory of its kernel |", "|---|---|---|"]
    with tempfile.TemporaryDirectory() as cache, patch.dict(os.environ):
        if found:  # only weights are made anew, data stay where they are
            os.environ["VAE_DATA"] = str(found)
        os.environ["VAE_CACHE"] = cache
        total = 0.0
        for path in sorted(NOTEBOOKS.glob("*.ipynb")):
            start = time.perf_counter()
            peak = execute(read(path), path.parent)
            spent = time.perf_counter() - start
            total += spent
            told.append(f"| {path.stem} | {spent:.0f} | {f'{peak:,.0f} MiB' if peak else '—'} |")
            print(told[-1], flush=True)
    return [*told, f"| all | {total:.0f} | |"]
