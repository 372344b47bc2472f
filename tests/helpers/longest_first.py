"""How long a notebook takes: what is run by several at a time begins with the longest."""

import json
from functools import cache
from pathlib import Path

MEASURED = Path(__file__).parents[1] / "benchmarks" / "notebooks.json"


@cache
def _seconds() -> dict[str, float]:
    found = json.loads(MEASURED.read_text("utf-8"))["notebooks"]
    return {name: row["seconds"] for name, row in found.items()}


def seconds_of(notebook: Path) -> float:
    """Seconds of a notebook as tests/benchmarks/notebooks.json has them; a new one is taken to be long."""
    return _seconds().get(notebook.stem, 1000.0)
