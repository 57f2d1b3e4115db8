"""The database's resource group and its addresses, by hadb's agents or the stock ones.

The group is volume, filesystem, server, one after the other. An address needs neither volume nor filesystem, so it is
not in their line (decision 0064): constraints keep it on the group's node, and there before the server.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from hadb_core import reservation
from hadb_core.cib_primitive import Agent, nvset, primitive, text

Document = Mapping[str, Any]

GROUP = "db"
SERVER = "db-server"
# Any positive number: the node that runs part of the group outranks one that runs none of it.
PRIORITY = "10"

# The values of hadb:pacemaker:agents. Both sets take the same parameters, but for what is added below.
_AGENTS: Mapping[str, Mapping[str, Agent]] = {
    "hadb": {
        "lvm": ("ocf", "hadb", "lvm"),
        "fs": ("ocf", "hadb", "filesystem"),
        "vip": ("ocf", "hadb", "address"),
        "server": ("ocf", "hadb", "server"),
    },
    "stock": {
        "lvm": ("ocf", "heartbeat", "LVM-activate"),
        "fs": ("ocf", "heartbeat", "Filesystem"),
        "vip": ("ocf", "heartbeat", "IPaddr2"),
        "server": ("ocf", "heartbeat", "mysql"),
    },
}


def group(document: Document) -> ET.Element:
    """Return the group; see :func:`hadb_core.cib_wanted.wanted` for the document."""
    found = ET.Element("group", id=GROUP)
    found.append(_resource(document, "db-lvm", "lvm", _volume(document)))
    found.append(_resource(document, "db-fs", "fs", _filesystem(document)))
    found.append(_resource(document, SERVER, "server", _server(document)))
    # On the group, so that the node counts as the better one while it is still starting it.
    nvset(found, "meta_attributes", {"priority": PRIORITY, **_twice(document)})
    return found


def addresses(document: Document) -> list[ET.Element]:
    """Return the virtual addresses, by name."""
    found = [
        _resource(document, f"vip-{name}", "vip", _address(document, vip))
        for name, vip in sorted(document["vips"].items())
    ]
    for address in found if _twice(document) else ():
        nvset(address, "meta_attributes", _twice(document))
    return found


def _twice(document: Document) -> dict[str, str]:
    """Return what is to become of a resource that turns up on two nodes, beside Pacemaker's default of restarting it.

    With reservations the other one is a node that was fenced alive, goes on, and cannot write: it is fenced again, and who has the
    volume goes on.
    """
    return {"multiple-active": "stop_unexpected"} if reservation.wanted(document) else {}


def address_constraints(document: Document) -> list[ET.Element]:
    """Return what binds each address to the group: the same node, and there before the server, which may listen on it alone."""
    found = []
    for name in (f"vip-{name}" for name in sorted(document["vips"])):
        together, before = bindings(name)
        found.append(ET.Element("rsc_colocation", {"id": together, "rsc": name, "with-rsc": GROUP, "score": "INFINITY"}))
        found.append(ET.Element("rsc_order", {"id": before, "first": name, "then": SERVER, "kind": "Mandatory"}))
    return found


def bindings(name: str) -> tuple[str, str]:
    """Return the ids of the two constraints, colocation and order, of a resource that is bound to the group."""
    return f"col-{name}", f"ord-{name}"


def _resource(document: Document, name: str, kind: str, params: Mapping[str, str]) -> ET.Element:
    policy = document["pacemaker"]
    return primitive(name, _AGENTS[policy["agents"]][kind], params, policy["operations"][kind])


def _stock(document: Document) -> bool:
    return document["pacemaker"]["agents"] == "stock"


def _volume(document: Document) -> dict[str, str]:
    storage = document["storage"]
    if _stock(document):
        # It activates the whole group; given a volume it would leave the others to nobody.
        return {"vgname": storage["vg"], "vg_access_mode": "system_id"}
    # Fencing proves these dead and nobody else (decision 0014).
    params = {"vgname": storage["vg"], "lvname": storage["lv"], "hosts": " ".join(sorted(document["nodes"]))}
    if reservation.wanted(document):
        params |= {"reservation_keys": reservation.pairs(document), "reservation_patience": text(reservation.patience(document))}
    return params


def _filesystem(document: Document) -> dict[str, str]:
    storage = document["storage"]
    filesystem = storage["filesystem"]
    mount = {
        "device": f"/dev/{storage['vg']}/{storage['lv']}",
        "directory": filesystem["mount_point"],
        "fstype": filesystem["type"],
    }
    return {**mount, "options": filesystem["options"]} if filesystem["options"] else mount


def _address(document: Document, vip: Mapping[str, Any]) -> dict[str, str]:
    params = {"ip": vip["address"], "cidr_netmask": text(vip["prefix_length"]), "nic": vip["interface"]}
    if _stock(document) and ":" in vip["address"]:
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
