"""Ctrl-C during fit, at each of its lines: a whole step, a whole history, and all as it should be left."""

import signal
import sys
import threading

from vae_helpers import data
from vae_helpers.losses import vae_loss
from vae_helpers.models import VAE
from vae_helpers.training import fit, loop, run
from vae_helpers.training.stopping import stop_between_steps

import pytest
import torch

X = data.load_glyphs(n=40, n_test=1).x
HOW = {"epochs": 2, "batch_size": 20, "progress": False, "x_val": X[:5]}
WATCHED = {loop.__file__, run.__file__}


def at_line(number, act):
    """A tracer that acts when the given number of lines of fit and of its run have been executed."""
    lines = []

    def trace(frame, event, argument):
        if frame.f_code.co_filename not in WATCHED:
            return None
        if event == "line":
            lines.append(frame.f_lineno)
            if len(lines) == number:
                act()
        return trace

    return trace, lines


def traced_fit(number, act):
    torch.manual_seed(0)
    model = VAE(2, (8,))
    trace, lines = at_line(number, act)
    history, before = None, sys.gettrace()
    sys.settrace(trace)
    try:
        history = fit(model, X, vae_loss, **HOW)
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
    return model, history, len(lines)


def press_stop():
    signal.raise_signal(signal.SIGINT)


@pytest.mark.slow
def test_stop_at_any_line_of_fit_leaves_all_in_order():
    whole, _, n_lines = traced_fit(0, press_stop)
    assert n_lines > 100
    handler, random_state = signal.getsignal(signal.SIGINT), torch.get_rng_state()
    stopped = 0
    for number in range(1, n_lines + 1):
        model, history, _ = traced_fit(number, press_stop)
        torch.set_rng_state(random_state)
        assert signal.getsignal(signal.SIGINT) is handler
        assert all(p.isfinite().all() and p.grad is None for p in model.parameters())
        if history is None:  # before the training began
            continue
        stopped += bool(history.stopped)
        assert not model.training
        assert len(history.train) == len(history.val) == len(history.seconds)
        assert bool(history.stopped) or all(map(torch.equal, model.parameters(), whole.parameters()))
    assert stopped > n_lines / 3


def test_a_second_press_does_not_wait():
    with stop_between_steps() as look:
        press_stop()
        with pytest.raises(KeyboardInterrupt):
            press_stop()
        with pytest.raises(KeyboardInterrupt):
            look()
        look()


def test_without_a_press_nothing_happens_and_the_handler_is_given_back():
    before = signal.getsignal(signal.SIGINT)
    with stop_between_steps() as look:
        look()
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread_fit_trains_as_well():
    histories = []
    thread = threading.Thread(target=lambda: histories.append(fit(VAE(2, (8,)), X, vae_loss, **HOW)))
    thread.start()
    thread.join()
    assert len(histories[0].train) == 2
