"""What only a Python with torch can tell: its device, the data, the cache, and how fast a VAE learns here.

``python -m vae_helpers.doctor.learning`` prints it as JSON. The doctor runs it in a process of its own: whatever ends
that process is a finding too.
"""

import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import asdict

from vae_helpers import data
from vae_helpers.data import downloads, files
from vae_helpers.data.files import Published
from vae_helpers.doctor.finding import FAULT, NOTE, OK, Finding
from vae_helpers.losses import vae_loss
from vae_helpers.models import VAE
from vae_helpers.training import fit

import torch

MINUTES = 15  # all notebooks of the course and the playground, on 2 cores that learn so many images a second:
IMAGES_PER_SECOND = 34_100
BUSY = 0.5  # of the cores: less is left by other programs, not by the course itself
SLOW = 90  # minutes


def device() -> Finding:
    """Where the course computes."""
    import torchvision

    versions = f"torch {torch.__version__}, torchvision {torchvision.__version__}"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            chosen = data.default_device()
        except ValueError as error:
            return Finding("device", FAULT, f"{versions}. {error}", "Unset VAE_DEVICE, or set it to cpu.")
    if caught:
        return Finding("device", NOTE, f"{versions}. {caught[-1].message}")
    name = torch.cuda.get_device_name() if chosen.type == "cuda" else chosen.type
    return Finding("device", OK, f"{versions}, computes on {name}")


def cache() -> Finding:
    """Whether the cache folder can be made and written to."""
    try:
        folder = data.cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        said = f"{error}" if error.errno is None else f"{error.filename or ''} can't be written to ({error.strerror})."
        return Finding("cache", FAULT, said, "Set VAE_CACHE to a folder of yours, or make room there.")
    return Finding("cache", OK, f"{folder} can be written to")


def data_set(name: Published, mend: bool = False) -> Finding:
    """Whether a data set is there and whole; ``mend`` downloads what is missing and what is damaged in the cache."""
    try:
        folder = data.find(name) or (downloads.download(name, data.cache_folder()) if mend else None)
        if folder is None:
            said = "not here yet: fetched at its first use, or, without a network, drawn by the course"
            return Finding(name, NOTE, said, "--mend fetches it now; VAE_DATA may name a folder that holds it.")
        for file in files.FILES[name]:
            file.check(folder)
    except data.DamagedFileError as error:
        if mend and folder == data.cache_folder():
            (folder / file.path).unlink()
            return data_set(name, mend)
        return Finding(name, FAULT, str(error), "--mend does so, in the cache.")
    except OSError as error:
        return Finding(name, FAULT, str(error))
    return Finding(name, OK, f"whole, in {folder}")


def measured(images: int = 20_000) -> tuple[float, float]:
    """How many images a second 784-400-20 learns on the CPU, and the share of the threads' time that it got."""
    x = torch.randint(256, (images, 1, 28, 28), generator=torch.Generator().manual_seed(0)).byte()
    for n in (images // 10, images):  # the first few warm the processor's caches
        start, start_of_work = time.perf_counter(), time.process_time()
        fit(VAE(20), x[:n], vae_loss, epochs=1, progress=False)
        seconds, work = time.perf_counter() - start, time.process_time() - start_of_work
    return images / seconds, work / seconds / torch.get_num_threads()


def speed(images: int = 20_000) -> Finding:
    """How fast it learns here, and how long the course computes at that rate."""
    return of_speed(*measured(images))


def of_speed(rate: float, share: float) -> Finding:
    """What so many images a second mean for the course, where the threads had that share of their cores."""
    minutes = MINUTES * IMAGES_PER_SECOND / rate
    said = (
        f"784-400-20 learns {rate:,.0f} images a second on the CPU; the course computes {minutes:.0f} minutes at that"
    )
    if share < BUSY:
        mend = "Close other programs and notebooks, where you can."
        return Finding("speed", NOTE, f"{said}, fewer without the programs that take the cores now.", mend)
    return Finding("speed", OK if minutes < SLOW else NOTE, said)


def findings(mend: bool = False) -> Iterator[Finding]:
    """One after the other; one that raises does not keep the next from being looked at."""
    looks: list[tuple[str, Callable[[], Finding]]] = [
        ("device", device),
        ("cache", cache),
        ("mnist", lambda: data_set("mnist", mend)),
        ("fashion", lambda: data_set("fashion", mend)),
        ("speed", speed),
    ]
    for about, look in looks:
        try:
            yield look()
        except Exception as error:
            yield Finding(about, FAULT, f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    with redirect_stdout(sys.stderr):
        found = [asdict(finding) for finding in findings("--mend" in sys.argv)]
    json.dump({"findings": found, "threads": torch.get_num_threads()}, sys.stdout)
