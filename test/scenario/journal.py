"""What a node's journal says, and how it comes from there. Pure.

Followed while a scenario runs, not read afterwards: what a node logged in the seconds before its power was cut was
never written to its disk.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from scenario.clock import Boot

# Entries to begin with: those of the moment in which the stream is opened; and all of a boot that was not followed
# from its start, with what it still has of the one before.
FIRST, ALL = 200, 1000
# Which part of a journal, as matches of journalctl.
EVERYTHING, KERNEL = "", "_TRANSPORT=kernel"
_FIELDS = "MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_SOURCE_REALTIME_TIMESTAMP"
_MICROSECONDS = 1e6
# The journal may be late with an entry by so many seconds; more is a wall clock that was set meanwhile.
_LATE_SECONDS = 30.0
_INFO = 6


@dataclass(frozen=True)
class Entry:
    """An entry of a journal.

    boot
        Identity of the node's boot, without hyphens.
    at
        When it was said, in seconds of the node's monotonic clock; after :func:`placed` of the host's.
    wall
        The same by the node's wall clock, in seconds since 1970.
    speaker
        Who said it: a program's identifier.
    priority
        0 to 7, as syslog has them; 3 is an error.
    cursor
        Names the entry.
    """

    node: str
    boot: str
    at: float
    wall: float
    speaker: str
    priority: int
    text: str
    cursor: str = ""


def script(boot: str, cursor: str, matches: str = "") -> str:
    """Return the shell script that follows a journal, and first says the node's boot and its monotonic clock.

    boot, cursor
        What was last received, both empty at first. In the same boot it goes on behind that entry. In another one it
        begins with entries that may be known: the numbers of entries that never reached the disk are given again, so
        a cursor would skip as many.
    matches
        As journalctl has them; empty for everything.
    """
    return (
        "boot=$(tr -d - </proc/sys/kernel/random/boot_id); read -r up _ </proc/uptime; echo \"$boot $up\"\n"
        f"case $boot in {shlex.quote(boot)}) set -- --no-tail --after-cursor={shlex.quote(cursor)} ;;"
        f" *) set -- --lines={ALL if boot else FIRST} ;; esac\n"
        f'exec journalctl --follow --output=json --output-fields={_FIELDS} "$@" {matches}'
    )


def hello(line: str) -> tuple[str, float]:
    """Return (boot, seconds of the node's monotonic clock) from the script's first line. Raises ValueError."""
    boot, up = line.split()
    return boot, float(up)


def parse(node: str, line: str) -> Entry:
    """Return what one line of ``journalctl --output=json`` says, at the node's own time.

    Raises ValueError for anything that is not such a line.
    """
    try:
        found = json.loads(line)
        now, wall = (int(found[name]) / _MICROSECONDS for name in ("__MONOTONIC_TIMESTAMP", "__REALTIME_TIMESTAMP"))
        said = int(found.get("_SOURCE_REALTIME_TIMESTAMP", found["__REALTIME_TIMESTAMP"])) / _MICROSECONDS
        # The journal's own time is when it read the entry, which on a busy node is later.
        late = wall - said if 0.0 <= wall - said <= _LATE_SECONDS else 0.0
        return Entry(node, found["_BOOT_ID"], now - late, wall - late, _text(found.get("SYSLOG_IDENTIFIER")),
                     int(found.get("PRIORITY", _INFO)), _text(found.get("MESSAGE")), found["__CURSOR"])  # fmt: skip
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an entry of a journal: {line[:200]}") from error


def _text(value: object) -> str:
    """Return a field's text: bytes that are not text come as numbers, a field that is there twice as a list."""
    if isinstance(value, list) and all(isinstance(part, int) for part in value):
        return bytes(value).decode(errors="replace")
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value)


def placed(entries: Iterable[Entry], clocks: Mapping[Boot, float], host: float) -> list[Entry]:
    """Return entries at the host's time, in order.

    clocks
        Of each boot that was heard while it ran, what to add to its monotonic clock.
    host
        What to add to the host's wall clock to get its monotonic one. Nobody heard a boot that ended before its node
        could be reached: its entries are placed by their wall clock, which a lab's node has from the host.
    """
    found = []
    for entry in entries:
        clock = clocks.get((entry.node, entry.boot))
        found.append(replace(entry, at=entry.wall + host if clock is None else entry.at + clock))
    return sorted(found, key=lambda entry: entry.at)
