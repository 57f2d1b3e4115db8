"""From samples to intervals: when a node held something, as far as the samples and the power log show. Pure.

A node keeps what it was last seen with until a later sample shows otherwise or its power is cut. So a frozen
node holds its mount until its BMC has switched it off, and a dead one holds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from scenario.events import Power
from scenario.sample import Sample


@dataclass(frozen=True)
class Hold:
    """An interval in which a node held something, in seconds of the host's monotonic clock.

    earliest, since
        It began somewhere between these: after the last sample without it, at the first one with it.
    until, latest
        It ended somewhere between these.
    """

    node: str
    earliest: float
    since: float
    until: float
    latest: float


def holds(samples: Sequence[Sample], powers: Sequence[Power], node: str, fact: str, end: float) -> list[Hold]:
    """Return when one node held one fact.

    samples
        Of all nodes, in order of time.
    end
        When looking stopped; what was held at the last sample counts as held until then.
    """
    cuts = sorted(event.at for event in powers if event.node == node and event.cut)
    seen: list[tuple[float, bool]] = [(sample.at, fact in sample.held) for sample in samples if sample.node == node]
    # A cut is as good as a sample that shows nothing held.
    moments = sorted([(at, held, False) for at, held in seen] + [(at, False, True) for at in cuts])
    if not moments:
        return []
    moments.append((max(end, moments[-1][0]), moments[-1][1], False))
    found: list[Hold] = []
    start: tuple[float, float] | None = (moments[0][0], moments[0][0]) if moments[0][1] else None
    for (before, _, _), (at, held, cut) in pairwise(moments):
        if held and start is None:
            start = (before, at)
        elif not held and start is not None:
            # Until the power was cut it was held for certain; between two samples it ended somewhere.
            found.append(Hold(node, *start, at if cut else before, at))
            start = None
    if start is not None:
        last = moments[-1][0]
        found.append(Hold(node, *start, last, last))
    return found


def shared(one: Hold, other: Hold) -> bool:
    """Return whether two nodes certainly held the same thing at the same time."""
    return max(one.since, other.since) < min(one.until, other.until)


def may_be_shared(one: Hold, other: Hold) -> bool:
    """Return whether the samples leave it open that two nodes held the same thing at the same time."""
    return max(one.earliest, other.earliest) < min(one.latest, other.latest)


def gaps(samples: Sequence[Sample], node: str, limit: float) -> list[tuple[float, float]]:
    """Return the times longer than ``limit`` seconds between two samples of one boot of a node."""
    mine = [sample for sample in samples if sample.node == node]
    return [
        (one.at, other.at) for one, other in pairwise(mine)
        if one.boot == other.boot and other.at - one.at > limit
    ]  # fmt: skip
