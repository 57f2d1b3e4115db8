"""The logical volume on this node: its filesystem, and mounting it by hand before Pacemaker owns it."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from typing import Any

from hadb_core.errors import Refused, Unreadable
from hadb_core.plan import Plan, Step

Volume = Mapping[str, Any]
"""``{vg, lv, exists, size, system_id, local, active, device, mounted_at, fs}`` (see ``halvm.volume``)."""

MKFS = {"ext4": ("mkfs.ext4", "-q")}
"""How each filesystem that hadb offers is made."""

CLUSTER_REMARK = "Pacemaker is configured to own the volume, so it is left as it is"


def plan_mount_point(path: str, found: Mapping[str, Any]) -> Plan:
    """Return what makes the mount point; refuse one that hides files.

    found
        ``{"exists", "mounted", "entries"}`` (see ``hastorage.directory``).
    """
    if found["entries"]:
        raise Refused(
            f"{path} is not mounted and not empty: {', '.join(found['entries'][:5])}",
            "somebody wrote to the local disk instead of the volume, which would hide it: look whose it is and move it",
        )
    if found["exists"]:
        return Plan()
    return Plan((Step("make_directory", f"directory {path}", None, "present", {"path": path}),))


def plan_format(volume: Volume, fstype: str) -> Plan:
    """Return what makes the filesystem; anything else that is on the volume is refused."""
    if fstype not in MKFS:
        raise Refused(f"a filesystem {fstype!r} is not made here", f"choose one of {', '.join(MKFS)}")
    name = f"{volume['vg']}/{volume['lv']}"
    if volume["fs"]:
        if volume["fs"]["type"] == fstype:
            return Plan()
        raise Refused(
            f"{name} holds {volume['fs']['type']} (uuid {volume['fs']['uuid']}), hadb:storage:filesystem:type wants "
            f"{fstype}",
            "set hadb:storage:filesystem:type to what is there; hadb never erases anything",
        )
    if volume["exists"]:
        _mine(volume)
    return Plan((Step("mkfs", f"filesystem on {name}", None, fstype,
                      {"vg": volume["vg"], "lv": volume["lv"], "fstype": fstype}),))


def plan_mount(volume: Volume, mount_point: str, fstype: str, options: str, *, occupant: str, managed: bool) -> Plan:
    """Return what mounts the volume on this node.

    occupant
        What is mounted at ``mount_point`` now, ``""`` for nothing.
    managed
        Pacemaker owns the volume: nothing is planned.
    """
    if managed:
        return Plan(remarks=(CLUSTER_REMARK,))
    if mount_point in volume["mounted_at"]:
        return Plan()
    if volume["mounted_at"]:
        raise Refused(f"{volume['device']} is mounted at {', '.join(volume['mounted_at'])}",
                      f"unmount it; hadb mounts it at {mount_point}")
    if occupant:
        raise Refused(f"{occupant} is mounted at {mount_point}", "unmount it, or change hadb:storage:filesystem")
    if volume["exists"]:
        _mine(volume)
    return Plan((Step("mount", f"mount {mount_point}", None, f"{volume['device']} ({fstype}, {options})",
                      {"vg": volume["vg"], "lv": volume["lv"], "mount_point": mount_point, "fstype": fstype,
                       "options": options}),))


def plan_release(volume: Volume, mount_point: str, *, managed: bool, expect_mounted: bool) -> Plan:
    """Return what unmounts and deactivates the volume, so that only Pacemaker brings it back.

    expect_mounted
        Plan as if it were mounted: the same run mounts it earlier, and a test run did not.
    """
    if managed:
        return Plan(remarks=(CLUSTER_REMARK,))
    elsewhere = [point for point in volume["mounted_at"] if point != mount_point]
    if elsewhere:
        raise Refused(f"{volume['device']} is mounted at {', '.join(elsewhere)}", "unmount it by hand")
    steps = []
    names = {"vg": volume["vg"], "lv": volume["lv"]}
    if volume["mounted_at"] or expect_mounted:
        steps.append(Step("umount", f"mount {mount_point}", volume["device"], None,
                          {**names, "mount_point": mount_point}))
    if volume["active"] or expect_mounted:
        steps.append(Step("deactivate", f"lv {volume['vg']}/{volume['lv']}", "active", "inactive", names))
    return Plan(tuple(steps))


def in_cib(cib: str, vg: str, mount_point: str) -> bool:
    """Return whether a CIB (XML text) has a resource that owns the volume group or the mount point."""
    try:
        root = ElementTree.fromstring(cib)
    except ElementTree.ParseError as error:
        raise Unreadable("cib.xml", str(error)) from error
    wanted = {("vgname", vg), ("volgrpname", vg), ("directory", mount_point)}
    return any(
        (pair.get("name"), pair.get("value")) in wanted
        for primitive in root.iter("primitive")
        for pair in primitive.iterfind("instance_attributes/nvpair")
    )


def _mine(volume: Volume) -> None:
    if not volume["local"]:
        raise Refused(
            f"volume group {volume['vg']} belongs to {volume['system_id'] or 'nobody'}, not to this node",
            f"run this on {volume['system_id'] or 'the node that owns it'}",
        )
