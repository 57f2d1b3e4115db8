"""The lab's wanted shape: networks, nodes, LUNs. Pure values."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from hadblab.errors import LabError


class UnknownNameError(LabError):
    """A node, link or snapshot that does not exist: a mistake of the caller."""

    is_usage = True


@dataclass(frozen=True)
class Network:
    """A bridge (any number of nodes) or a direct cable (two nodes)."""

    name: str
    kind: str
    subnet: str | None
    host: str | None

    @property
    def prefix(self) -> int:
        """The subnet's prefix length in bits."""
        return ipaddress.IPv4Network(self.subnet or "0.0.0.0/0").prefixlen


@dataclass(frozen=True)
class Interface:
    """One network card of a node; without an address the lab leaves it unconfigured."""

    network: str
    address: str | None


@dataclass(frozen=True)
class Bmc:
    """A node's management controller."""

    address: str
    user: str
    password: str
    power_off_seconds: float
    cipher_zero: bool


@dataclass(frozen=True)
class Node:
    """One machine; ``index`` is its position in the document and fixes its MAC addresses."""

    name: str
    index: int
    role: str
    memory_mib: int
    interfaces: tuple[Interface, ...]
    bmc: Bmc | None

    def address(self, network: str) -> str:
        """Return the node's address on a network.

        :raises LabError: it has none there.
        """
        for interface in self.interfaces:
            if interface.network == network and interface.address:
                return interface.address
        raise LabError(f"{self.name} has no address on network {network}")


@dataclass(frozen=True)
class Lun:
    """One disk of the storage array."""

    name: str
    size_mib: int
    serial: str

    @property
    def wwid(self) -> str:
        """What the nodes' multipath calls the disk: LIO makes it from the serial."""
        return f"36001405{self.serial[:25]}"


@dataclass(frozen=True)
class Iscsi:
    """How the array is offered to the nodes; ``portals`` are networks."""

    target: str
    portals: tuple[str, ...]
    replacement_timeout_seconds: int


@dataclass(frozen=True)
class Topology:
    """The whole lab."""

    networks: dict[str, Network]
    nodes: dict[str, Node]
    luns: tuple[Lun, ...]
    iscsi: Iscsi

    @property
    def management(self) -> Network:
        """The network that this machine takes part in."""
        return next(network for network in self.networks.values() if network.host)

    def of_role(self, role: str) -> tuple[Node, ...]:
        """Return the nodes of one role, in document order."""
        return tuple(node for node in self.nodes.values() if node.role == role)

    @property
    def master(self) -> Node:
        """The Salt master."""
        return self.of_role("master")[0]

    @property
    def san(self) -> Node:
        """The storage array."""
        return self.of_role("san")[0]

    def on_network(self, network: str) -> tuple[Node, ...]:
        """Return the nodes that have a card on a network."""
        return tuple(
            node for node in self.nodes.values()
            if any(interface.network == network for interface in node.interfaces)
        )  # fmt: skip

    def node(self, name: str) -> Node:
        """Return a node by name.

        :raises UnknownNameError: there is none of that name.
        """
        if name not in self.nodes:
            raise UnknownNameError(f"no node named {name}; there are {', '.join(self.nodes)}")
        return self.nodes[name]
