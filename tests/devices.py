"""Certify a device: run everything on it, unattended, and write what came of it to figures/devices.md.

    python tests/devices.py [--device cuda] [--workers 4] [--only 05_vae facts]

On the device that ``VAE_DEVICE`` names, or the course takes: the tests of tests/gpu, −ELBO of three seeds beside those
of the CPU, the seconds of an epoch, and every notebook, the shortest first. A row is written as soon as its notebook
ends: a run that is cut off keeps them. It needs no network: packages that lack may come as wheels (--wheels folder),
MNIST by VAE_DATA, its files gzipped or not; without it the glyphs are drawn. --pretend runs it on the pretended GPU, to
try this very script.
"""

import argparse
import contextlib
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from statistics import median

from helpers.bare_machine import install_wheels, unpack_data
from helpers.device_table import DeviceTable

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
FILE = ROOT / "figures" / "devices.md"
NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
SEEDS, EPOCHS = (0, 1, 2), 3
PRETEND = """import sys
sys.path.insert(0, {tests!r})
from pretended_gpu.entry import pretended_gpu
_pretended = pretended_gpu()
_pretended.__enter__()"""
MEMORY = """import json as _json, torch as _torch
_bytes = _torch.cuda.max_memory_allocated() if _torch.cuda.is_available() else 0
_bytes = _torch.mps.driver_allocated_memory() if _torch.backends.mps.is_available() else _bytes
print("PEAK", _json.dumps(_bytes))"""


def run_notebook(path, pretend):
    """Run a notebook on a fresh kernel; what came of it, as a dictionary. In a process of its own."""
    from nbformat.v4 import new_code_cell

    from execute import ExecutionError, execute, read

    nb, started = read(path), time.perf_counter()
    if pretend:
        nb.cells.insert(0, new_code_cell(PRETEND.format(tests=str(TESTS))))
    nb.cells.append(new_code_cell(MEMORY))
    try:
        host = execute(nb, path.parent)
    except ExecutionError as error:
        said = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip().splitlines()
        return {"seconds": time.perf_counter() - started, "result": f"{said[0]}: {said[-1][:160]}"}
    printed = "".join(output.get("text", "") for output in nb.cells[-1].outputs)
    device = json.loads(printed.partition("PEAK ")[2] or "0")
    return {"seconds": time.perf_counter() - started, "host": host, "device": device / 2**20, "result": "passed"}


def three_seeds(device):
    """−ELBO of 784-400-20 on the test images, for each seed."""
    from vae_helpers import data, losses, models
    from vae_helpers.training import fit, mean_loss

    import torch

    dataset, found = data.load("mnist", device=device), []
    for seed in SEEDS:
        torch.manual_seed(seed)
        model = models.VAE(20).to(device)
        models.start_at_mean(model, dataset.x)
        fit(model, dataset.x, losses.vae_loss, epochs=EPOCHS, seed=seed, progress=False)
        found.append(mean_loss(model, dataset.x_test, losses.vae_loss).total)
    numbers = ", ".join(f"{value:.2f}" for value in found)
    return f"{numbers} on {device} ({dataset.name}, {EPOCHS} epochs)"


def epochs(device):
    """Seconds of an epoch of 784-400-20 after the first, in each precision: its images on the device, and off it."""
    from vae_helpers import data, losses, models
    from vae_helpers.training import fit

    x, told = data.load("mnist", device="cpu").x, []
    for precision, resident in itertools.product(("float32", "bf16"), (True, False)):
        how = {"precision": precision, "device_bytes": None if resident else 0, "progress": False}
        history = fit(models.VAE(20).to(device), x, losses.vae_loss, epochs=1 + EPOCHS, **how)
        seconds = median(b - a for a, b in itertools.pairwise(history.seconds))
        told.append(f"{seconds:.2f} s ({precision}{'' if resident else ', streamed'})")
    return ", ".join(told)


def on_device(pretend):
    """The device, in words: its kind, its name, PyTorch's version."""
    from vae_helpers import data

    import torch

    device = data.default_device()
    names = {"cuda": torch.cuda.get_device_name, "mps": lambda: "Apple's GPU", "cpu": lambda: os.uname().machine}
    name = "a pretended GPU" if pretend else names[device.type]()
    threads = f", {torch.get_num_threads()} threads" if device.type == "cpu" else ""
    return [device.type, f"{device.type}: {name}{threads}, torch {torch.__version__.split('+')[0]}"]


def shortest_first(names):
    """Notebooks in the order of their seconds in figures/benchmarks.md; those that it doesn't know come last."""
    known = dict(re.findall(r"^\| (\w+) \| (\d+) \|", (ROOT / "figures" / "benchmarks.md").read_text("utf-8"), re.M))
    return sorted(names, key=lambda name: int(known.get(name, 10**6)))


def facts(environment, workers):
    """What pytest's last line says of tests/gpu, with real tensors where the device is real."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(workers), str(TESTS / "gpu")]
    command += [f"--ignore={TESTS / 'gpu' / 'test_notebooks.py'}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    print("\n".join(lines), flush=True)
    return (done.stdout.strip().splitlines() or [done.stderr[-200:]])[-1].strip("= ")


def part(environment, what, value, pretend):
    """A part of this script in a process of its own; the last line that it prints, read as JSON."""
    command = [sys.executable, str(Path(__file__)), "--part", what, value, *(["--pretend"] if pretend else [])]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    try:
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        raise SystemExit(f"{what} {value} ended without a word.\n{done.stderr[-2000:]}") from None


def carry_out(what, value, pretended):
    """What a process of its own was begun for: a notebook, three seeds, epochs, or the device in words."""
    if what == "notebook":
        return run_notebook(NOTEBOOKS[value], pretended)
    with contextlib.ExitStack() as until_the_end:
        if pretended and value != "cpu":
            from pretended_gpu.entry import pretended_gpu

            until_the_end.enter_context(pretended_gpu())
        if what == "device":
            return on_device(pretended)
        return {"seeds": three_seeds, "epochs": epochs}[what](value)


def cells_of(name, found):
    """A notebook's row."""
    memory = [f"{found[key]:,.0f} MiB" if found.get(key) else "—" for key in ("host", "device")]
    return name, f"{found['seconds']:.0f}", *memory, found["result"].replace("|", "/")


def options():
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", help="cuda, mps or cpu (what the course takes)")
    parser.add_argument("--workers", type=int, default=1, help="notebooks at a time (1)")
    parser.add_argument("--only", nargs="+", choices=[*NOTEBOOKS, "facts", "seeds", "epochs"], help="some parts")
    parser.add_argument("--wheels", type=Path, help="a folder of wheels to install first")
    parser.add_argument("--pretend", action="store_true", help="on the pretended GPU")
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def environment_for(asked, scratch):
    """Of all processes: a cache of the run's own, the device, packages, data."""
    environment = os.environ | {"VAE_CACHE": str(scratch / "cache"), "OMP_WAIT_POLICY": "PASSIVE"}
    paths = [str(ROOT), str(TESTS), os.environ.get("PYTHONPATH", "")]
    if asked.wheels:
        paths.insert(0, install_wheels(asked.wheels, scratch / "packages"))
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    if asked.workers > 1:
        environment.setdefault("OMP_NUM_THREADS", str(max(1, os.cpu_count() // asked.workers)))
    if asked.device:
        environment["VAE_DEVICE"] = asked.device
    if os.environ.get("VAE_DATA"):
        environment["VAE_DATA"] = unpack_data(Path(os.environ["VAE_DATA"]), scratch / "data")
    return environment


def certify(asked, environment):
    """Run the parts asked for; nothing in this process holds the device."""
    kind, title = part(environment, "device", "", asked.pretend)
    print(title, flush=True)
    table, wanted = DeviceTable(FILE, title), asked.only or ["facts", "seeds", "epochs", *NOTEBOOKS]
    if "facts" in wanted:
        table.add("tests/gpu", *["—"] * 3, facts(environment, asked.workers))
    for device in dict.fromkeys([kind, "cpu"]) if "seeds" in wanted else ():
        table.add(f"−ELBO, {device}", *["—"] * 3, part(environment, "seeds", device, asked.pretend))
    if "epochs" in wanted:
        table.add("an epoch", *["—"] * 3, part(environment, "epochs", kind, asked.pretend))
    names = shortest_first(name for name in wanted if name in NOTEBOOKS)
    with ThreadPoolExecutor(asked.workers) as pool:
        begun = {pool.submit(part, environment, "notebook", name, asked.pretend): name for name in names}
        for done in as_completed(begun):
            table.add(*cells_of(begun[done], done.result()))
            print(*table.rows[begun[done]], sep=" | ", flush=True)
    return 0 if all(row[-1] == "passed" for name, row in table.rows.items() if name in names) else 1


def main():
    """The command line."""
    asked = options()
    if asked.part:
        print(json.dumps(carry_out(*asked.part, asked.pretend)))
        return 0
    with tempfile.TemporaryDirectory(prefix="devices-") as scratch:
        return certify(asked, environment_for(asked, Path(scratch)))


if __name__ == "__main__":
    sys.exit(main())
