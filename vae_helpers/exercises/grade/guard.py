"""What an answer may not do, refused in words where Python itself is asked; ``kernel`` holds where it is passed by."""

import os
import sys
import tempfile
from pathlib import Path

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
PROCESSES = "start another process"
NETWORK = "reach for the network"
REFUSED = {
    "os.fork": PROCESSES,
    "os.forkpty": PROCESSES,
    "os.exec": PROCESSES,
    "os.posix_spawn": PROCESSES,
    "os.spawn": PROCESSES,
    "os.system": PROCESSES,
    "pty.spawn": PROCESSES,
    "subprocess.Popen": PROCESSES,
    "socket.connect": NETWORK,
    "socket.bind": NETWORK,
    "socket.getaddrinfo": NETWORK,
    "socket.gethostbyname": NETWORK,
    "socket.sendto": NETWORK,
    "os.kill": "send signals to other programs",
    "os.killpg": "send signals to other programs",
}
CHANGING = {
    "os.remove": "delete",
    "os.rmdir": "delete",
    "shutil.rmtree": "delete",
    "os.rename": "move",
    "shutil.move": "move",
    "os.mkdir": "make",
    "os.link": "make",
    "os.symlink": "make",
    "os.truncate": "empty",
    "os.chmod": "change",
    "os.chown": "change",
    "os.utime": "change",
}


class RefusedError(PermissionError):
    """An answer asked for what no exercise needs."""


class Guard:
    """Refuses, and remembers in ``tried`` what an answer tried. An audit hook: it stays to the process's end."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.tried = os.path.realpath(folder), []

    def put_on(self) -> None:
        """From here on, in this process."""
        sys.dont_write_bytecode = True
        tempfile.tempdir = self.folder
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple) -> None:
        if event in REFUSED:
            self._refuse(REFUSED[event])
        elif event in CHANGING:
            paths = [a for a in arguments[:2] if isinstance(a, str | bytes | os.PathLike)]
            for path in paths if event in ("os.rename", "shutil.move") else paths[:1]:
                self._look(path, CHANGING[event])
        elif event == "open":
            path, mode, flags = arguments
            writing = isinstance(mode, str) and any(letter in mode for letter in "wax+")
            if isinstance(path, str | bytes | os.PathLike) and (writing or (flags or 0) & WRITING):
                self._look(path, "write")

    def _look(self, path: str | bytes | os.PathLike, what: str) -> None:
        path = os.path.realpath(os.fsdecode(path))
        if path != os.devnull and os.path.commonpath([path, self.folder]) != self.folder:
            self._refuse(f"{what} files outside of its folder ({os.path.basename(path)})")

    def _refuse(self, what: str) -> None:
        if what not in self.tried and len(self.tried) < 10:
            self.tried.append(what)
        raise RefusedError(f"an answer may not {what}")
