"""The facts of two nodes on which everything holds, for tests to break."""

from __future__ import annotations

from typing import Any

from facts import BMC, cluster, corosync, lun, system, volume

NODES = ("db1", "db2")
VIPS = ["10.20.0.50/24", "10.20.0.51/24"]


def whole() -> dict[str, Any]:
    """Return all topics of both nodes, the database on db1."""
    facts = {
        node: {
            "system": system(node),
            "volume": volume(),
            "cluster": cluster(),
            "corosync": corosync(node),
            "luns": [lun()],
            "bmc": dict(BMC),
            "cipher_zero": {"refused": True},
            "reservations": {},
            "clients": [{"account": "nova", "address": "10.20.0.50", "ok": True}],
        }
        for node in NODES
    }
    facts["db1"]["volume"] = volume(active=True, mounted_at=["/dbmnt"])
    facts["db1"]["system"]["interfaces"]["vec0"] += VIPS
    return facts
