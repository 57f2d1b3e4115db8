"""Ensure that the direct cables between the nodes are configured, now and at boot."""

from typing import Any

from hadb_core import heartbeat_plan, heartbeat_wanted
from hadb_core.outcome import carry_out, converge
from hadb_core.plan import Plan

__virtualname__ = "heartbeat"


def __virtual__() -> str:
    return __virtualname__


def configured(name: str, node: str, nodes: dict[str, list[str]], settings: dict[str, Any]) -> dict[str, Any]:
    """Ensure that this node's ends of the direct cables have their addresses.

    name
        A sentence for the operator.
    node
        This node, one of ``nodes``.
    nodes
        The link addresses of each node, in the order of the cables.
    settings
        ``hadb:heartbeat``: ``mode`` (``links`` or ``bond``), ``interfaces``, ``prefix_length`` (bits), ``bond``.

    An address that a hand took away is brought back. An interface that is used for something else is
    never touched, and no address is taken away while Corosync runs: both are refused with a remedy.

    .. code-block:: yaml

        hadb direct cables are configured:
          heartbeat.configured:
            - node: db1
            - nodes: {db1: [172.16.1.1, 172.16.2.1], db2: [172.16.1.2, 172.16.2.2]}
            - settings: {mode: links, interfaces: [eth1, eth2], prefix_length: 24}
    """

    def plan() -> Plan:
        wanted = heartbeat_wanted.wanted(node, nodes, settings)
        return heartbeat_plan.plan(__salt__["heartbeat.facts"](), wanted)

    return converge(
        name,
        plan=plan,
        apply=lambda steps: carry_out(__salt__, "heartbeat", steps),
        test=__opts__["test"],
        done="The direct cables are configured",
    )
