"""A finding: a check that did not hold, told so that an operator on call can act on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


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


def report(findings: Iterable[Finding]) -> str:
    """Return the findings one per line."""
    return "\n".join(str(finding) for finding in findings)
