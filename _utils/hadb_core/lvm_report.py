"""LVM's own JSON report as plain data, and the names of device-mapper."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from hadb_core.errors import Refused, Unreadable
from hadb_core.process import Result

_SYSTEM_ID = re.compile(r"^\s*system ID:[ \t]*(\S*)\s*$", re.MULTILINE)
_RANGE = re.compile(r"(?P<device>\S+):(?P<first>\d+)-(?P<last>\d+)")
_VERSION = re.compile(r"LVM version:\s+(\d+)\.(\d+)\.(\d+)")
# lvm2's WHATS_NEW 2.03.12: "Add autoactivation property to VG and LV".
_AUTOACTIVATION_SINCE = (2, 3, 12)

# LVM complains on stderr about descriptors that a minion left open; it is not an error.
ENV = {"LVM_SUPPRESS_FD_WARNINGS": "1"}
"""The environment in which LVM's commands are run."""

NOTHING: dict[str, Any] = {"installed": False, "system_id": "", "vgs": [], "orphans": []}
"""The report of a node on which LVM is not installed."""


def parse_report(text: str, system_id: str) -> dict[str, Any]:
    """Return volume groups with their LVs and PVs, and PVs without a group.

    text
        Output of ``lvm fullreport --foreign --reportformat json --units b --nosuffix``.
    system_id
        This host's, ``""`` for none.

    Returns ``{installed, system_id, vgs: [{name, uuid, system_id, size, free, extent_size, missing,
    autoactivation, exported, pvs: [...], lvs: [...]}], orphans: [pv]}``; sizes are bytes.
    """
    try:
        sections = json.loads(text)["report"]
        groups = [_group(section) for section in sections if section.get("vg")]
        orphans = [_pv(pv) for section in sections if not section.get("vg") for pv in section.get("pv", [])]
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable("lvm fullreport", f"not the JSON that was expected ({error!r})", text[:200]) from error
    return {"installed": True, "system_id": system_id, "vgs": groups, "orphans": orphans}


def _group(section: Mapping[str, Any]) -> dict[str, Any]:
    vg = section["vg"][0]
    segments: dict[str, list[dict[str, Any]]] = {}
    for segment in section.get("seg", []):
        segments.setdefault(segment["lv_uuid"], []).append(segment)
    return {
        "name": vg["vg_name"], "uuid": vg["vg_uuid"], "system_id": vg["vg_systemid"], "size": int(vg["vg_size"]),
        "free": int(vg["vg_free"]), "extent_size": int(vg["vg_extent_size"]),
        "missing": int(vg["vg_missing_pv_count"]), "exported": bool(vg["vg_exported"]),
        # An LVM that does not know the property activates every group at boot.
        "autoactivation": bool(vg.get("vg_autoactivation", "enabled")),
        "pvs": [_pv(pv) for pv in section["pv"]],
        "lvs": [_lv(lv, segments.get(lv["lv_uuid"], [])) for lv in section["lv"]],
    }


def _pv(pv: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": pv["pv_name"], "uuid": pv["pv_uuid"], "size": int(pv["pv_size"]), "missing": bool(pv["pv_missing"]),
        "dev": f"{pv['pv_major']}:{pv['pv_minor']}", "pe_start": int(pv["pe_start"]),
    }


def _lv(lv: Mapping[str, Any], segments: list[dict[str, Any]]) -> dict[str, Any]:
    first = next((one for one in segments if int(one["seg_start_pe"]) == 0), None)
    place = _RANGE.match(first["seg_pe_ranges"]) if first else None
    return {
        "name": lv["lv_name"], "uuid": lv["lv_uuid"], "size": int(lv["lv_size"]),
        "active": lv["lv_active"] == "active",
        # Where its first byte lies, so that what is on it can be read without activating it.
        "begins": {"pv": place["device"], "extent": int(place["first"])} if place else None,
    }


def parse_system_id(text: str) -> str:
    """Return the host's system ID from ``lvm systemid``, ``""`` when it has none.

    LVM has no machine format for this one; the line is ``system ID: db1``.
    """
    match = _SYSTEM_ID.search(text)
    if not match:
        raise Unreadable("lvm systemid", "there is no line `system ID:`", text[:200])
    return match[1]


def knows_autoactivation(version_text: str) -> bool:
    """Return whether this LVM has the VG property ``autoactivation``; ``version_text`` is ``lvm version``'s."""
    match = _VERSION.search(version_text)
    if not match:
        raise Unreadable("lvm version", "there is no version in it", version_text[:200])
    return tuple(int(part) for part in match.groups()) >= _AUTOACTIVATION_SINCE


def find_vg(report: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """Return the volume group of that name or ``None``; refuse when two have it."""
    found = [vg for vg in report["vgs"] if vg["name"] == name]
    if len(found) > 1:
        raise Refused(
            f"{len(found)} volume groups are called {name}: {', '.join(vg['uuid'] for vg in found)}",
            "rename the one that is not the cluster's: `vgrename UUID NEWNAME`",
        )
    return found[0] if found else None


def find_lv(report: Mapping[str, Any], vg: str, lv: str) -> dict[str, Any] | None:
    """Return the logical volume or ``None``."""
    group = find_vg(report, vg)
    return next((one for one in group["lvs"] if one["name"] == lv), None) if group else None


def pv_of(report: Mapping[str, Any], lun: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the physical volume on a LUN: ``{vg, vg_uuid, uuid}``, or ``None``.

    ``vg`` is ``""`` for one without a group, ``None`` where LVM is not installed or does not show it.
    """
    if not any(one["type"] == "LVM2_member" for one in lun["signatures"]):
        return None
    devices = lun["devs"]  # of every path: LVM may have chosen another one than we
    for vg in report["vgs"]:
        for pv in vg["pvs"]:
            if pv["dev"] in devices:
                return {"vg": vg["name"], "vg_uuid": vg["uuid"], "uuid": pv["uuid"]}
    for pv in report["orphans"]:
        if pv["dev"] in devices:
            return {"vg": "", "vg_uuid": "", "uuid": pv["uuid"]}
    return {"vg": None, "vg_uuid": None, "uuid": None}


def filesystem(probed: Result) -> dict[str, str] | None:
    """Return what ``blkid --probe --output export`` found: ``{type, uuid, label}``, ``None`` for nothing.

    blkid ends with 2 for "nothing" and also for "cannot open or read": the caller makes sure that it can.
    """
    if probed.code == 2:
        return None
    found = dict(line.partition("=")[::2] for line in probed.out.splitlines())
    kind = found.get("TYPE") or found.get("PTTYPE")
    if not kind and all(key == "DEVNAME" or key.startswith("PART_ENTRY_") for key in found):
        return None  # only what the partition table says about the partition that was looked into
    if not kind:
        raise Unreadable("blkid", "there is neither TYPE nor PTTYPE", probed.out[:200])
    return {"type": kind, "uuid": found.get("UUID", ""), "label": found.get("LABEL", "")}


def dm_name(vg: str, lv: str) -> str:
    """Return the device-mapper name of a volume: hyphens inside a name are doubled (lvm(8))."""
    return f"{vg.replace('-', '--')}-{lv.replace('-', '--')}"


def split_dm_name(name: str) -> tuple[str, str]:
    """Return VG and LV of a device-mapper name; the inverse of :func:`dm_name`."""
    vg, _, lv = name.replace("--", "\0").partition("-")
    return vg.replace("\0", "-"), lv.replace("\0", "-")
