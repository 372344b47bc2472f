"""The record: what is noted, and what not; a kill, a full disk or a damaged file loses nothing and breaks no cell."""

import errno
import os
import random
import signal
import time

from vae_helpers import exercises
from vae_helpers.exercises import EXERCISES, check, keep_record, progress
from vae_helpers.exercises.record import notes
from vae_helpers.exercises.record.__main__ import main
from vae_helpers.exercises.record.notes import entries, keep, record_folder

import pytest
import torch

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def my_walk(z_a, z_b, n):
    return z_a + torch.linspace(0, 1, n)[:, None] * (z_b - z_a)


def short_walk(z_a, z_b, n):
    return z_a + torch.arange(n)[:, None] / n * (z_b - z_a)


@pytest.fixture
def kept(cache, monkeypatch):
    """A record of its own, as in a notebook."""
    monkeypatch.delenv(notes.VARIABLE, raising=False)
    monkeypatch.setattr(notes, "_is_in_a_notebook", lambda: True)
    for name in ("_waiting", "_own", "_said"):
        monkeypatch.setattr(notes, name, type(getattr(notes, name))())
    return cache / "record"


def statuses():
    return [entry["status"] for entry in entries()]


def test_what_a_learner_checks_is_noted_and_said_once(kept, capsys):
    check("walk", short_walk)
    check("walk", my_walk)
    assert statuses() == ["mistake", "passed"]
    assert capsys.readouterr().out.count("Noted in your record") == 1
    notes._said.clear()
    notes._own.clear()  # another kernel
    check("walk", my_walk)
    assert "Noted" not in capsys.readouterr().out and len(statuses()) == 3


def test_stubs_solutions_and_the_courses_functions_are_not_noted(kept):
    def solution_walk(z_a, z_b, n):
        return my_walk(z_a, z_b, n)

    for answer in (lambda *a: None, solution_walk, EXERCISES["walk"].reference):
        check("walk", answer)
    assert not kept.exists()


def test_outside_of_notebooks_nothing_is_noted(kept, monkeypatch):
    monkeypatch.undo()
    assert not notes._is_in_a_notebook()
    assert os.environ[notes.VARIABLE] == "off"  # for all tests: conftest.py


@pytest.mark.parametrize("word", ["off", "OFF", "0", "no", "false"])
def test_a_variable_turns_it_off(kept, monkeypatch, word):
    monkeypatch.setenv(notes.VARIABLE, word)
    check("walk", my_walk)
    assert not kept.exists()


def test_a_call_turns_it_off_and_on(kept, capsys):
    keep_record(False)
    check("walk", my_walk)
    assert statuses() == [] and "turned off" in repr(progress())
    keep_record()
    check("walk", my_walk)
    assert statuses() == ["passed"] and str(kept) in capsys.readouterr().out


def test_progress_counts_what_was_done_tried_met_and_mended(kept, monkeypatch):
    clock = iter(range(1_000_000, 2_000_000, 600))
    monkeypatch.setattr(notes.time, "time", lambda: float(next(clock)))
    for answer in (short_walk, short_walk, my_walk):
        check("walk", answer)
    check("mean-image", lambda x: x.float().mean(dim=0))
    page = progress()
    first, second = page.notebooks[:2]
    assert (second.done, second.tried, second.met, second.mended) == (1, 0, 1, 1)
    assert second.hours == pytest.approx(1200 / 3600) and first.hours == pytest.approx(600 / 3600)
    assert (first.done, first.tried, first.met, first.mended) == (0, 1, 1, 0)
    assert sum(n.done + n.tried + n.open for n in page.notebooks) == len(EXERCISES)
    assert "✗ mean-image: these are still values up to 255" in repr(page)


def test_a_file_cut_at_any_byte_loses_at_most_the_note_that_was_being_written(kept):
    for k in range(3):
        keep({"n": k})
    (path,) = kept.glob("*.jsonl")
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        survivors = [entry["n"] for entry in entries()]
        assert survivors == [0, 1, 2][: len(survivors)] and len(survivors) >= whole[:length].count(b"}\n")
        keep({"n": "next"})
        assert [entry["n"] for entry in entries()] == [*survivors, "next"]


def forked(work):
    """A process that does ``work(tell)``: its number, and the end to hear it by."""
    hear, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(hear)
            work(tell)
        finally:
            os._exit(0)
    os.close(tell)
    return pid, hear


def note_without_end(tell):
    for k in range(100_000):
        keep({"n": k, "filling": "x" * 300})
        os.write(tell, b".")


@needs_fork
def test_a_kill_at_any_moment_loses_nothing_that_was_noted(kept, capsys):
    rng, noted = random.Random(0), 0
    for _ in range(8):
        pid, hear = forked(note_without_end)
        os.read(hear, 1)
        time.sleep(rng.random() / 50)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        noted += 1
        while heard := os.read(hear, 65_536):
            noted += len(heard)
        os.close(hear)
        assert noted <= len(entries()) <= noted + 8
    assert noted > 8


@needs_fork
def test_two_processes_at_once_lose_nothing(kept, capsys):
    def work(tell):
        for k in range(150):
            keep({"n": k})

    for pid, hear in [forked(work), forked(work)]:
        os.waitpid(pid, 0)
        os.close(hear)
    assert sorted(entry["n"] for entry in entries()) == sorted([*range(150)] * 2)


@pytest.mark.parametrize("room", [None, 0, 7])  # bytes that are still written
def test_what_a_full_disk_refuses_waits_and_breaks_no_cell(kept, monkeypatch, capsys, room):
    real = os.write

    def full(place, line):
        if room is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(place, line[:room])

    check("walk", short_walk)
    monkeypatch.setattr(notes.os, "write", full)
    assert check("walk", short_walk).status == "mistake" and check("walk", my_walk).passed
    assert capsys.readouterr().out.count("can't be kept") == 1
    assert statuses() == ["mistake"]
    monkeypatch.undo()
    monkeypatch.setenv("VAE_CACHE", str(kept.parent))
    monkeypatch.delenv(notes.VARIABLE, raising=False)
    keep({"status": "last"})
    assert statuses() == ["mistake", "last"] or statuses() == ["mistake", "mistake", "passed", "last"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_really_full_disk(kept, capsys):
    keep({"n": 0})
    (path,) = kept.glob("*.jsonl")
    aside = path.rename(path.with_suffix(".aside"))
    path.symlink_to("/dev/full")
    keep({"n": 1})
    assert "No space left" in capsys.readouterr().out
    path.unlink()
    aside.rename(path)
    keep({"n": 2})
    assert [entry["n"] for entry in entries()] == [0, 1, 2]


BROKEN = (
    '{"at": 3, "exercise": "walk", "status": 7}\n{"at": NaN, "capstone": {"about": "x", "nats": "y", "levels": {}}}\n'
)


def test_damaged_files_are_passed_over(kept):
    check("walk", my_walk)
    (kept / "a.jsonl").write_bytes(bytes(range(256)) * 50)
    (kept / "b.jsonl").write_text(
        '[1]\n{"at": "x"}\n{"at": 1}\n{"at": 2, "exercise": ["walk"]}\n' + BROKEN + "[" * 100_000
    )
    (kept / "c.jsonl").mkdir()
    page = progress()
    assert page.done == 1 and repr(page)


def test_a_cache_that_can_not_be_used_breaks_no_cell(kept, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below", '"quoted"'):
        monkeypatch.setenv("VAE_CACHE", str(place))
        assert check("walk", my_walk).passed


def test_the_certificate_asks_for_exercises_and_the_capstone(kept, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert main(["--certificate", str(page)]) == 1
    says = capsys.readouterr().out
    assert "more exercises" in says and "capstone" in says and not page.exists()
    for name in EXERCISES:
        keep({"exercise": name, "status": "passed", "says": ""})
    assert main(["--certificate", str(page)]) == 1 and "capstone" in capsys.readouterr().out
    keep({"capstone": {"about": "my <b>leaves</b>", "nats": 31.25, "levels": {"the mean image": 40.0}}})
    assert main(["--certificate", str(page), "--name", "A & B"]) == 0
    text = page.read_text("utf-8")
    assert all(words in text for words in ("A &amp; B", "my &lt;b&gt;leaves", "31.2 nats", "40.0 for the mean image"))
    assert f"{len(EXERCISES)} of its {len(EXERCISES)}" in text and str(record_folder()) not in text


class Small(torch.nn.Module):
    """A VAE of 8 × 8 images."""

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = torch.nn.Linear(64, 4), torch.nn.Linear(2, 64)

    def encode(self, x):
        return self.encoder(x.flatten(1)).chunk(2, dim=1)

    def decode(self, z):
        return self.decoder(z).unflatten(1, (1, 8, 8))


def small_loss(model, x):
    mu, logvar = model.encode(x)
    x_logits = model.decode(mu + (0.5 * logvar).exp() * torch.randn_like(mu))
    bce = torch.nn.functional.binary_cross_entropy_with_logits(x_logits, x, reduction="none")
    return (bce.flatten(1).sum(1) + 0.5 * (mu**2 + logvar.exp() - logvar - 1).sum(1)).mean()


def stripes(n, seed):
    g = torch.Generator().manual_seed(seed)
    ramp = torch.randn(n, 1, 8, 1, generator=g) * torch.linspace(-1, 1, 8) * 3 + torch.randn(n, 1, 1, 1, generator=g)
    return (torch.rand(n, 1, 8, 8, generator=g) < ramp.sigmoid()).float()


def test_a_capstone_that_is_right_is_kept_and_one_that_is_not_says_what_is_missing(kept):
    x, x_test = stripes(600, 0), stripes(200, 1)
    torch.manual_seed(0)
    model = Small()
    untrained = exercises.capstone(model, small_loss, x, x_test, about="leaves")
    assert not untrained.passed and any("mean image" in one for one in untrained.missing)
    assert any("a sentence" in one for one in untrained.missing) and not entries()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for step in range(300):
        optimizer.zero_grad()
        small_loss(model, x[step * 50 % 600 :][:50]).backward()
        optimizer.step()
    right = exercises.capstone(model, small_loss, x, x_test, about="stripes that I drew myself")
    assert right.passed, right
    assert right.levels["a perfect copy"] < right.nats < right.levels["the mean image"] < 64
    assert right.levels["a coin for each pixel"] == pytest.approx(64 * 0.6931, rel=1e-3)
    assert progress().capstone["about"] == "stripes that I drew myself" and "31" not in progress().capstone["about"]
    twins = exercises.capstone(model, small_loss, x, x[:200], about="stripes that I drew myself")
    assert not twins.passed
