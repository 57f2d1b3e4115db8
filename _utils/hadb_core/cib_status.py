"""The cluster's state, read from ``crm_mon --one-shot --output-as=xml`` of Pacemaker 2.1.5 to 3.0.x."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from typing import Any

from hadb_core import cib_xml

# OCF: running, not running, promoted.
_PROBE_ANSWERS = frozenset(("0", "7", "8"))
NODE_FLAGS = ("online", "standby", "maintenance", "pending", "unclean", "shutdown", "is_dc")


def status(report: str) -> dict[str, Any]:
    """Return the state of a running cluster; the keys are those of ``pacemaker.status``.

    Raises :class:`~hadb_core.errors.Unreadable` when the report is not crm_mon's.
    """
    root = cib_xml.read(report, "crm_mon")
    summary = cib_xml.part(root, "summary", "crm_mon")
    return {
        "running": True,
        "reason": "",
        "cluster": _cluster(summary),
        "nodes": {node.get("name", ""): _node(node) for node in root.iterfind("nodes/node")},
        "resources": _resources(root),
        "failures": [_failure(item) for item in root.iterfind("failures/failure")]
        + list(_failed_probes(root)),
        "fencing_history": [_fencing(item) for item in root.iterfind("fence_history/fence_event")],
        "holds": [],
    }


def stopped(reason: str) -> dict[str, Any]:
    """Return the state when Pacemaker does not run here, in the shape of :func:`status`."""
    return {
        "running": False,
        "reason": reason,
        "cluster": {
            "dc": "",
            "version": "",
            "with_quorum": False,
            "maintenance": False,
        },
        "nodes": {},
        "resources": {},
        "failures": [],
        "fencing_history": [],
        "holds": [],
    }


def unsettled(state: Mapping[str, Any], expected: Mapping[str, Any] | None = None) -> list[str]:
    """Return what is not (yet) as it should be, as sentences; nothing means settled.

    state
        A result of :func:`status`.
    expected
        Resource ids that must be active; default: all that are known and not held. While a node is
        away, fencing devices are excused: the one that fences the other node has no place to run.
    """
    if not state["running"]:
        return [f"Pacemaker does not run here: {state['reason']}"]
    cluster = state["cluster"]
    found = [] if cluster["dc"] else ["the cluster has no designated controller yet"]
    found += [] if cluster["with_quorum"] else ["the cluster has no quorum"]
    found += [f"node {name} is unclean" for name, node in state["nodes"].items() if node["unclean"]]
    found += [f"node {name} is still joining" for name, node in state["nodes"].items() if node["pending"]]
    everywhere = all(node["online"] and not node["standby"] for node in state["nodes"].values())
    for name in expected if expected is not None else state["resources"]:
        resource = state["resources"].get(name)
        excused = (
            expected is None and resource and resource["agent"].startswith("stonith:") and not everywhere
        )
        found += [] if excused else _unsettled_resource(name, resource, expected is not None)
    return found


def _unsettled_resource(name: str, resource: Mapping[str, Any] | None, demanded: bool) -> list[str]:
    if resource is None:
        return [f"{name} is not in the cluster's configuration"]
    if resource["failed"]:
        return [f"{name} has failed on {resource['node'] or 'every node'}"]
    if resource["blocked"]:
        return [f"{name} is blocked"]
    if not resource["active"] and (demanded or not resource["held"]):
        return [f"{name} is not running"]
    return []


def _cluster(summary: ET.Element) -> dict[str, Any]:
    dc, options = summary.find("current_dc"), summary.find("cluster_options")
    present = dc is not None and _flag(dc, "present")
    return {
        "dc": dc.get("name", "") if present and dc is not None else "",
        "version": dc.get("version", "") if present and dc is not None else "",
        "with_quorum": present and dc is not None and _flag(dc, "with_quorum"),
        "maintenance": options is not None and _flag(options, "maintenance-mode"),
    }


def _node(node: ET.Element) -> dict[str, Any]:
    return {flag: _flag(node, flag) for flag in NODE_FLAGS} | {
        "resources_running": int(node.get("resources_running", "0"))
    }


def _resources(root: ET.Element) -> dict[str, dict[str, Any]]:
    """Return every primitive by id, also those in groups, clones and bundles."""
    found = {}
    for resource in root.iterfind("resources//resource"):
        where = [node.get("name", "") for node in resource.findall("node")]
        found[resource.get("id", "")] = {
            "agent": resource.get("resource_agent", ""),
            "role": resource.get("role", ""),
            "node": where[0] if where else "",
            "nodes": where,
            "held": resource.get("target_role", "Started") == "Stopped" or not _flag(resource, "managed"),
            **{
                flag: _flag(resource, flag) for flag in ("active", "failed", "managed", "blocked", "orphaned")
            },
        }
    return found


def _failure(item: ET.Element) -> dict[str, str]:
    return {
        "operation": item.get("op_key") or item.get("id", ""),
        "node": item.get("node", ""),
        "status": item.get("exitstatus", ""),
        "reason": item.get("exitreason", ""),
        "when": item.get("last-rc-change", ""),
    }


def _failed_probes(root: ET.Element) -> Iterator[dict[str, str]]:
    """Yield probes that gave no answer, for instance because an agent refuses a parameter.

    They keep a resource from starting, but crm_mon does not count them among the failures.
    """
    for node in root.iterfind("node_history/node"):
        for history in node.iterfind("resource_history"):
            seen = set()
            for item in history.iterfind("operation_history[@task='probe']"):
                if item.get("rc") not in _PROBE_ANSWERS and item.get("call") not in seen:
                    seen.add(item.get("call"))
                    yield {
                        "operation": f"{history.get('id')}_probe",
                        "node": node.get("name", ""),
                        "status": item.get("rc_text", ""),
                        "reason": item.get("exit-reason", ""),
                        "when": item.get("last-rc-change", ""),
                    }


def _fencing(item: ET.Element) -> dict[str, str]:
    return {
        "action": item.get("action", ""),
        "target": item.get("target", ""),
        "status": item.get("status", ""),
        "by": item.get("delegate") or item.get("origin", ""),
        "when": item.get("completed") or item.get("last-failed", ""),
        "reason": item.get("exit-reason", ""),
    }


def _flag(item: ET.Element, name: str) -> bool:
    return item.get(name) == "true"
