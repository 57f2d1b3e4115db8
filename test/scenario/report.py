"""The timeline of one scenario, from everything that was recorded: what it was, how it went, and every event. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from scenario import client_log, events, phases, sources, timeline
from scenario.clock import Boot
from scenario.deeds import Deed
from scenario.doubts import doubts
from scenario.journal import Entry
from scenario.loglines import Moment, moment
from scenario.relevance import is_reason, told
from scenario.results import Result
from scenario.sample import Sample
from scenario.timeline import Event

# Seconds of an outage that are worth being divided into phases.
_DIVIDED_SECONDS = 1.0


@dataclass(frozen=True)
class Records:
    """What was recorded of a scenario, all times in seconds of the host's monotonic clock.

    began, end
        When it began, and when looking stopped.
    wall
        Its beginning by the host's wall clock, in seconds since 1970.
    facts
        What the samples look for.
    client
        The lines of the client's log.
    entries, clocks, unreadable
        The journals; when each boot of a node began; lines that could not be read.
    """

    began: float
    end: float
    wall: float
    nodes: Sequence[str]
    facts: Sequence[str]
    log: Sequence[Mapping[str, Any]]
    deeds: Sequence[Deed]
    client: Sequence[str]
    samples: Sequence[Sample]
    entries: Sequence[Entry]
    clocks: Mapping[Boot, float]
    unreadable: Sequence[str]


@dataclass(frozen=True)
class Head:
    """What a timeline begins with: the fault in words, who played which part, and what became of it."""

    fault: str
    active: str
    passive: str
    dc: str | None
    result: Result


def text(head: Head, records: Records) -> str:
    """Return the whole file."""
    found = _events(records)
    return "\n".join([*_head(head, records), "", *timeline.lines(found, records.began)]) + "\n"


def _events(records: Records) -> list[Event]:
    seen = sources.of_samples(records.samples, events.powers(records.log), records.nodes, records.facts, records.end)
    said = [
        Event(entry.at, entry.node, words, is_reason(entry)) for entry in records.entries if (words := told(entry)) is not None
    ]
    booted = [Event(at, node, "boots") for (node, _), at in records.clocks.items()]
    return timeline.merged(
        sources.of_deeds(records.deeds), sources.of_lab(records.log), booted, said, seen,
        sources.of_client(records.client, records.end), since=records.began,
    )  # fmt: skip


def _head(head: Head, records: Records) -> list[str]:
    result = head.result
    verdict = "every invariant held" if not result.findings else f"FAILED, {len(result.findings)} findings"
    parts = [
        ("scenario", result.name), ("fault", head.fault), ("verdict", verdict),
        *(("finding", finding) for finding in result.findings),
        ("outage", _outage(result, records)),
        ("active", f"{head.active}, passive {head.passive}, designated controller {head.dc or 'unknown'}"),
        ("fenced", ", ".join(result.fenced) or "nobody"),
        ("plays", ", ".join(result.cases) or "no case of the list"),
        ("second 0", f"{_date(records.wall)}; {records.began:.3f} of the host's monotonic clock, on which everything is placed"),
        *(("clock", line) for line in _clocks(records)),
        ("journals", _shares(records)),
        *(("doubt", line) for line in doubts(records.entries, _moments(records), records.log, records.end)),
    ]  # fmt: skip
    return [f"{name:9} {timeline.one_line(line)}" for name, line in parts]


def _outage(result: Result, records: Records) -> str:
    log = client_log.parse(records.client)
    if result.outage is None or not log.acked:
        return "could not be measured"
    gap = log.longest_gap(records.end)
    said = f"{gap.seconds:.2f} s, from {gap.start - records.began:.3f} to {gap.end - records.began:.3f}"
    if gap.seconds < _DIVIDED_SECONDS:
        return said
    where = phases.divide(gap, phases.spans(_moments(records), gap))
    return f"{said}: {', '.join(f'{phase} {seconds:.2f}' for phase, seconds in where.items() if seconds)}"


def _moments(records: Records) -> list[Moment]:
    found = (moment(entry.at, entry.speaker, entry.text) for entry in records.entries)
    return [one for one in found if one is not None]


def _clocks(records: Records) -> list[str]:
    found = [
        f"{node} booted at {at - records.began:.3f}" for (node, _), at in sorted(records.clocks.items(), key=lambda one: one[1])
    ]
    unheard = {(entry.node, entry.boot) for entry in records.entries} - records.clocks.keys()
    return found + [f"nobody heard {node}'s boot {boot[:8]} while it ran: placed by its wall clock" for node, boot in sorted(unheard)]


def _shares(records: Records) -> str:
    parts = []
    for node in sorted({*records.nodes, *(entry.node for entry in records.entries)}):
        mine = [entry for entry in records.entries if entry.node == node]
        parts.append(f"{node} {sum(told(entry) is not None for entry in mine)} of {len(mine)} lines told")
    if records.unreadable:
        parts.append(f"{len(records.unreadable)} could not be read, such as {records.unreadable[0]!r}")
    return ", ".join(parts)


def _date(wall: float) -> str:
    return datetime.fromtimestamp(wall, tz=timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"


def journal_lines(entries: Sequence[Entry], began: float) -> str:
    """Return everything that was read of the journals, as lines of JSON with the seconds since ``began``."""
    return "".join(
        json.dumps({"seconds": round(entry.at - began, 3), "wall": entry.wall, "node": entry.node, "boot": entry.boot,
                    "speaker": entry.speaker, "priority": entry.priority, "text": entry.text}) + "\n"
        for entry in entries
    )  # fmt: skip
