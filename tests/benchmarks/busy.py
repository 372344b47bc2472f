"""An epoch of ``fit`` while other processes keep the cores busy, however Python was started, against a fair share.

Run on a quiet machine: ``python tests/benchmarks/busy.py`` (``table.py --only busy`` writes its rows to
figures/benchmarks.md). The other processes count, each on one thread, without end. A fair scheduler gives every
thread that runs the same time: quiet seconds × (threads + others) / cores. ``OMP_WAIT_POLICY`` is taken out of the
environment, so that what is measured is what the course sets by itself; ``--policy ACTIVE`` shows what it mends.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from jupyter_client.manager import start_new_kernel

OTHERS = (1, 2, 5)
ROUNDS = 3
POLICY = ("OMP_WAIT_POLICY", "KMP_BLOCKTIME", "GOMP_SPINCOUNT")
LESSON = """
from vae_helpers import data
from vae_helpers.losses import vae_loss
from vae_helpers.models import VAE
from vae_helpers.training import fit
import time, torch

images, epochs = data.load("mnist", device="cpu"), []
for _ in range({rounds} + 1):
    start = time.perf_counter()
    fit(VAE(20), images.x, vae_loss, epochs=1, precision="float32", progress=False)
    epochs.append(time.perf_counter() - start)
with open({report!r}, "w") as file:
    print(torch.get_num_threads(), sorted(epochs[1:])[{rounds} // 2], file=file)
"""


def as_command(lesson: str, environment: dict[str, str], _: Path) -> None:
    """A Python of its own, as the command line and torchrun start it."""
    subprocess.run([sys.executable, "-c", lesson], env=environment, check=True)


def as_kernel(lesson: str, environment: dict[str, str], _: Path) -> None:
    """A kernel, as JupyterLab starts it."""
    manager, client = start_new_kernel(env=environment)
    try:
        reply = client.execute_interactive(lesson, timeout=1_800)
        if reply["content"]["status"] != "ok":
            raise RuntimeError(f"the lesson stopped: {reply['content']['evalue']}")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def as_test(lesson: str, environment: dict[str, str], folder: Path) -> None:
    """A notebook run by nbval, outside of the course's folder."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(lesson)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "busy.ipynb")
    options = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=1800", "-q", "-p", "no:cacheprovider"]
    subprocess.run(
        [sys.executable, "-m", "pytest", *options, "busy.ipynb"], cwd=folder, env=environment, check=True, stdout=-3
    )


STARTS: dict[str, Callable[[str, dict[str, str], Path], None]] = {
    "python": as_command,
    "a kernel": as_kernel,
    "nbval": as_test,
}


@contextmanager
def others(count: int) -> Iterator[None]:
    """So many processes that want a core each, all the time."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for one in running:
            one.kill()
            one.wait()


def epoch(start: str, count: int, policy: str | None = None, rounds: int = ROUNDS) -> tuple[int, float]:
    """Threads and median seconds of an epoch beside so many others; the first epoch of the process isn't counted."""
    environment = {key: value for key, value in os.environ.items() if key not in POLICY}
    if policy:
        environment["OMP_WAIT_POLICY"] = policy
    with TemporaryDirectory() as folder, others(count):
        report = Path(folder) / "report"
        STARTS[start](LESSON.format(rounds=rounds, report=str(report)), environment, Path(folder))
        threads, seconds = report.read_text().split()
    return int(threads), float(seconds)


def rows(starts: tuple[str, ...] = tuple(STARTS), policy: str | None = None) -> list[str]:
    """A line for each way of starting Python and each number of others."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    told = ["| started as | other processes | an epoch | its fair share | ratio |", "|---|---|---|---|---|"]
    for start in starts:
        threads, quiet = epoch(start, 0, policy)
        told.append(f"| {start} | 0 | {quiet:.2f} s | | |")
        for count in OTHERS:
            seconds = epoch(start, count, policy)[1]
            share = quiet * (threads + count) / cores
            told.append(f"| {start} | {count} | {seconds:.2f} s | {share:.2f} s | {seconds / share:.2f} |")
    return told


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", nargs="+", choices=STARTS, default=list(STARTS))
    parser.add_argument("--policy", choices=["ACTIVE", "PASSIVE"], help="set OMP_WAIT_POLICY instead of leaving it")
    asked = parser.parse_args()
    print("\n".join(rows(asked.starts, asked.policy)))


if __name__ == "__main__":
    main()
