"""Which node carries out the once-only steps, decided locally by each node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Duty(NamedTuple):
    """Whether the once-only steps are this node's job, and why (not)."""

    here: bool
    reason: str


def duty(node: str, bootstrap: str, cluster: Mapping[str, Any], configured: bool) -> Duty:
    """Return whether ``node`` carries out the once-only steps.

    node, bootstrap
        This node's name, and the node that builds while there is no cluster.
    cluster
        ``pacemaker.status()`` of this node.
    configured
        Whether this node's CIB file already holds the database group (known also while
        Pacemaker is stopped).

    The volume belongs to Pacemaker once the group is in the CIB: then only the node on which it
    runs has it open, and if it runs nowhere an operator (or a failure) holds it and nobody touches it.
    """
    if not cluster["running"]:
        if configured:
            return Duty(False, "Pacemaker is stopped here but owns the volume; start it first")
        return _builder(node, bootstrap)
    filesystem = cluster["resources"].get("db-fs")
    if filesystem is None:
        return _builder(node, bootstrap)
    if filesystem["node"] == node:
        return Duty(True, "the database runs here")
    if filesystem["node"]:
        return Duty(False, f"the database runs on {filesystem['node']}")
    return Duty(False, "Pacemaker owns the volume and the database is stopped; it is left alone")


def _builder(node: str, bootstrap: str) -> Duty:
    if node == bootstrap:
        return Duty(True, "this is the bootstrap node and there is no cluster yet")
    return Duty(False, f"{bootstrap} is the bootstrap node")
