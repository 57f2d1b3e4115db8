"""From what was measured to the rows of the table: PASS or SHORT, and by how much. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isinf
from statistics import median

from bench.cases import CASES, OURS, SEED, Case
from bench.results import Results
from bench.stats import Summary

PASS, SHORT, OPEN = "PASS", "SHORT", "OPEN"


@dataclass(frozen=True)
class Check:
    """One figure beside its target.

    value
        As shown; ``<`` before it means that the true value is lower.
    reached
        None: it could not be measured.
    """

    name: str
    value: str
    target: str
    reached: bool | None


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    title: str
    ours: str
    seed: str
    checks: tuple[Check, ...]
    lost: int | None

    @property
    def verdict(self) -> str:
        """``PASS``, ``SHORT`` when a target is missed or a write is lost, ``OPEN`` when a figure is missing."""
        reached = [check.reached for check in self.checks]
        if self.lost or False in reached:
            return SHORT
        return OPEN if None in reached or self.lost is None else PASS


def rows(results: Results) -> list[Row]:
    """Return a row for each case of which anything was measured."""
    found = []
    for case in CASES:
        runs = [*results.of(case, OURS), *results.of(case, SEED)]
        if runs:
            lost = None if any(run.lost is None for run in runs) else sum(run.lost or 0 for run in runs)
            ours, seed = results.summary(case, OURS), results.summary(case, SEED)
            checks = tuple(_checks(case, ours, seed, results.floor))
            found.append(Row(case.title, ours.text if ours else "-", seed.text if seed else "-", checks, lost))
    return found


def floor_of(parts: Sequence[str], floor: Mapping[str, Sequence[float]]) -> float | None:
    """Return the sum of the floor's medians in seconds, or None when one of the parts was not measured."""
    if not parts or any(not floor.get(part) for part in parts):
        return None
    return sum(median(floor[part]) for part in parts)


def _checks(
    case: Case, ours: Summary | None, seed: Summary | None, floor: Mapping[str, Sequence[float]]
) -> list[Check]:
    found = []
    if case.ratio is not None:
        found.append(_ratio(case.ratio, case.ratio_aim, ours, seed))
    if case.above is not None:
        base = floor_of(case.floor, floor)
        above = None if ours is None or base is None else ours.at_least - base
        # An outage that never ended is above every limit.
        reached = None if above is None or ours is None else not isinf(ours.median) and above <= case.above
        value = "-" if above is None else f"{above:.1f} s"
        found.append(Check("above floor", value, _limit(case.above, case.above_aim, " s"), reached))
    if case.total is not None:
        reached = None if ours is None else ours.median <= case.total
        found.append(Check("in all", ours.text if ours else "-", f"<= {case.total:g} s", reached))
    return found


def _ratio(limit: float, aim: float | None, ours: Summary | None, seed: Summary | None) -> Check:
    target = _limit(limit, aim)
    if ours is None or seed is None or seed.at_least == 0:
        return Check("ratio", "-", target, None)
    ratio = ours.at_least / seed.at_least
    if isinf(ours.median):
        return Check("ratio", "-", target, False)
    # The seed's outage was cut short: its true length is longer, so the ratio is lower.
    sign = "<" if isinf(seed.median) else ""
    return Check("ratio", f"{sign}{ratio:.2f}", target, ratio <= limit)


def _limit(limit: float, aim: float | None, unit: str = "") -> str:
    return f"<= {limit:g}{unit}" + (f" (aim {aim:g})" if aim is not None else "")
