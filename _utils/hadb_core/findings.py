"""A finding: a check that did not hold, told so that an operator on call can act on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One check that did not hold.

    node
        Where, or ``"cluster"``.
    step
        Which check: ``"storage"``, ``"fencing"``.
    expected, found
        What should be and what is.
    remedy
        What to do.
    """

    node: str
    step: str
    expected: str
    found: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.node}, {self.step}: expected {self.expected}; found {self.found}. What to do: {self.remedy}"


def no_answer(node: str, step: str, why: str = "none") -> Finding:
    """Return the finding that a node's Salt minion did not answer.

    why
        What came instead of an answer.
    """
    return Finding(node, step, "an answer from its Salt minion", why,
                   "look whether the node is up and salt-minion runs; both nodes are needed")


def is_error(facts: Any) -> bool:
    """Return whether one topic of ``hadb.facts`` could not be read: it is ``{"error": text}`` then."""
    return isinstance(facts, Mapping) and set(facts) == {"error"}


def unreadable(node: str, step: str, topic: str, facts: Mapping[str, Any]) -> Finding:
    """Return the finding for such a topic."""
    return Finding(node, step, f"{topic} facts that can be read", str(facts["error"]),
                   "repair what the message names; nothing is guessed")


def report(findings: Iterable[Finding]) -> str:
    """Return the findings one per line."""
    return "\n".join(str(finding) for finding in findings)
