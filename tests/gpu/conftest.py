"""Every test here runs on a GPU: a real one where PyTorch sees one, else the pretended one of ``pretended_gpu``."""

import contextlib
import warnings

import pytest
import torch

from pretended_gpu.private import missing

REAL = torch.cuda.is_available()  # asked before anything is pretended
ONLY_PRETENDED = "a real GPU would be lost, or can't say"


@contextlib.contextmanager
def a_gpu(name="cuda", capability=(8, 0)):
    """A GPU while it lasts: its ``Kernels``, or None for a real one."""
    if REAL and name == "cuda":
        yield None
        return
    if missing():
        pytest.skip(f"this release of PyTorch lacks what the pretended GPU leans on: {', '.join(missing())}")
    from pretended_gpu.entry import pretended_gpu

    with pretended_gpu(name, capability) as kernels:
        yield kernels


@pytest.fixture(autouse=True)
def gpu(request, tmp_path, monkeypatch):
    """The GPU of a test, marked ``pretended`` where a real one won't do; a cache of its own, no data, a fixed seed."""
    asked = request.node.get_closest_marker("pretended")
    if asked and REAL:
        pytest.skip(ONLY_PRETENDED)
    monkeypatch.setenv("VAE_CACHE", str(tmp_path / "cache"))
    for variable in ("VAE_DATA", "VAE_DEVICE"):
        monkeypatch.delenv(variable, raising=False)
    with a_gpu(**(asked.kwargs if asked else {})) as kernels, warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.manual_seed(0)
        yield kernels
