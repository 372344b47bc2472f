"""The package behind the course, in rooms that are named in its own words; README.md in this folder shows the way.

What a notebook teaches is written out there first and imported from here afterwards. A room imports only from rooms to
its left: validation → data → losses → models → training → evaluation → plotting → widgets, exercises; on top is the
command line, ``train``. Import this package before torch: here is the place for what must be set before torch loads.
"""

from __future__ import annotations  # doctor must start in an old Python, to say that it is one

import ctypes
import os
import sys
import time
from pathlib import Path

# before torch loads: idle threads sleep instead of running in circles (libgomp; Intel's runtime), so that a browser,
# a call or a second notebook on the same cores costs their share and no more; where nothing else runs, see below
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("KMP_BLOCKTIME", "0")
# before torch loads: what Apple's GPUs have no kernel for is computed on the CPU, instead of raising
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")

_LOADAVG = Path("/proc/loadavg")
_MOMENTS, _PAUSE = 40, 0.005  # seconds
_LOOKS = 1000  # for work, before a thread sleeps: some microseconds

# mallopt's names of what is set below (malloc.h), in bytes but for the heaps
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


def _others_running(loadavg: Path = _LOADAVG) -> int | None:
    """Threads of other programs that run just now, as Linux counts them; None where nothing says it."""
    try:
        running = int(loadavg.read_text().split()[3].partition("/")[0])
    except (OSError, IndexError, ValueError):
        return None
    return running - 1 if running > 0 else None  # less this one


def _cores_are_free(loadavg: Path = _LOADAVG) -> bool:
    """Whether there is a moment at which each of our threads has a core of its own beside them.

    Several moments, since a browser that has just asked for a cell to be run is busy for some of them.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    ours = int(asked) if asked.isdecimal() else usable
    for _ in range(_MOMENTS if ours <= usable else 0):
        others = _others_running(loadavg)
        if others is None or others + ours <= usable:
            return others is not None
        time.sleep(_PAUSE)
    return False


def _look_before_sleep(loadavg: Path = _LOADAVG) -> None:
    """Where the cores are free, let libgomp's idle threads look for work before they sleep: it takes time to wake them.

    A variable that the learner has set stays.
    """
    asked_otherwise = "GOMP_SPINCOUNT" in os.environ or os.environ["OMP_WAIT_POLICY"].upper() != "PASSIVE"
    if not asked_otherwise and _cores_are_free(loadavg):
        os.environ["GOMP_SPINCOUNT"] = str(_LOOKS)


def _give_memory_back() -> None:
    """What is freed goes back to the machine, on Linux with glibc; elsewhere, and where a variable is set, as it was.

    glibc keeps freed blocks of up to 32 MiB for later, ten thousand images as floats among them, and gives each thread
    a heap of its own to keep them in: 100 MiB and more by the end of a notebook. A step of training makes none above
    16 MiB, and so isn't slowed.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None and not any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ):
        mallopt(_ARENA_MAX, 1)
        mallopt(_MMAP_THRESHOLD, 16 << 20)
        mallopt(_TRIM_THRESHOLD, 32 << 20)


_look_before_sleep()
_give_memory_back()

__version__ = "0.1.0"
