"""Each answer in a process of its own, forked from this one, which has loaded torch and the course once for all."""

import json
import os
import selectors
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from vae_helpers.exercises.engine import Verdict
from vae_helpers.exercises.grade.finding import Found
from vae_helpers.exercises.grade.judging import verdict_on
from vae_helpers.exercises.grade.limits import MIB, Limits, settle

MOST_SAID = 20_000  # bytes of a verdict
TURN = 0.2  # seconds between two looks at the clock and at the folders
HARDLY = 0.02  # of the time by the clock; whoever computes less is asleep
STATUSES = {"passed", "mistake", "wrong", "error", "not attempted", "stopped", "refused"}


@dataclass
class Child:
    """A process at work: its answer, its folder, its beginning by the clock, and what it has said."""

    key: int
    found: Found
    pid: int
    pipe: int
    folder: Path
    began: float
    said: bytearray = field(default_factory=bytearray)
    killed: str = ""


def run_all(answers: list[Found], seed: int, limits: Limits, at_once: int) -> Iterator[tuple[int, Verdict]]:
    """(place in the list, verdict) of each answer, as they come. Nothing that an answer does ends this process."""
    waiting, running = list(enumerate(answers))[::-1], {}
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    child = _start(*waiting.pop(), seed, limits)
                    running[child.pipe] = child
                    selector.register(child.pipe, selectors.EVENT_READ)
                heard = {key.fd for key, _ in selector.select(TURN)}
                for child in list(running.values()):
                    if _is_over(child, child.pipe in heard, limits):
                        selector.unregister(child.pipe)
                        del running[child.pipe]
                        yield child.key, _end(child, limits)
        finally:
            for child in running.values():
                _end(child, limits)


def _start(key: int, found: Found, seed: int, limits: Limits) -> Child:
    folder = Path(tempfile.mkdtemp(prefix="answer-"))
    hear, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        _work(found, seed, folder, limits, tell)
    os.close(tell)
    return Child(key, found, pid, hear, folder, time.monotonic())


def _work(found: Found, seed: int, folder: Path, limits: Limits, tell: int) -> None:
    """In the new process: settle, judge, tell, and end without a return."""
    write, leave, dumps = os.write, os._exit, json.dumps  # the answer may have others
    try:
        os.closerange(3, tell)
        os.closerange(tell + 1, 1024)
        guard = settle(folder, limits)
        verdict = verdict_on(found, seed)
        said = {"status": verdict.status, "message": verdict.message[:4000], "tried": guard.tried}
        write(tell, dumps(said).encode())
    except (SystemExit, KeyboardInterrupt):
        pass  # no verdict: the other side says that Python was ended
    except BaseException as error:
        with suppress(BaseException):
            write(tell, dumps({"status": "error", "message": f"{found.exercise_id}: {error!r:.500}"}).encode())
    finally:
        leave(0)


def _is_over(child: Child, heard: bool, limits: Limits) -> bool:
    """Whether a child has closed its pipe, or is to be ended for one of the limits."""
    if heard:
        said = os.read(child.pipe, MOST_SAID)
        child.said += said
        if not said:
            return True
    if len(child.said) > MOST_SAID:
        child.killed = "it writes where only the verdict belongs"
    elif _is_late(child, limits):
        child.killed = f"it was not done after {time.monotonic() - child.began:.0f} s"
    elif _size(child.folder) > limits.folder_mib * MIB:
        child.killed = f"it filled its folder with more than {limits.folder_mib} MB"
    return bool(child.killed)


def _is_late(child: Child, limits: Limits) -> bool:
    waited = time.monotonic() - child.began
    if waited > limits.seconds * limits.busy:
        return True
    return waited > limits.seconds * limits.asleep and _computed(child.pid) < HARDLY * waited


def _computed(pid: int) -> float:
    """Seconds of processor time that a process has had; 0 where the system does not tell."""
    with suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _size(folder: Path) -> int:
    total, open_ = 0, [folder]
    while open_:
        with suppress(OSError), os.scandir(open_.pop()) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        open_.append(Path(entry.path))
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
    return total


def _end(child: Child, limits: Limits) -> Verdict:
    """End it and what it has started, clear its folder away, and make a verdict of what is known."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            kill(child.pid, signal.SIGKILL)
    os.close(child.pipe)
    status = os.waitstatus_to_exitcode(os.waitpid(child.pid, 0)[1])
    shutil.rmtree(child.folder, ignore_errors=True)
    exercise_id = child.found.exercise_id
    if child.killed:
        return Verdict("stopped", f"{exercise_id}: {child.killed}.")
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        said = json.loads(child.said)
        if said["status"] in STATUSES:
            return _with_what_was_tried(exercise_id, said)
    return Verdict("stopped", f"{exercise_id}: {_why(status, limits)}.")


def _with_what_was_tried(exercise_id: str, said: dict) -> Verdict:
    if said.get("tried"):
        return Verdict("refused", f"{exercise_id}: it tried to {', to '.join(map(str, said['tried']))}.")
    return Verdict(said["status"], str(said["message"]))


def _why(status: int, limits: Limits) -> str:
    """Why a process ended without a verdict."""
    if -status in (signal.SIGXCPU, signal.SIGKILL):
        return f"it computed for more than {limits.seconds} s and found no end"
    if status < 0:
        return f"it brought Python down ({signal.Signals(-status).name})"
    return "it ended Python itself, before its check was done"
