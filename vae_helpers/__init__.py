"""The package behind the course, in rooms that are named in its own words; README.md in this folder shows the way.

What a notebook teaches is written out there first and imported from here afterwards. A room imports only from rooms to
its left: validation → data → losses → models → training → evaluation → plotting → widgets, exercises; on top is the
command line, ``train``. Import this package before torch: here is the place for what must be set before torch loads.
"""

import os

# before torch loads: idle threads sleep instead of running in circles (libgomp; Intel's runtime), so that a browser,
# a call or a second notebook on the same cores costs their share and no more
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("KMP_BLOCKTIME", "0")
# before torch loads: what Apple's GPUs have no kernel for is computed on the CPU, instead of raising
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")

__version__ = "0.1.0"
