"""Where things lie in the repository."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
FIGURES, OVERRIDES = ROOT / "figures", ROOT / "lectures" / "overrides.json"
EVERY_NOTEBOOK = sorted((ROOT / "notebooks").glob("*.ipynb"))
COURSE = [path for path in EVERY_NOTEBOOK if path.stem != "playground"]
