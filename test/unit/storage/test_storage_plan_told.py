"""What an operator reads of the plans from blank LUNs to the volume: every change, every refusal with its remedy."""

from __future__ import annotations

from typing import Any

import pytest
from storage_shapes import GIB, ONE, TWO, group, lun, partitioned, pv_of, refusal, report

from hadb_core import storage_plan
from hadb_core.plan import Plan, Step

WANTED = [{"wwid": ONE}, {"wwid": TWO}]
MEMBER = partitioned(ONE, inside="LVM2_member", pv=pv_of("db-vg"))
EXTENT = 4 * 2**20


def with_volume(size: int) -> dict[str, Any]:
    return report(group("pv-1", lvs=[{"name": "db-vol", "uuid": "l", "size": size, "active": False, "begins": None}]))


@pytest.mark.parametrize("multipath", [True, False])
def test_blank_luns_are_told_from_partition_to_volume(multipath):
    luns = [lun(ONE), lun(TWO)]
    args = {"vg": "db-vg", "multipath": multipath}
    assert storage_plan.plan_partitions(luns, report(), WANTED, "db-vg", multipath) == Plan((
        Step("partition", f"LUN {ONE} partition table", None, "GPT, one LVM partition", {"wwid": ONE, **args}),
        Step("partition", f"LUN {TWO} partition table", None, "GPT, one LVM partition", {"wwid": TWO, **args})))
    assert storage_plan.plan_pvs(luns, report(), WANTED, "db-vg", multipath) == Plan((
        Step("pvcreate", f"LUN {ONE} physical volume", None, "on its partition", {"wwid": ONE, **args}),
        Step("pvcreate", f"LUN {TWO} physical volume", None, "on its partition", {"wwid": TWO, **args})))
    assert storage_plan.plan_vg(luns, report(), WANTED, "db-vg", multipath) == Plan((
        Step("vgcreate", "vg db-vg", None, f"on LUN {ONE}, {TWO}", {"wwids": [ONE, TWO], **args}),))
    assert storage_plan.plan_lv(report(), "db-vg", "db-vol", "100%FREE") == Plan((
        Step("lvcreate", "lv db-vg/db-vol", None, "100%FREE", {"vg": "db-vg", "lv": "db-vol", "size": "100%FREE"}),))


def test_multipath_is_what_is_planned_for_unless_told_otherwise():
    for make in (storage_plan.plan_partitions, storage_plan.plan_pvs, storage_plan.plan_vg):
        assert make([lun()], report(), WANTED[:1], "db-vg") == make([lun()], report(), WANTED[:1], "db-vg", True)


def test_an_extended_group_is_told_with_what_it_lies_on_and_what_comes():
    three, four = ONE[:-1] + "3", ONE[:-1] + "4"
    second = partitioned(TWO, inside="LVM2_member", pv=pv_of("db-vg", "pv-2"))
    known = report(group("pv-1", "pv-2", autoactivation=True))
    plan = storage_plan.plan_vg([MEMBER, lun(three), second, lun(four)], known,
                                [*WANTED, {"wwid": three}, {"wwid": four}], "db-vg", multipath=False)
    assert plan == Plan((
        Step("vgextend", "vg db-vg", f"on LUN {ONE}, {TWO}", f"also on LUN {three}, {four}",
             {"vg": "db-vg", "wwids": [three, four], "multipath": False}),
        Step("no_autoactivation", "vg db-vg autoactivation", "enabled", "off", {"vg": "db-vg"})))


def test_without_lvm2_the_remark_names_the_luns_and_why_nothing_is_done():
    luns = [partitioned(wwid, inside="LVM2_member", pv=pv_of(None)) for wwid in (ONE, TWO)]
    assert storage_plan.plan_vg(luns, {**report(), "installed": False}, WANTED, "db-vg") == Plan(remarks=(
        f"LUN {ONE}, {TWO} is taken for db-vg by its partition's name; lvm2 is not installed here to tell",))


def test_partitions_unknown_to_the_kernel_are_told():
    unknown = partitioned(TWO)
    unknown["partitions"][0]["device"] = ""
    assert storage_plan.plan_unknown_partitions([partitioned(ONE), unknown], WANTED) == Plan((
        Step("reread_partitions", f"LUN {TWO} partitions", "unknown to the kernel", "known", {"wwid": TWO}),))


def test_a_volume_that_should_be_larger_is_told_with_both_sizes_and_the_way_to_grow():
    assert storage_plan.plan_lv(with_volume(GIB), "db-vg", "db-vol", GIB + 1) == Plan(remarks=(
        f"db-vg/db-vol has {GIB} bytes, hadb:storage:lv_size wants {GIB + 1}: "
        "`salt-run state.orchestrate hadb.orch.grow` grows it",))


def test_a_volume_may_be_larger_than_wanted_by_less_than_one_extent():
    assert storage_plan.plan_lv(with_volume(GIB), "db-vg", "db-vol", GIB - EXTENT + 1) == Plan()
    assert refusal(lambda: storage_plan.plan_lv(with_volume(GIB), "db-vg", "db-vol", GIB - EXTENT)) == (
        f"db-vg/db-vol has {GIB} bytes, hadb:storage:lv_size wants {GIB - EXTENT}; hadb never shrinks a volume",
        f"set hadb:storage:lv_size to {GIB} or more")


def test_a_lun_of_exactly_the_least_size_is_taken_and_without_one_any_size():
    assert storage_plan.chosen([lun(ONE)], [{"wwid": ONE, "min_size": 3 * GIB}]) == [lun(ONE)]
    assert storage_plan.chosen([lun(ONE, size=0)], WANTED[:1]) == [lun(ONE, size=0)]


def test_the_luns_are_taken_in_the_order_of_the_pillar():
    assert [one["wwid"] for one in storage_plan.chosen([lun(ONE), lun(TWO)], WANTED[::-1])] == [TWO, ONE]


@pytest.mark.parametrize(("wanted", "reason", "remedy"), [
    ([], "no LUN is named", "list the WWIDs of the shared LUNs under hadb:storage:luns"),
    ([{"wwid": ONE}, {"wwid": "x"}, {"wwid": "y"}], "this node does not see LUN x, y",
     "check zoning or the iSCSI login of this node (`salt-call halvm.luns` lists what it sees)"),
    ([{"wwid": ONE, "min_size": "4G"}],
     f"/dev/mapper/{ONE} (WWID {ONE}) has {3 * GIB} bytes, hadb:storage:luns wants at least {4 * GIB}",
     "check that this is the right LUN; correct min_size if it is"),
])
def test_a_refused_choice_of_luns_says_what_to_do(wanted, reason, remedy):
    assert refusal(lambda: storage_plan.chosen([lun(ONE)], wanted)) == (reason, remedy)


def lost(*uuids: str, missing: int) -> dict[str, Any]:
    have = group("pv-1", missing=missing)
    have["pvs"] += [{**have["pvs"][0], "uuid": uuid, "missing": True} for uuid in uuids]
    return have


VISIBLE = "make all LUNs of hadb:storage:luns visible to this node again"


@pytest.mark.parametrize(("have", "reason", "remedy"), [
    (lost("u-1", "u-2", missing=2), "volume group db-vg lacks a physical volume: u-1, u-2", VISIBLE),
    # Either of LVM's two signs is enough.
    (lost("u-1", missing=0), "volume group db-vg lacks a physical volume: u-1", VISIBLE),
    (lost(missing=1), "volume group db-vg lacks a physical volume: ", VISIBLE),
    (group("pv-1", "local-1", "local-2"), "there is a volume group db-vg on other devices: /dev/local-1, /dev/local-2",
     "choose another name in hadb:storage:vg, or list the WWIDs of all its LUNs under hadb:storage:luns"),
    (group("pv-1", exported=True), "volume group db-vg is exported", "`vgimport db-vg` if it is the cluster's"),
    (group("pv-1", system_id=""), "volume group db-vg has no system ID, so nothing keeps two nodes from activating it",
     "make sure that no node uses it, then give it to this node: `vgchange --systemid $(uname -n) db-vg`"),
])
@pytest.mark.parametrize("make", [storage_plan.plan_partitions, storage_plan.plan_pvs, storage_plan.plan_vg])
def test_a_group_that_is_not_the_cluster_s_is_refused_by_every_plan_with_a_remedy(make, have, reason, remedy):
    assert refusal(lambda: make([MEMBER], report(have), WANTED[:1], "db-vg")) == (reason, remedy)


def test_hidden_physical_volumes_are_told_with_where_to_look():
    luns = [partitioned(wwid, inside="LVM2_member", pv=pv_of(None)) for wwid in (ONE, TWO)]
    assert refusal(lambda: storage_plan.plan_pvs(luns, report(), WANTED, "db-vg")) == (
        f"LVM does not show the physical volume on /dev/mapper/{ONE}, /dev/mapper/{TWO}",
        "look for filters in /etc/lvm/lvm.conf and at `pvs -a -v`")


@pytest.mark.parametrize(("me", "called"), [("db1", "db1"), ("", "nobody")])
def test_a_group_of_the_other_node_is_told_with_where_to_run(me, called):
    known = report(group("pv-1", system_id="db2"), system_id=me)
    told = (f"volume group db-vg belongs to db2, this is {called}", "run this on db2")
    assert refusal(lambda: storage_plan.plan_lv(known, "db-vg", "db-vol", "1G")) == told
    assert refusal(lambda: storage_plan.plan_vg([MEMBER, lun(TWO)], known, WANTED, "db-vg")) == told
