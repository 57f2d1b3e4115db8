"""A LUN as data: what it is, what is on it, who uses it, and how far hadb has come with it."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from hadb_core.errors import Refused, Unreadable

Lun = Mapping[str, Any]
"""``{wwid, size, paths, multipath, device, signatures, partitions, holders, mounts, pv}`` (see ``halvm.luns``)."""

# UEFI specification and `sfdisk --list-types`: the GPT partition type "Linux LVM".
LVM_TYPE = "e6d6d379-f507-44c2-a23c-238f2a3df928"
_TABLE = frozenset({"gpt", "PMBR"})
_PAIR = re.compile(r'([A-Z:-]+)="((?:[^"\\]|\\.)*)"')
_KEY = re.compile(r"^\s*(0x[0-9a-f]+)\s*$", re.MULTILINE)
_HELD = re.compile(r"Key\s*=\s*(0x[0-9a-f]+).*?type = ([^\n]+)", re.DOTALL)
_HEX = re.compile(r"\\x([0-9a-fA-F]{2})")


class Stage(enum.IntEnum):
    """How far a LUN is on its way into the volume group; every interruption leaves it in one of these."""

    BLANK = 0
    LABELLED = 1
    PARTITIONED = 2
    PV = 3
    MEMBER = 4


def parse_wipefs(text: str, device: str) -> list[dict[str, Any]]:
    """Return the signatures that ``wipefs --json --no-act`` found: ``[{type, offset, device, uuid, label}]``."""
    try:
        found = json.loads(text)["signatures"] if text.strip() else []
        return [
            {"type": one["type"], "offset": int(one["offset"], 16), "device": device, "uuid": one.get("uuid") or "",
             "label": one.get("label") or ""}
            for one in found
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable("wipefs", f"not the JSON that was expected ({error})", text[:200]) from error


def parse_partx(text: str) -> list[dict[str, Any]]:
    """Return the partitions that ``partx --bytes --pairs`` printed: ``[{number, name, start, size, uuid, type}]``.

    ``start`` and ``size`` are bytes.
    """
    partitions = []
    for line in text.splitlines():
        pairs = {key: _HEX.sub(lambda match: chr(int(match[1], 16)), value) for key, value in _PAIR.findall(line)}
        try:
            partitions.append({
                "number": int(pairs["NR"]), "name": pairs["NAME"], "start": int(pairs["START"]) * 512,
                "size": int(pairs["SIZE"]), "uuid": pairs["UUID"], "type": pairs["TYPE"].lower(),
            })
        except (KeyError, ValueError) as error:
            raise Unreadable("partx", f"a partition could not be read ({error})", line) from error
    return partitions


def parse_reservations(keys: str, reservation: str) -> dict[str, Any]:
    """Return ``{"keys": [...], "held": {"key", "type"} or None}`` from ``mpathpersist``'s two answers.

    The words are those of multipath-tools' ``mpathpersist/main.c`` there is no machine format.
    """
    if "PR generation=" not in keys or "PR generation=" not in reservation:
        raise Unreadable("mpathpersist", "there is no PR generation in it", f"{keys}{reservation}".strip()[:200])
    held = _HELD.search(reservation)
    if not held and "NO reservation held" not in reservation:
        raise Unreadable("mpathpersist", "it neither shows a reservation nor says that there is none",
                         reservation.strip()[:200])
    return {"keys": _KEY.findall(keys), "held": {"key": held[1], "type": held[2].strip()} if held else None}


def partition_name(vg: str) -> str:
    """Return the GPT name by which hadb knows its own partition; GPT allows 36 characters."""
    return f"hadb-{vg}"[:36]


def stage(lun: Lun, vg: str) -> Stage:
    """Return how far the LUN is on its way into ``vg``; refuse when anything else is or was on it.

    A volume group of the same name counts as ours here; whether it lies on exactly the LUNs of the
    pillar is for :func:`hadb_core.storage_plan.known_vg` to say.
    """
    pv = lun["pv"]
    if pv and pv["vg"] == vg:
        return Stage.MEMBER
    whole = [one for one in lun["signatures"] if one["device"] == lun["device"]]
    inside = [one for one in lun["signatures"] if one["device"] != lun["device"]]
    strange = [one for one in whole if one["type"] not in _TABLE]
    if strange or (whole and not any(one["type"] == "gpt" for one in whole)):
        raise _foreign(lun, strange or whole)
    reached = _stage_of_table(lun, vg, whole, inside)
    if lun["holders"] or lun["mounts"]:
        used = ", ".join([*lun["holders"], *lun["mounts"]])
        raise Refused(f"{lun['device']} (WWID {lun['wwid']}) is in use: {used}",
                      "stop what uses it, or take this WWID out of hadb:storage:luns")
    return reached


def _stage_of_table(lun: Lun, vg: str, whole: Sequence[Mapping], inside: Sequence[Mapping]) -> Stage:
    if not whole:
        return Stage.BLANK
    if not lun["partitions"]:
        return Stage.LABELLED
    strange = [one for one in inside if one["type"] != "LVM2_member"]
    if strange:
        raise _foreign(lun, strange)
    names = [part["name"] for part in lun["partitions"]]
    if names != [partition_name(vg)]:
        raise Refused(
            f"{lun['device']} (WWID {lun['wwid']}) has a GPT with partitions that hadb did not make: "
            + ", ".join(f"{part['number']} {part['name']!r} of {part['size']} bytes" for part in lun["partitions"]),
            "make sure that nobody needs them, then delete the table by hand, or take this WWID out of "
            "hadb:storage:luns",
        )
    pv = lun["pv"]
    if not inside:
        return Stage.PARTITIONED
    if pv and pv["vg"] == "":
        return Stage.PV
    if pv and pv["vg"] is None:
        # No lvm2 here to name the group, as on a blank node that replaces a lost one; the partition is ours by
        # its name, and nothing is written before lvm2 is there and has been asked.
        return Stage.MEMBER
    raise _foreign(lun, inside)


def _foreign(lun: Lun, signatures: Sequence[Mapping[str, Any]]) -> Refused:
    told = ", ".join(f"{one['type']} at byte {one['offset']} of {one['device']}" + _details(lun, one)
                     for one in signatures)
    return Refused(
        f"{lun['device']} (WWID {lun['wwid']}) is not blank: {told}",
        "make sure that nobody needs what is on it, then remove it by hand (`wipefs` shows it), or take this "
        "WWID out of hadb:storage:luns; hadb never erases anything",
    )


def _details(lun: Lun, one: Mapping[str, Any]) -> str:
    if one["type"] != "LVM2_member":
        return f" labelled {one['label']!r}" if one["label"] else ""
    pv = lun["pv"]
    if not pv or pv["vg"] is None:
        return " of a volume group that cannot be named while lvm2 is not installed"
    return f" of volume group {pv['vg']!r}" if pv["vg"] else " without a volume group"
