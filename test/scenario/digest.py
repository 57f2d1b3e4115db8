"""Fingerprints of what a run may have changed: a node's packages and configuration, and a LUN's contents."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from scenario.lab import Lab

_SLOW_SECONDS = 120.0
_CHUNK = 1 << 20
# Contents, owners and modes of everything in /etc, the packages, and which units would start at boot. What Salt
# itself writes there (its keys, its schedule) is not the formula's.
_NODE = r"""
dpkg-query -W -f '${Package} ${Version} ${Status}\n'
find /etc -xdev -path /etc/salt -prune -o \( -type f -o -type d \) -printf '%p %u %g %m\n' | sort
find /etc -xdev -path /etc/salt -prune -o -type f -print0 | sort -z | xargs -0 sha256sum
find /etc -xdev -type l -printf '%p %l\n' | sort
cut -d: -f1,3,4 /etc/passwd
grep ' / \|dbmnt' /proc/mounts
"""


def node(lab: Lab, name: str) -> list[str]:
    """Return lines that tell a node's packages and configuration; equal lines, nothing changed."""
    return lab.ask(name, _NODE, timeout=_SLOW_SECONDS).stdout.splitlines()


def lun(lab: Lab, name: str) -> str:
    """Return a hash over a LUN's contents as the array holds them."""
    # The array's kernel may hold writes back; its disks are this machine's files.
    lab.ask("san", "sync")
    return sparse(lab.run.lun(name))


def sparse(path: Path) -> str:
    """Return a hash over the written parts of a sparse file, and where they lie; zeros count as not written."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        end, position = os.fstat(file.fileno()).st_size, 0
        while position < end:
            try:
                position = os.lseek(file.fileno(), position, os.SEEK_DATA)
            except OSError:
                break
            stop = os.lseek(file.fileno(), position, os.SEEK_HOLE)
            while position < stop:
                chunk = os.pread(file.fileno(), min(_CHUNK - position % _CHUNK, stop - position), position)
                if chunk.strip(b"\0"):
                    total.update(b"%d:" % position + chunk)
                position += len(chunk)
    return total.hexdigest()
