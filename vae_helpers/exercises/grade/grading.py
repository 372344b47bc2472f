"""Files in, sheets out: read, find, run each answer in its process, and put the verdicts into rows."""

import multiprocessing
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import gcd
from pathlib import Path

from vae_helpers.exercises.catalogue import EXERCISES
from vae_helpers.exercises.engine import Verdict
from vae_helpers.exercises.engine.verdict import results_of
from vae_helpers.exercises.grade.limits import Limits, without_gpus
from vae_helpers.exercises.grade.processes import run_all
from vae_helpers.exercises.grade.rows import Points, Sheet, hand_in, sheet_of

import torch
from threadpoolctl import threadpool_limits

SEEDS = range(1_000, 1_000_000)
SIZES = (
    2 * 3 * 5 * 11 * 101
)  # some probes have as many sizes or shifts; a seed without these factors meets none of seed 0's


def hidden_seed() -> int:
    """A seed that nobody has seen, and whose probes none has either."""
    return next(s for s in iter(lambda: SEEDS[secrets.randbelow(len(SEEDS))], None) if gcd(s, SIZES) == 1)


def grade(
    paths: Sequence[Path],
    seed: int,
    limits: Limits | None = None,
    points: Points | None = None,
    at_once: int | None = None,
    heard: Callable[[str], None] = lambda said: None,
) -> list[Sheet]:
    """A sheet for each file, in their order. at_once: processes, by default one a core; heard: told of the progress."""
    handed = [hand_in(path) for path in paths]
    work = [(k, found) for k, one in enumerate(handed) for found in one.found if found.code]
    verdicts: list[dict[str, Verdict]] = [{} for _ in handed]
    torch.set_num_threads(1)
    with threadpool_limits(1), without_gpus():  # a process that is forked must have no threads
        _warm_up(Counter(found.exercise_id for _, found in work), seed)
        done = run_all([f for _, f in work], seed, limits or Limits(), at_once or multiprocessing.cpu_count())
        for n, (key, verdict) in enumerate(done, 1):
            k, found = work[key]
            verdicts[k][found.exercise_id] = verdict
            heard(f"{n} of {len(work)} answers")
    return [sheet_of(*pair, points or Points()) for pair in zip(handed, verdicts, strict=True)]


def _warm_up(times: Counter, seed: int) -> None:
    """What every check of an exercise computes alike, once, here; the processes inherit it."""
    for name, n in times.items():
        exercise = EXERCISES[name]
        if n > 1 and exercise.findings is None:
            for right in (exercise.reference, *(mistake.answer for mistake in exercise.mistakes)):
                with suppress(Exception):  # of a mistake that cannot be computed: the check says so itself
                    results_of(exercise, right, seed)
