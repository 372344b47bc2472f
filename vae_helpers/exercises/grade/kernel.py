"""Linux itself holds an answer: Landlock its files, seccomp its system calls; no capabilities, not even root's.

Landlock (https://docs.kernel.org/userspace-api/landlock.html), Linux 5.13 or later: only what is listed may be read,
and only the answer's folder changed. seccomp (…/seccomp_filter.html): no new process, no network, no signal to others.
Both end with the process. Where one is missing, ``held_by`` says so, and the audit hook of ``guard`` stands alone.
"""

import ctypes
import os
import platform
import struct
import sys
from contextlib import suppress
from pathlib import Path

READ, READ_FILE, CHANGE = 0b1101, 0b0101, 0x1FFF  # execute, read files, list folders; all rights of the first version
REFER, TRUNCATE, DEVICES = 1 << 13, 1 << 14, 1 << 15
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER = 38, 22, 2
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
EPERM, ENOSYS = 1, 38
LOAD, EQUAL, ABOVE, SET, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # of classic BPF, all with a constant
NEW_THREAD = 0x10000  # clone's flag: a thread of this process
ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
# numbers of system calls on x86-64 and on arm64; None where there is no such call
CLONE, CLONE3, SIGNALS, LIMITS = (56, 220), (435, 435), ((62, 129), (200, 130), (234, 131)), (302, 261)
DENIED = (
    *((57, None), (58, None), (59, 221), (322, 281)),  # fork, vfork, execve, execveat
    *((41, 198), (425, 425)),  # socket, io_uring_setup
    *((129, 138), (297, 240), (424, 424), (434, 434)),  # signals by other ways
    *((101, 117), (310, 270), (311, 271)),  # ptrace, process_vm_readv, process_vm_writev
    *((90, None), (91, 52), (268, 53), (452, 452)),  # chmod and its kin
    *((92, None), (93, 55), (94, None), (260, 54)),  # chown
    *((132, None), (235, None), (261, None), (280, 88)),  # utime
    *((188, 5), (189, 6), (190, 7), (197, 14), (198, 15), (199, 16)),  # extended attributes
)


def held_by() -> str:
    """What holds answers on this machine, in words."""
    if sys.platform != "linux":
        return "no kernel's limits (they are Linux's): for code of strangers, grade in a container"
    parts = [f"Landlock {version}"] if (version := _landlock_version()) > 0 else []
    parts += ["seccomp"] if platform.machine() in ARCHITECTURES else []
    return " and ".join(parts) or "neither Landlock nor seccomp: for code of strangers, grade in a container"


def confine(folder: Path, readable: list[Path]) -> None:
    """From here on, this process changes files in ``folder`` only, reads those and ``readable``, and starts nothing."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    libc.capset(struct.pack("Ii", 0x20080522, 0), bytes(24))
    if (version := _landlock_version()) > 0:
        _landlock(libc, version, folder, readable)
    if platform.machine() in ARCHITECTURES:
        _seccomp(libc, *ARCHITECTURES[platform.machine()])


def _landlock_version() -> int:
    return ctypes.CDLL(None, use_errno=True).syscall(CREATE_RULESET, None, 0, 1)


def _landlock(libc: ctypes.CDLL, version: int, folder: Path, readable: list[Path]) -> None:
    change = CHANGE | (REFER if version > 1 else 0) | (TRUNCATE if version > 2 else 0) | (DEVICES if version > 4 else 0)
    # files, TCP (version 4), signals and abstract sockets (version 6)
    asked = struct.pack("QQQ", change, 3, 3)[: 8 if version < 4 else 16 if version < 6 else 24]
    ruleset = libc.syscall(CREATE_RULESET, asked, len(asked), 0)
    for path, rights in [(folder, change), (Path(os.devnull), READ_FILE | 2), *((path, READ) for path in readable)]:
        with suppress(OSError):  # a place that this machine lacks
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            rule = struct.pack("=Qi", rights if path.is_dir() else rights & (READ_FILE | 2), place)
            libc.syscall(ADD_RULE, ruleset, 1, rule, 0)
            os.close(place)
    if libc.syscall(RESTRICT_SELF, ruleset, 0):
        raise OSError(ctypes.get_errno(), "Landlock could not be switched on")
    os.close(ruleset)


def _seccomp(libc: ctypes.CDLL, architecture: int, column: int) -> None:
    lines = _filter(architecture, column, os.getpid())
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in lines))
    program = struct.pack("HxxxxxxP", len(lines), ctypes.addressof(code))
    if libc.prctl(SET_SECCOMP, FILTER, ctypes.c_char_p(program), 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp could not be switched on")


def _filter(architecture: int, column: int, pid: int) -> list[tuple[int, int, int, int]]:
    """Lines of (instruction, jump if so, jump if not, constant); a call's number is at 0, its arguments from 16 on."""
    deny, allow = (RETURN, 0, 0, ERRNO | EPERM), (RETURN, 0, 0, ALLOW)
    lines = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, architecture), deny, (LOAD, 0, 0, 0), (ABOVE, 0, 1, 0x40000000), deny]
    for number in filter(None, (call[column] for call in DENIED)):
        lines += [(EQUAL, 0, 1, number), deny]
    lines += [
        (EQUAL, 0, 1, CLONE3[column]),
        (RETURN, 0, 0, ERRNO | ENOSYS),
    ]  # its flags can't be read: libc tries clone
    lines += [(EQUAL, 0, 4, CLONE[column]), (LOAD, 0, 0, 16), (SET, 1, 0, NEW_THREAD), deny, allow]
    for call in SIGNALS:  # to oneself only
        lines += [(EQUAL, 0, 4, call[column]), (LOAD, 0, 0, 16), (EQUAL, 1, 0, pid), deny, allow]
    lines += [(EQUAL, 0, 4, LIMITS[column]), (LOAD, 0, 0, 16), (EQUAL, 1, 0, 0), deny, allow]
    return [*lines, allow]
