"""How many wrong answers the checks explain: those of strangers, exercise by exercise, and the seconds of a check.

No test: prints a Markdown table. One thread, as on a busy machine.
"""

import collections
import json
import statistics
import time
from pathlib import Path

from vae_helpers.exercises import check

import torch

ANSWERS = Path(__file__).parents[1] / "unit/exercises/answers_by_strangers.json"


def verdicts():
    """(exercise, kind, status, seconds) of each answer."""
    for entry in json.loads(ANSWERS.read_text("utf-8")):
        world = {}
        exec("\n".join(entry["code"]), world)
        start = time.perf_counter()
        verdict = check(entry["exercise"], world["answer"])
        yield entry["exercise"], entry["kind"], verdict.status, time.perf_counter() - start


def main():
    """Run all, and print."""
    torch.set_num_threads(1)
    counts, seconds = collections.Counter(), []
    for exercise, kind, status, spent in verdicts():
        for name in (exercise, "all"):
            counts[name, kind] += 1
            counts[name, kind, status] += 1
        seconds.append(spent)
    print("| exercise | one mistake: explained | passed | two: explained | right: passed |\n|---|---|---|---|---|")
    for name in [*sorted({key[0] for key in counts} - {"all"}), "all"]:
        one, two, right = (counts[name, kind] for kind in ("single", "pair", "right"))
        explained, passed = counts[name, "single", "mistake"], counts[name, "single", "passed"]
        both, good = counts[name, "pair", "mistake"], counts[name, "right", "passed"]
        print(f"| {name} | {explained} of {one} | {passed} | {both} of {two} | {good} of {right} |")
    print(f"\nSeconds of a check: median {statistics.median(seconds):.2f}, slowest {max(seconds):.2f}.")


if __name__ == "__main__":
    main()
