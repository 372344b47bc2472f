"""The package behind the course, in rooms that are named in its own words; README.md in this folder shows the way.

What a notebook teaches is written out there first and imported from here afterwards. A room imports only from rooms to
its left: validation → data → losses → models → training → evaluation → plotting → widgets, exercises; on top is the
command line, ``train``. Import this package before torch: here is the place for what must be set before torch loads.
"""

import ctypes
import os
import sys

# before torch loads: idle threads sleep instead of running in circles (libgomp; Intel's runtime), so that a browser,
# a call or a second notebook on the same cores costs their share and no more
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("KMP_BLOCKTIME", "0")
# before torch loads: what Apple's GPUs have no kernel for is computed on the CPU, instead of raising
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")

# mallopt's names of what is set below (malloc.h), in bytes but for the heaps
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


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


_give_memory_back()

__version__ = "0.1.0"
