"""The fencing devices of the CIB, and what the chosen fence agent means for Pacemaker's time limits."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from hadb_core import reservation
from hadb_core.cib_primitive import primitive, text

# The wrapper that adds the BMC's password from a 0600 file; hadb.fencing installs it.
IPMITOOL = "/usr/lib/hadb/ipmitool"
# Seconds for one power command where the pillar does not say. fence_ipmilan shares them with all its questions and waits.
_TIMEOUT = {"fence_hadb": 20, "fence_ipmilan": 60}
# Seconds after which fence_hadb gives up a session with a BMC; asking for the power is one.
_SESSION = 15
RESERVATIONS = "fence-reservations"
"""The device of the second fencing level, for all nodes."""
# Seconds for fence_hadb_reservation's commands, some of which may meet a path that has just died.
_COMMANDS = 60
# Seconds for a monitor: a slow machine is not a failed one (decision 0022), and nobody waits for it.
_PATIENCE = 60


def properties(fencing: Mapping[str, Any]) -> dict[str, str]:
    """Return the cluster properties that follow from ``hadb:fencing``."""
    return {
        "stonith-enabled": "true",
        "stonith-timeout": f"{_limits(fencing)['reboot']}s",
        # fence_hadb itself gives the head start, and only to a rival that is alive (decision 0061).
        "priority-fencing-delay": f"{0 if _ours(fencing) else fencing['delay']}s",
    }


def device(document: Mapping[str, Any], node: str) -> ET.Element:
    """Return the device that fences ``node``; see :func:`hadb_core.cib_wanted.wanted` for the document."""
    fencing, limits = document["fencing"], _limits(document["fencing"])
    bmc = document["nodes"][node]["bmc"]
    params = {
        "ip": bmc["address"],
        "username": bmc["username"],
        "lanplus": "1",
        "cipher": text(fencing["cipher"]),
        "privlvl": fencing["privlvl"],
        "ipmitool_path": IPMITOOL,
        **(_head_start(document, node) if _ours(fencing) else {}),
        "pcmk_host_list": node,
        "pcmk_host_check": "static-list",
        "pcmk_reboot_timeout": f"{limits['reboot']}s",
        "pcmk_off_timeout": f"{limits['off']}s",
        "pcmk_monitor_timeout": f"{limits['monitor']}s",
        "pcmk_status_timeout": f"{limits['monitor']}s",
    }
    if fencing["action"] == "off":
        params["pcmk_reboot_action"] = "off"
    bounded = {"timeout": limits["monitor"]}
    operations = {
        "start": bounded,
        "stop": bounded,
        "monitor": {"interval": fencing["monitor_interval"], **bounded},
    }
    return primitive(f"fence-{node}", ("stonith", "", fencing["agent"]), params, operations)


def extra_properties(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the cluster properties that come and go with ``hadb:fencing:reservations``."""
    # A node that hears that it was fenced, and lives, was lied about: it must not only stop its cluster.
    return {"fence-reaction": "panic"} if reservation.wanted(document) else {}


def reservation_devices(document: Mapping[str, Any]) -> list[ET.Element]:
    """Return the device of the second fencing level, or nothing. It runs anywhere: the array is everybody's."""
    if not reservation.wanted(document):
        return []
    off, bounded = f"{_COMMANDS + reservation.settle(document)}s", {"timeout": _PATIENCE}
    params = {
        "vgname": document["storage"]["vg"],
        "reservation_keys": reservation.pairs(document),
        "settle": text(reservation.settle(document)),
        "pcmk_host_list": " ".join(sorted(document["nodes"])),
        "pcmk_host_check": "static-list",
        # A node that nobody switched off is not switched on.
        "pcmk_reboot_action": "off",
        "pcmk_reboot_timeout": off,
        "pcmk_off_timeout": off,
        "pcmk_monitor_timeout": f"{_PATIENCE}s",
        "pcmk_status_timeout": f"{_PATIENCE}s",
    }
    operations = {"start": bounded, "stop": bounded, "monitor": {"interval": document["fencing"]["monitor_interval"], **bounded}}
    return [primitive(RESERVATIONS, ("stonith", "", "fence_hadb_reservation"), params, operations)]


def levels(document: Mapping[str, Any]) -> list[ET.Element]:
    """Return the fencing levels: each node's BMC, then the array. Without reservations the BMC needs no level."""
    if not reservation.wanted(document):
        return []
    return [
        ET.Element("fencing-level", {"id": f"level-{node}-{index}", "target": node, "index": str(index), "devices": device})
        for node in sorted(document["nodes"])
        for index, device in enumerate((f"fence-{node}", RESERVATIONS), 1)
    ]


def _ours(fencing: Mapping[str, Any]) -> bool:
    return bool(fencing["agent"] == "fence_hadb")


def _head_start(document: Mapping[str, Any], node: str) -> dict[str, str]:
    return {
        "power_timeout": text(_timeout(document["fencing"])),
        "head_start": text(document["fencing"]["delay"]),
        "database_mount": document["storage"]["filesystem"]["mount_point"],
        "preload": document["database"]["binary"],
        "target_address": document["nodes"][node]["address"],
    }


def _timeout(fencing: Mapping[str, Any]) -> int:
    return int(fencing.get("timeout", _TIMEOUT[fencing["agent"]]))


def _limits(fencing: Mapping[str, Any]) -> dict[str, int]:
    """Return Pacemaker's time limits by action, s."""
    command = _timeout(fencing)
    if not _ours(fencing):
        # Its reboot is an off and an on, each waited for.
        reboot = command * (2 if fencing["action"] == "reboot" else 1)
        return {"reboot": reboot, "off": command, "monitor": command}
    # The question, the head start, the command; its reboot ends at "off". A silent BMC ends the question after 6 s.
    off = _SESSION + int(fencing["delay"]) + command
    return {"reboot": off, "off": off, "monitor": max(command, _PATIENCE)}
