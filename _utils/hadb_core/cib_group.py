"""The database's resource group: volume, filesystem, addresses, server, by hadb's agents or the stock ones."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from hadb_core.cib_primitive import Agent, nvset, primitive, text

Document = Mapping[str, Any]

GROUP = "db"
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
    policy = document["pacemaker"]
    agents, operations = _AGENTS[policy["agents"]], policy["operations"]
    stock = policy["agents"] == "stock"
    members = [("db-lvm", "lvm", _volume(document, stock)), ("db-fs", "fs", _filesystem(document))]
    members += [(f"vip-{name}", "vip", _address(vip, stock)) for name, vip in sorted(document["vips"].items())]
    members.append(("db-server", "server", _server(document)))
    found = ET.Element("group", id=GROUP)
    found.extend(primitive(name, agents[kind], params, operations[kind]) for name, kind, params in members)
    # On the group, so that the node counts as the better one while it is still starting it.
    nvset(found, "meta_attributes", {"priority": PRIORITY})
    return found


def _volume(document: Document, stock: bool) -> dict[str, str]:
    storage = document["storage"]
    if stock:
        # It activates the whole group; given a volume it would leave the others to nobody.
        return {"vgname": storage["vg"], "vg_access_mode": "system_id"}
    # Fencing proves these dead and nobody else (decision 0014).
    return {"vgname": storage["vg"], "lvname": storage["lv"], "hosts": " ".join(sorted(document["nodes"]))}


def _filesystem(document: Document) -> dict[str, str]:
    storage = document["storage"]
    filesystem = storage["filesystem"]
    mount = {
        "device": f"/dev/{storage['vg']}/{storage['lv']}",
        "directory": filesystem["mount_point"],
        "fstype": filesystem["type"],
    }
    return {**mount, "options": filesystem["options"]} if filesystem["options"] else mount


def _address(vip: Mapping[str, Any], stock: bool) -> dict[str, str]:
    params = {"ip": vip["address"], "cidr_netmask": text(vip["prefix_length"]), "nic": vip["interface"]}
    if stock and ":" in vip["address"]:
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
