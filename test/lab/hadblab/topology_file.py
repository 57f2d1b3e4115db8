"""Reads a topology file. Strict: unknown keys, wrong types and broken relations are all named at once."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Any

import tomllib

from hadblab.errors import LabError
from hadblab.tables import Table
from hadblab.topology import Bmc, Interface, Iscsi, Lun, Network, Node, Topology
from hadblab.topology_rules import cross_check

# Interface names on this machine are NODE.NETWORK, and Linux allows 15 characters.
_NODE_NAME = r"[a-z][a-z0-9]{0,7}"
_NETWORK_NAME = r"[a-z][a-z0-9]{0,5}"


def load(path: Path) -> dict[str, Any]:
    """Return a topology file as the document that :func:`parse` takes.

    :raises LabError: the file cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LabError(f"{path}: {error}") from error


def parse(doc: dict[str, Any], source: str = "topology") -> Topology:
    """Check a document and return the topology that it describes.

    :param source: what to call the document in an error.
    :raises LabError: with every fault found, each with its path.
    """
    faults: list[str] = []
    top = Table(doc, "", faults)
    shared_bmc = top.subtable("bmc", {})
    topology = Topology(
        networks=_networks(top.subtable("networks")),
        nodes=_nodes(top.subtable("nodes"), _bmc_defaults(shared_bmc)),
        luns=_luns(top),
        iscsi=_iscsi(top.subtable("iscsi")),
    )
    top.finish()
    # Relations between values only make sense once each value is of the right kind.
    if not faults:
        faults = cross_check(topology)
    if faults:
        raise LabError(f"{source}: {'; '.join(faults)}")
    return topology


def _networks(table: Table) -> dict[str, Network]:
    found = {}
    for name, entry in table.items():
        _check_name(table, name, _NETWORK_NAME, "1-6 lower-case letters and digits")
        kind = entry.text("kind", "bridge|cable", '"bridge" or "cable"')
        subnet = entry.get("subnet", str, None)
        if subnet is not None and not _is_network(subnet):
            entry.fault("subnet", f"must be an IPv4 network, not {subnet!r}")
        found[name] = Network(name, kind, subnet, entry.address("host", None))
        entry.finish()
    return found


def _nodes(table: Table, shared_bmc: dict[str, Any]) -> dict[str, Node]:
    found = {}
    for index, (name, entry) in enumerate(table.items()):
        _check_name(table, name, _NODE_NAME, "1-8 lower-case letters and digits")
        role = entry.text("role", "node|san|master", '"node", "san" or "master"')
        memory = entry.amount("memory_mib", int, 256, 65536)
        cards = []
        for _, card in entry.entries("interfaces"):
            cards.append(Interface(card.get("network", str), card.address("address", None)))
            card.finish()
        bmc = _bmc(entry.subtable("bmc"), shared_bmc) if "bmc" in entry.doc else None
        found[name] = Node(name, index, role, memory, tuple(cards), bmc)
        entry.finish()
    return found


def _bmc_defaults(table: Table) -> dict[str, Any]:
    """Read the shared BMC settings; a key that is absent here is required of each node."""
    values = _bmc_settings(table, {"user": "", "password": ""})
    table.finish()
    return {key: value for key, value in values.items() if value != ""}


def _bmc(table: Table, shared: dict[str, Any]) -> Bmc:
    bmc = Bmc(address=table.address("address"), **_bmc_settings(table, shared))
    table.finish()
    return bmc


def _bmc_settings(table: Table, defaults: dict[str, Any]) -> dict[str, Any]:
    def default(key: str, *fallback: Any) -> tuple[Any, ...]:
        return (defaults[key],) if key in defaults else fallback

    # Both end up between double quotes in the simulator's file, which knows no escapes.
    return {
        "user": table.text("user", r"[A-Za-z0-9_-]{1,16}", "1-16 letters, digits, _ or -", *default("user")),
        "password": table.text(
            "password", r"[!#-\[\]-~]{1,20}", '1-20 visible ASCII characters without " and \\', *default("password")
        ),
        "power_off_seconds": table.amount("power_off_seconds", float, 0, 60, *default("power_off_seconds", 0.0)),
        "cipher_zero": table.get("cipher_zero", bool, *default("cipher_zero", False)),
    }


def _luns(top: Table) -> tuple[Lun, ...]:
    found = []
    for _, entry in top.entries("luns"):
        found.append(
            Lun(
                name=entry.text("name", r"[a-z][a-z0-9]{0,15}", "1-16 lower-case letters and digits"),
                size_mib=entry.amount("size_mib", int, 16, 1 << 20),
                serial=entry.text("serial", r"[0-9a-f]{32}", "32 lower-case hex digits"),
            )
        )
        entry.finish()
    return tuple(found)


def _iscsi(table: Table) -> Iscsi:
    portals = table.get("portals", list)
    for position, portal in enumerate(portals):
        if not isinstance(portal, str):
            table.fault(f"portals[{position}]", f"must be a string, not {portal!r}")
    found = Iscsi(
        target=table.text("target", r"iqn\.\d{4}-\d{2}\.[a-z0-9.-]+:[a-z0-9.:-]+", "an iqn. name"),
        portals=tuple(portals),
        replacement_timeout_seconds=table.amount("replacement_timeout_seconds", int, 1, 600, 5),
    )
    table.finish()
    return found


def _check_name(table: Table, name: str, pattern: str, meaning: str) -> None:
    if not re.fullmatch(pattern, name):
        table.fault(name, f"a name must be {meaning}, the first a letter")


def _is_network(text: str) -> bool:
    try:
        ipaddress.IPv4Network(text)
    except ValueError:
        return False
    return True
