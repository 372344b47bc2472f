"""Fetching MNIST and Fashion-MNIST into the cache through torchvision: nothing half-made is ever found there."""

import errno
import http.client
import os
import shutil
import socket
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vae_helpers.data.files import FILES, DamagedFileError, DataFile, Published
from vae_helpers.validation import validated

DISK_TROUBLE = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EMFILE,
    errno.ENOTDIR,
    errno.EFBIG,
}
NO_ANSWER = (OSError, RuntimeError, ImportError, http.client.HTTPException, EOFError, zlib.error)
SECONDS_OF_SILENCE = 20
LEFT_BEHIND = 24 * 3600  # seconds after which nobody works in a scratch folder any more


class CacheError(OSError):
    """The cache folder can't be made or written to."""


@validated
def download(name: Published, cache: Path) -> Path | None:
    """Fetch "mnist" or "fashion" into ``cache``; returns it, or None, said loudly, without network or torchvision.

    Files arrive in a temporary folder and move to their place only when whole and checked: neither an interrupted
    download nor two at once leave anything half-written. Raises CacheError where the folder can't be written,
    DamagedFileError where what arrived is not the published data.
    """
    with _scratch_folder(cache) as scratch:
        try:
            from torchvision import datasets

            fetch = {"mnist": datasets.MNIST, "fashion": datasets.FashionMNIST}[name]
            with _patience(SECONDS_OF_SILENCE):
                fetch(scratch, download=True)
        except NO_ANSWER as error:
            if isinstance(error, OSError) and error.errno in DISK_TROUBLE:
                raise CacheError(_cant_write(cache, error)) from error
            announce_glyphs(name, error)
            return None
        for file in FILES[name]:
            _move(file, scratch, cache, name)
    return cache


@contextmanager
def _scratch_folder(cache: Path) -> Iterator[Path]:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        _clear_away(cache)
        scratch = tempfile.TemporaryDirectory(dir=cache, prefix=".download-", ignore_cleanup_errors=True)
    except OSError as error:
        raise CacheError(_cant_write(cache, error)) from error
    with scratch as path:
        yield Path(path)


def _clear_away(cache: Path) -> None:
    """Remove what downloads that were killed have left."""
    for scratch in cache.glob(".download-*"):
        with suppress(OSError):  # another process clears away as well
            if time.time() - scratch.stat().st_mtime > LEFT_BEHIND:
                shutil.rmtree(scratch)


@contextmanager
def _patience(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _move(file: DataFile, scratch: Path, cache: Path, name: str) -> None:
    try:
        file.check(scratch)
    except (DamagedFileError, FileNotFoundError) as error:
        raise DamagedFileError(
            f"{name} arrived damaged ({file.path.name} is not the published file), and was thrown away. Load it again; "
            "behind a proxy or a log-in page, copy the files by hand and set VAE_DATA to their folder."
        ) from error
    target = cache / file.path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(scratch / file.path, target)
    except OSError as error:
        if not target.is_file():  # else another process was first, and on Windows still reads it
            raise CacheError(_cant_write(cache, error)) from error


def _cant_write(cache: Path, error: OSError) -> str:
    return (
        f"The cache folder {cache} can't be written to ({error.strerror}). Make room there, set VAE_CACHE to a folder "
        "of yours, or set VAE_DATA to a folder that already holds MNIST/raw."
    )


def announce_glyphs(name: str, error: Exception) -> None:
    """Say, so that nobody can overlook it, that the glyphs take a data set's place, and why."""
    cause = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    print(
        "=" * 78 + f"\nNO NETWORK: {name} could not be downloaded, so the built-in GLYPHS take its place.\n"
        "Everything runs, but the numbers are not those of the literature.\n"
        "To mend it: connect and load again, or copy the data set to a folder that contains\n"
        f"{FILES[name][0].path.parent} and set VAE_DATA to it.\n(What went wrong: {cause})\n" + "=" * 78
    )
