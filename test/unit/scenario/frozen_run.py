"""The run that bench's frozen node left on 2026-11-26 (Debian 13, Pacemaker 3.0.0): both journals and the array's, read by
``journalctl --output=json`` with the fields that a scenario asks for, the lab's events and the client's log.

Of the boot of db1 only some lines of the kernel, systemd and udev are kept. What db1 said in the last six seconds before
it was frozen is not there: it never reached its disk.
"""

from __future__ import annotations

import json
from pathlib import Path

from scenario import journal
from scenario.clock import Boot
from scenario.journal import Entry
from scenario.report import Head, Records
from scenario.results import Result

DIRECTORY = Path(__file__).with_name("fixtures") / "frozen"
NODES = ("db1", "db2")
BEGAN, END = 726.0, 738.0
# By the lab's log: the host's monotonic clock less its wall clock, from which each node has its own.
HOST = 726.42765457 - 1795688394.3717177
LOG = [json.loads(line) for line in (DIRECTORY / "events.log").read_text(encoding="utf-8").splitlines()]
CLIENT = (DIRECTORY / "client.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
RESULT = Result("active frozen", 9.52, ["db1"], cases=("A5",))
HEAD = Head("The active node's kernel stops in its tracks.", "db1", "db2", "db1", RESULT)


def raw() -> list[Entry]:
    """Return all three journals at their nodes' own time."""
    return [
        journal.parse(node, line)
        for node in (*NODES, "san") for line in (DIRECTORY / f"{node}.jsonl").read_text(encoding="utf-8").splitlines()
    ]  # fmt: skip


def clocks() -> dict[Boot, float]:
    """Return when each boot began, on the host's clock."""
    return {(entry.node, entry.boot): entry.wall + HOST - entry.at for entry in raw()}


def records(**other: object) -> Records:
    """Return everything, with other values where they are given."""
    known = {
        "began": BEGAN, "end": END, "wall": BEGAN - HOST, "nodes": NODES, "facts": ("mount",), "log": LOG, "deeds": (),
        "client": CLIENT, "samples": (), "clocks": clocks(), "unreadable": (), **other,
    }  # fmt: skip
    said = journal.placed(raw(), known["clocks"], HOST)
    return Records(**{"entries": [entry for entry in said if entry.at >= BEGAN], **known})
