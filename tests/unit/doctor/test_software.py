"""Faults of Python, of its packages, of JupyterLab and its kernel: each named, each with what to type."""

import json
import re

from vae_helpers.doctor import software
from vae_helpers.doctor.finding import FAULT, NOTE, OK

import pytest


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"version": (3, 10, 4)}, "too old"),
        ({"is_64_bit": False}, "32 bits"),
        ({"system": "Darwin", "processor": "x86_64"}, "Intel"),
    ],
)
def test_a_python_that_pytorch_does_not_know(fault, said):
    found = software.python(**fault)
    assert found.state == FAULT
    assert said in found.text
    assert found.mend


def test_this_python_does():
    assert software.python().state == OK


def test_what_the_course_asks_for_is_read_from_both_files():
    asked = software.required()
    assert {"torch>=2.6,<3", "nbconvert>=7.16,<8"} <= set(asked)
    assert not [line for line in asked if line.startswith(("-", "#")) or "#" in line]


def test_a_missing_package_and_one_out_of_range_are_named():
    found = software.packages(["numpy>=2.0,<3", "no-such-package>=1", "pytest<1"])
    assert found.state == FAULT
    assert "no-such-package is missing" in found.text
    assert re.search(r"pytest is [\d.]+, not <1", found.text)
    assert "numpy" not in found.text
    assert "-m pip install -r" in found.mend


def test_many_missing_packages_do_not_fill_the_screen():
    assert software.packages([f"no-such-package-{k}" for k in range(30)]).text.endswith("and 26 more.")


def test_a_copy_of_the_course_whose_package_is_not_the_one_imported(tmp_path):
    found = software.course_package(tmp_path)
    assert found.state == NOTE
    assert str(tmp_path) in found.text
    assert f"-e {tmp_path}" in found.mend


def test_a_package_that_a_notebook_can_not_import(monkeypatch, bare_python):
    monkeypatch.setattr(software.sys, "executable", str(bare_python))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    found = software.course_package()
    assert found.state == FAULT
    assert "--no-deps -e" in found.mend


def test_widgets_without_the_half_in_the_browser(monkeypatch):
    monkeypatch.setitem(software.FRONT_ENDS, "no-such-extension", "some_widgets")
    found = software.widgets()
    assert found.state == FAULT
    assert "some_widgets" in found.text
    assert found.mend.endswith("some_widgets")


def test_a_kernel_that_starts_another_python(monkeypatch, tmp_path):
    spec = tmp_path / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(
        json.dumps({"argv": ["/another/python", "-m", "ipykernel"], "display_name": "x", "language": "python"})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    found = software.kernel()
    assert found.state == FAULT
    assert "/another/python" in found.text
    assert "--sys-prefix" in found.mend
