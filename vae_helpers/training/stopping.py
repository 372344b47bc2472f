"""Ctrl-C and Jupyter's Stop, kept until the step at hand is done: no half-made step, no half-written history."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stop_between_steps() -> Iterator[Callable[[], None]]:
    """Gives a function to call between steps: it raises KeyboardInterrupt if Stop was pressed since.

    A second press does not wait. Outside the main thread, where signals never arrive, nothing is changed.
    """
    pressed = threading.Event()

    def note(*signal_and_frame: object) -> None:
        """Remember the first press; the second is no longer patient."""
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    def look() -> None:
        """Stop here, if Stop was pressed."""
        if pressed.is_set():
            pressed.clear()
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield look
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield look
    finally:
        signal.signal(signal.SIGINT, before)
