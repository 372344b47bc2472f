"""The command line on one process and on two, each with one thread, at several global batch sizes."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

BATCHES = (256, 1024, 4096)
ONE = [sys.executable, "-m", "vae_helpers.train"]
TWO = [
    sys.executable,
    "-m",
    "torch.distributed.run",
    "--standalone",
    "--nproc-per-node",
    "2",
    "-m",
    "vae_helpers.train",
]
EPOCHS = 4


def measured(command: list[str], batch: int) -> tuple[float, float]:
    """Seconds of an epoch, and the test −ELBO after all of them."""
    with tempfile.TemporaryDirectory() as folder:
        how = ["--epochs", str(EPOCHS), "--batch-size", str(batch), "--precision", "float32", "--device", "cpu"]
        how += ["--quiet", "--checkpoint", str(Path(folder) / "a.pt")]
        threads = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
        done = subprocess.run([*command, *how], capture_output=True, text=True, check=True, env=os.environ | threads)
    spent = float(re.search(r"epochs in ([\d.]+) s", done.stdout)[1])
    return spent / EPOCHS, float(re.search(r"test loss ([\d.]+)", done.stdout)[1])


def rows() -> list[str]:
    """Each batch size on one process, then on two."""
    told = ["| global batch | one process | two processes | gain | −ELBO after 4 epochs |", "|---|---|---|---|---|"]
    for batch in BATCHES:
        (one, elbo), (two, elbo_of_two) = measured(ONE, batch), measured(TWO, batch)
        told.append(f"| {batch:,} | {one:.2f} s | {two:.2f} s | {one / two:.2f} | {elbo:.2f}, {elbo_of_two:.2f} |")
    return told
