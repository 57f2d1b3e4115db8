"""From a node's wall clock to the host's monotonic clock."""

from __future__ import annotations

import time
from collections.abc import Iterable

from scenario.lab import Lab

from hadblab.errors import LabError

_QUESTIONS = 3


def offset(answers: Iterable[tuple[float, float, float]]) -> float:
    """Return the seconds to add to a node's wall clock to get the host's monotonic clock.

    answers
        (asked, the node's wall clock, answered) with the host's times; the quickest one is the most exact: it is right
        to within half of its way.

    Raises ValueError without any answer.
    """
    asked, wall, answered = min(answers, key=lambda one: one[2] - one[0])
    return (asked + answered) / 2 - wall


def calibrate(lab: Lab) -> dict[str, float]:
    """Return each node's offset. Raises LabError when a node does not say its time."""
    return {node: offset([_ask(lab, node) for _ in range(_QUESTIONS)]) for node in lab.nodes}


def _ask(lab: Lab, node: str) -> tuple[float, float, float]:
    asked = time.monotonic()
    said = lab.ask(node, "date +%s.%N").stdout
    answered = time.monotonic()
    try:
        return asked, float(said), answered
    except ValueError as error:
        raise LabError(f"{node}: no time: {said!r}") from error
