"""What Pacemaker would do with a CIB, read from ``crm_simulate --simulate --output-as=xml``."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Collection, Sequence
from typing import NamedTuple

from hadb_core.errors import Unreadable

# Everything that takes a running resource away, be it for a moment. Unknown words count as
# disruptive too: only these are known to be harmless.
_HARMLESS = frozenset(("start", "default", "noop"))


class Action(NamedTuple):
    """One thing that Pacemaker would do.

    what
        ``start``, ``stop``, ``restart``, ``move``, ``recover``, ..., or ``fence``.
    target
        A resource, or the node to be fenced.
    node
        Where it runs now or would be started, ``""`` for fencing.
    reason
        Pacemaker's own words, ``""`` if it gave none.
    """

    what: str
    target: str
    node: str
    reason: str

    def __str__(self) -> str:
        where = f" on {self.node}" if self.node else ""
        return f"{self.what} {self.target}{where}" + (f" ({self.reason})" if self.reason else "")


def actions(report: str) -> tuple[Action, ...]:
    """Return what the simulated transition does to resources and nodes.

    report
        Output of ``crm_simulate --simulate --output-as=xml`` (2.1.5 to 3.0.x).

    Raises :class:`~hadb_core.errors.Unreadable` when there is no list of actions in it, which
    is not the same as an empty one.
    """
    try:
        root = ET.fromstring(report)
    except ET.ParseError as error:
        raise Unreadable("crm_simulate", f"not XML: {error}") from error
    found = root.find("actions")
    if found is None:
        raise Unreadable("crm_simulate", "its report has no list of actions")
    return tuple(_action(item) for item in found)


def _action(item: ET.Element) -> Action:
    reason = item.get("reason", "")
    if item.tag == "node_action":
        # "Fence (reboot)", "Fence (off)"; a clean shutdown has other words.
        task = item.get("task", "").lower()
        return Action("fence" if task.startswith("fence") else task, item.get("node", ""), "", reason)
    return Action(
        item.get("action", "?").lower(),
        item.get("resource", ""),
        item.get("node") or item.get("source", ""),
        reason,
    )


def disruptions(
    planned: Sequence[Action], anyway: Sequence[Action], members: Collection[str]
) -> tuple[Action, ...]:
    """Return what the change would do to the database.

    planned, anyway
        What Pacemaker would do after the change, and what it is about to do without it.
    members
        The resources of the database group, also those that the change removes.

    A fence counts in any case: before a node has proven that it is fenceable nothing may depend
    on it, and a change of the CIB while a fence is due hides what happened.
    """
    already = {(action.what, action.target) for action in anyway}
    return tuple(
        action
        for action in planned
        if action.what == "fence"
        or (
            action.what not in _HARMLESS
            and action.target in members
            and (action.what, action.target) not in already
        )
    )
