"""The journals of both nodes as moments of the host's clock: who started or stopped what, who was fenced. Pure.

Messages are those of Pacemaker 2.1 and 3.0 and Corosync 3. What is not known is left out, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

BEGIN, END, MARK = "begin", "end", "mark"
FENCING, MEMBERSHIP, FAILURE = "fencing", "membership lost", "failure noticed"
SPEAKERS = ("pacemaker", "corosync")

_LINE = re.compile(r"(\d+\.\d+) \S+ ([^\s\[:]+)(?:\[\d+\])?: (.*)")
_BEGIN = (
    # The designated controller's words, and those of the node that does it.
    re.compile(r"Initiating (?P<task>start|stop) operation (?P<resource>\S+)_(?:start|stop)_0 (?:locally )?on (?P<node>\w[\w.-]*)"),
    re.compile(r"Requesting local execution of (?P<task>start|stop) operation for (?P<resource>\S+) on (?P<node>\w[\w.-]*)"),
)
_END = re.compile(r"Result of (?P<task>start|stop) operation for (?P<resource>\S+) on (?P<node>\w[\w.-]*):")
_FENCE_BEGIN = re.compile(
    r"Requesting (?:peer )?fencing \((?:reboot|off)\) (?:targeting |of )?(?:node )?(?P<node>\w[\w.-]*)"
)
_FENCE_END = (
    re.compile(r"Operation '(?:reboot|off)' targeting (?P<node>\S+) (?:by|on) \S+ for .*: OK"),
    re.compile(r"Peer (?P<node>\S+) was terminated \((?:reboot|off)\)"),
)
_MARKS = {
    MEMBERSHIP: re.compile(r"A processor failed, forming new configuration|token timed out"),
    FAILURE: re.compile(r"Result of (?:\w+[ -])?monitor operation for \S+ on \S+: (?!OK\b|ok\b|0 \()|Unexpected result \("),
}


@dataclass(frozen=True, order=True)
class Moment:
    """Something that a log says happened.

    at
        Seconds of the host's monotonic clock.
    kind
        ``begin`` or ``end`` of an action, or ``mark``: a moment alone.
    task, resource, node
        ``start``, ``stop``, ``fencing`` or a mark's name; which resource; on which node, or who was fenced.
    """

    at: float
    kind: str
    task: str
    resource: str
    node: str


def moments(journal: str, offset: float) -> list[Moment]:
    """Return what a journal says, from ``journalctl --output=short-unix``.

    offset
        Seconds to add to the node's wall clock to get the host's monotonic clock.
    """
    return list(_moments(journal.splitlines(), offset))


def _moments(lines: Iterable[str], offset: float) -> Iterable[Moment]:
    for line in lines:
        found = _LINE.match(line)
        if found and (known := moment(float(found[1]) + offset, found[2], found[3])):
            yield known


def moment(at: float, speaker: str, text: str) -> Moment | None:
    """Return what one message says, or None for what is not known here.

    at
        Seconds of the host's monotonic clock.
    speaker
        Who logged it: only the cluster's own daemons are believed.
    """
    if not speaker.startswith(SPEAKERS):
        return None
    for kind, patterns in ((BEGIN, _BEGIN), (END, (_END,))):
        for pattern in patterns:
            if found := pattern.search(text):
                return Moment(at, kind, found["task"], found["resource"], found["node"])
    for kind, patterns in ((BEGIN, (_FENCE_BEGIN,)), (END, _FENCE_END)):
        for pattern in patterns:
            if found := pattern.search(text):
                return Moment(at, kind, FENCING, "", found["node"])
    for name, pattern in _MARKS.items():
        if pattern.search(text):
            return Moment(at, MARK, name, "", "")
    return None
