"""A class at work at once: N kernels on this machine, each trains a VAE and moves a slider. Linux only.

Run on a quiet machine: ``python tests/benchmarks/twenty_kernels.py``. Each kernel loads MNIST from the shared folder
(VAE_DATA), trains the 784-400-20 VAE for two epochs, makes its latent sliders and moves one. Prints a Markdown table;
the exit status is 1 if any kernel failed. ``--kernels 3`` for a smaller class; ``--notebook notebooks/05_vae.ipynb``
runs all cells of a notebook instead; ``--policy both`` shows also what idle threads cost that don't give way.
"""

import argparse
import ast
import os
import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from statistics import median

import nbformat
import psutil
from jupyter_client.manager import KernelManager

MIB_OF_A_KERNEL, MIB_SPARE = 600, 1_500  # must be free before the start
START, WORK = 300, 1_800  # seconds, at most
POLICIES = {"default": [None], "active": ["ACTIVE"], "both": [None, "ACTIVE"]}
LESSON = """
import time
started = time.perf_counter()
from vae_helpers import data, training, widgets
from vae_helpers.losses import vae_loss
from vae_helpers.models import VAE
import torch

dataset = data.load("mnist")
torch.manual_seed(0)
model = VAE(20).to(dataset.x.device)
training_started = time.perf_counter()
history = training.fit(model, dataset.x, vae_loss, epochs=2, progress=False)
trained = time.perf_counter()
explorer = widgets.latent_sliders(model)
picture = explorer.picture.value
moved = time.perf_counter()
explorer.sliders[0].value = 1.0
assert explorer.picture.value != picture, "the slider moved and the picture stayed"
ended = time.perf_counter()
report = {
    "data": dataset.name,
    "loss": history.train[-1].total,
    "training": trained - training_started,
    "slider": ended - moved,
    "total": ended - started,
}
"""

WHOLE = """
import time as _time
_started = _time.perf_counter()
{cells}
_seconds = _time.perf_counter() - _started
report = {{"data": "{name}", "loss": 0.0, "training": _seconds, "slider": 0.0, "total": _seconds}}
"""


def lesson_of(path: Path | None) -> str:
    """The lesson above, or all code of a notebook; its training is then the whole, and no slider is moved."""
    if path is None:
        return LESSON
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    return WHOLE.format(cells="\n".join(cells), name=path.stem)


@dataclass
class Learner:
    """What became of one kernel: its report, or why there is none; its peak memory and the CPU time it took."""

    failure: str = ""
    report: dict | None = None
    peak_mib: float = 0.0
    cpu_seconds: float = 0.0


def answer(manager: KernelManager, client: object, message: str) -> dict:
    """The kernel's reply to a request; an error as soon as the kernel is dead."""
    end = time.monotonic() + WORK
    while time.monotonic() < end:
        try:
            reply = client.get_shell_msg(timeout=2)
        except Empty:
            if not manager.is_alive():
                raise RuntimeError("the kernel died (out of memory?)") from None
            continue
        if reply["parent_header"].get("msg_id") == message:
            return reply["content"]
    raise RuntimeError(f"no answer in {WORK} s")


def work(manager: KernelManager, client: object, lesson: str) -> Learner:
    """Run the lesson in a started kernel."""
    content = answer(manager, client, client.execute(lesson, user_expressions={"report": "report"}))
    if content["status"] != "ok":
        return Learner(failure=f"{content.get('ename')}: {content.get('evalue')}")
    report = ast.literal_eval(content["user_expressions"]["report"]["data"]["text/plain"])
    pid = manager.provisioner.pid
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    times = psutil.Process(pid).cpu_times()
    return Learner(report=report, peak_mib=int(peak[1]) / 1024, cpu_seconds=times.user + times.system)


def learner(
    environment: dict[str, str], lesson: str, all_ready: threading.Barrier, all_done: threading.Barrier
) -> Learner:
    """One kernel from its start to its end; the lesson begins when every kernel is ready, and ends with all."""
    manager = KernelManager()
    try:
        manager.start_kernel(env=environment, extra_arguments=["--log-level=ERROR"])
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=START)
        all_ready.wait(START)
        result = work(manager, client, lesson)
    except Exception as error:
        all_ready.abort()  # an incomplete class does not begin; one that has begun takes no notice
        result = Learner(failure=f"{type(error).__name__}: {error}")
    with suppress(threading.BrokenBarrierError):
        all_done.wait(WORK)  # nobody closes a notebook before the class is over: the memory stays taken
    if manager.has_kernel:
        manager.shutdown_kernel(now=True)
    return result


def run_class(n: int, policy: str | None, lesson: str) -> tuple[list[Learner], float]:
    """All learners at once; gives them and the MiB that they took from the machine together, at the peak."""
    environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    if policy:
        environment["OMP_WAIT_POLICY"] = policy
    before = least = psutil.virtual_memory().available
    all_ready, all_done = threading.Barrier(n), threading.Barrier(n)
    with ThreadPoolExecutor(n) as pool:
        running = [pool.submit(learner, environment, lesson, all_ready, all_done) for _ in range(n)]
        while not all(one.done() for one in running):
            least = min(least, psutil.virtual_memory().available)
            time.sleep(0.2)
    return [one.result() for one in running], (before - least) / 2**20


def row(n: int, policy: str | None, learners: list[Learner], taken_mib: float) -> str:
    """One line of the table."""
    done = [one for one in learners if not one.failure]
    cells = [str(n), policy or "the course's own", f"{len(done)} of {n}"]
    if done:
        for key in ("total", "training"):
            seconds = [one.report[key] for one in done]
            cells.append(f"{median(seconds):.0f}, {max(seconds):.0f} s")
        slider = [1e3 * one.report["slider"] for one in done]
        peaks = [one.peak_mib for one in done]
        cells += [
            f"{median(slider):.0f}, {max(slider):.0f} ms",
            f"{median(one.cpu_seconds for one in done):.0f} s",
            f"{median(peaks):.0f}, {max(peaks):.0f} MiB",
            f"{taken_mib / 1024:.1f} GiB",
        ]
    return f"| {' | '.join(cells)} |"


def arguments() -> argparse.Namespace:
    """The command line."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("--kernels", type=int, default=20, help="how many at once (default 20)")
    parser.add_argument(
        "--policy", choices=POLICIES, default="default", help="OMP_WAIT_POLICY: the course's own, or ACTIVE"
    )
    parser.add_argument("--notebook", type=Path, help="run all cells of this one instead of the lesson")
    return parser.parse_args()


def main() -> int:
    """Check the memory, let the class work, print the table."""
    asked = arguments()
    free, needed = psutil.virtual_memory().available / 2**20, asked.kernels * MIB_OF_A_KERNEL + MIB_SPARE
    if not os.environ.get("VAE_DATA"):
        print("Set VAE_DATA to the shared folder, the one that holds MNIST/raw. Not started.")
        return 1
    if free < needed:
        print(f"{asked.kernels} kernels need about {needed:.0f} MiB of free memory; there are {free:.0f}. Not started.")
        return 1
    print(f"{os.cpu_count()} cores, OMP_NUM_THREADS {os.environ.get('OMP_NUM_THREADS', 'not set')}\n")
    print("| kernels | OMP_WAIT_POLICY | finished | whole lesson: median, slowest | training |", end=" ")
    print("slider to picture | CPU time of one | peak memory of one: median, largest | taken from the machine |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    failures, sets = [], set()
    for policy in POLICIES[asked.policy]:
        learners, taken = run_class(asked.kernels, policy, lesson_of(asked.notebook))
        print(row(asked.kernels, policy, learners, taken), flush=True)
        failures += [one.failure for one in learners if one.failure]
        sets |= {one.report["data"] for one in learners if one.report}
    print(f"\ndata: {', '.join(sorted(sets))}")
    print("\n".join(f"FAILED: {failure}" for failure in failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
