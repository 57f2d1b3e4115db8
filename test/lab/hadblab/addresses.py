"""Names and numbers derived from a topology, the same at every start."""

from __future__ import annotations

import uuid

from hadblab.topology import Node, Topology

_IDENTITY = uuid.UUID("5b1a4d3e-7c53-4c8e-9a55-6861646c6162")


def tap(node: str, network: str) -> str:
    """Return the name, on this machine, of a node's card on a network."""
    return f"{node}.{network}"


def bridge(network: str) -> str:
    """Return the name, on this machine, of a network's bridge."""
    return f"br-{network}"


def mac(node: Node, card: int) -> str:
    """Return the hardware address of a node's card; cards count from 0."""
    return f"52:54:00:00:{node.index + 1:02x}:{card:02x}"


def machine_id(node: Node) -> str:
    """Return the 32 hex digits that tell a node from the others made from the same image."""
    return uuid.uuid5(_IDENTITY, node.name).hex


def initiator(topology: Topology, node: Node) -> str:
    """Return the iSCSI name of a node."""
    return f"{topology.iscsi.target.partition(':')[0]}:{node.name}"


def portals(topology: Topology) -> list[str]:
    """Return the addresses at which the array offers its LUNs."""
    return [topology.san.address(network) for network in topology.iscsi.portals]
