"""For all unit tests."""

import pytest


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder of one's own, and no VAE_DATA."""
    monkeypatch.setenv("VAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("VAE_DATA", raising=False)
    return tmp_path / "cache"
