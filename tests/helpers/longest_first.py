"""In which order several at a time run the notebooks: those whose weights others find first, then the longest."""

import json
from functools import cache
from pathlib import Path

FOUND_BY_OTHERS = ("05_vae", "10_better_prior")  # by 06 and 11, which train them again where they are not there yet
MEASURED = Path(__file__).parents[1] / "benchmarks" / "notebooks.json"


@cache
def _seconds() -> dict[str, float]:
    found = json.loads(MEASURED.read_text("utf-8"))["notebooks"]
    return {name: row["seconds"] for name, row in found.items()}


def seconds_of(notebook: Path) -> float:
    """Seconds of a notebook as tests/benchmarks/notebooks.json has them; a new one is taken to be long."""
    return _seconds().get(notebook.stem, 1000.0)


def first_of_all(notebook: Path) -> bool:
    """Whether another notebook goes on with the weights that this one keeps."""
    return notebook.stem in FOUND_BY_OTHERS
