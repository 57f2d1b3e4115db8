"""What the cluster waits for, and what its operator can do about it, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Cluster = Mapping[str, Any]

# What crm_mon calls a resource while an action is under way.
_UNDER_WAY = {"Starting": "start", "Stopping": "stop"}


def best(clusters: Mapping[str, Cluster]) -> Cluster | None:
    """Return the cluster as the node sees it that knows most, or nothing when Pacemaker runs on none.

    clusters
        Results of ``pacemaker.status`` by node, of those that could tell.

    A node that is cut off takes all that it cannot see for stopped or lost; the one with quorum decides.
    """
    running = [cluster for cluster in clusters.values() if cluster["running"]]
    return max(running, key=lambda cluster: (cluster["cluster"]["with_quorum"], bool(cluster["cluster"]["dc"])), default=None)


def where(cluster: Cluster | None, resource: str) -> str:
    """Return the node that a resource runs on, ``stopped``, or that this is not known and why.

    cluster
        A result of ``pacemaker.status``; nothing: nobody could tell.

    Of a node that is lost Pacemaker remembers what ran there last; that is no knowledge.
    """
    known = cluster["resources"].get(resource) if cluster else None
    if not cluster or not known:
        return "unknown"
    node = known["node"]
    if node and not cluster["nodes"][node]["online"]:
        return f"unknown: on {node} at last, which is lost and not fenced yet"
    return node or "stopped"


def waits(clusters: Mapping[str, Cluster], failure_timeout: int) -> list[str]:
    """Return what keeps the cluster from being whole, root causes first; what operators hold is not among it.

    clusters
        As for :func:`best`.
    failure_timeout
        ``hadb:pacemaker:failure_timeout``, in seconds.

    >>> waits({"db1": {"running": False, "reason": "there is no CIB"}}, 600)
    ['Pacemaker does not run on db1: there is no CIB']
    """
    found = [f"Pacemaker does not run on {node}: {cluster['reason']}" for node, cluster in clusters.items() if not cluster["running"]]
    cluster = best(clusters)
    if cluster:
        found += [*_membership(cluster), *_fencing(cluster), *_actions(cluster), *_failures(cluster, failure_timeout)]
    return found


def failures(cluster: Cluster | None) -> list[str]:
    """Return the actions that failed and that the cluster still remembers, as sentences.

    cluster
        A result of ``pacemaker.status``; nothing: nobody could tell.
    """
    return [f"{one['operation']} {_told(one)}" for one in (cluster["failures"] if cluster else ())]


def _told(failure: Mapping[str, str]) -> str:
    return f"on {failure['node']} at {failure['when']}: {failure['reason'] or failure['status']}"


def _membership(cluster: Cluster) -> Iterator[str]:
    if not cluster["cluster"]["dc"]:
        yield "No node leads the cluster yet: after a start the election takes up to 20 s (dc-deadtime)"
    elif not cluster["cluster"]["with_quorum"]:
        away = ", ".join(name for name, node in cluster["nodes"].items() if not node["online"])
        yield (
            f"There is no quorum without {away}: after both nodes were down each waits for the other one (wait_for_all). Start it; "
            "if it is certain to stay off, docs/runbook.md has the way to go on without it"
        )
    for name, node in cluster["nodes"].items():
        if node["pending"]:
            yield f"{name} is joining the cluster"


def _fencing(cluster: Cluster) -> Iterator[str]:
    for name, node in cluster["nodes"].items():
        if not node["unclean"]:
            continue
        why = "" if node["online"] else ": until then nothing is started that may still run there"
        yield f"{name} has to be fenced{why}"
        ended = next((one for one in cluster["fencing_history"] if one["target"] == name and one["status"] != "pending"), None)
        if ended and ended["status"] == "failed":
            told = f" ({ended['reason']})" if ended["reason"] else ""
            yield (
                f"Fencing {name} failed at {ended['when']}{told}: does its BMC answer? Only if you have looked and {name} is off: "
                f"`stonith_admin --confirm={name}`"
            )


def _actions(cluster: Cluster) -> Iterator[str]:
    for name, resource in cluster["resources"].items():
        action, node = _UNDER_WAY.get(resource["role"]), resource["node"]
        if action and node and cluster["nodes"][node]["online"]:
            first = "; it is fenced once that has ended" if cluster["nodes"][node]["unclean"] else ""
            yield f"The {action} of {name} is under way on {node}{first}"


def _failures(cluster: Cluster, failure_timeout: int) -> Iterator[str]:
    for name, resource in cluster["resources"].items():
        if resource["blocked"]:
            yield f"{name} is blocked, Pacemaker cannot recover it: repair what failed, then `crm resource cleanup {name}`"
        if resource["active"] or resource["held"]:
            continue
        failed = [one for one in cluster["failures"] if one["operation"] in (f"{name}_start_0", f"{name}_probe")]
        if failed:
            reasons = "; ".join(_told(one) for one in failed)
            by_itself = f"{failure_timeout} s after that, or at once " if failure_timeout else ""
            yield f"{name} could not be started ({reasons}). It is tried again {by_itself}with `crm resource cleanup {name}`"
