"""Re-execute notebooks, each on a fresh kernel, and save them in one normal form: diffs show what changed.

    python tests/execute.py [--check | --slides] [notebook …]      (default: all of notebooks/)

Nothing is written where a cell raised. `--check` executes nothing: it names the files not in normal form. Nor does
`--slides`, which shares the cells out to slides again.
"""

import argparse
import copy
import json
import os
import re
import sys
import time
from itertools import count
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from slides import slide_types

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
CELL_TIMEOUT = 600  # seconds
KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
KEPT_NOTEBOOK_METADATA = ("title", "authors", "rise")
KEPT_CELL_METADATA = ("tags", "slideshow")
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
STILL_OF_A_WIDGET = "still_of_a_widget"


class ExecutionError(Exception):
    """A cell of a notebook failed; the message says which, and shows its traceback."""


def read(path):
    """The notebook as stored, its missing cell ids filled in (nbformat would fill in random ones)."""
    stored = json.loads(path.read_text("utf-8"))
    give_missing_ids(stored["cells"])
    stored.update(nbformat=4, nbformat_minor=5)
    return nbformat.reads(json.dumps(stored), as_version=4)


def write(nb, path):
    """Replace the file in one step, so that no interruption leaves half a notebook."""
    temporary = path.with_suffix(".ipynb.tmp")
    temporary.write_text(as_text(nb), "utf-8", newline="\n")
    os.replace(temporary, path)


def as_text(nb):
    return nbformat.writes(nb).rstrip("\n") + "\n"


def normalise(nb, new_slides=False):
    """A copy of the notebook without what differs from run to run or machine to machine."""
    nb = copy.deepcopy(nb)
    give_missing_ids(nb.cells)
    kept = {key: nb.metadata[key] for key in KEPT_NOTEBOOK_METADATA if key in nb.metadata}
    nb.metadata = nbformat.from_dict({**kept, "kernelspec": KERNEL, "language_info": {"name": "python"}})
    for cell in nb.cells:
        cell.metadata = nbformat.from_dict(normal_metadata(cell))
        if cell.cell_type == "code":
            cell.outputs = [without_dead_widget(output) for output in merged_streams(cell.outputs)]
    for cell, slide_type in zip(nb.cells, slide_types(nb.cells, anew=new_slides), strict=True):
        cell.metadata["slideshow"] = {"slide_type": slide_type}
    return nb


def give_missing_ids(cells):
    """An id of its own for each cell; those that are there stay."""
    taken = set()
    for index, cell in enumerate(cells):
        if cell.get("id") in taken | {None, ""}:
            others = taken | {other.get("id") for other in cells}
            names = (f"cell-{index:03d}" + "-new" * repeat for repeat in count())
            cell["id"] = next(name for name in names if name not in others)
        taken.add(cell["id"])


def normal_metadata(cell):
    kept = {key: cell.metadata[key] for key in KEPT_CELL_METADATA if cell.metadata.get(key)}
    if cell.metadata.get("jupyter", {}).get("source_hidden"):
        kept["jupyter"] = {"source_hidden": True}
    return kept


def merged_streams(outputs):
    """The outputs with neighbouring pieces of one stream (stdout, stderr) joined."""
    merged = []
    for output in outputs:
        last = merged[-1] if merged else None
        if last and last.output_type == output.output_type == "stream" and last.name == output.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


def without_dead_widget(output):
    """Its still picture alone: where a view's model is gone, JupyterLab shows an error in a trusted file."""
    if {"image/png", WIDGET_VIEW} <= set(output.get("data", {})):
        del output.data[WIDGET_VIEW]
        output.metadata[STILL_OF_A_WIDGET] = True
    return output


def execute(nb, folder):
    """Run every cell on a fresh kernel; gives the kernel's peak memory in MB, where that can be known."""
    client = NotebookClient(
        nb,
        resources={"metadata": {"path": str(folder)}},
        kernel_name=KERNEL["name"],
        timeout=CELL_TIMEOUT,
        force_raise_errors=True,
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
    )
    with client.setup_kernel():
        for index, cell in enumerate(nb.cells):
            try:
                client.execute_cell(cell, index)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                raise ExecutionError(f"cell {index + 1} of {len(nb.cells)} failed\n{error}") from None
        return peak_megabytes(client.km.provisioner.pid)


def peak_megabytes(pid):
    try:
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return None
    return int(peak[1]) / 1024 if peak else None


def refresh(path):
    """Execute and save one notebook; gives a line that says what it took."""
    nb, started = read(path), time.perf_counter()
    peak = execute(nb, path.parent)
    seconds = time.perf_counter() - started
    write(normalise(nb), path)
    memory = f"{peak:.0f} MB" if peak else "—"
    return f"{seconds:6.1f} s  {path.stat().st_size / 1000:4.0f} KB  peak memory {memory}"


def is_normal(path):
    return path.read_text("utf-8") == as_text(normalise(read(path)))


def arguments():
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("notebooks", nargs="*", type=Path, default=sorted(NOTEBOOKS.glob("*.ipynb")))
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--check", action="store_true", help="only name the files that would change in form")
    instead.add_argument("--slides", action="store_true", help="only share the cells out to slides again")
    return parser.parse_args()


def main():
    asked = arguments()
    failed = 0
    for path in asked.notebooks:
        if asked.check:
            normal = is_normal(path)
            failed += not normal
            print(f"{path.name:32} {'in normal form' if normal else 'would change'}", flush=True)
            continue
        if asked.slides:
            write(normalise(read(path), new_slides=True), path)
            continue
        try:
            print(f"{path.name:32} {refresh(path.resolve())}", flush=True)
        except ExecutionError as error:
            failed += 1
            print(f"{path.name:32} NOT SAVED: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
