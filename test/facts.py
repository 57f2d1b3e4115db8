"""What ``hadb.facts`` returns on the lab's nodes, as builders that a test can break."""

from __future__ import annotations

from typing import Any

from documents import document
from hadb_core import VERSION
from hadb_core.document import digest

WWID = "360014051000000000000000000000000"
GIB = 1024**3


def system(node: str, **other: Any) -> dict[str, Any]:
    """Return the topic ``system`` of a blank node."""
    last = {"db1": 11, "db2": 12}[node]
    free = {"number_of_name": None, "name_of_number": None}
    return {
        "hostname": node,
        "time": 1000.0,
        "salt": "3008.3",
        "core": VERSION,
        "digest": digest(document()),
        "interfaces": {"lo": [], "vec0": [f"10.20.0.{last}/24"], "vec1": [], "vec2": []},
        "hardware": [f"52:54:00:00:00:{last}"],
        "neighbours": {"10.20.0.50": None, "10.20.0.51": None},
        "ids": {"user": dict(free), "group": dict(free)},
    } | other


def lun(**other: Any) -> dict[str, Any]:
    """Return one blank LUN."""
    return {
        "wwid": WWID,
        "size": 3 * GIB,
        "paths": ["sda", "sdc"],
        "multipath": None,
        "device": "/dev/sda",
        "signatures": [],
        "partitions": [],
        "holders": [],
        "mounts": [],
        "pv": None,
    } | other


def volume(**other: Any) -> dict[str, Any]:
    """Return the topic ``volume`` of a node that sees the volume, closed."""
    return {
        "exists": True,
        "vg_uuid": "uuid-1",
        "system_id": "db1",
        "active": False,
        "mounted_at": [],
    } | other


def cluster(owner: str | None = "db1", **other: Any) -> dict[str, Any]:
    """Return the topic ``cluster`` with everything running on ``owner``."""
    names = ["db-lvm", "db-fs", "vip-nova", "vip-glance", "db-server"]
    at = dict.fromkeys(names, owner) | {"fence-db1": "db2", "fence-db2": "db1"}
    return {
        "running": True,
        "cluster": {"dc": "db2", "with_quorum": True},
        "nodes": {node: {"online": True, "pending": False, "unclean": False} for node in ("db1", "db2")},
        "resources": {
            name: {
                "node": node,
                "role": "Started" if node else "Stopped",
                "active": bool(node),
                "failed": False,
                "blocked": False,
                "held": False,
            }
            for name, node in at.items()
        },
        "failures": [],
        "fencing_history": [],
        "holds": [],
    } | other


def corosync(node: str, **other: Any) -> dict[str, Any]:
    """Return the topic ``corosync`` of a node with both links up."""
    peer = {"db1": "db2", "db2": "db1"}[node]
    links = [{"id": i, "addr": f"172.16.{i + 1}.1", "peers": {peer: True}} for i in (0, 1)]
    return {"running": True, "members": ["db1", "db2"], "links": links} | other


BMC = {"power": "on"}
