"""One line per event, on one clock, for a person to read. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

# Seconds within which the same words from the same place are said once, with their number.
_AGAIN_SECONDS = 1.0
_LONGEST = 300


@dataclass(frozen=True)
class Event:
    """Something that happened.

    at
        Seconds of the host's monotonic clock.
    where
        A node, ``bmc NODE``, ``lab`` or ``client``.
    what
        In words, one line.
    why
        Whether it is a reason rather than a happening: what Pacemaker's scheduler said about its decision.
    """

    at: float
    where: str
    what: str
    why: bool = False


def merged(*sources: Iterable[Event], since: float) -> list[Event]:
    """Return the events of all sources in order of time; those of the same moment in the order in which they were given.

    since
        What was before is left out.
    """
    events = sorted((event for source in sources for event in source if event.at >= since), key=lambda event: event.at)
    found: list[Event] = []
    counts: list[int] = []
    last: dict[tuple[str, str], tuple[int, float]] = {}
    for event in events:
        key = (event.where, event.what)
        position, at = last.get(key, (len(found), event.at))
        if position < len(found) and event.at - at <= _AGAIN_SECONDS:
            counts[position] += 1
        else:
            position = len(found)
            found.append(event)
            counts.append(1)
        last[key] = (position, event.at)
    return [
        event if count == 1 else replace(event, what=f"{event.what} ({count} times)")
        for event, count in zip(found, counts, strict=True)
    ]


def lines(events: Iterable[Event], began: float) -> list[str]:
    """Return a heading and one line per event: seconds since ``began``, where, what."""
    found = list(events)
    width = max((len(event.where) for event in found), default=0)
    return [f"{'seconds':>9}  {'where':{width}}  what"] + [
        f"{event.at - began:9.3f}  {event.where:{width}}  {'why: ' if event.why else ''}{_short(event.what)}" for event in found
    ]


def one_line(text: str) -> str:
    """Return text in one line."""
    return " ".join(text.split())


def _short(text: str) -> str:
    plain = one_line(text)
    return plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST]} ..."
