"""The document -> the part of the CIB that hadb wants, as XML elements.

Nothing here depends on what is in the cluster now, with one exception: the spelling of
renamed cluster properties follows the running version, see :mod:`hadb_core.cib_values`.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hadb_core.cib_values import property_fault
from hadb_core.errors import Invalid

Document = Mapping[str, Any]

GROUP = "db"
TAG = "hadb"
# The wrapper that adds the BMC's password from a 0600 file; hadb.fencing installs it.
IPMITOOL = "/usr/lib/hadb/ipmitool"
# Any positive number: the node that runs part of the group outranks one that runs none of it.
PRIORITY = "10"

_OPERATION_FIELDS = {"interval", "timeout", "on_fail", "depth"}
_SECRET = re.compile(r"pass|secret|kg$", re.IGNORECASE)


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
    """

    resources: tuple[ET.Element, ...]
    constraints: tuple[ET.Element, ...]
    properties: Mapping[str, str]
    defaults: Mapping[str, str]
    extras: tuple[str, ...] = ()
    nodes: tuple[str, ...] = field(default=())

    def members(self) -> tuple[str, ...]:
        """Return the ids of the group's members, in start order."""
        group = next(item for item in self.resources if item.tag == "group")
        return tuple(item.get("id", "") for item in group.findall("primitive"))


def wanted(document: Document) -> Wanted:
    """Return what the CIB must hold.

    document
        The merged pillar or the part of it that ``hadb/cluster/cib.sls`` passes on: ``nodes``
        (with ``bmc.address`` and ``bmc.username``), ``storage``, ``database``, ``vips``,
        ``fencing``, ``pacemaker``. No secret is needed.

    Raises :class:`~hadb_core.errors.Invalid` with all faults, among them property names that
    Pacemaker would silently ignore.
    """
    found = _faults(document)
    if found:
        raise Invalid(found)
    nodes = sorted(document["nodes"])
    policy = document["pacemaker"]
    extras = {name: _text(value) for name, value in sorted(policy.get("properties", {}).items())}
    return Wanted(
        resources=(*(_fencing_device(document, node) for node in nodes), _group(document)),
        constraints=tuple(_banned(f"fence-{node}", node) for node in nodes),
        properties={**extras, **_properties(document)},
        defaults={
            "resource-stickiness": _text(policy["stickiness"]),
            "migration-threshold": _text(policy["migration_threshold"]),
            "failure-timeout": f"{policy['failure_timeout']}s",
        },
        extras=tuple(extras),
        nodes=tuple(nodes),
    )


def _properties(document: Document) -> dict[str, str]:
    fencing, policy = document["fencing"], document["pacemaker"]
    return {
        "stonith-enabled": "true",
        # two_node in corosync.conf gives one node quorum; `ignore` would also drop wait_for_all.
        "no-quorum-policy": "stop",
        "stonith-timeout": f"{_fence_timeout(fencing)}s",
        "priority-fencing-delay": f"{fencing['delay']}s",
        "cluster-recheck-interval": f"{policy['cluster_recheck_interval']}s",
    }


def _fence_timeout(fencing: Mapping[str, Any]) -> int:
    # fence_ipmilan's reboot is an off and an on, each waited for.
    return int(fencing["timeout"]) * (2 if fencing["action"] == "reboot" else 1)


def _fencing_device(document: Document, node: str) -> ET.Element:
    fencing, bmc = document["fencing"], document["nodes"][node]["bmc"]
    params = {
        "ip": bmc["address"],
        "username": bmc["username"],
        "lanplus": "1",
        "cipher": _text(fencing["cipher"]),
        "privlvl": fencing["privlvl"],
        "ipmitool_path": IPMITOOL,
        "pcmk_host_list": node,
        "pcmk_host_check": "static-list",
        "pcmk_reboot_timeout": f"{_fence_timeout(fencing)}s",
        "pcmk_off_timeout": f"{fencing['timeout']}s",
        "pcmk_monitor_timeout": f"{fencing['timeout']}s",
        "pcmk_status_timeout": f"{fencing['timeout']}s",
    }
    if fencing["action"] == "off":
        params["pcmk_reboot_action"] = "off"
    limits = {"timeout": fencing["timeout"]}
    operations = {
        "start": limits,
        "stop": limits,
        "monitor": {"interval": fencing["monitor_interval"], **limits},
    }
    return _primitive(f"fence-{node}", ("stonith", "", fencing["agent"]), params, operations)


def _group(document: Document) -> ET.Element:
    storage, operations = document["storage"], document["pacemaker"]["operations"]
    filesystem = storage["filesystem"]
    group = ET.Element("group", id=GROUP)
    group.append(
        _primitive(
            "db-lvm",
            ("ocf", "heartbeat", "LVM-activate"),
            {"vgname": storage["vg"], "vg_access_mode": "system_id"},
            operations["lvm"],
        )
    )
    mount = {
        "device": f"/dev/{storage['vg']}/{storage['lv']}",
        "directory": filesystem["mount_point"],
        "fstype": filesystem["type"],
    }
    if filesystem["options"]:
        mount["options"] = filesystem["options"]
    group.append(_primitive("db-fs", ("ocf", "heartbeat", "Filesystem"), mount, operations["fs"]))
    for name, vip in sorted(document["vips"].items()):
        group.append(
            _primitive(f"vip-{name}", ("ocf", "heartbeat", "IPaddr2"), _address(vip), operations["vip"])
        )
    group.append(
        _primitive("db-server", ("ocf", "heartbeat", "mysql"), _server(document), operations["server"])
    )
    # On the group, so that the node counts as the better one while it is still starting it.
    _nvset(group, "meta_attributes", {"priority": PRIORITY})
    return group


def _address(vip: Mapping[str, Any]) -> dict[str, str]:
    params = {"ip": vip["address"], "cidr_netmask": _text(vip["prefix_length"]), "nic": vip["interface"]}
    if ":" in vip["address"]:
        # Duplicate address detection would cost up to 10 s; the peer that had the address is fenced.
        params["nodad"] = "true"
    return params


def _server(document: Document) -> dict[str, str]:
    database = document["database"]
    return {
        "binary": database["binary"],
        "config": database["config_file"],
        "datadir": database["datadir"],
        "pid": database["pid_file"],
        "socket": database["socket"],
        "log": database["error_log"],
        "user": database["user"]["name"],
        "group": database["user"]["group"],
    }


def _banned(resource: str, node: str) -> ET.Element:
    return ET.Element("rsc_location", id=f"loc-{resource}", rsc=resource, node=node, score="-INFINITY")


def _primitive(
    name: str,
    agent: tuple[str, str, str],
    params: Mapping[str, str],
    operations: Mapping[str, Mapping[str, Any]],
) -> ET.Element:
    standard, provider, kind = agent
    primitive = ET.Element("primitive", {"id": name, "class": standard})
    if provider:
        primitive.set("provider", provider)
    primitive.set("type", kind)
    _nvset(primitive, "instance_attributes", params)
    ops = ET.SubElement(primitive, "operations")
    for label, settings in operations.items():
        ops.append(_operation(name, label, settings))
    return primitive


def _operation(resource: str, label: str, settings: Mapping[str, Any]) -> ET.Element:
    action, interval = label.partition("-")[0], f"{settings.get('interval', 0)}s"
    op = ET.Element("op", id=f"{resource}-{action}-{interval}", name=action, interval=interval)
    op.set("timeout", f"{settings['timeout']}s")
    if settings.get("on_fail"):
        op.set("on-fail", settings["on_fail"])
    if settings.get("depth"):
        _nvset(op, "instance_attributes", {"OCF_CHECK_LEVEL": _text(settings["depth"])})
    return op


def _nvset(parent: ET.Element, kind: str, values: Mapping[str, str]) -> None:
    # The ids that crmsh and crm_resource give, so that their edits meet the same element.
    base = f"{parent.get('id')}-{kind}"
    attributes = ET.Element(kind, id=base)
    for name, value in values.items():
        ET.SubElement(attributes, "nvpair", id=f"{base}-{name}", name=name, value=value)
    # The schema wants instance_attributes before operations, and a group's meta before its members.
    parent.insert(0, attributes)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _faults(document: Document) -> list[str]:
    policy = document["pacemaker"]
    found = []
    for name, value in policy.get("properties", {}).items():
        fault = property_fault(name, _text(value))
        if not fault and name in _properties(document):
            fault = f"{name} is set by hadb itself from other keys"
        if not fault and _SECRET.search(name):
            fault = f"{name} looks like a secret; the CIB is no place for one"
        if fault:
            found.append(f"hadb:pacemaker:properties:{name}: {fault}")
    for resource, operations in policy["operations"].items():
        found += _operation_faults(f"hadb:pacemaker:operations:{resource}", operations)
    return found


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
