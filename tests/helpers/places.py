"""Where things lie in the repository."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
NOTEBOOKS, FIGURES, OVERRIDES = ROOT / "notebooks", ROOT / "figures", ROOT / "lectures" / "overrides.json"
COURSE = [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if path.stem != "playground"]
