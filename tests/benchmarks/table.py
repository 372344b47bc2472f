"""How fast the course is on this machine: one command, one table, printed and written to figures/benchmarks.md.

    python tests/benchmarks/table.py                      (all parts: about half an hour on 2 quiet cores)
    python tests/benchmarks/table.py --only fitting growth

Nothing else should run beside it. Parts that are left out keep what the file says of them. Nothing is asserted.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import busy
import fitting
import frames
import growth
import machine
import minutes
import processes
import whole_notebooks

PARTS = {
    "fitting": ("Time to a good model", fitting.rows),
    "busy": ("On a busy machine", busy.rows),
    "growth": ("How seconds and memory grow", growth.rows),
    "frames": ("From a slider to its picture, in the kernel", frames.rows),
    "processes": ("One process and two, one thread each", processes.rows),
    "notebooks": ("Restart & Run All", whole_notebooks.rows),
}
FILE = Path(__file__).parents[2] / "figures" / "benchmarks.md"
INTRODUCTION = """# Speed, as measured

Written by `python tests/benchmarks/table.py`; each part says on what it was measured. Your machine will differ.
"""


def section(name: str) -> str:
    """One part, measured now, as Markdown."""
    title, rows = PARTS[name]
    return f"## {title}\n\n{machine.in_words()}\n\n" + "\n".join(rows()) + "\n"


def stored() -> dict[str, str]:
    """The sections of the file, by title."""
    text = FILE.read_text("utf-8") if FILE.is_file() else ""
    return {part.split("\n", 1)[0]: f"## {part.rstrip()}\n" for part in text.split("\n## ")[1:]}


def write(sections: dict[str, str]) -> None:
    """All sections that there are, in the order of the parts."""
    there = [sections[title] for title, _ in PARTS.values() if title in sections]
    FILE.write_text("\n".join([INTRODUCTION, *there]), "utf-8")


def main() -> None:
    """Measure the parts asked for; write after each, so that none is lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    sections = stored()
    for name in parser.parse_args().only:
        sections[PARTS[name][0]] = section(name)
        print("\n" + sections[PARTS[name][0]], flush=True)
        write(sections)
    minutes.rewrite()


if __name__ == "__main__":
    main()
