"""How much an answer may take, and the process in which it takes it: set up there, before any of its code runs."""

import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from vae_helpers.exercises.grade.guard import Guard
from vae_helpers.exercises.grade.kernel import confine

import torch

with suppress(ImportError):  # Windows has none; grading says so at its door
    import resource

MIB = 2**20
FILE_MIB, FILES = 64, 256  # of one file, and how many may be open


@dataclass(frozen=True)
class Limits:
    """Of one answer. seconds: of processor time; mib: beyond Python's own.

    By the clock: ``asleep`` times as many seconds for one that hardly computes, ``busy`` times as many for any other,
    which shares the machine with the rest of the class.
    """

    seconds: int = 10
    asleep: int = 3
    busy: int = 30
    mib: int = 2_000
    folder_mib: int = 500


@contextmanager
def without_gpus() -> Iterator[None]:
    """Within it PyTorch says that there is no CUDA GPU, here and in what is forked meanwhile: CUDA follows no fork."""
    asked = torch.cuda.is_available, torch.cuda.device_count
    torch.cuda.is_available, torch.cuda.device_count = lambda: False, lambda: 0
    try:
        yield
    finally:
        torch.cuda.is_available, torch.cuda.device_count = asked


def settle(folder: Path, limits: Limits) -> Guard:
    """Shut this process in: silent, in its folder, without network, with limits. What it then tries is in the guard."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.chdir(folder)
    caches = ("VAE_CACHE", "MPLCONFIGDIR", "XDG_CACHE_HOME", "TORCHINDUCTOR_CACHE_DIR")
    here = dict.fromkeys(("HOME", "TMPDIR", *caches), str(folder))
    os.environ.update(here, VAE_RECORD="off", VAE_DEVICE="cpu", MPLBACKEND="agg")
    guard = Guard(folder)
    guard.put_on()
    _limit(limits)
    confine(folder, readable())
    return guard


def readable() -> list[Path]:
    """What an answer may read beside its folder: Python, the packages, the course's data, facts about the machine."""
    named = [sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()]
    named += [str(Path(__file__).parents[2]), os.environ.get("VAE_DATA") or ""]
    system = ["/usr", "/lib", "/lib64", "/bin", "/etc", "/sys/devices/system", "/proc/self", "/proc/cpuinfo"]
    system += ["/proc/meminfo", "/proc/stat", "/dev/urandom"]
    home = Path.home().resolve()
    paths = {Path(path).resolve() for path in filter(None, named + system) if Path(path).exists()}
    return sorted(path for path in paths if path != home and path != Path(path.anchor))


def _limit(limits: Limits) -> None:
    own = _address_space()
    asked = {
        resource.RLIMIT_AS: own + limits.mib * MIB if own else None,
        resource.RLIMIT_CPU: limits.seconds + _seconds_used(),
        resource.RLIMIT_FSIZE: FILE_MIB * MIB,
        resource.RLIMIT_NOFILE: FILES,
        resource.RLIMIT_CORE: 0,
    }
    for what, most in asked.items():
        if most is not None:
            hard = resource.getrlimit(what)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            with suppress(ValueError, OSError):  # macOS does not know all of them
                resource.setrlimit(what, (most, most))


def _seconds_used() -> int:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return int(used.ru_utime + used.ru_stime) + 1


def _address_space() -> int:
    """Bytes of address space in use; 0 where the system does not tell."""
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    return 0
