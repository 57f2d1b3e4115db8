"""A node that was said to be off and was not: the array refuses what it writes, until it has reset itself. Pure.

Such a node still has its mount, its server and its addresses for a moment. That is no second owner only where the scenario says
so, only of that node, and only while it stands still and until its kernel ends, a few seconds after. One that goes on was not
refused, however soon it lets go: that, and everything else, is judged as always.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from scenario import events
from scenario.holds import Hold

# Seconds from a node's thaw to its reset. Its sessions with the array are made anew first; two busy cores.
SECONDS = 5.0
Excuse = Callable[[Hold, Hold], bool]


def nothing(one: Hold, other: Hold) -> bool:
    """Return False: two owners are two owners."""
    return False


def excuse(nodes: Collection[str], log: Iterable[dict[str, object]], seconds: float = SECONDS) -> Excuse:
    """Return what excuses two holds: the one is such a node's, which stood still when the other began, and whose kernel ended
    within some seconds after it went on.

    nodes
        Whose writes the array refuses.
    log
        The lab's events.
    """
    known = list(log)
    stood, went_on = _moments(known, "freeze"), _moments(known, "thaw")
    ended = [(one.node, one.at) for one in events.powers(known) if one.source == events.ITSELF]

    def covers(zombie: Hold, other: Hold) -> bool:
        before = [at for node, at in stood if node == zombie.node and zombie.since <= at <= other.earliest]
        if zombie.node not in nodes or not before:
            return False
        after = [at for node, at in went_on if node == zombie.node and at >= before[0]]
        return not after or any(node == zombie.node and max(after[0], zombie.latest) <= at <= after[0] + seconds for node, at in ended)

    return lambda one, other: covers(one, other) or covers(other, one)


def _moments(log: Iterable[dict[str, object]], kind: str) -> list[tuple[str, float]]:
    return [(str(event["node"]), float(str(event["monotonic"]))) for event in log if event["event"] == kind]
