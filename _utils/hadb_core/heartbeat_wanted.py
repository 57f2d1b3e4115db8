"""What the direct cables should look like on one node, made from the pillar's document."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hadb_core.errors import Invalid

# Modes in which the kernel can watch a path by ARP (Documentation/networking/bonding.rst, arp_interval).
ARP_MODES = ("active-backup", "balance-rr")


@dataclass(frozen=True)
class Interface:
    """One interface that hadb configures.

    name
        Its name.
    address
        Address with prefix length, ``172.16.1.1/24``.
    ports
        The interfaces of a bond; empty for a plain interface.
    options
        The bond's options by their kernel names.
    """

    name: str
    address: str
    ports: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()


def wanted(
    node: str, nodes: Mapping[str, Sequence[str]], settings: Mapping[str, Any]
) -> tuple[Interface, ...]:
    """Return the interfaces of ``node``.

    node
        This node.
    nodes
        The link addresses of each node: ``{"db1": ["172.16.1.1", "172.16.2.1"], ...}``.
    settings
        ``hadb:heartbeat`` of the pillar: ``mode``, ``interfaces``, ``prefix_length`` (bits), ``bond``.

    Raises :class:`~hadb_core.errors.Invalid` with every fault of the input.
    """
    faults = _faults(node, nodes, settings)
    if faults:
        raise Invalid(faults)
    prefix = settings["prefix_length"]
    ports = tuple(settings["interfaces"])
    if settings["mode"] == "links":
        return tuple(
            Interface(port, f"{address}/{prefix}") for port, address in zip(ports, nodes[node], strict=True)
        )
    bond = settings["bond"]
    peers = tuple(links[0] for name, links in sorted(nodes.items()) if name != node)
    return (Interface(bond["name"], f"{nodes[node][0]}/{prefix}", ports, _options(bond, peers)),)


def _options(bond: Mapping[str, Any], peers: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    if bond["mode"] in ARP_MODES:
        # Carrier stays up behind a dead media converter; only an answer from the peer shows that a cable carries.
        options = [
            ("mode", bond["mode"]),
            ("arp_interval", str(bond["arp_interval"])),
            ("arp_ip_target", ",".join(peers)),
        ]
    else:
        # The seed's values. 802.3ad has no ARP monitor; LACP's own fast timeout (rate 1) finds a dead path.
        options = [("mode", bond["mode"]), ("miimon", "100"), ("lacp_rate", "1")]
    return tuple(options)


def _faults(node: str, nodes: Mapping[str, Sequence[str]], settings: Mapping[str, Any]) -> list[str]:
    if node not in nodes:
        return [f"hadb:nodes: {node!r} is not one of the nodes ({', '.join(sorted(nodes))})"]
    faults = []
    links, ports = nodes[node], settings.get("interfaces") or []
    if settings["mode"] == "links" and len(links) != len(ports):
        faults.append(
            f"hadb:heartbeat:interfaces: {len(ports)} interfaces, but hadb:nodes:{node}:links has {len(links)} addresses"
        )
    if settings["mode"] == "bond" and any(
        ipaddress.ip_address(address).version == 6 for address in links[:1]
    ):
        faults.append(
            "hadb:heartbeat:mode: a bond watches its path by ARP, which needs IPv4 addresses in hadb:nodes:*:links"
        )
    if not ports:
        faults.append("hadb:heartbeat:interfaces: must name the interfaces that the cables are in")
    return faults
