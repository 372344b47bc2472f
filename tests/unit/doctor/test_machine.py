"""A full disk, little memory, more threads than cores, idle threads that run in circles."""

from vae_helpers.doctor import machine
from vae_helpers.doctor.finding import FAULT, NOTE, OK

import pytest

SLEEPS, LOOKS, SPINS = (f"  GOMP_SPINCOUNT = '{count}'\n" for count in (0, 1000, 300_000))


def test_a_full_disk():
    assert machine.disk(True, free=0.2).state == FAULT
    assert machine.disk(True, free=3.0).state == OK
    assert "7 GB" in machine.disk(False, free=3.0).text


def test_memory_for_one_notebook():
    assert machine.memory(1.0).state == FAULT
    assert machine.memory(2.0).state == OK


@pytest.mark.parametrize(
    ("quota", "cores"), [("100000 100000", 1), ("50000 100000", 0.5), ("max 100000", None), ("", None)]
)
def test_a_containers_share_of_the_cores(tmp_path, quota, cores):
    (tmp_path / "cpu.max").write_text(quota)
    unlimited = machine.usable_cores(tmp_path / "none")
    assert machine.usable_cores(tmp_path / "cpu.max") == (cores or unlimited)


def test_more_threads_than_cores():
    found = machine.cores(2, threads=32)
    assert found.state == NOTE
    assert "OMP_NUM_THREADS=2" in found.mend
    assert machine.cores(2, threads=2).state == machine.cores(0.5, threads=1).state == OK


@pytest.mark.parametrize(
    ("said", "policy", "state"),
    [
        (SLEEPS, "PASSIVE", OK),
        (LOOKS, "PASSIVE", OK),
        ("", "passive", OK),
        ("", "ACTIVE", NOTE),
        ("", "", NOTE),
        (SLEEPS + SPINS, "PASSIVE", NOTE),
    ],
)
def test_idle_threads_that_run_in_circles(said, policy, state):
    assert machine.idle_threads(said, policy).state == state


def test_idle_threads_that_look_for_work_before_they_sleep_are_said_to():
    assert "1,000 looks" in machine.idle_threads(LOOKS, "PASSIVE").text
    assert "looks" not in machine.idle_threads(SLEEPS, "PASSIVE").text
