"""Where the time of an outage went: each moment of it belongs to exactly one phase. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scenario.client_log import Gap
from scenario.loglines import BEGIN, END, FENCING, MARK, Moment

DETECTION, STOP, LVM, FILESYSTEM, SERVER, VIP, CLIENT, OTHER = (
    "detection", "stop", "lvm", "filesystem", "server", "vip", "client", "other"
)  # fmt: skip
# In the order in which they usually come.
PHASES = (DETECTION, FENCING, STOP, LVM, FILESYSTEM, SERVER, VIP, CLIENT, OTHER)
_BY_RESOURCE = (("db-lvm", LVM), ("db-fs", FILESYSTEM), ("db-server", SERVER), ("vip-", VIP))


@dataclass(frozen=True)
class Span:
    """An action of the cluster, in seconds of the host's monotonic clock."""

    phase: str
    begin: float
    end: float


def spans(moments: Iterable[Moment], gap: Gap) -> list[Span]:
    """Return the actions that touch an outage; one that has no end in the logs lasts as long as the outage."""
    pending: dict[tuple[str, str, str], float] = {}
    found = []
    for moment in sorted(moments):
        key = (moment.task, moment.resource, moment.node)
        phase = _phase(moment)
        if phase and moment.kind == BEGIN:
            # Both nodes log a beginning; the first counts.
            pending.setdefault(key, moment.at)
        elif phase and moment.kind == END and key in pending:
            found.append(Span(phase, pending.pop(key), moment.at))
    found += [Span(_phase_of(*key[:2]), began, gap.end) for key, began in pending.items()]
    return sorted((span for span in found if span.begin < gap.end and span.end > gap.start), key=lambda one: one.begin)


def divide(gap: Gap, actions: Sequence[Span]) -> dict[str, float]:
    """Return seconds by phase; their sum is the outage.

    Of actions side by side the one that ends last has the time, since the others were not waited for. Before the
    first action it is detection; after the last one it is the client's reconnecting; between actions, and in an outage
    without any, nobody can say: "other".
    """
    parts = dict.fromkeys(PHASES, 0.0)
    edges = sorted({gap.start, gap.end, *(edge for one in actions for edge in (one.begin, one.end) if gap.start < edge < gap.end)})
    for start, end in zip(edges, edges[1:], strict=False):
        parts[_whose(start, end, actions)] += end - start
    return {phase: round(seconds, 3) for phase, seconds in parts.items()}


def marks(moments: Iterable[Moment], gap: Gap) -> dict[str, float]:
    """Return when the first of each kind of mark was, in seconds after the outage began."""
    found: dict[str, float] = {}
    for moment in sorted(moments):
        if moment.kind == MARK and gap.start <= moment.at <= gap.end:
            found.setdefault(moment.task, round(moment.at - gap.start, 3))
    return found


def _whose(start: float, end: float, actions: Sequence[Span]) -> str:
    under_way = [one for one in actions if one.begin <= start and one.end >= end]
    if under_way:
        return max(under_way, key=lambda one: one.end).phase
    if actions and end <= actions[0].begin:
        return DETECTION
    if actions and start >= max(one.end for one in actions):
        return CLIENT
    return OTHER


def _phase(moment: Moment) -> str:
    return _phase_of(moment.task, moment.resource)


def _phase_of(task: str, resource: str) -> str:
    """Return the phase of an action, "" for what no client waits for, such as a fencing device's own start."""
    if task == FENCING:
        return FENCING
    phase = next((phase for prefix, phase in _BY_RESOURCE if resource.startswith(prefix)), "")
    return STOP if phase and task == "stop" else phase
