"""The order of the runs, and how long what is left of it will take. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.cases import CALM, FORMULA, OURS, SEED, Case

FLOOR, RUN = "floor", "run"
# Seconds before anything of the kind was measured.
_TYPICAL = {FLOOR: 60.0, FORMULA: 600.0, CALM: 3660.0}


@dataclass(frozen=True)
class Item:
    """One thing to do.

    kind
        ``floor``, ``formula``, ``calm`` or ``run``.
    config, case, round
        For a run: with which configuration, which case, and which repetition (from 1).
    """

    kind: str
    config: str = OURS
    case: Case | None = None
    round: int = 0

    @property
    def name(self) -> str:
        """The item in a few words, also the name of its directory."""
        return f"{self.round:02}-{self.case.id}-{self.config}" if self.case else self.kind


def items(cases: Sequence[Case], rounds: int, others: Collection[str] = ()) -> list[Item]:
    """Return everything to be done, in order: the formula first, while nothing was broken yet, the long calm last.

    The configurations take turns as A B B A A B B A ...: whatever changes slowly, such as the machine's load or the
    database's size, meets both alike, and there is one change of the configuration per round.
    """
    found = [Item(FORMULA)] if FORMULA in others else []
    if cases:
        found.append(Item(FLOOR))
    for number in range(1, rounds + 1):
        order = (OURS, SEED) if number % 2 else (SEED, OURS)
        found += [Item(RUN, config, case, number) for config in order for case in cases]
    return [*found, Item(CALM)] if CALM in others else found


def seconds_left(left: Sequence[Item], took: Mapping[tuple[str, str], Sequence[float]]) -> float:
    """Return the estimate of how long the items will take.

    took
        Seconds of what was done already, by (case or kind, configuration).
    """
    return sum(_estimate(item, took) for item in left)


def _estimate(item: Item, took: Mapping[tuple[str, str], Sequence[float]]) -> float:
    key = (item.case.id if item.case else item.kind, item.config)
    if took.get(key):
        return median(took[key])
    return item.case.typical if item.case else _TYPICAL[item.kind]
