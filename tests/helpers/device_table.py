"""``figures/devices.md``: a table for each device, a row for each notebook, each written as soon as it is known."""

import os

HEAD = """# Devices

What ran where: one command, `python tests/devices.py`, writes a row when its notebook has ended. Each notebook runs
from top to bottom on a fresh kernel, and a cell that raises ends it. Weights that notebooks share are trained in
whichever comes first. Where `--workers` asked for several at a time, their seconds are those of notebooks that share
the device and the processor.
"""
COLUMNS = ("notebook", "seconds", "peak memory, host", "peak memory, device", "result")


class DeviceTable:
    """The file, and in it the section of one device. Rows of other devices stay as they are."""

    def __init__(self, file, title):
        self.file, self.title, self.rows = file, title, {}
        self.sections = _sections(file)
        for row in _rows(self.sections.get(title, "")):
            self.rows[row[0]] = row

    def add(self, *cells):
        """Write a row, in the place of one of the same name."""
        self.rows[cells[0]] = cells
        self._write()

    def _write(self):
        table = [COLUMNS, ("---",) * len(COLUMNS), *(self.rows[name] for name in sorted(self.rows))]
        rows = "\n".join(f"| {' | '.join(map(str, row))} |" for row in table)
        self.sections[self.title] = f"{rows}\n"
        text = "\n".join([HEAD, *(f"## {title}\n\n{body}" for title, body in self.sections.items())])
        beside = self.file.with_suffix(".tmp")
        beside.write_text(text, "utf-8")
        os.replace(beside, self.file)


def _sections(file):
    parts = file.read_text("utf-8").split("\n## ")[1:] if file.is_file() else []
    return {title: body.strip() + "\n" for title, _, body in (part.partition("\n") for part in parts)}


def _rows(text):
    cells = [tuple(c.strip() for c in line.strip("| ").split("|")) for line in text.splitlines() if line[:1] == "|"]
    return [row for row in cells[2:] if len(row) == len(COLUMNS)]
