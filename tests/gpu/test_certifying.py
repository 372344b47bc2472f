"""What ``devices.py`` writes and brings along."""

import gzip
import json
import os
import subprocess
import sys

import pytest

from helpers.bare_machine import unpack_data
from helpers.device_table import DeviceTable
from helpers.places import ROOT


def test_a_row_is_written_at_once_and_other_rows_and_devices_stay(tmp_path):
    file = tmp_path / "devices.md"
    DeviceTable(file, "cpu: one").add("05_vae", "100", "1 MiB", "—", "passed")
    other = DeviceTable(file, "cuda: two")
    other.add("05_vae", "9", "1 MiB", "2 MiB", "passed")
    DeviceTable(file, "cpu: one").add("01_autoencoder", "50", "1 MiB", "—", "passed")
    DeviceTable(file, "cpu: one").add("05_vae", "90", "1 MiB", "—", "passed")
    text = file.read_text("utf-8")
    assert text.index("| 01_autoencoder | 50") < text.index("| 05_vae | 90") < text.index("## cuda: two")
    assert "| 05_vae | 9 | 1 MiB | 2 MiB |" in text and "100" not in text


def test_data_come_gzipped_or_not(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"labels"))
    (raw / "train-images-idx3-ubyte").write_bytes(b"images")
    there = tmp_path / "there"
    unpack_data(tmp_path, there)
    found = {path.name: path.read_bytes() for path in there.rglob("*ubyte*")}
    assert found == {"train-labels-idx1-ubyte": b"labels", "train-images-idx3-ubyte": b"images"}


@pytest.mark.pretended
def test_the_script_says_on_which_device_it_is():
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": paths}
    command = [sys.executable, str(ROOT / "tests" / "devices.py"), "--part", "device", "", "--pretend"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    kind, title = json.loads(done.stdout.splitlines()[-1])
    assert kind == "cuda" and title.startswith("cuda: a pretended GPU, torch ")
