"""The minutes of computing that pages, notebooks and doctor say, all written from one measurement, notebooks.json.

    python tests/benchmarks/minutes.py                   (--check only names the files that would change)
    python tests/benchmarks/table.py --only notebooks    (measures first: forty minutes on 2 quiet cores)

Rounded to the nearest half minute; below half a minute they say "under ½".
"""

import json
import re
import sys
from collections.abc import Iterator
from itertools import chain
from math import ceil
from pathlib import Path

ROOT = Path(__file__).parents[2]
MEASURED = Path(__file__).with_name("notebooks.json")
START, BEST, PLAYGROUND = "00_start_here", "06_likelihood", "playground"
DOCTOR = "vae_helpers/doctor/learning.py"
LECTURE = (START, "01_autoencoder", "04_reparameterization_and_kl", "05_vae", "09_spot_the_bug")
LONGEST = (
    ("README.md", "seconds to ", " minutes each"),
    ("README.vi.md", "vài giây đến ", " phút"),
    ("README.zh.md", "几秒到 ", " 分钟"),
    ("README.ru.md", "нескольких секунд до ", " минут"),
)
Place = tuple[str, str, str, str]  # a file; what stands before the minutes (a pattern); the minutes; what follows them


def spelled(seconds: float) -> str:
    """In minutes: "under ½", "½", "1", "2½"."""
    whole, half = divmod(round(seconds / 30), 2)
    return f"{whole or ''}{'½' * half}" if seconds >= 30 else "under ½"


def about(seconds: float) -> str:
    """For a sentence: "about 2½", and "under ½" as it is."""
    return f"about {spelled(seconds)}" if seconds >= 30 else spelled(seconds)


def in_minutes(seconds: float) -> str:
    """For a sentence, with the unit: "about 2½ minutes", "about 1 minute", "under ½ minute"."""
    return f"{about(seconds)} minute{'s' * (round(seconds / 30) > 2)}"


def table(measured: dict) -> list[str]:
    """The seconds themselves, in Markdown."""
    told = ["| notebook | seconds | a second time | peak memory of its kernel |", "|---|---|---|---|"]
    for name, row in measured["notebooks"].items():
        peak = f"{row['peak_mib']:,} MiB" if row["peak_mib"] else "—"
        told.append(f"| {name} | {row['seconds']} | {row.get('again', '')} | {peak} |")
    return [*told, f"| all | {sum(row['seconds'] for row in measured['notebooks'].values())} | | |"]


def of_notebooks(rows: dict) -> Iterator[Place]:
    """Each notebook's head, its row in 00 and in the README; what is said of models that are trained once."""
    for name, row in rows.items():
        path, every_time = f"notebooks/{name}.ipynb", row.get("again", row["seconds"])
        once, in_00, in_readme = row["seconds"] - every_time, about(every_time), spelled(every_time)
        if name == BEST:
            in_00 += f", and {spelled(once)} more the first time"
            in_readme += f", and {spelled(once)} once for the best model"
            yield path, " on 2 CPU cores, and ", spelled(once), " more for one cell that trains the best model"
            yield path, r"\*\*The next cell takes ", in_minutes(once), r"\*\* on 2 CPU cores"
            yield "tests/README.md", r" one by one \(", spelled(once), r" of them the best model of 06\)"
        if name == PLAYGROUND:
            in_readme = f"{spelled(once)} once, then {'seconds' if every_time < 30 else in_readme}"
            yield path, "The models are trained in ", in_minutes(once), " on 2 CPU cores"
        else:
            yield path, "the cells run in ", in_minutes(every_time), " on 2 CPU cores"
            yield f"notebooks/{START}.ipynb", rf"\| `{name}` \| ", in_00, r" \|"
        yield "README.md", rf"\n\| \[[^]]*\]\({path}\) \|[^|\n]*\|[^|\n]*\| ", in_readme, r" \|\n"


def of_all(measured: dict) -> Iterator[Place]:
    """Sums, the longest, and the speed of the machine."""
    seconds = {name: row["seconds"] for name, row in measured["notebooks"].items()}
    total, lecture = sum(seconds.values()), sum(seconds[name] for name in LECTURE)
    for page, before, after in LONGEST:
        yield page, before, str(ceil(max(seconds.values()) / 60)), after
    yield "README.md", "multiplied matrices at ", str(measured["gigaflops"]), r" GFLOP/s"
    yield "tests/README.md", "`../notebooks/` [^|]*[|][^|]*[|] ", spelled(total), " min on MNIST one by one"
    yield "TEACHING.md", r"one after the other \(", in_minutes(lecture), r" of computing\)"
    yield "TEACHING.md", "Run 10 before class: it computes for ", in_minutes(seconds["10_better_prior"]), r"\."
    yield "TEACHING.md", "A whole notebook such as 05 takes ", in_minutes(seconds["05_vae"]), " of 2 cores"
    yield "TEACHING.md", "thirty at once need ", in_minutes(30 * 2 / 8 * seconds["05_vae"]), " of eight cores"
    yield DOCTOR, r"\nMINUTES = ", f"{round(total / 30) / 2:g}", "  # all notebooks"
    yield DOCTOR, r"\nIMAGES_PER_SECOND = ", f"{measured['images_per_second']:_.0f}", r"\n"
    section = "\n".join([measured["machine"], "", *table(measured), ""])
    yield "figures/benchmarks.md", r"\n## Restart & Run All\n\n", section, r"\Z"


def corrected(text: str, before: str, minutes: str, after: str) -> str:
    """The text with these minutes in the one place between the two patterns."""
    found = re.findall(f"{before}.*?{after}", text, re.DOTALL)
    if len(found) != 1:
        raise ValueError(f"{before!r} … {after!r} must stand there once; it stands there {len(found)} times.")
    return re.sub(f"({before}).*?({after})", lambda at: at[1] + minutes + at[2], text, flags=re.DOTALL)


def rewrite(check: bool = False) -> list[str]:
    """Bring every place up to date; gives the files that were not. ``check`` writes nothing."""
    measured, texts = json.loads(MEASURED.read_text("utf-8")), {}
    for name, *place in chain(of_notebooks(measured["notebooks"]), of_all(measured)):
        texts[name] = corrected(texts.get(name) or (ROOT / name).read_text("utf-8"), *place)
    stale = [name for name, text in texts.items() if text != (ROOT / name).read_text("utf-8")]
    for name in [] if check else stale:
        (ROOT / name).write_text(texts[name], "utf-8", newline="\n")
    return stale


if __name__ == "__main__":
    stale = rewrite(check="--check" in sys.argv)
    print("\n".join(stale) or "All minutes agree with the measurement.")
    sys.exit(bool(stale) and "--check" in sys.argv)
