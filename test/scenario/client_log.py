"""What a client's log says: acknowledged rows, attempted rows, and the gaps between. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any


@dataclass(frozen=True)
class Gap:
    """A time without an acknowledgement, in seconds of the host's monotonic clock."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start


@dataclass(frozen=True)
class ClientLog:
    """A client's log: when each row was sent, and when each acknowledged row was acknowledged."""

    sent: dict[int, float]
    acked: dict[int, float]

    def longest_gap(self, end: float) -> Gap:
        """Return the longest time between two acknowledgements, or from the last one to ``end``.

        Raises ValueError when nothing was ever acknowledged: there is nothing to measure from.
        """
        times = sorted(self.acked.values())
        if not times:
            raise ValueError("the client never got an acknowledgement")
        return max((Gap(*pair) for pair in pairwise([*times, max(end, times[-1])])), key=lambda gap: gap.seconds)


def records(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Return the records of a client's log; a last line that is being written is left out. Raises ValueError for garbage."""
    for line in lines:
        if not line.endswith("\n"):
            return
        yield json.loads(line)


def parse(lines: Iterable[str]) -> ClientLog:
    """Return what the lines of a client's log say.

    Raises ValueError for a number that was used twice, and for a line that is not one of the client's. Only the
    very last line may be cut short; then its row counts as sent, which is what it was, if it is there at all.
    """
    sent: dict[int, float] = {}
    acked: dict[int, float] = {}
    for record in records(lines):
        if "id" not in record:
            continue
        if record["id"] in sent:
            raise ValueError(f"the client used number {record['id']} twice")
        sent[record["id"]] = record["sent"]
        if "acked" in record:
            acked[record["id"]] = record["acked"]
    return ClientLog(sent, acked)
