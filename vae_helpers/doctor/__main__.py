"""The doctor's round, said line by line as it is found; the exit status is 1 where something is to mend."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

from vae_helpers.doctor import machine, software
from vae_helpers.doctor.finding import FAULT, Finding

PATIENCE = 300  # seconds for torch to load, and for a slow machine to learn a little
REINSTALL = ("--force-reinstall", "torch", "torchvision")


def with_torch(mend: bool = False, seconds: float = PATIENCE) -> tuple[list[Finding], int | None, str]:
    """What ``learning`` finds in a process of its own, its number of threads, and what OpenMP said there."""
    path = os.pathsep.join([str(software.ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "OMP_DISPLAY_ENV": "VERBOSE", "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "vae_helpers.doctor.learning", *(["--mend"] if mend else [])]
    told = {"env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    try:
        done = subprocess.run(command, timeout=seconds, **told)
    except subprocess.TimeoutExpired:
        return (
            [Finding("torch", FAULT, f"gave no answer in {seconds:g} seconds.", software.pip_install(*REINSTALL))],
            None,
            "",
        )
    if done.returncode:
        said = f"can't be used: {how_it_ended(done)}"
        return [Finding("torch", FAULT, said, software.pip_install(*REINSTALL))], None, ""
    answer = json.loads(done.stdout)
    return [Finding(**found) for found in answer["findings"]], answer["threads"], done.stderr


def how_it_ended(done: subprocess.CompletedProcess) -> str:
    """The signal that ended a process, or the last line of its traceback."""
    if done.returncode < 0:
        return f"Python was ended by {signal.Signals(-done.returncode).name}."
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return lines[-1] if lines else f"Python ended with {done.returncode}."


def round_of(mend: bool = False) -> Iterator[Finding]:
    """Every finding, as soon as it is there."""
    yield software.python()
    packages = software.packages()
    if mend and packages.state == FAULT:
        subprocess.run([sys.executable, "-m", "pip", "install", "-r", str(software.REQUIREMENTS)])
        packages = software.packages()
    yield packages
    yield software.course_package()
    yield software.widgets()
    yield software.kernel()
    has_torch = not software.trouble_with("torch")
    yield machine.disk(has_torch)
    yield machine.memory()
    if not has_torch:
        yield Finding(
            "torch", FAULT, "is missing: device, data, cache and speed are not looked at.", software.install_all()
        )
        yield machine.cores(machine.usable_cores())
        return
    found, threads, said_by_openmp = with_torch(mend)
    yield from found
    yield machine.cores(machine.usable_cores(), threads)
    yield machine.idle_threads(said_by_openmp)


def main(arguments: list[str] | None = None) -> int:
    """Print the round; 0 where the course can begin, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m vae_helpers.doctor", description="Is this machine ready for the course?"
    )
    parser.add_argument("--mend", action="store_true", help="install what is missing, and fetch the data")
    asked = parser.parse_args(arguments)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal that can't show a folder's name
    faults = 0
    for finding in round_of(asked.mend):
        print(finding, flush=True)
        faults += finding.state == FAULT
    print(
        f"\n{faults} to mend: what to do or type stands after each >."
        if faults
        else "\nReady. Open notebooks/00_start_here.ipynb."
    )
    return min(1, faults)


if __name__ == "__main__":
    sys.exit(main())
