"""When a client whose connection broke was served again, from its log's lines. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from scenario.client_log import Gap, parse, records


def served_again(lines: Iterable[str], since: float) -> float | None:
    """Return when the first row was acknowledged after the client had met an error, or None if that is still to come.

    since
        Only errors and answers after this moment count; seconds of the host's monotonic clock.

    A server that is about to stop goes on acknowledging for a while, so an answer alone says nothing. The cluster is
    not asked: on two cores that would lengthen the outage that is being measured.
    """
    broken = False
    for record in records(lines):
        broken = broken or record.get("failed", record.get("connect", since - 1.0)) >= since
        if broken and record.get("acked", since) > since:
            return float(record["acked"])
    return None


def outage(lines: Iterable[str], end: float) -> Gap:
    """Return the longest time without an acknowledgement up to ``end``.

    Raises ValueError when nothing was acknowledged, or a number was used twice.
    """
    return parse(lines).longest_gap(end)
