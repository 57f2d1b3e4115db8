"""What is done in which order: drawn from the seed, the number of the step and the tables, and from nothing else. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import TypeVar

from scenario.chaos_rules import Fault, Moment, Pair, follows, moments, together
from scenario.scenario import Scenario

T = TypeVar("T")

ALONE, TOGETHER, THEN = "alone", "together", "then"
# How often: one fault, two at once, a second one during the recovery from the first.
KINDS = ((ALONE, 4.0), (TOGETHER, 3.0), (THEN, 3.0))
# Seconds after a moment: the steps of a takeover take a few tenths of a second each.
PAUSES = (0.0, 0.2, 0.5, 1.0)
# Seconds that a step takes before any was measured: means of 62 steps (two cores).
_TYPICAL = {ALONE: 47.0, TOGETHER: 43.0, THEN: 51.0}


@dataclass(frozen=True)
class Table:
    """What there is to draw from.

    alone
        Scenarios, each with its weight.
    faults
        Faults that can come in company.
    """

    alone: Sequence[tuple[Scenario, float]]
    faults: Sequence[Fault]


@dataclass(frozen=True)
class Step:
    """One thing to do; ``number`` counts from 1."""

    number: int
    kind: str
    what: Scenario | Pair

    @property
    def text(self) -> str:
        """The faults in words."""
        return self.what.text if isinstance(self.what, Pair) else self.what.name

    @property
    def name(self) -> str:
        """A short name, for a directory and a table of the database."""
        return f"step-{self.number:03}"


def plan(seed: int, count: int, table: Table) -> list[Step]:
    """Return the steps of a seed.

    Each step is drawn by a generator of its own: it is the same whatever the count is and wherever a run begins.
    """
    choices = _choices(table)
    return [_step(seed, number, choices) for number in range(1, count + 1)]


def lines(steps: Iterable[Step]) -> list[str]:
    """Return the plan for people, a line per step."""
    return [f"{step.number:4}  {step.kind:8}  {step.text}" for step in steps]


def fingerprint(steps: Iterable[Step]) -> str:
    """Return a short mark that two plans share only when they are the same."""
    return hashlib.sha256("\n".join(lines(steps)).encode()).hexdigest()[:12]


def seconds_left(left: Sequence[Step], took: Mapping[str, Sequence[float]]) -> float:
    """Return the estimate of how long steps will take.

    took
        Seconds of the steps so far, by kind.
    """
    return sum(median(took[step.kind]) if took.get(step.kind) else _TYPICAL[step.kind] for step in left)


def pick(random: Callable[[], float], choices: Sequence[tuple[T, float]]) -> T:
    """Return one of the choices, each as often as its weight says.

    random
        Gives numbers from 0 up to 1.

    Raises ValueError when no choice has a weight.
    """
    total = sum(weight for _, weight in choices)
    if total <= 0:
        raise ValueError("nothing to choose from")
    mark = random() * total
    for choice, weight in choices:
        mark -= weight
        if mark < 0:
            return choice
    # The sum of rounded numbers: the mark may be a hair beyond it.
    return next(choice for choice, weight in reversed(choices) if weight > 0)


@dataclass(frozen=True)
class _Choices:
    """What each draw chooses from, with weights.

    partners
        For each fault those that may come at the same time.
    seconds
        For each fault the moments of its recovery at which another one may come, each with those that may.
    """

    alone: Sequence[tuple[Scenario, float]]
    partners: list[tuple[Fault, list[tuple[Fault, float]]]]
    seconds: list[tuple[Fault, list[tuple[Moment, list[tuple[Fault, float]]]]]]


def _choices(table: Table) -> _Choices:
    faults = [fault for fault in table.faults if fault.weight > 0]
    partners = [(one, _weighed(other for other in faults if together(one, other))) for one in faults]
    seconds = [(first, [(moment, _weighed(fault for fault in faults if follows(first, moment, fault)))
                        for moment in moments(first)]) for first in faults]  # fmt: skip
    return _Choices(table.alone, partners, [(first, [one for one in found if one[1]]) for first, found in seconds])


def _step(seed: int, number: int, choices: _Choices) -> Step:
    # Only random() is promised to stay the same in other versions of Python, and a text as seed to mean the same everywhere.
    random = Random(f"hadb chaos {seed} {number}").random
    kind = pick(random, KINDS)
    draw = {ALONE: _alone, TOGETHER: _together, THEN: _then}[kind]
    return Step(number, kind, draw(random, choices))


def _alone(random: Callable[[], float], choices: _Choices) -> Scenario:
    return pick(random, choices.alone)


def _together(random: Callable[[], float], choices: _Choices) -> Pair:
    first, partners = pick(random, [(entry, entry[0].weight) for entry in choices.partners if entry[1]])
    return Pair(first, pick(random, partners))


def _then(random: Callable[[], float], choices: _Choices) -> Pair:
    first, steps = pick(random, [(entry, entry[0].weight) for entry in choices.seconds if entry[1]])
    moment, seconds = pick(random, [(entry, 1.0) for entry in steps])
    second = pick(random, seconds)
    return Pair(first, second, moment, pick(random, [(pause, 1.0) for pause in PAUSES]))


def _weighed(faults: Iterable[Fault]) -> list[tuple[Fault, float]]:
    return [(fault, fault.weight) for fault in faults]
