"""What is asked of a Python with torch: its device, the cache, data that is absent or damaged, speed and minutes."""

import re
from pathlib import Path

from vae_helpers.data import files
from vae_helpers.doctor import learning
from vae_helpers.doctor.finding import FAULT, NOTE, OK, Finding

import pytest


def test_a_device_that_is_not_there(monkeypatch):
    monkeypatch.setenv("VAE_DEVICE", "cuda:99")
    found = learning.device()
    assert found.state == FAULT
    assert "VAE_DEVICE" in found.text


def test_a_look_that_raises_does_not_end_the_round(monkeypatch):
    monkeypatch.setattr(learning, "device", lambda: 1 / 0)
    monkeypatch.setattr(learning, "speed", lambda: Finding("speed", OK, "fast"))
    found = {finding.about: finding for finding in learning.findings()}
    assert "ZeroDivisionError" in found["device"].text
    assert found["speed"].state == OK


def test_a_cache_folder_that_is_a_file(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("VAE_CACHE", str(tmp_path / "file" / "below"))
    found = learning.cache()
    assert found.state == FAULT
    assert str(tmp_path / "file") in found.text
    assert "VAE_CACHE" in found.mend


def test_a_cache_folder_that_can_not_be_written_to(cache, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device", str(cache))

    monkeypatch.setattr(learning.tempfile, "TemporaryFile", full)
    found = learning.cache()
    assert found.state == FAULT
    assert "No space left on device" in found.text


def test_a_cache_folder_is_made(cache):
    assert learning.cache().state == OK
    assert cache.is_dir()


def test_data_that_is_not_here_is_a_note_and_a_bad_place_a_fault(cache, monkeypatch):
    found = learning.data_set("mnist")
    assert found.state == NOTE
    assert "--mend" in found.mend
    monkeypatch.setenv("VAE_DATA", '"/in quotes"')
    assert "without them" in learning.data_set("mnist").text


@pytest.fixture
def tiny_data(cache, monkeypatch):
    """A published data set of one file of three bytes, as downloaded into the cache by ``fetch``."""
    file = files.DataFile(Path("MNIST", "raw", "images"), 3, "900150983cd24fb0d6963f7d28e17f72")
    monkeypatch.setitem(files.FILES, "mnist", (file,))

    def fetch(name, folder):
        (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / file.path).write_bytes(b"abc")
        return folder

    monkeypatch.setattr(learning.downloads, "download", fetch)
    return cache / file.path


def test_missing_data_is_fetched_where_asked(tiny_data):
    assert learning.data_set("mnist").state == NOTE
    assert learning.data_set("mnist", mend=True).state == OK
    assert tiny_data.read_bytes() == b"abc"


def test_a_damaged_file_is_named_and_replaced_in_the_cache_alone(tiny_data, tmp_path, monkeypatch):
    for place in (tiny_data, tmp_path / "own" / tiny_data.relative_to(tiny_data.parents[2])):
        place.parent.mkdir(parents=True)
        place.write_bytes(b"ab")
    found = learning.data_set("mnist")
    assert found.state == FAULT
    assert f"{tiny_data} is damaged: it has 2 bytes instead of 3" in found.text
    assert learning.data_set("mnist", mend=True).state == OK
    monkeypatch.setenv("VAE_DATA", str(tmp_path / "own"))
    assert learning.data_set("mnist", mend=True).state == FAULT
    assert place.read_bytes() == b"ab"


def test_speed_is_measured_and_becomes_minutes():
    assert re.search(
        r"learns [\d,]+ images a second on the CPU; the course computes \d+ minutes", learning.speed(500).text
    )


@pytest.mark.parametrize(
    ("rate", "share", "state", "said"),
    [
        (1, 0.9, OK, f"computes {learning.MINUTES:.0f} minutes"),
        (1 / 6, 0.9, NOTE, f"computes {6 * learning.MINUTES:.0f} minutes"),
        (1 / 2, 0.4, NOTE, "fewer without the programs"),
    ],
)
def test_a_slow_machine_and_a_busy_one(rate, share, state, said):
    """Rates as multiples of that of the machine on which the minutes were measured."""
    found = learning.of_speed(rate * learning.IMAGES_PER_SECOND, share)
    assert found.state == state
    assert said in found.text
