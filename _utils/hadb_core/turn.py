"""One run of hadb.orch at a time: a lock that the kernel takes back when the run's process ends, however it ends.

Salt has no such thing: steps of two runs that reach a minion of Salt 3008.3 at once wait for each other without end
(``state.apply`` with ``queue: N``), and with ``queue: True`` the master misses what the parked one returns.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from hadb_core.errors import Refused


def take(path: Path, within: float, poll: float = 0.5) -> str:
    """Wait until no other process holds the turn, and hold it until this process ends.

    path
        The lock's file; it stays, and tells who has held it last.
    within
        Seconds to wait at most.
    poll
        Seconds between two looks.

    Returns who was waited for, ``""`` when nobody was; a process that has the turn already has it again.

    Raises :class:`~hadb_core.errors.Refused` with who holds it, when that goes on for longer.
    """
    # Not a Python file object: that one would be closed, and the lock be lost, with the loader's next refresh.
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline, waited_for = time.monotonic() + within, ""
    while not _locked(handle):
        waited_for = _holder(handle)
        if waited_for.startswith(f"process {os.getpid()} "):
            os.close(handle)
            return ""
        if time.monotonic() > deadline:
            os.close(handle)
            raise Refused(f"another run of hadb.orch is under way since {within:.0f} s or longer: {waited_for}",
                          "watch it with `salt-run hadb.watch`, or end that process, then run this again")
        time.sleep(poll)
    os.truncate(handle, 0)
    os.pwrite(handle, f"process {os.getpid()} since {time.strftime('%Y-%m-%d %H:%M:%S')}\n".encode(), 0)
    return waited_for


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(handle: int) -> str:
    return os.pread(handle, 200, 0).decode(errors="replace").strip() or "a process that has not said who it is yet"
