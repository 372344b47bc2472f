"""Notes of checks, one a line, in the cache: no account, no network, no cell that breaks for their sake.

Each process appends to a file of its own, so that two kernels at once never meet. A line is written in one call,
between two line ends: a process that is killed in the midst of it spoils that line and no other; readers pass over it.
"""

import json
import os
import sys
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

from vae_helpers.data import cache_folder
from vae_helpers.exercises.catalogue import VERSION
from vae_helpers.validation import validated

VARIABLE, FOLDER, OFF = "VAE_RECORD", "record", "off"
NO = {"off", "0", "no", "false"}
NOTED = {"passed", "mistake", "wrong", "error"}
MOST_KEPT = 1_000  # notes that wait for room on the disk
SAYS = (
    "(Noted in your record, on this machine only: exercises.progress() shows it, exercises.keep_record(False) or "
    f"{VARIABLE}=off ends it.)"
)
_lock = threading.Lock()
_waiting: list[dict] = []
_own: dict[int, str] = {}  # this process → the name of its file
_said: set[str] = set()


def note(exercise_id: str, status: str, message: str, answer: object = None) -> None:
    """Keep what a check said of a learner's answer, in a notebook; of stubs and of the course's solutions, nothing."""
    with suppress(Exception):  # nothing here may end a learner's cell
        if status in NOTED and _is_in_a_notebook() and not _is_the_courses_own(answer):
            keep({"exercise": exercise_id, "status": status, "says": message.removeprefix(f"{exercise_id}: ")[:500]})


def keep(entry: dict) -> None:
    """Add an entry, with the time and the version; where the disk is full it waits, and goes with the next one."""
    if is_off():
        return
    with _lock:
        _waiting.append({"at": round(time.time(), 6), "version": VERSION, **entry})
        del _waiting[:-MOST_KEPT]
        try:
            is_new = _write_all()
        except OSError as error:
            _say_once("trouble", f"(The record can't be kept now: {error.strerror}. The checks work all the same.)")
        else:
            if is_new:
                _say_once("kept", SAYS)


@validated
def keep_record(keep: bool = True) -> None:
    """Whether checks are noted on this machine, from now on. What was noted stays until you delete its folder."""
    marker = record_folder() / OFF
    if keep:
        marker.unlink(missing_ok=True)
        print(f"Checks are noted in {record_folder()}.")
    else:
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        print(f"Nothing is noted any more. What was noted lies in {record_folder()}: delete the folder as you like.")


def is_off() -> bool:
    """Whether the variable or the call has turned the record off."""
    return os.environ.get(VARIABLE, "").lower() in NO or (record_folder() / OFF).exists()


def record_folder() -> Path:
    """Where the notes lie."""
    return cache_folder() / FOLDER


def entries() -> list[dict]:
    """All notes, of all processes, in the order of time; what can't be read is passed over."""
    found = []
    for path in record_folder().glob("*.jsonl"):
        with suppress(OSError):
            found += filter(None, map(_entry, path.read_bytes().splitlines()))
    return sorted(found, key=lambda entry: entry["at"])


def _entry(line: bytes) -> dict | None:
    with suppress(ValueError, TypeError, RecursionError):
        entry = json.loads(line)
        if isinstance(entry, dict) and isinstance(entry.get("at"), int | float):
            return entry
    return None


def _write_all() -> bool:
    """Write what waits; whether this machine had no record before."""
    folder = record_folder()
    folder.mkdir(parents=True, exist_ok=True)
    is_new = not any(folder.glob("*.jsonl"))
    name = _own.setdefault(os.getpid(), f"{time.strftime('%Y-%m-%d')}-{uuid.uuid4().hex[:12]}.jsonl")
    while _waiting:
        _append(folder / name, b"\n" + json.dumps(_waiting[0]).encode() + b"\n")
        del _waiting[0]
    return is_new


def _append(path: Path, line: bytes) -> None:
    place = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if os.write(place, line) < len(line):  # the rest has no room: the whole line once more, later
            raise OSError(28, "No space left on device")
    finally:
        os.close(place)


def _say_once(about: str, says: str) -> None:
    if about not in _said:
        _said.add(about)
        print(says)


def _is_in_a_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None


def _is_the_courses_own(answer: object) -> bool:
    """A folded solution, which running a whole notebook checks as well; or the package's function."""
    name, module = (str(getattr(answer, attribute, "")) for attribute in ("__name__", "__module__"))
    return name.lower().startswith("solution") or module.startswith("vae_helpers")
