"""Trainings by ``vae_helpers.train``, one after the other, in processes that one Python forks once it has loaded torch.

Each of a training's processes is told who it is as torchrun would tell it. torchrun itself takes three Pythons of its
own for two processes, and each of them loads torch anew.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, os, shutil, signal, socket, sys, time
from vae_helpers import train

def a_process(rank, of, port, options):
    if of > 1:
        told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": of, "MASTER_ADDR": "localhost", "MASTER_PORT": port}
        os.environ.update({"TORCHELASTIC_RUN_ID": "none", **{name: str(value) for name, value in told.items()}})
    status = 1
    try:
        status = train.main(options)
    finally:
        sys.stdout.flush()
        os._exit(status)

for processes, options, killed_at in json.loads(sys.argv[1]):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    pids = []
    for rank in range(processes):
        pids.append(os.fork() or a_process(rank, processes, port, options))
    while killed_at and not os.path.exists(killed_at):
        time.sleep(0.01)
    if killed_at:
        [os.kill(pid, signal.SIGKILL) for pid in pids]
    ends = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    assert set(ends) == {-signal.SIGKILL if killed_at else 0}, ends
    if killed_at:
        shutil.copy(killed_at, killed_at + ".then")
"""


def training(processes: int, *options: str, killed_at: Path | None = None) -> tuple[int, list[str], str | None]:
    """One training, for ``printed_by``.

    killed_at: all its processes get SIGKILL when this file is there; as it then is, it stays in "….then".
    """
    return processes, list(options), killed_at and str(killed_at)


def printed_by(*trainings: tuple[int, list[str], str | None]) -> str:
    """What these trainings print, each process on one thread; each must end as it is meant to."""
    command = [sys.executable, "-c", PROGRAM, json.dumps(trainings)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout
