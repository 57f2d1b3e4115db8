"""Medians and spreads of outages, some of which never ended. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isinf
from statistics import median


@dataclass(frozen=True)
class Summary:
    """What several runs of the same kind showed.

    median, low, high
        Seconds; infinite where an outage never ended by itself.
    bound
        Seconds that were waited for one that never ended: it lasts at least that long.
    """

    count: int
    median: float
    low: float
    high: float
    bound: float

    @property
    def at_least(self) -> float:
        """The median, or what is known to be less than it."""
        return self.bound if isinf(self.median) else self.median

    @property
    def text(self) -> str:
        """``3.1 s (2.9-3.4)``."""
        if isinf(self.low):
            return f"never (>{self.bound:.0f} s)"
        middle = f">{self.bound:.0f}" if isinf(self.median) else f"{self.median:.1f}"
        high = "never" if isinf(self.high) else f"{self.high:.1f}"
        return f"{middle} s ({self.low:.1f}-{high})"


def summary(outages: Sequence[float | None], bound: float) -> Summary | None:
    """Return the summary of outages in seconds, None for one that never ended; None when there are none at all."""
    values = sorted(inf if outage is None else outage for outage in outages)
    if not values:
        return None
    half = len(values) // 2
    # The mean of a number and infinity is no time that was ever seen.
    middle = values[half] if len(values) % 2 or isinf(values[half]) else median(values)
    return Summary(len(values), middle, values[0], values[-1], bound)


def typical(outages: Sequence[float | None]) -> int:
    """Return the index of the run in the middle; of an even number the better one of the two.

    Raises ValueError without any run.
    """
    if not outages:
        raise ValueError("no run, so none in the middle")
    order = sorted(range(len(outages)), key=lambda index: inf if outages[index] is None else outages[index])
    return order[(len(order) - 1) // 2]
