"""Data that break on their way: nothing half-made is taken for whole, nothing is lost, and it is said what happened.

A real server on this machine breaks off, falls silent, answers nonsense, or serves two processes at once. What
``test_dataset`` shows with a stand-in for torchvision is shown here with torchvision itself.
"""

import errno
import gzip
import hashlib
import http.server
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from vae_helpers import data
from vae_helpers.data import CacheError, DamagedFileError, downloads, glyphs
from vae_helpers.data.files import FILES, DataFile

import pytest
import torch
from torchvision import datasets

pytestmark = pytest.mark.slow

NAMES = [f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]
SLOW = 240  # seconds after which a process that still waits has hung


def idx_bytes(name):
    """A small file in IDX format: 70 random images, or their labels."""
    values = torch.randint(0, 256, (70, 28, 28), generator=torch.Generator().manual_seed(len(name)), dtype=torch.uint8)
    values = values if "images" in name else values[:, 0, 0] % 10
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.numpy().tobytes()


class Server(http.server.ThreadingHTTPServer):
    """Serves files; ``fault`` spoils them. ``met`` holds the first answers back until two have asked."""

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.fault, self.met, self.asked = files, None, None, threading.Event()
        self.go_on = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body):
        content = self.server.files[self.path.strip("/")]
        self.send_response(500 if self.server.fault == "error" else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if not body or self.server.fault == "error":
            return
        if self.server.met:
            self.server.met.wait(SLOW)
            self.server.met = None
        if self.server.fault in ("breaks off", "falls silent"):
            content = content[: len(content) // 2]
        self.wfile.write(b"\0" * len(content) if self.server.fault == "nonsense" else content)
        self.wfile.flush()
        self.server.asked.set()
        if self.server.fault == "falls silent":
            self.server.go_on.wait(SLOW)

    def log_message(self, *_):
        pass


@pytest.fixture
def cache(cache, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return cache


@pytest.fixture
def server(monkeypatch):
    """A mirror of a small MNIST, published as such for this test."""
    plain = {name: idx_bytes(name) for name in NAMES}
    packed = {f"{name}.gz": gzip.compress(content) for name, content in plain.items()}
    server = Server(packed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    md5s = [(name, hashlib.md5(content).hexdigest()) for name, content in packed.items()]
    files = [(f"MNIST/raw/{name}", len(c), hashlib.md5(c).hexdigest()) for name, c in plain.items()]
    monkeypatch.setattr(datasets.MNIST, "mirrors", [server.url])
    monkeypatch.setattr(datasets.MNIST, "resources", md5s)
    monkeypatch.setitem(FILES, "mnist", tuple(DataFile(Path(p), n, m) for p, n, m in files))
    server.told = json.dumps({"url": server.url, "md5s": md5s, "files": files})
    yield server
    server.go_on.set()
    server.shutdown()
    server.server_close()


OTHER_PROCESS = """
import json, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have started us deaf to it
from pathlib import Path
from vae_helpers import data
from vae_helpers.data.files import FILES, DataFile
from torchvision import datasets
told = json.loads(sys.argv[1])
datasets.MNIST.mirrors, datasets.MNIST.resources = [told["url"]], told["md5s"]
FILES["mnist"] = tuple(DataFile(Path(p), n, m) for p, n, m in told["files"])
loaded = data.load("mnist", device="cpu")
print(loaded.name, len(loaded.x), int(loaded.x.sum()))
"""


def another_process(server):
    """A process of its own that loads the small MNIST."""
    command = [sys.executable, "-c", OTHER_PROCESS, server.told]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def is_whole(cache):
    """Whether the cache holds the four files, each as published, and nothing else."""
    found = [path for path in cache.rglob("*") if path.is_file()]
    return len(found) == 4 and all(len(file.check(cache)) == file.size for file in FILES["mnist"])


def contents(cache):
    return [path.name for path in cache.iterdir()] if cache.exists() else []


def test_a_download_from_a_mirror_is_whole(server, cache):
    assert data.load("mnist", device="cpu").name == "mnist"
    assert is_whole(cache)


@pytest.mark.parametrize("fault", ["breaks off", "falls silent", "nonsense", "error"])
def test_a_download_that_fails_leaves_nothing_and_the_next_one_is_whole(fault, server, cache, monkeypatch, capsys):
    monkeypatch.setattr(downloads, "SECONDS_OF_SILENCE", 0.5)
    server.fault = fault
    assert data.load("mnist", device="cpu").name == "glyphs"
    said = capsys.readouterr().out
    assert "NO NETWORK: mnist could not be downloaded" in said and "What went wrong:" in said
    assert contents(cache) == []
    server.fault = None
    assert data.load("mnist", device="cpu").name == "mnist"
    assert is_whole(cache)


def test_two_processes_that_download_at_once_both_end_with_the_whole_data(server, cache):
    server.met = threading.Barrier(2)
    processes = [another_process(server) for _ in range(2)]
    answers = [process.communicate(timeout=SLOW) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], answers
    assert answers[0][0] == answers[1][0] and answers[0][0].startswith("mnist 70 ")
    assert is_whole(cache) and contents(cache) == ["MNIST"]


@pytest.mark.skipif(os.name == "nt", reason="Windows can't send Ctrl-C to a process alone")
def test_ctrl_c_in_the_middle_of_a_download_leaves_nothing(server, cache):
    server.fault = "falls silent"
    process = another_process(server)
    assert server.asked.wait(SLOW)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=SLOW)
    assert process.returncode != 0 and "KeyboardInterrupt" in errors
    assert contents(cache) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_what_a_killed_download_leaves_is_not_taken_for_data_and_is_cleared_away_later(server, cache):
    server.fault = "falls silent"
    process = another_process(server)
    assert server.asked.wait(SLOW)
    process.kill()
    process.communicate(timeout=SLOW)
    (left,) = contents(cache)
    assert left.startswith(".download-") and data.find("mnist") is None
    server.fault = None
    assert data.load("mnist", device="cpu").name == "mnist"
    assert sorted(contents(cache)) == [left, "MNIST"]  # young: another process may be at work in it
    yesterday = time.time() - 2 * 24 * 3600
    os.utime(cache / left, (yesterday, yesterday))
    (cache / "MNIST/raw/train-images-idx3-ubyte").unlink()
    assert data.load("mnist", device="cpu").name == "mnist"
    assert is_whole(cache) and contents(cache) == ["MNIST"]


def test_an_interrupt_between_two_files_leaves_whole_files_and_the_next_load_completes_them(server, cache, monkeypatch):
    move, moved = os.replace, []

    def interrupted(source, target):
        if len(moved) == 2:
            raise KeyboardInterrupt
        moved.append(target)
        move(source, target)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        data.load("mnist", device="cpu")
    assert contents(cache) == ["MNIST"] and data.find("mnist") is None
    monkeypatch.setattr(os, "replace", move)
    assert data.load("mnist", device="cpu").name == "mnist"
    assert is_whole(cache)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full, the disk that is always full")
def test_a_disk_that_is_full_is_said_and_leaves_nothing(server, cache, monkeypatch):
    def to_a_full_disk(url, filename, chunk_size=0):
        with open("/dev/full", "wb", buffering=0) as file:
            file.write(b"data")

    monkeypatch.setattr(datasets.utils, "_urlretrieve", to_a_full_disk)
    with pytest.raises(CacheError, match=r"can't be written to \(No space left on device\)\. Make room there"):
        data.load("mnist", device="cpu")
    assert contents(cache) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_limit_on_the_size_of_files_is_said_and_not_taken_for_a_missing_network(server, cache):
    limited = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limited += "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
    imports, rest = OTHER_PROCESS.split("told = ", 1)  # some versions of torch write a file when they are imported
    command = [sys.executable, "-c", imports + limited + "told = " + rest, server.told]
    result = subprocess.run(command, capture_output=True, text=True, timeout=SLOW)
    assert result.returncode != 0 and "CacheError" in result.stderr and "can't be written to" in result.stderr
    assert contents(cache) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_fills_or_locks_while_files_are_moved_is_said_and_no_scratch_is_left(
    code, server, cache, monkeypatch
):
    def refused(source, target):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(CacheError, match=rf"can't be written to \({os.strerror(code)}\)"):
        data.load("mnist", device="cpu")
    assert not [path for path in cache.rglob("*") if path.is_file()]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="this user may write everywhere")
def test_a_read_only_cache_is_said(server, cache):
    cache.mkdir()
    cache.chmod(0o555)
    with pytest.raises(CacheError, match=r"can't be written to.*set VAE_CACHE"):
        data.load("mnist", device="cpu")


def test_a_read_only_cache_is_said_to_whoever_may_write_everywhere_else(server, cache, monkeypatch):
    def read_only(**_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(downloads.tempfile, "TemporaryDirectory", read_only)
    with pytest.raises(CacheError, match=r"Read-only file system.*set VAE_CACHE to a folder of yours"):
        data.load("mnist", device="cpu")


def test_from_a_read_only_folder_data_are_loaded_and_nothing_is_written_there(server, cache, monkeypatch):
    data.load("mnist", device="cpu")
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*")}
    for path in [*cache.rglob("*"), cache]:
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        monkeypatch.setenv("VAE_DATA", str(cache))
        monkeypatch.setenv("VAE_CACHE", str(cache / "nowhere"))
        assert data.load("mnist", device="cpu").name == "mnist"
        assert {path: path.stat().st_mtime_ns for path in cache.rglob("*")} == before
    finally:
        for path in [cache, *cache.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o222)


@pytest.mark.parametrize("damage", ["cut", "emptied", "changed"])
def test_a_damaged_file_in_the_cache_is_named_and_left_to_its_owner(damage, server, cache):
    data.load("mnist", device="cpu")
    victim = cache / "MNIST/raw/t10k-images-idx3-ubyte"
    content = victim.read_bytes()
    victim.write_bytes({"cut": content[:-1], "emptied": b"", "changed": b"\1" + content[1:]}[damage])
    with pytest.raises(DamagedFileError, match=r"t10k-images-idx3-ubyte is damaged.*Delete it and load again"):
        data.load("mnist", device="cpu")
    victim.unlink()
    assert data.load("mnist", device="cpu").name == "mnist"
    assert is_whole(cache)


def test_the_glyphs_are_made_in_memory_and_write_nothing(cache):
    data.load_glyphs(n=3, n_test=2)
    assert not cache.exists()


def test_an_interrupt_while_the_glyphs_are_drawn_spoils_nothing(monkeypatch):
    whole = glyphs.make(5)[0]
    glyphs._signed_distances.cache_clear()

    def interrupted(font, character):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(glyphs, "_signed_distance", interrupted)
        with pytest.raises(KeyboardInterrupt):
            glyphs.make(5)
    assert torch.equal(glyphs.make(5)[0], whole)


def test_without_torchvision_the_glyphs_take_its_place_and_it_is_said_why(cache, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    assert downloads.download("mnist", cache) is None
    assert "torchvision" in capsys.readouterr().out
