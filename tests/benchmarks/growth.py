"""How an epoch's seconds and a process's memory grow with images, latent dimension and width: a process for each."""

import json
import subprocess
import sys

CASES = {
    "10,000 glyphs, 784-400-20": (10_000, 20, 400),
    "60,000 glyphs, 784-400-20": (60_000, 20, 400),
    "600,000 glyphs, 784-400-20": (600_000, 20, 400),
    "60,000 glyphs, 784-400-2": (60_000, 2, 400),
    "60,000 glyphs, 784-400-200": (60_000, 200, 400),
    "60,000 glyphs, 784-100-20": (60_000, 20, 100),
    "60,000 glyphs, 784-1600-20": (60_000, 20, 1600),
}
MEASURE = """
import json, re, sys, time
from pathlib import Path
from vae_helpers import data
from vae_helpers.losses import vae_loss
from vae_helpers.models import VAE
from vae_helpers.training import fit

n, latent_dim, width = map(int, sys.argv[1:])
start = time.perf_counter()
x = data.load_glyphs(n=n, n_test=1).x
drawn = time.perf_counter() - start
history = fit(VAE(latent_dim, (width,)), x, vae_loss, epochs=2, progress=False, precision="float32")
status = Path("/proc/self/status")
peak = re.search(r"VmHWM:\\s+(\\d+)", status.read_text()) if status.is_file() else None
epoch = history.seconds[1] - history.seconds[0]
print(json.dumps([drawn, epoch, int(peak[1]) / 1024 if peak else None]))
"""


def rows() -> list[str]:
    """One process for each case, one after the other."""
    told = ["| data and net | drawing the glyphs | an epoch of `fit`, float32 | peak memory |", "|---|---|---|---|"]
    for name, case in CASES.items():
        command = [sys.executable, "-c", MEASURE, *map(str, case)]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        drawn, epoch, peak = json.loads(printed.splitlines()[-1])
        told.append(f"| {name} | {drawn:.1f} s | {epoch:.2f} s | {f'{peak:,.0f} MiB' if peak else '—'} |")
    return told
