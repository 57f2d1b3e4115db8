"""A plan: what would have to be done to get from what is to what is wanted.

A plan is a value. ``test=True`` shows it, a real run carries it out, and after a real
run the plan is made again from what is read then: a plan that is not empty is a failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Step:
    """One thing to do.

    do
        The name of the effect, a verb that the module carrying it out knows (``"vgcreate"``).
    path
        What changes, as operators name it (``"vg db-vg"``); the key in a state's ``changes``.
    old, new
        The value before and after, never a secret.
    args
        Keyword arguments of the effect.
    """

    do: str
    path: str
    old: Any = None
    new: Any = None
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """Steps in the order in which they are safe, and remarks for the operator.

    remarks
        What was seen and deliberately left alone, for instance an operator's hold.
    """

    steps: tuple[Step, ...] = ()
    remarks: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.steps)

    def changes(self) -> dict[str, dict[str, Any]]:
        """Return what a state reports: ``{path: {"old": ..., "new": ...}}``.

        Two steps on one path are shown as one change from the first old to the last new value.
        """
        shown: dict[str, dict[str, Any]] = {}
        for step in self.steps:
            first = shown.get(step.path, {"old": step.old})
            shown[step.path] = {"old": first["old"], "new": step.new}
        return shown

    def sentence(self) -> str:
        """Return the steps as one line: ``vg db-vg, lv db-vol``."""
        return ", ".join(dict.fromkeys(step.path for step in self.steps))
