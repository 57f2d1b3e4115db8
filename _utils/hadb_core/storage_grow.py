"""Growing the volume online: what is missing between the space on the LUNs and the filesystem, or why not.

Growth comes from LUNs that were added to the pillar (the states of ``halvm`` bring them into the group first), or
from a LUN and its partition that somebody enlarged. A partition table in use is never rewritten here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hadb_core.block_lun import Lun, Stage, stage
from hadb_core.errors import Refused, Unreadable
from hadb_core.plan import Plan, Step
from hadb_core.storage_plan import Report, Wanted, chosen, known_vg
from hadb_core.storage_size import is_relative, to_bytes
from hadb_core.storage_volume import Volume

RESIZE = {"ext4": ("resize2fs",)}
"""How each filesystem that hadb offers is grown while it is mounted."""

_BLOCKS = re.compile(r"^Block count:\s+(\d+)$", re.MULTILINE)
_BLOCK_SIZE = re.compile(r"^Block size:\s+(\d+)$", re.MULTILINE)


def parse_ext4_size(text: str) -> int:
    """Return the size in bytes of the filesystem that ``dumpe2fs -h`` told about."""
    blocks, size = _BLOCKS.search(text), _BLOCK_SIZE.search(text)
    if not blocks or not size:
        raise Unreadable("dumpe2fs", "there is no block count or no block size in it", text[:200])
    return int(blocks[1]) * int(size[1])


def target(group: Mapping[str, Any], have: int, size: str | int) -> int:
    """Return the bytes that a volume of ``have`` bytes should have; never less than it has.

    group
        The volume group as in ``halvm.report``.
    size
        ``hadb:storage:lv_size``. A share of what is free would grow the volume with every run, so only
        ``100%FREE`` is accepted of those.
    """
    extent = group["extent_size"]
    if not is_relative(size):
        wanted = -(-to_bytes(size) // extent) * extent
    elif str(size).upper() == "100%FREE":
        wanted = have + group["free"]
    elif str(size).upper().endswith("%FREE"):
        raise Refused(f"hadb:storage:lv_size {size} says nothing about how large the volume should become",
                      "set it to 100%FREE, a share such as 80%VG, or a size")
    else:
        share = int(str(size).partition("%")[0])
        wanted = group["size"] // extent * share // 100 * extent
    if wanted - have > group["free"]:
        raise Refused(
            f"volume group {group['name']} has {group['free']} bytes free, {wanted - have} are needed for {size}",
            "add a LUN to hadb:storage:luns",
        )
    return max(wanted, have)


def plan_grow(luns: Sequence[Lun], report: Report, wanted: Wanted, volume: Volume, size: str | int, *,
              fstype: str, fs_size: int | None, mount_point: str) -> Plan:
    """Return what makes the physical volumes, the volume and its filesystem as large as they should be.

    volume
        ``halvm.volume``; it has to be mounted on this node.
    fs_size
        Bytes of the filesystem, None where it cannot be asked because the volume is not active.

    LUNs that are not in the group yet count as space that will be there: a test run has to predict what the
    states before it would do.
    """
    vg, name = volume["vg"], f"{volume['vg']}/{volume['lv']}"
    group = known_vg(luns, report, wanted, vg)
    _refuse_wrong_place(group, volume, fstype, mount_point)
    assert group is not None and fs_size is not None  # _refuse_wrong_place; a mounted volume is active
    ours = chosen(luns, wanted)
    coming = [lun for lun in ours if stage(lun, vg) < Stage.MEMBER]
    # A physical volume on the whole LUN, which hadb did not make, has no partition to grow into.
    members = [lun for lun in ours if lun not in coming and lun["partitions"]]
    steps = [
        Step("pvresize", f"LUN {lun['wwid']} physical volume", f"{_pv(group, lun)['size']} bytes",
             "all of its partition", {"wwid": lun["wwid"], "vg": vg})
        for lun in members if _idle(group, lun, lun["partitions"][0]["size"])
    ]
    grows = bool(steps or coming) and _may_use_more(volume, size)
    if grows or target(group, volume["size"], size) > volume["size"]:
        steps.append(Step("lvextend", f"lv {name}", f"{volume['size']} bytes", str(size),
                          {"vg": vg, "lv": volume["lv"], "size": size}))
        grows = True
    if grows or volume["size"] - fs_size >= group["extent_size"]:
        steps.append(Step("resizefs", f"filesystem on {name}", f"{fs_size} bytes", "all of the volume",
                          {"vg": vg, "lv": volume["lv"], "fstype": fstype}))
    return Plan(tuple(steps), tuple(_remarks(group, members)))


def _refuse_wrong_place(group: Mapping[str, Any] | None, volume: Volume, fstype: str, mount_point: str) -> None:
    name = f"{volume['vg']}/{volume['lv']}"
    if group is None or not volume["exists"]:
        raise Refused(f"there is no volume {name} yet", "`salt-run state.orchestrate hadb.orch` makes it")
    if not volume["local"] or mount_point not in volume["mounted_at"]:
        raise Refused(f"{name} is not mounted at {mount_point} on this node; it is grown online, where it is in use",
                      f"run this on the node with the database (the volume group belongs to {volume['system_id']})")
    if fstype not in RESIZE or not volume["fs"] or volume["fs"]["type"] != fstype:
        raise Refused(f"{name} does not hold a filesystem that hadb can grow: {volume['fs']}",
                      f"hadb:storage:filesystem:type can be {', '.join(RESIZE)}")


def _may_use_more(volume: Volume, size: str | int) -> bool:
    return is_relative(size) or to_bytes(size) > volume["size"]


def _pv(group: Mapping[str, Any], lun: Lun) -> Mapping[str, Any]:
    return next(pv for pv in group["pvs"] if pv["uuid"] == lun["pv"]["uuid"])


def _idle(group: Mapping[str, Any], lun: Lun, room: int) -> bool:
    """Return whether at least one extent more fits into ``room`` bytes of the partition than the PV has."""
    pv = _pv(group, lun)
    return bool(room - pv["pe_start"] - pv["size"] >= group["extent_size"])


def _remarks(group: Mapping[str, Any], members: Sequence[Lun]) -> list[str]:
    # 1 MiB: parted aligns the partition's end, and the table's copy lies behind it.
    ends = [(lun, lun["partitions"][0]["start"] + lun["partitions"][0]["size"] + 2**20) for lun in members]
    return [
        f"LUN {lun['wwid']} is {lun['size'] - end} bytes larger than its partition. hadb rewrites no partition table "
        "in use: add another LUN instead, or enlarge the partition by hand (docs/modules/halvm.md)"
        for lun, end in ends if lun["size"] - end >= group["extent_size"]
    ]
