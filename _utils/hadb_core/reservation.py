"""SCSI-3 persistent reservations: which key is whose, and what a LUN has to say once a node has the volume."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from hadb_core import multipath_config

# "hadb" in ASCII: whoever reads the keys of a LUN sees whose they are.
_PREFIX = 0x68616462
# Seconds until open-iscsi notices a dead path by default; Fibre Channel is quicker.
_TRANSPORT = 10
# Seconds for the watcher's own look and the reset of the node, beside its patience.
_RESET = 10
TYPE = re.compile(r"Write Exclusive, registrants only", re.IGNORECASE)


def wanted(document: Mapping[str, Any]) -> bool:
    """Return whether ``hadb:fencing:reservations`` is on."""
    return bool(document["fencing"].get("reservations"))


def key(cluster_name: str, node: str) -> str:
    """Return a node's reservation key, as ``sg_persist`` and ``mpathpersist`` print it.

    It follows from the names alone, so that it is the same whoever computes it, and another cluster that sees the LUN has others.
    """
    digest = hashlib.sha256(f"{cluster_name}\0{node}".encode()).digest()
    return f"0x{_PREFIX << 32 | int.from_bytes(digest[:4], 'big'):x}"


def keys(document: Mapping[str, Any]) -> dict[str, str]:
    """Return every node's key."""
    return {node: key(document["cluster_name"], node) for node in sorted(document["nodes"])}


def pairs(document: Mapping[str, Any]) -> str:
    """Return the keys as the agents' parameter ``reservation_keys`` has them."""
    return " ".join(f"{node}={value}" for node, value in keys(document).items())


def patience(document: Mapping[str, Any]) -> int:
    """Return for how many seconds a node with the volume waits for the array's answer before it resets itself.

    As long as its own I/O waits: an array that is away for less interrupts nothing.
    """
    return multipath_config.error_bound(document["storage"]["multipath"], _TRANSPORT)


def settle(document: Mapping[str, Any]) -> int:
    """Return after how many seconds a node whose registration was taken has reset itself, whatever it sees of the array."""
    return patience(document) + _RESET


def foreign(found: Iterable[str], document: Mapping[str, Any]) -> list[str]:
    """Return the keys that are registered and no node's of this cluster."""
    return sorted(set(found) - set(keys(document).values()))
