"""The processes of one node's kernel: start, find, stop, kill. Imports little: BMCs call it."""

# pathlib would be half of the time that a BMC's call takes.
# ruff: noqa: PTH105, PTH106, PTH108, PTH116, PTH123, PTH208

from __future__ import annotations

import os
import signal
import time
from typing import NamedTuple

OFF, ON, FROZEN = "off", "on", "frozen"
_DEATH_SECONDS = 10.0
_POLL_SECONDS = 0.005
# Between the start of the process and its own note of it; two busy cores.
_BEGIN_SECONDS = 5.0


class Kernel(NamedTuple):
    """How to start one node's kernel, and where its traces are.

    :param directory: the node's own directory, where its pid is kept.
    :param uml_dir: User-Mode Linux's directory of running kernels.
    :param console: the file to which the kernel's console is appended.
    :param argv: the whole command line, including the entry into the namespace.
    """

    name: str
    directory: str
    uml_dir: str
    console: str
    argv: tuple[str, ...]

    @property
    def pid_file(self) -> str:
        """Holds the pid and, against reuse of pids, the process's start time in ticks."""
        return f"{self.directory}/pid"


class DeathError(Exception):
    """Processes of a kernel were still there long after SIGKILL."""


def start(kernel: Kernel) -> int:
    """Start a kernel as the leader of a session of its own and return its pid.

    The caller has made sure that it is not running.

    :raises OSError: the program could not be started.
    """
    # A directory left by a killed kernel names a pid that may be another process's by now.
    _forget(f"{kernel.uml_dir}/{kernel.name}")
    console = os.open(kernel.console, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        pid = os.posix_spawnp(
            kernel.argv[0], kernel.argv, dict(os.environ, TMPDIR="/dev/shm"), setsid=True,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, console, 1), (os.POSIX_SPAWN_DUP2, console, 2),
            ],
        )  # fmt: skip
    finally:
        os.close(console)
    with open(f"{kernel.pid_file}.new", "w", encoding="ascii") as file:
        file.write(f"{pid} {_stat(pid)[_START_TIME]}\n")
    os.replace(f"{kernel.pid_file}.new", kernel.pid_file)
    return pid


def pid_of(kernel: Kernel) -> int | None:
    """Return the pid of a kernel's main process, or None when it does not run."""
    pid = _leader(kernel)
    return pid if pid is not None and _is_kernel(kernel, pid) else None


def power(kernel: Kernel) -> str:
    """Return ``off``, ``on`` or ``frozen``."""
    pid = pid_of(kernel)
    if pid is None:
        return OFF
    return FROZEN if _stat(pid)[_STATE] == "T" else ON


def reset_itself(kernel: Kernel) -> bool:
    """Return whether a running kernel has begun anew by itself.

    User-Mode Linux then executes itself again, as the same process, and does not get its network cards back: no machine any more.
    It writes down its pid at each beginning.
    """
    try:
        began = os.stat(f"{kernel.uml_dir}/{kernel.name}/pid").st_mtime
        return began > os.stat(kernel.pid_file).st_mtime + _BEGIN_SECONDS
    except FileNotFoundError:
        return False


def kill(kernel: Kernel) -> bool:
    """Kill exactly one kernel's processes, also stopped ones, and wait until they are gone.

    :returns: whether there was anything to kill.
    :raises DeathError: something survived.
    """
    leader = _leader(kernel)
    found = leader is not None and bool(members(leader))
    deadline = time.monotonic() + _DEATH_SECONDS
    while leader is not None and (victims := members(leader)):
        if time.monotonic() > deadline:
            raise DeathError(f"{kernel.name}: processes {victims} survive SIGKILL")
        _send(victims, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)
    return found


def freeze(kernel: Kernel) -> bool:
    """Stop every process of a kernel; False when it does not run."""
    return _signal(kernel, signal.SIGSTOP)


def thaw(kernel: Kernel) -> bool:
    """Let a frozen kernel go on; False when it does not run."""
    return _signal(kernel, signal.SIGCONT)


def members(session: int) -> list[int]:
    """Return the living processes of a session: a kernel's threads and its nodes' programs."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            fields = _stat(int(entry))
            if fields[_SESSION] == str(session) and fields[_STATE] not in "ZX":
                found.append(int(entry))
    return found


# Positions in /proc/PID/stat, counted from behind the process's name.
_STATE, _SESSION, _START_TIME = 0, 3, 19
_GONE = ["X"] + [""] * 19


def _stat(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            # The name stands in parentheses and may itself contain some.
            return file.read().rpartition(")")[2].split()
    except OSError:
        return _GONE


def _forget(directory: str) -> None:
    try:
        for name in os.listdir(directory):
            os.unlink(f"{directory}/{name}")
    except FileNotFoundError:
        return
    os.rmdir(directory)


def _leader(kernel: Kernel) -> int | None:
    """Return the recorded pid, unless another process has got it since."""
    try:
        with open(kernel.pid_file, encoding="ascii") as file:
            pid, started = file.read().split()
    except (OSError, ValueError):
        return None
    now = _stat(int(pid))
    # A dead leader's number is not given away while its session has members.
    return int(pid) if now is _GONE or now[_START_TIME] == started else None


def _is_kernel(kernel: Kernel, pid: int) -> bool:
    if _stat(pid)[_STATE] in "ZX":
        return False
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
    except OSError:
        return False
    return {f"umid={kernel.name}".encode(), f"uml_dir={kernel.uml_dir}".encode()} <= set(words)


def _signal(kernel: Kernel, number: signal.Signals) -> bool:
    pid = pid_of(kernel)
    if pid is None:
        return False
    _send(members(pid), number)
    return True


def _send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
