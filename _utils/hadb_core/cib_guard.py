"""When a change of the CIB is refused: the cluster is not ready, or the database would suffer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from hadb_core.cib_simulation import Action
from hadb_core.errors import NotReady, Refused


def refuse_unready(state: Mapping[str, Any], nodes: Sequence[str], first: bool) -> None:
    """Raise :class:`~hadb_core.errors.NotReady` unless the cluster can take a change, ``Refused`` when it never will.

    state
        ``pacemaker.status()``.
    nodes
        The names of the nodes in the pillar.
    first
        Whether hadb configures this cluster for the first time. Then every node must be online:
        with fencing switched on, Pacemaker fences a node that it has never seen.
    """
    if not state["running"]:
        raise NotReady(
            f"the cluster cannot be configured here: {state['reason']}", "start Corosync and Pacemaker"
        )
    if not state["cluster"]["dc"] or not state["cluster"]["with_quorum"]:
        lacking = "quorum" if state["cluster"]["dc"] else "designated controller"
        raise NotReady(
            f"the cluster has no {lacking}", "start Pacemaker on the other node and look at `crm_mon -1`"
        )
    unknown = [node for node in nodes if node not in state["nodes"]]
    if unknown:
        raise Refused(
            f"the cluster does not know {', '.join(unknown)}; it has {', '.join(state['nodes'])}",
            "the names under hadb:nodes must be the nodes' host names (`crm_node -n`), or fencing finds no target",
        )
    absent = [node for node in nodes if not state["nodes"][node]["online"]]
    if first and absent:
        raise NotReady(
            f"{', '.join(absent)} is not online, and would be fenced as soon as fencing is configured",
            "start Corosync and Pacemaker there",
        )


def refuse_missing_agents(
    wanted: Iterable[tuple[str, str]], installed: Callable[[str], Collection[str]]
) -> None:
    """Raise :class:`~hadb_core.errors.Refused` when a change names an agent that this node does not have.

    wanted
        The agents that the change brings in, see ``cib_agents.named``. Without its agent Pacemaker would
        take a resource for failed on this node.
    installed
        Returns the agents of a family on this node.
    """
    wanted = sorted(wanted)
    have = {family: installed(family) for family in sorted({family for family, _ in wanted})}
    missing = [f"{family}:{name}" for family, name in wanted if name not in have[family]]
    if missing:
        raise Refused(
            f"this node does not have {', '.join(missing)}",
            "apply hadb on both nodes, which installs all agents, or choose others in hadb:pacemaker:agents and hadb:fencing:agent",
        )


def refuse_disruptions(found: Sequence[Action]) -> None:
    """Raise :class:`~hadb_core.errors.Refused` when there is anything in ``found``."""
    if not found:
        return
    told = "; ".join(str(action) for action in found)
    if any(action.what == "fence" for action in found):
        raise Refused(
            f"with this configuration Pacemaker would: {told}", "bring the node online, then run again"
        )
    raise Refused(
        f"this change would interrupt the database: {told}",
        "choose a quiet moment and set hadb:pacemaker:allow_restart for one run",
    )


def verify_errors(code: int, said: str) -> list[str]:
    """Return what ``crm_verify --verbose`` said if there is an error in it, else nothing.

    code
        Its exit code. Warnings alone give 78 on Pacemaker 2.1.5 and 3.0.3 but 0 on 3.0.0, so the
        code does not tell errors from warnings; the words in the lines do.
    said
        What it printed on both outputs.
    """
    lines = list(dict.fromkeys(line.strip() for line in said.splitlines() if line.strip()))
    if any("error:" in line for line in lines):
        return lines
    if code and not any("warning" in line.lower() for line in lines):
        return lines or [f"crm_verify ended with exit code {code} without a word"]
    return []
