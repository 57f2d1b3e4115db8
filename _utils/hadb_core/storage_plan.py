"""From blank LUNs to a volume group: what is missing, in safe order, or a refusal that says why.

Wanted LUNs are ``[{"wwid": "36001405...", "min_size": bytes or absent}]`` as in the pillar. Every
function is total over interrupted work: whatever prefix of its steps was carried out before, the
plan that is made then holds exactly the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hadb_core.block_lun import Lun, Stage, stage
from hadb_core.errors import Refused
from hadb_core.lvm_report import find_lv, find_vg
from hadb_core.plan import Plan, Step
from hadb_core.storage_size import is_relative, to_bytes

Wanted = Sequence[Mapping[str, Any]]
Report = Mapping[str, Any]


def chosen(luns: Sequence[Lun], wanted: Wanted) -> list[Lun]:
    """Return the wanted LUNs in the pillar's order; refuse when one is not seen or too small."""
    if not wanted:
        raise Refused("no LUN is named", "list the WWIDs of the shared LUNs under hadb:storage:luns")
    seen = {lun["wwid"]: lun for lun in luns}
    unseen = [one["wwid"] for one in wanted if one["wwid"] not in seen]
    if unseen:
        raise Refused(
            f"this node does not see LUN {', '.join(unseen)}",
            "check zoning or the iSCSI login of this node (`salt-call halvm.luns` lists what it sees)",
        )
    for one in wanted:
        size, least = seen[one["wwid"]]["size"], to_bytes(one.get("min_size") or 0)
        if size < least:
            raise Refused(
                f"{seen[one['wwid']]['device']} (WWID {one['wwid']}) has {size} bytes, hadb:storage:luns wants at "
                f"least {least}",
                "check that this is the right LUN; correct min_size if it is",
            )
    return [seen[one["wwid"]] for one in wanted]


def plan_partitions(luns: Sequence[Lun], report: Report, wanted: Wanted, vg: str, multipath: bool = True) -> Plan:
    """Return what gives every wanted LUN its one aligned partition."""
    known_vg(luns, report, wanted, vg)
    return Plan(tuple(
        Step("partition", f"LUN {lun['wwid']} partition table", None, "GPT, one LVM partition",
             {"wwid": lun["wwid"], "vg": vg, "multipath": multipath})
        for lun in chosen(luns, wanted) if stage(lun, vg) < Stage.PARTITIONED
    ))


def plan_pvs(luns: Sequence[Lun], report: Report, wanted: Wanted, vg: str, multipath: bool = True) -> Plan:
    """Return what makes the partition of every wanted LUN a physical volume."""
    known_vg(luns, report, wanted, vg)
    return Plan(tuple(
        Step("pvcreate", f"LUN {lun['wwid']} physical volume", None, "on its partition",
             {"wwid": lun["wwid"], "vg": vg, "multipath": multipath})
        for lun in chosen(luns, wanted) if stage(lun, vg) < Stage.PV
    ))


def plan_vg(luns: Sequence[Lun], report: Report, wanted: Wanted, vg: str, multipath: bool = True) -> Plan:
    """Return what makes the volume group lie on exactly the wanted LUNs, owned and never autoactivated."""
    have = known_vg(luns, report, wanted, vg)
    outside = [lun["wwid"] for lun in chosen(luns, wanted) if stage(lun, vg) < Stage.MEMBER]
    if have is None and not outside:
        return Plan(remarks=(f"LUN {', '.join(one['wwid'] for one in wanted)} is taken for {vg} by its partition's "
                             "name; lvm2 is not installed here to tell",))
    if have is None:
        return Plan((Step("vgcreate", f"vg {vg}", None, f"on LUN {', '.join(outside)}",
                          {"vg": vg, "wwids": outside, "multipath": multipath}),))
    inside = [one["wwid"] for one in wanted if one["wwid"] not in outside]
    steps = [
        Step("vgextend", f"vg {vg}", f"on LUN {', '.join(inside)}", f"also on LUN {', '.join(outside)}",
             {"vg": vg, "wwids": outside, "multipath": multipath})
    ] if outside else []
    if have["autoactivation"]:
        steps.append(Step("no_autoactivation", f"vg {vg} autoactivation", "enabled", "off", {"vg": vg}))
    if steps:
        _owned_here(report, have)
    return Plan(tuple(steps))


def plan_lv(report: Report, vg: str, lv: str, size: str | int) -> Plan:
    """Return what creates the logical volume; an existing one is never shrunk and not grown here."""
    have = find_lv(report, vg, lv)
    if have is None:
        group = find_vg(report, vg)
        if group:
            _owned_here(report, group)
        return Plan((Step("lvcreate", f"lv {vg}/{lv}", None, str(size), {"vg": vg, "lv": lv, "size": size}),))
    if is_relative(str(size)):
        return Plan()
    wanted = to_bytes(size)
    group = find_vg(report, vg)
    extent = group["extent_size"] if group else 1
    if wanted <= have["size"] - extent:
        raise Refused(
            f"{vg}/{lv} has {have['size']} bytes, hadb:storage:lv_size wants {wanted}; hadb never shrinks a volume",
            f"set hadb:storage:lv_size to {have['size']} or more",
        )
    if wanted > have["size"]:
        return Plan(remarks=(f"{vg}/{lv} has {have['size']} bytes, hadb:storage:lv_size wants {wanted}: "
                             "`salt-run state.orchestrate hadb.orch.grow` grows it",))
    return Plan()


def plan_unknown_partitions(luns: Sequence[Lun], wanted: Wanted, multipath: bool = True) -> Plan:
    """Return what tells this node's kernel about partitions that the other node made on the LUNs.

    multipath
        A LUN without a map is left out: when its map comes it brings its partitions along.
    """
    seen = {lun["wwid"]: lun for lun in luns if lun["multipath"] or not multipath}
    return Plan(tuple(
        Step("reread_partitions", f"LUN {one['wwid']} partitions", "unknown to the kernel", "known",
             {"wwid": one["wwid"]})
        for one in wanted
        if one["wwid"] in seen and any(not part["device"] for part in seen[one["wwid"]]["partitions"])
    ))


def known_vg(luns: Sequence[Lun], report: Report, wanted: Wanted, vg: str) -> dict[str, Any] | None:
    """Return the volume group called ``vg`` or ``None``; refuse one that is not the cluster's.

    It is the cluster's when all its physical volumes lie on wanted LUNs, none is missing and it has an owner.
    """
    wwids = {one["wwid"] for one in wanted}
    hidden = [lun for lun in luns if lun["wwid"] in wwids and lun["pv"] and lun["pv"]["vg"] is None]
    if hidden and report["installed"]:
        raise Refused(
            "LVM does not show the physical volume on " + ", ".join(lun["device"] for lun in hidden),
            "look for filters in /etc/lvm/lvm.conf and at `pvs -a -v`",
        )
    have = find_vg(report, vg)
    if have is None:
        return None
    ours = {lun["pv"]["uuid"] for lun in luns if lun["wwid"] in wwids and lun["pv"] and lun["pv"]["vg"] == vg}
    strange = [pv for pv in have["pvs"] if pv["uuid"] not in ours]
    if have["missing"] or any(pv["missing"] for pv in have["pvs"]):
        raise Refused(f"volume group {vg} lacks a physical volume: "
                      + ", ".join(pv["uuid"] for pv in have["pvs"] if pv["missing"]),
                      "make all LUNs of hadb:storage:luns visible to this node again")
    if strange:
        raise Refused(
            f"there is a volume group {vg} on other devices: " + ", ".join(pv["name"] for pv in strange),
            "choose another name in hadb:storage:vg, or list the WWIDs of all its LUNs under hadb:storage:luns",
        )
    if have["exported"]:
        raise Refused(f"volume group {vg} is exported", f"`vgimport {vg}` if it is the cluster's")
    if not have["system_id"]:
        raise Refused(
            f"volume group {vg} has no system ID, so nothing keeps two nodes from activating it",
            f"make sure that no node uses it, then give it to this node: `vgchange --systemid $(uname -n) {vg}`",
        )
    return have


def _owned_here(report: Report, group: Mapping[str, Any]) -> None:
    if group["system_id"] != report["system_id"]:
        raise Refused(
            f"volume group {group['name']} belongs to {group['system_id']}, this is {report['system_id'] or 'nobody'}",
            f"run this on {group['system_id']}",
        )
