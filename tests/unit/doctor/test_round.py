"""The whole round: on a bare Python, in the tests' own, and with a torch that is broken, ends Python or hangs."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import vae_helpers
from vae_helpers.doctor import __main__ as doctor
from vae_helpers.doctor import software
from vae_helpers.doctor.finding import FAULT, NOTE, WIDTH, Finding

import pytest

from helpers.places import ROOT

FOLDER = Path(vae_helpers.__file__).parent / "doctor"


def asked_in(python, *options, **variables):
    """The doctor as a learner runs it in the repository, by another Python."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")} | variables
    command = [str(python), "-m", "vae_helpers.doctor", *options]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=300
    )


@pytest.fixture
def fake_torch(tmp_path, monkeypatch):
    """Takes the code of a module that is imported in place of torch by the processes that a test starts."""

    def write(code):
        (tmp_path / "torch.py").write_text(code)
        monkeypatch.setattr(software, "ROOT", tmp_path)  # first on the path of the doctor's process
        monkeypatch.setenv("PYTHONPATH", str(ROOT))

    return write


def test_on_a_bare_python_it_says_what_is_missing_and_what_to_type(bare_python):
    told = asked_in(bare_python)
    assert told.returncode == 1, told.stderr
    assert "torch is missing" in told.stdout
    assert f"{bare_python} -m pip install -r {ROOT / 'requirements.txt'}" in re.sub(r"\s+", " ", told.stdout)
    assert re.search(r"\n[3-9] to mend", told.stdout)
    assert not told.stderr


def test_what_can_not_be_mended_is_still_named(bare_python):
    told = asked_in(bare_python, "--mend")
    assert told.returncode == 1
    assert "No module named pip" in told.stderr
    assert "torch is missing" in told.stdout


@pytest.mark.parametrize(
    "file", [FOLDER.parent / "__init__.py", *sorted(FOLDER.glob("*.py"))], ids=lambda file: file.stem
)
def test_an_old_python_can_read_it(file):
    ast.parse(file.read_text("utf-8"), feature_version=(3, 8))


@pytest.fixture(scope="module")
def here():
    """What it says of this environment; the first thing that a learner types."""
    return asked_in(sys.executable, OMP_WAIT_POLICY="PASSIVE")


def test_where_the_tests_run_it_finds_nothing_to_mend_but_what_is_short(here):
    faults = re.findall(r"^FAULT +(\w+)", here.stdout, re.MULTILINE)
    assert set(faults) <= {"memory", "disk"}, here.stdout
    assert here.returncode == bool(faults)


def test_it_fits_one_screen(here):
    lines = here.stdout.splitlines()
    assert len(lines) <= 24
    assert max(len(line) for line in lines if os.sep not in line) <= WIDTH


def test_it_says_all_that_the_course_needs(here):
    for about in (
        "Python",
        "packages",
        "vae_helpers",
        "widgets",
        "kernel",
        "disk",
        "memory",
        "device",
        "cache",
        "mnist",
    ):
        assert re.search(rf"^(ok|note|FAULT) +{about} ", here.stdout, re.MULTILINE)
    told = " ".join(here.stdout.split())
    assert re.search(r"learns [\d,]+ images a second on the CPU; the course computes \d+ minutes", told)
    assert re.search(r"cores \d+ usable, \d+ threads", told)


@pytest.mark.skipif(sys.platform != "linux", reason="only GNU's OpenMP tells its settings in these words")
def test_openmp_itself_is_asked_how_its_threads_wait(here):
    assert "PASSIVE, as OpenMP says" in here.stdout


def test_the_exit_status_counts_faults_alone(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "round_of", lambda mend: [Finding("data", NOTE, "none")])
    assert doctor.main([]) == 0
    assert "Ready" in capsys.readouterr().out
    monkeypatch.setattr(doctor, "round_of", lambda mend: [Finding("disk", FAULT, "full", "Make room.")])
    assert doctor.main([]) == 1
    assert "> Make room." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise ImportError('libcudart.so.13: cannot open shared object file')", "libcudart.so.13: cannot open"),
        pytest.param(
            "import os, signal; os.kill(os.getpid(), signal.SIGILL)",
            "ended by SIGILL",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="no signals"),
        ),
        ("import time; time.sleep(60)", "no answer in 1 seconds"),
    ],
)
def test_a_torch_that_breaks_ends_python_or_hangs(fake_torch, code, said):
    fake_torch(code)
    [found], threads, _ = doctor.with_torch(seconds=1 if "sleep" in code else 60)
    assert found.state == FAULT
    assert said in found.text
    assert "--force-reinstall torch torchvision" in found.mend
    assert threads is None


def test_mend_installs_what_is_missing_into_the_python_that_asks(bare_python, tmp_path):
    (tmp_path / "pip.py").write_text("import sys; print('pip', *sys.argv[1:])")
    told = asked_in(bare_python, "--mend", PYTHONPATH=str(tmp_path))
    assert f"pip install -r {ROOT / 'requirements.txt'}\n" in told.stdout
    assert "pip install" not in asked_in(bare_python, PYTHONPATH=str(tmp_path)).stdout.replace("-m pip", "")
