"""The document -> the part of the CIB that hadb wants, as XML elements.

Nothing here depends on what is in the cluster now, with one exception: the spelling of
renamed cluster properties follows the running version, see :mod:`hadb_core.cib_values`.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hadb_core import cib_fencing, cib_group
from hadb_core.cib_primitive import text
from hadb_core.cib_values import boolean, old_property_name, property_fault
from hadb_core.errors import Invalid

Document = Mapping[str, Any]

TAG = "hadb"

_OPERATION_FIELDS = {"interval", "timeout", "on_fail", "depth"}


@dataclass(frozen=True)
class Wanted:
    """What hadb wants in the CIB.

    resources, constraints
        Top-level elements of these sections.
    properties, defaults
        Cluster properties (by the name that every version knows) and resource defaults.
    extras
        Those of ``properties`` that the pillar asked for; the others are always set.
    nodes
        The nodes that must be known to the cluster by exactly these names.
    levels
        Fencing levels; none means that each node has one device and needs none.
    """

    resources: tuple[ET.Element, ...]
    constraints: tuple[ET.Element, ...]
    properties: Mapping[str, str]
    defaults: Mapping[str, str]
    extras: tuple[str, ...] = ()
    nodes: tuple[str, ...] = field(default=())
    levels: tuple[ET.Element, ...] = ()

    def members(self) -> tuple[str, ...]:
        """Return the ids of the group's members, in start order."""
        ours = next(item for item in self.resources if item.tag == "group")
        return tuple(item.get("id", "") for item in ours.findall("primitive"))

    def service(self) -> tuple[str, ...]:
        """Return the ids of what clients need, which all runs on one node: the group's members and the addresses."""
        alone = (item.get("id", "") for item in self.resources if item.tag == "primitive" and item.get("class") != "stonith")
        return (*self.members(), *alone)


def wanted(document: Document) -> Wanted:
    """Return what the CIB must hold.

    document
        The merged pillar or the part of it that ``hadb/cluster/cib.sls`` passes on: ``nodes``
        (with ``address``, ``bmc.address`` and ``bmc.username``), ``storage``, ``database``, ``vips``,
        ``fencing``, ``pacemaker``. No secret is needed.

    Raises :class:`~hadb_core.errors.Invalid` with all faults, among them property names that
    Pacemaker would silently ignore.
    """
    found = faults(document)
    if found:
        raise Invalid(found)
    nodes = sorted(document["nodes"])
    policy = document["pacemaker"]
    extras = {name: text(value) for name, value in sorted(policy.get("properties", {}).items())}
    extras |= cib_fencing.extra_properties(document)
    return Wanted(
        resources=(
            *(cib_fencing.device(document, node) for node in nodes),
            *cib_fencing.reservation_devices(document),
            *cib_group.addresses(document),
            cib_group.group(document),
        ),
        constraints=(
            *(_banned(f"fence-{node}", node) for node in nodes),
            *cib_group.address_constraints(document),
        ),
        properties={**extras, **_properties(document)},
        defaults={
            "resource-stickiness": text(policy["stickiness"]),
            "migration-threshold": text(policy["migration_threshold"]),
            "failure-timeout": f"{policy['failure_timeout']}s",
        },
        extras=tuple(extras),
        nodes=tuple(nodes),
        levels=tuple(cib_fencing.levels(document)),
    )


def _properties(document: Document) -> dict[str, str]:
    return {
        **cib_fencing.properties(document["fencing"]),
        # two_node in corosync.conf gives one node quorum; `ignore` would also drop wait_for_all.
        "no-quorum-policy": "stop",
        "cluster-recheck-interval": f"{document['pacemaker']['cluster_recheck_interval']}s",
    }


def _banned(resource: str, node: str) -> ET.Element:
    return ET.Element("rsc_location", id=f"loc-{resource}", rsc=resource, node=node, score="-INFINITY")


def faults(document: Document) -> list[str]:
    """Return what is wrong with ``hadb:pacemaker``, as sentences.

    document
        As for :func:`wanted`; only ``fencing`` and ``pacemaker`` are looked at. No cluster has to be there, so this is known
        before anything is touched.
    """
    policy = document["pacemaker"]
    found = []
    for name, value in policy.get("properties", {}).items():
        fault = property_fault(name, text(value)) or _unsafe(old_property_name(name), text(value), document)
        if fault:
            found.append(f"hadb:pacemaker:properties:{name}: {fault}")
    for resource, operations in policy["operations"].items():
        found += _operation_faults(f"hadb:pacemaker:operations:{resource}", operations)
    return found


def _unsafe(name: str, value: str, document: Document) -> str:
    """Return why a property is not to be had by the pillar, or ``""``; by the name that every Pacemaker knows."""
    if name in {**_properties(document), **cib_fencing.extra_properties(document)}:
        return f"{name} is set by hadb itself from other keys"
    if name == "startup-fencing" and not boolean(value):
        return "must stay true; a node that was never seen may run the database, so it is fenced before anything starts"
    return ""


def _operation_faults(path: str, operations: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    seen: dict[tuple[str, Any], str] = {}
    for label, settings in operations.items():
        for unknown in sorted(set(settings) - _OPERATION_FIELDS):
            yield f"{path}:{label}:{unknown}: no such field; there are {', '.join(sorted(_OPERATION_FIELDS))}"
        if "timeout" not in settings:
            yield f"{path}:{label}: has no timeout"
        key = (label.partition("-")[0], settings.get("interval", 0))
        if key in seen:
            yield (
                f"{path}:{label}: has the interval of {seen[key]}; "
                "Pacemaker tells operations apart by name and interval, so choose another"
            )
        seen[key] = label
