"""A progress line: tqdm's bar in a terminal; in a notebook one line of text that is updated and saved clean."""

import time

from IPython import get_ipython
from IPython.display import display
from tqdm import tqdm

SECONDS_BETWEEN_UPDATES = 0.2


def in_notebook() -> bool:
    """Whether this code runs in a Jupyter kernel."""
    return getattr(get_ipython(), "kernel", None) is not None


class Progress:
    """Shows ``done`` of ``total`` steps with a title and a note, at most five times a second."""

    def __init__(self, total: int, visible: bool = True) -> None:
        self.total, self.visible = total, visible
        self.done, self.title, self.note = 0, "", ""
        self.start, self.shown_at = time.perf_counter(), 0.0
        self.handle = None
        self.bar = (
            tqdm(total=total, bar_format="{desc} |{bar:24}| {elapsed}{postfix}")
            if visible and not in_notebook()
            else None
        )

    def step(self, n: int = 1) -> None:
        """Count ``n`` more steps."""
        self.done += n
        if self.visible and time.perf_counter() - self.shown_at > SECONDS_BETWEEN_UPDATES:
            self.show()

    def show(self) -> None:
        """Draw the line now."""
        self.shown_at = time.perf_counter()
        if not self.visible:
            return
        if self.bar is not None:
            self.bar.n = self.done
            self.bar.set_description_str(self.title, refresh=False)
            self.bar.set_postfix_str(self.note)
        else:
            self._show_in_notebook()

    def close(self) -> None:
        """Draw the last state and end the line."""
        self.show()
        if self.bar is not None:
            self.bar.close()

    def _show_in_notebook(self) -> None:
        filled = round(24 * self.done / max(self.total, 1))
        bar = "█" * filled + "░" * (24 - filled)
        line = f"{self.title} {bar} {time.perf_counter() - self.start:.0f} s  {self.note}"
        if self.handle is None:
            self.handle = display({"text/plain": line}, raw=True, display_id=True)
        else:
            self.handle.update({"text/plain": line}, raw=True)
