"""What must hold between the values of a topology."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from itertools import groupby

from hadblab.topology import Network, Node, Topology

# /dev/ubda is the root, /dev/ubdb the seed, and User-Mode Linux has sixteen of them.
_MOST_LUNS = 14


def cross_check(topology: Topology) -> list[str]:
    """Return one line for each rule that a topology breaks, with the path of the culprit."""
    # A missing network or role would only repeat itself in the checks that build on it.
    return [*_counts(topology), *_references(topology)] or [
        *_membership(topology),
        *_ranges(topology),
        *_duplicates("address", _addresses(topology)),
        *_duplicates("LUN name", ((lun.name, f"luns[{i}].name") for i, lun in enumerate(topology.luns))),
        # LIO takes 25 digits of the serial into the WWID.
        *_duplicates("WWID", ((lun.wwid, f"luns[{i}].serial") for i, lun in enumerate(topology.luns))),
    ]


def _counts(topology: Topology) -> Iterator[str]:
    for role, wanted in (("san", "one"), ("master", "one"), ("node", "at least one")):
        found = len(topology.of_role(role))
        if found == 0 or (wanted == "one" and found > 1):
            yield f"nodes: there must be {wanted} of role {role}, not {found}"
    hosts = [network for network in topology.networks.values() if network.host]
    if len(hosts) != 1:
        yield f"networks: exactly one must have a host address, not {len(hosts)}"
    if not 1 <= len(topology.luns) <= _MOST_LUNS:
        yield f"luns: there must be 1 to {_MOST_LUNS}, not {len(topology.luns)}"
    for network in topology.networks.values():
        ends = len(topology.on_network(network.name))
        if network.kind == "cable" and ends != 2:
            yield f"networks.{network.name}: a cable has two ends, not {ends}"
        if network.kind == "cable" and network.host:
            yield f"networks.{network.name}.host: a cable cannot reach this machine"


def _references(topology: Topology) -> Iterator[str]:
    for node in topology.nodes.values():
        names = [interface.network for interface in node.interfaces]
        for position, name in enumerate(names):
            path = f"nodes.{node.name}.interfaces[{position}].network"
            if name not in topology.networks:
                yield f"{path}: there is no network {name!r}"
            elif name in names[:position]:
                yield f"{path}: a second card on network {name!r}"
    for position, name in enumerate(topology.iscsi.portals):
        if name not in topology.networks:
            yield f"iscsi.portals[{position}]: there is no network {name!r}"
    if not topology.iscsi.portals:
        yield "iscsi.portals: must name at least one network"


def _membership(topology: Topology) -> Iterator[str]:
    management = topology.management.name
    for node in topology.nodes.values():
        if not _is_on(node, management):
            yield f"nodes.{node.name}.interfaces: none has an address on {management}, where this machine is"
    for position, name in enumerate(topology.iscsi.portals):
        for node in (topology.san, *topology.of_role("node")):
            if not _is_on(node, name):
                yield f"iscsi.portals[{position}]: {node.name} has no address on {name!r}"


def _is_on(node: Node, network: str) -> bool:
    return any(interface.network == network and interface.address for interface in node.interfaces)


def _ranges(topology: Topology) -> Iterator[str]:
    for network in topology.networks.values():
        if network.host:
            yield from _outside(network, network.host, f"networks.{network.name}.host")
    for node in topology.nodes.values():
        for position, interface in enumerate(node.interfaces):
            if interface.address:
                path = f"nodes.{node.name}.interfaces[{position}].address"
                yield from _outside(topology.networks[interface.network], interface.address, path)
        if node.bmc:
            yield from _outside(topology.management, node.bmc.address, f"nodes.{node.name}.bmc.address")


def _outside(network: Network, address: str, path: str) -> Iterator[str]:
    if network.subnet is None:
        yield f"{path}: network {network.name} has no subnet"
    elif ipaddress.IPv4Address(address) not in ipaddress.IPv4Network(network.subnet):
        yield f"{path}: {address} is outside of {network.name}'s {network.subnet}"


def _addresses(topology: Topology) -> Iterator[tuple[str, str]]:
    for network in topology.networks.values():
        if network.host:
            yield network.host, f"networks.{network.name}.host"
    for node in topology.nodes.values():
        for position, interface in enumerate(node.interfaces):
            if interface.address:
                yield interface.address, f"nodes.{node.name}.interfaces[{position}].address"
        if node.bmc:
            yield node.bmc.address, f"nodes.{node.name}.bmc.address"


def _duplicates(what: str, values: Iterable[tuple[str, str]]) -> Iterator[str]:
    for value, group in groupby(sorted(values), key=lambda pair: pair[0]):
        paths = [path for _, path in group]
        if len(paths) > 1:
            yield f"{', '.join(paths)}: the same {what} {value}"
