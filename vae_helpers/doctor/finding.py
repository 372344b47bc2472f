"""What was found of one thing, and what to do about it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

OK, NOTE, FAULT = "ok", "note", "FAULT"
MARGIN, WIDTH = 20, 100


@dataclass(frozen=True)
class Finding:
    """``state`` is OK, NOTE (the course runs all the same) or FAULT; ``mend`` says what to type or do."""

    about: str
    state: str
    text: str
    mend: str = ""

    def __str__(self) -> str:
        wrapper = textwrap.TextWrapper(WIDTH, break_long_words=False, break_on_hyphens=False)
        wrapper.initial_indent = f"{self.state:<6}{self.about:<{MARGIN - 6}}"
        wrapper.subsequent_indent = " " * MARGIN
        said = wrapper.wrap(self.text)
        wrapper.initial_indent = f"{'':{MARGIN - 2}}> "
        return "\n".join([*said, *wrapper.wrap(self.mend)])
