"""What a scenario's findings come to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hadblab.errors import LabError
from scenario.invariants import BLIND, NOT_WRITABLE
from scenario.lab import FrontEndError

PASS, FAIL, UNKNOWN = "pass", "fail", "unknown"

# How findings begin, see scenario._faults_of.
_FRONT_END, _LAB = f"{FrontEndError.__name__}:", f"{LabError.__name__}:"
# What no trouble of the lab brings about.
_SAFETY = ("I1:", "I2:", "I3:")


def verdict(findings: Sequence[str]) -> str:
    """Return ``pass``, ``fail``, or ``unknown`` when it was the lab that failed, or nobody knows.

    A lost write, two owners or damaged data are never the lab's doing. Anything else may follow from a fault that the lab
    did not bring about or take back. A node that does not answer a question may be the lab's trouble, but if anything else
    is amiss besides, the cluster is suspected.
    """
    if not findings:
        return PASS
    if any(line.startswith(_SAFETY) and not line.startswith((BLIND, NOT_WRITABLE)) for line in findings):
        return FAIL
    if any(line.startswith(_FRONT_END) for line in findings):
        return UNKNOWN
    return UNKNOWN if all(line.startswith((_LAB, BLIND)) for line in findings) else FAIL


def worst(found: Iterable[str]) -> str:
    """Return one verdict for several on the same thing: a failure counts, and what is unknown is no pass."""
    return max(found, key=(PASS, UNKNOWN, FAIL).index)
