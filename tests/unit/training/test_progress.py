"""The progress line: what it counts and says, in a terminal, in a notebook, and where nobody wants it."""

from vae_helpers.losses import Loss
from vae_helpers.training import History, progress
from vae_helpers.training.progress import Progress

import pytest


class Handle:
    """What ``display`` gives back in a notebook."""

    def __init__(self, lines):
        self.lines = lines

    def update(self, bundle, raw):
        assert raw
        self.lines.append(bundle["text/plain"])


@pytest.fixture
def in_notebook(monkeypatch):
    """The lines that a notebook shows, one after the other in one place; and how often a place was asked for."""
    lines, places = [], []

    def display(bundle, raw, display_id):
        assert raw and display_id
        places.append(1)
        lines.append(bundle["text/plain"])
        return Handle(lines)

    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(progress, "display", display)
    return lines, places


@pytest.mark.parametrize(("done", "filled"), [(0, 0), (5, 12), (10, 24)])
def test_in_a_notebook_the_bar_is_filled_by_the_share_that_is_done(done, filled, in_notebook):
    line = Progress(10)
    line.title, line.note, line.done = "epoch 1/2", "loss 9.00", done
    line.show()
    assert in_notebook[0] == [f"epoch 1/2 {'█' * filled}{'░' * (24 - filled)} 0 s  loss 9.00"]


def test_in_a_notebook_one_line_is_updated(in_notebook):
    line = Progress(4)
    line.show()
    line.step(3)
    line.close()
    lines, places = in_notebook
    assert len(places) == 1 and lines[-1].count("█") == 18


def test_steps_are_counted_and_shown_five_times_a_second_at_most(in_notebook, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    line = Progress(100)
    for _ in range(100):
        now[0] += 0.05
        line.step()
    assert line.done == 100
    assert 15 <= len(in_notebook[0]) <= 25
    assert " 5 s " in in_notebook[0][-1]


def test_in_a_terminal_the_bar_shows_title_note_and_what_is_done(capsys):
    line = Progress(8)
    line.title, line.note = "epoch 2/3", "loss 7.50"
    line.step(4)
    line.show()
    assert (line.bar.n, line.bar.total) == (4, 8)
    line.close()
    last = capsys.readouterr().err.rstrip().splitlines()[-1].split("\r")[-1]
    assert last.startswith("epoch 2/3 |") and last.endswith("loss 7.50")
    assert last.count("█") == 12 and line.bar.disable


def test_what_is_not_wanted_is_not_shown(capsys, in_notebook):
    line = Progress(8, visible=False)
    line.step(8)
    line.show()
    line.close()
    printed = capsys.readouterr()
    assert line.done == 8 and not in_notebook[0] and printed.out + printed.err == ""


@pytest.mark.parametrize(
    ("train", "val", "note"),
    [
        (Loss(80.0, 25.0), [], "loss 105.00 = 80.00 + 25.00 nats per image"),
        (Loss(80.0, 25.0, 2.0), [], "loss 130.00 = 80.00 + 2 · 25.00 nats per image"),
        (Loss(80.0), [], "loss 80.00 nats per image"),
        (Loss(80.0), [Loss(82.0, 3.0)], "loss 80.00 nats per image, held out 85.00"),
    ],
)
def test_the_note_of_an_epoch_is_its_loss_and_that_of_the_held_out_images(train, val, note):
    history = History([Loss(999.0), train], [Loss(998.0)] * bool(val) + val, [1.0, 2.0])
    assert history.note() == note


def test_a_history_says_how_many_epochs_how_long_and_the_last_loss():
    history = History([Loss(9.0), Loss(7.0, 1.0, 3.0)], [], [1.0, 2.25])
    assert repr(history) == "History: 2 epochs in 2.2 s, last training loss 10.00 nats per image"
    history.stopped = "stopped by you in epoch 3 of 8"
    assert repr(history).endswith("nats per image; stopped by you in epoch 3 of 8")
