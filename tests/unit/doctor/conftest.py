"""For the doctor's tests: a Python without packages."""

import sys
import venv

import pytest


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory):
    """A Python with nothing but its standard library."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False)
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
