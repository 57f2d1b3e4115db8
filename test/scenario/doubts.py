"""What speaks against the order of a timeline: a clock that is placed wrongly shows events that cannot be. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from scenario import events
from scenario.journal import Entry
from scenario.loglines import BEGIN, END, FENCING, Moment

# Seconds by which two clocks may differ: what a delivery takes, and what a busy machine adds to it.
_TOLERANCE = 0.25


def doubts(entries: Sequence[Entry], moments: Sequence[Moment], log: Sequence[Mapping[str, Any]], end: float) -> list[str]:
    """Return what cannot have been, in words; none means that everything fits.

    entries, moments
        The journals at the host's time, and what the cluster's lines among them mean.
    log
        The lab's events, which are the host's own.
    end
        When looking stopped.
    """
    return [*_from_the_dead(entries, log, end), *_out_of_order(moments, events.powers(log))]


def _from_the_dead(entries: Sequence[Entry], log: Sequence[Mapping[str, Any]], end: float) -> Iterator[str]:
    for node, start, stop in _silences(log, end):
        said = [one for one in entries if one.node == node and start + _TOLERANCE < one.at < stop - _TOLERANCE]
        if said:
            yield (f"{len(said)} lines of {node}'s journal are from a time in which it did not run, such as this one of "
                   f"{said[0].at - start:.2f} s after that began: {said[0].speaker}: {said[0].text[:80]}")  # fmt: skip


def _silences(log: Iterable[Mapping[str, Any]], end: float) -> Iterator[tuple[str, float, float]]:
    """Return (node, from, to) of each time in which a node was off or frozen."""
    since: dict[str, float] = {}
    for event in log:
        node, at = event.get("node"), event["monotonic"]
        off = event["event"] == "power" and event["action"] == events.OFF
        if off or event["event"] == "freeze":
            since.setdefault(node, at)
        elif node in since and event["event"] in ("thaw", "power"):
            yield node, since.pop(node), at
    for node, at in since.items():
        yield node, at, end


def _out_of_order(moments: Sequence[Moment], powers: Iterable[events.Power]) -> Iterator[str]:
    """A BMC cuts a power after a node asked for it and before that node knows of it, by three clocks."""
    for cut in (one for one in powers if one.source == "bmc" and one.cut):
        asked = [one.at for one in moments if (one.task, one.kind, one.node) == (FENCING, BEGIN, cut.node)]
        known = [one.at for one in moments if (one.task, one.kind, one.node) == (FENCING, END, cut.node)]
        if not any(at <= cut.at + _TOLERANCE for at in asked):
            yield f"the BMC of {cut.node} cut its power, and no node had asked for that before"
        if not any(at >= cut.at - _TOLERANCE for at in known):
            yield f"the BMC of {cut.node} cut its power, and no node knew of it afterwards"
