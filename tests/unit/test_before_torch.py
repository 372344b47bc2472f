"""What must be set before torch loads, is; above all, idle threads give way. Each test in a Python of its own."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import vae_helpers

import pytest

NAMES = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0", "PYTORCH_ENABLE_MPS_FALLBACK": "1"}


def in_a_new_python(program: str, **variables: str) -> subprocess.CompletedProcess:
    """What the program prints where none of the names is set but those given."""
    environment = {key: value for key, value in os.environ.items() if key not in {*NAMES, "GOMP_SPINCOUNT"}} | variables
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)


@pytest.mark.parametrize("name", NAMES)
def test_importing_the_package_sets_what_is_not_set(name):
    told = in_a_new_python(f"import vae_helpers, os; print(os.environ['{name}'])")
    assert told.stdout.strip() == NAMES[name]


@pytest.mark.parametrize("name", NAMES)
def test_what_the_learner_has_set_stays(name):
    told = in_a_new_python(f"import vae_helpers, os; print(os.environ['{name}'])", **{name: "ACTIVE"})
    assert told.stdout.strip() == "ACTIVE"


def test_the_package_alone_does_not_load_torch():
    told = in_a_new_python("import vae_helpers, sys; print('torch' in sys.modules)")
    assert told.stdout.strip() == "False"


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only GNU's OpenMP tells its settings in these words")
SLEEPS = "GOMP_SPINCOUNT = '0'"  # its OMP_WAIT_POLICY says 'PASSIVE' where nothing is set, too, and then it spins
CROWDED = {"OMP_NUM_THREADS": str(os.cpu_count() + 1)}  # more threads than cores: as beside other programs


@on_linux
@pytest.mark.parametrize(
    "door", ["from vae_helpers import data", "import vae_helpers.train", "from vae_helpers import widgets"]
)
def test_where_cores_are_short_openmp_itself_says_that_idle_threads_sleep(door):
    told = in_a_new_python(f"{door}; import torch; torch.rand(4)", OMP_DISPLAY_ENV="VERBOSE", **CROWDED)
    assert SLEEPS in told.stderr


@on_linux
def test_openmp_hears_how_often_idle_threads_look_for_work():
    program = "import vae_helpers, os, torch; print(os.environ.get('GOMP_SPINCOUNT', '0'))"
    told = in_a_new_python(program, OMP_DISPLAY_ENV="VERBOSE", OMP_NUM_THREADS="1")
    assert f"GOMP_SPINCOUNT = '{told.stdout.strip()}'" in told.stderr


@pytest.mark.parametrize(
    ("running", "threads", "looks"),
    [
        ("1/96", "", "1000"),
        ("2/96", "", None),  # another program, and a thread of ours for each core
        ("2/96", "1", "1000"),
        ("9/96", "1", None),
        ("1/96", "3", None),  # more threads than cores
        ("1/96", "many", "1000"),
        ("0/0", "", None),  # a machine that doesn't say
        ("", "", None),
    ],
)
def test_idle_threads_look_for_work_where_each_has_a_core_of_its_own(running, threads, looks, tmp_path, monkeypatch):
    (tmp_path / "loadavg").write_text(f"0.10 0.20 0.30 {running} 4711\n" if running else "nothing")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    vae_helpers._look_before_sleep(tmp_path / "loadavg")
    assert "GOMP_SPINCOUNT" not in os.environ
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")
    vae_helpers._look_before_sleep(tmp_path / "loadavg")
    assert os.environ.get("GOMP_SPINCOUNT") == looks
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    vae_helpers._look_before_sleep(tmp_path / "loadavg")
    assert os.environ["GOMP_SPINCOUNT"] == "7"


@pytest.mark.parametrize(("moments", "free"), [("8283", False), ("82831", True), ("1", True), ("0", False)])
def test_a_browser_that_is_busy_for_a_moment_is_not_a_program_that_runs(moments, free, monkeypatch):
    counts = iter(moments)

    class Loadavg(type(Path())):
        def read_text(self):
            return f"0.10 0.20 0.30 {next(counts)}/96 4711"

    monkeypatch.setattr(vae_helpers, "_PAUSE", 0)
    monkeypatch.setattr(vae_helpers, "_MOMENTS", len(moments))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert vae_helpers._cores_are_free(Loadavg()) == free
    assert not list(counts)


@on_linux
@pytest.mark.parametrize("variables", [{}, {"OMP_WAIT_POLICY": "PASSIVE"}])
def test_torch_imported_first_spins_unless_the_variable_is_set_as_in_the_readmes_line(variables):
    told = in_a_new_python("import torch, vae_helpers", OMP_DISPLAY_ENV="VERBOSE", **variables)
    assert (SLEEPS in told.stderr) == bool(variables)


@on_linux
@pytest.mark.slow
def test_what_torchrun_starts_sleeps_too():
    program = (
        "import sys; from torch.distributed.run import main; "
        "main(['--standalone', '--nproc-per-node', '1', '-m', 'vae_helpers.train', '--help'])"
    )
    assert SLEEPS in in_a_new_python(program, OMP_DISPLAY_ENV="VERBOSE", **CROWDED).stderr


RETURNED = """
import {first}
import re, threading
import torch
def resident():
    return int(re.search("VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
def work(kept):
    for _ in range(2):  # glibc learns from what is freed to keep as much the next time
        images = [torch.ones(10_000, 784) for _ in range(3)]
    kept.append(torch.ones(1000))  # small, above the images in the heap, which can't be cut below it
torch.ones(10, 784)
before, kept = resident(), []
for _ in range(2):
    thread = threading.Thread(target=work, args=[kept])
    thread.start()
    thread.join()
print(resident() - before)
"""
MUCH = 15  # MiB; six times ten thousand images are 180


@on_linux
@pytest.mark.parametrize(
    ("first", "variables", "goes_back"),
    [("vae_helpers", {}, True), ("os", {}, False), ("vae_helpers", {"MALLOC_ARENA_MAX": "8"}, False)],
)
def test_what_is_freed_goes_back_to_the_machine_unless_the_learner_has_set_otherwise(first, variables, goes_back):
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("another allocator than glibc's")
    told = in_a_new_python(RETURNED.format(first=first), **variables).stdout
    assert (float(told) < MUCH) == goes_back
