"""Python, the packages of requirements.txt, and what JupyterLab needs to show a widget. The standard library alone."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from vae_helpers.doctor.finding import FAULT, NOTE, OK, Finding

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements.txt"
OLDEST = (3, 11)
WIDGETS = ("jupyterlab", "ipykernel", "ipywidgets", "anywidget")
FRONT_ENDS = {"@jupyter-widgets/jupyterlab-manager": "jupyterlab_widgets", "anywidget": "anywidget"}
SHOWN = 4


def pip_install(*what: str) -> str:
    """What to type to install into this very Python, whatever "pip" means in the terminal."""
    return " ".join(f'"{word}"' if " " in word else word for word in (sys.executable, "-m", "pip", "install", *what))


def install_all() -> str:
    """What to type to install all that the course needs."""
    return pip_install("-r", str(REQUIREMENTS)) if REQUIREMENTS.exists() else pip_install("vae_helpers")


def python(
    version: tuple[int, ...] = sys.version_info[:3],
    system: str = platform.system(),
    processor: str = platform.machine(),
    is_64_bit: bool = sys.maxsize > 2**32,
) -> Finding:
    """Whether PyTorch and the course know this Python and this kind of machine."""
    said = f"{'.'.join(map(str, version))} on {system} {processor}, {sys.executable}"
    if tuple(version[:2]) < OLDEST:
        mend = "Install Python 3.11 or later from python.org, and make the environment (.venv) anew with it."
        return Finding("Python", FAULT, f"{said}: too old.", mend)
    if not is_64_bit:
        mend = "Install the 64-bit Python from python.org, and make the environment (.venv) anew with it."
        return Finding("Python", FAULT, f"{said}: 32 bits, and PyTorch has no such build.", mend)
    if (system, processor) == ("Darwin", "x86_64"):
        mend = "On a Mac with Apple's processor, install the Python for it; on one with Intel's, use another machine."
        return Finding("Python", FAULT, f"{said}: PyTorch no longer builds for Intel's Macs.", mend)
    return Finding("Python", OK, said)


def required(file: Path = REQUIREMENTS) -> list[str]:
    """The requirements of a file and of those it names, "torch>=2.6,<3"; without a file those of the package."""
    if not file.exists():
        try:
            return metadata.requires("vae_helpers") or []
        except metadata.PackageNotFoundError:
            return []
    lines = [line.split("#")[0].strip() for line in file.read_text("utf-8").splitlines()]
    own = [line for line in lines if line and not line.startswith("-")]
    return own + [
        found for line in lines if line.startswith("-r ") for found in required(file.parent / line[3:].strip())
    ]


def trouble_with(requirement: str) -> str:
    """Why a package does not do, such as "torch is missing"; "" where it does."""
    name = re.split(r"[^\w.-]", requirement)[0]
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return f"{name} is missing"
    try:
        from packaging.requirements import Requirement
    except ImportError:  # then its ranges can't be read; what needs it is missing as well
        return ""
    wanted = Requirement(requirement).specifier
    return "" if wanted.contains(version, prereleases=True) else f"{name} is {version}, not {wanted}"


def packages(requirements: list[str] | None = None) -> Finding:
    """Whether each package is there, and in its range."""
    asked = required() if requirements is None else requirements
    troubles = list(filter(None, map(trouble_with, asked)))
    if not troubles:
        return Finding("packages", OK, f"all {len(asked)} are there, each in its range")
    more = f", and {len(troubles) - SHOWN} more" if len(troubles) > SHOWN else ""
    return Finding("packages", FAULT, ", ".join(troubles[:SHOWN]) + more + ".", install_all())


def course_package(place: Path = ROOT) -> Finding:
    """Whether a notebook, in whatever folder, imports the package that lies beside it."""
    found = subprocess.run(
        [sys.executable, "-c", "import vae_helpers; print(vae_helpers.__path__[0])"],
        cwd=os.path.abspath(os.sep),
        capture_output=True,
        text=True,
    )
    mend = pip_install("--no-deps", "-e", str(place))
    if found.returncode:
        return Finding("vae_helpers", FAULT, "is not installed: a notebook can't import it.", mend)
    used = Path(found.stdout.strip()).resolve()
    if used != (place / "vae_helpers").resolve():
        return Finding("vae_helpers", NOTE, f"a notebook imports it from {used.parent}, not from {place}.", mend)
    return Finding("vae_helpers", OK, f"from {place}")


def widgets() -> Finding:
    """Whether JupyterLab can show sliders and the drawing pad: versions, and the halves that run in the browser."""
    troubles = list(filter(None, map(trouble_with, WIDGETS)))
    if troubles:
        return Finding("widgets", FAULT, ", ".join(troubles) + ".", pip_install(*WIDGETS))
    from jupyter_core.paths import jupyter_path

    places = [Path(folder) for folder in jupyter_path("labextensions")]
    absent = [
        package for name, package in FRONT_ENDS.items() if not any((p / name / "package.json").exists() for p in places)
    ]
    if absent:
        said = f"JupyterLab lacks the half of {' and '.join(absent)} that runs in the browser: sliders stay text."
        return Finding("widgets", FAULT, said, pip_install("--force-reinstall", "--no-deps", *absent))
    return Finding("widgets", OK, ", ".join(f"{name} {metadata.version(name)}" for name in WIDGETS))


def kernel() -> Finding:
    """Whether the kernel of the notebooks, "python3", is this Python."""
    try:
        from jupyter_client.kernelspec import KernelSpecManager
    except ImportError:
        return Finding("kernel", FAULT, "jupyter_client is missing.", pip_install("ipykernel"))
    started = KernelSpecManager().get_kernel_spec("python3").argv[0]
    if os.path.dirname(started) and Path(started).absolute() != Path(sys.executable).absolute():
        mend = f"{sys.executable} -m ipykernel install --sys-prefix --name python3"
        return Finding("kernel", FAULT, f'the notebooks\' kernel "python3" starts {started}, not this Python.', mend)
    return Finding("kernel", OK, "the notebooks run in this Python")
