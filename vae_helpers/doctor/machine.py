"""The machine itself: disk, memory, cores, and whether idle threads give way. The standard library, psutil if there."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from vae_helpers.doctor.finding import FAULT, NOTE, OK, Finding

GB = 10**9
TO_INSTALL, TO_WORK = 7.0, 0.5  # GB: the environment on Linux; data sets, downloads and trained weights
KERNEL = 1.2  # GB: a notebook's kernel, at most
LOOKS = 1000  # for work before a thread sleeps, at most: what the package sets where nothing else runs
QUOTA = Path("/sys/fs/cgroup/cpu.max")


def disk(is_installed: bool, folder: str = sys.prefix, free: float | None = None) -> Finding:
    """Whether there is room (``free``, in GB) for the environment, or for the course in one that is there."""
    free = shutil.disk_usage(folder).free / GB if free is None else free
    needed = TO_WORK if is_installed else TO_INSTALL
    said = f"{free:.1f} GB free for {folder}"
    if free < needed:
        return Finding("disk", FAULT, f"{said}, about {needed:g} GB needed.", "Make room, or clone to a larger disk.")
    return Finding("disk", OK, said)


def memory(available: float | None = None) -> Finding:
    """Whether a notebook's kernel has room (``available`` in GB)."""
    if available is None:
        try:
            import psutil
        except ImportError:
            return Finding("memory", NOTE, "not looked at: psutil is missing.")
        available = psutil.virtual_memory().available / GB
    said = f"{available:.1f} GB free; a notebook takes up to {KERNEL:g} GB"
    if available < KERNEL:
        return Finding(
            "memory", FAULT, said + ".", "Close programs, and in JupyterLab: Kernel > Shut Down All Kernels."
        )
    return Finding("memory", OK, said)


def usable_cores(quota: Path = QUOTA) -> float:
    """Cores that this process may use: those of the machine, less what an affinity or a container's quota takes."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        allowed, period = quota.read_text().split()
        return min(cores, int(allowed) / int(period))
    except (OSError, ValueError):  # no container, or "max": no quota
        return cores


def cores(usable: float, threads: int | None = None) -> Finding:
    """Whether PyTorch starts no more threads than there are cores for it; None where PyTorch is missing."""
    said = f"{usable:g} usable" + (f", {threads} threads of PyTorch" if threads else "")
    if threads and threads > max(1, usable):
        at_most = max(1, int(usable))
        mend = f"Set OMP_NUM_THREADS={at_most} before Python starts: more threads than cores wait for each other."
        return Finding("cores", NOTE, said + ".", mend)
    return Finding("cores", OK, said)


def idle_threads(said_by_openmp: str = "", policy: str | None = None) -> Finding:
    """Whether threads without work leave the cores to other programs; as GNU's OpenMP says at its start, where it does.

    It says how often a thread looks for work before it sleeps. (Its word on OMP_WAIT_POLICY is 'PASSIVE' also where
    nothing is set, and a thread looks 300,000 times.)
    """
    policy = os.environ.get("OMP_WAIT_POLICY", "") if policy is None else policy
    looks = {int(n) for n in re.findall(r"GOMP_SPINCOUNT = '(\d+)'", said_by_openmp)}
    if policy.upper() != "PASSIVE" or max(looks, default=0) > LOOKS:
        said = f"run in circles (OMP_WAIT_POLICY is {policy or 'not set'}), and slow other programs down."
        return Finding("idle threads", NOTE, said, "Set OMP_WAIT_POLICY=PASSIVE before Python starts.")
    how = "" if not looks else ", as OpenMP says" + (f", after {max(looks):,} looks for work" if max(looks) else "")
    return Finding("idle threads", OK, f"sleep (OMP_WAIT_POLICY=PASSIVE{how})")
