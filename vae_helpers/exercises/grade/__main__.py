"""Grade notebooks of the course: each exercise's verdict, points, and the mistake by name.

    python -m vae_helpers.exercises.grade 05_vae.ipynb
    python -m vae_helpers.exercises.grade handed_in/ --format csv --out grades.csv

Answers are code of strangers. Each runs in a process of its own with limits of time and memory, in a temporary folder,
without network; a seed that nobody has seen varies what it is tried on. For code that you would not run yourself, grade
in a container (README.md). Needs Linux or macOS; what holds an answer on this machine, --limits says.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from vae_helpers.exercises.grade.class_table import class_table
from vae_helpers.exercises.grade.formats import as_csv, as_gradescope, as_json, as_text
from vae_helpers.exercises.grade.grading import SEEDS, grade, hidden_seed
from vae_helpers.exercises.grade.kernel import held_by
from vae_helpers.exercises.grade.limits import Limits
from vae_helpers.exercises.grade.rows import Points, Sheet

FORMATS = ("text", "json", "gradescope", "csv")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0 where every file was graded, 1 where one could not be, 2 where nothing was asked rightly."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.limits:
        print(f"Answers are held by {held_by()}.")
        return 0
    if not hasattr(os, "fork"):
        parser.error("grading needs Linux or macOS: on Windows, run it in WSL or in a container")
    paths = _notebooks(asked.notebooks, parser)
    seed = asked.seed if asked.seed is not None else hidden_seed()
    limits = Limits(asked.seconds, mib=asked.memory)
    sheets = grade(paths, seed, limits, Points(*asked.points), asked.at_once, _tell)
    print(file=sys.stderr)
    _write(sheets, seed, asked, parser)
    if len(sheets) > 1:
        print(class_table(sheets), file=sys.stdout if asked.out or asked.format == "text" else sys.stderr)
    return 1 if any(sheet.trouble for sheet in sheets) else 0


def _parser() -> argparse.ArgumentParser:
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m vae_helpers.exercises.grade", description=__doc__, formatter_class=layout
    )
    parser.add_argument("notebooks", nargs="*", type=Path, help="notebooks, or folders of them")
    parser.add_argument("--format", choices=FORMATS, default="text")
    parser.add_argument("--out", type=Path, help="a file instead of the screen; of gradescope and several, a folder")
    parser.add_argument("--points", nargs=3, type=float, default=(1, 0.5, 0), metavar=("PASSED", "ATTEMPTED", "NOT"))
    parser.add_argument("--seconds", type=_whole(1), default=Limits.seconds, help="of processor time, for one answer")
    parser.add_argument("--memory", type=_whole(1), default=Limits.mib, help="MiB for one answer, beside Python's own")
    parser.add_argument("--at-once", type=_whole(1), help="processes at once (default: one a core)")
    parser.add_argument("--seed", type=_whole(0), help="of an earlier grading, to repeat it (default: a new one)")
    parser.add_argument("--limits", action="store_true", help="say what holds an answer on this machine, and stop")
    return parser


def _whole(least: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        """A whole number from ``least`` on."""
        number = int(text)
        if not least <= number <= SEEDS.stop:
            raise argparse.ArgumentTypeError(f"must be from {least} to {SEEDS.stop}, got {text}")
        return number

    whole.__name__ = "whole number"
    return whole


def _notebooks(named: Sequence[Path], parser: argparse.ArgumentParser) -> list[Path]:
    """All notebooks that are named, and all in the folders that are."""
    found = []
    for path in named:
        inside = sorted(p for p in path.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
        if path.is_dir() and not inside:
            parser.error(f"{path} is a folder without notebooks (*.ipynb)")
        if not path.exists():
            parser.error(f"{path} is not there")
        found += inside if path.is_dir() else [path]
    if not found:
        parser.error("name at least one notebook, or a folder of them")
    return found


def _write(sheets: list[Sheet], seed: int, asked: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    points = Points(*asked.points)
    if asked.format == "gradescope" and len(sheets) > 1:
        if asked.out is None:
            parser.error("Gradescope reads one results.json for each learner: name a folder with --out")
        asked.out.mkdir(parents=True, exist_ok=True)
        for k, sheet in enumerate(sheets):
            again = [s.name for s in sheets].count(sheet.name) > 1
            (asked.out / f"{sheet.name}{f'-{k + 1}' if again else ''}.json").write_text(
                as_gradescope(sheet, points), "utf-8"
            )
        return
    made = {
        "text": lambda: as_text(sheets, seed),
        "json": lambda: as_json(sheets, seed, points),
        "csv": lambda: as_csv(sheets),
        "gradescope": lambda: as_gradescope(sheets[0], points),
    }[asked.format]()
    if asked.out is None:
        print(made, end="")
    else:
        asked.out.write_text(made, "utf-8", newline="\n")


def _tell(said: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{said}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
