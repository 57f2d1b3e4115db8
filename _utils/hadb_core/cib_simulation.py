"""What Pacemaker would do with a CIB, read from ``crm_simulate --simulate --output-as=xml``."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from hadb_core import cib_xml

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
    to
        Where it goes to, if it goes from one node to another.
    """

    what: str
    target: str
    node: str
    reason: str
    to: str = ""

    def __str__(self) -> str:
        where = f" on {self.node}" if self.node else ""
        if self.to:
            where = f" from {self.node} to {self.to}"
        return f"{self.what} {self.target}{where}" + (f" ({self.reason})" if self.reason else "")


def actions(report: str) -> tuple[Action, ...]:
    """Return what the simulated transition does to resources and nodes.

    report
        Output of ``crm_simulate --simulate --output-as=xml`` (2.1.5 to 3.0.x).

    Raises :class:`~hadb_core.errors.Unreadable` when there is no list of actions in it, which
    is not the same as an empty one.
    """
    root = cib_xml.read(report, "crm_simulate")
    return tuple(_action(item) for item in cib_xml.part(root, "actions", "crm_simulate"))


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
        "" if item.get("node") else item.get("dest", ""),
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


def answer(planned: Sequence[Action], anyway: Sequence[Action], cib: ET.Element) -> dict[str, Any]:
    """Return what a change would do, as plain data; the keys are those of ``pacemaker.simulate``.

    planned, anyway
        As in :func:`disruptions`.
    cib
        The CIB before the change: fencing devices in it guard the nodes, they serve nobody.
    """
    serving = [item.get("id", "") for item in cib.iter("primitive") if item.get("class") != "stonith"]
    found = disruptions(planned, anyway, serving)
    return {
        "actions": [action._asdict() for action in planned],
        "fenced": [action.target for action in found if action.what == "fence"],
        "interrupted": list(dict.fromkeys(action.target for action in found if action.what != "fence")),
        "anyway": [str(action) for action in anyway],
    }
