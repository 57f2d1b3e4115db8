"""Plans from blank LUNs to the volume group: from every interrupted state, and every refusal."""

from __future__ import annotations

import pytest
from storage_shapes import GIB, ONE, TWO, World, group, lun, partitioned, pv_of, report

from hadb_core import storage_plan
from hadb_core.errors import Invalid, Refused
from hadb_core.plan import Plan

WANTED = [{"wwid": ONE}, {"wwid": TWO}]


def plans(world: World):
    """Return one function per state of hadb.cluster, in order; each makes its plan from what is there then."""
    return [
        lambda: storage_plan.plan_partitions(list(world.luns.values()), world.report, WANTED, "db-vg"),
        lambda: storage_plan.plan_pvs(list(world.luns.values()), world.report, WANTED, "db-vg"),
        lambda: storage_plan.plan_vg(list(world.luns.values()), world.report, WANTED, "db-vg"),
        lambda: storage_plan.plan_lv(world.report, "db-vg", "db-vol", "100%FREE"),
    ]


def run(world: World, limit: int = 99) -> None:
    """Carry out at most ``limit`` steps, as an interrupted run does."""
    for make in plans(world):
        left = limit - len(world.done)
        world.carry_out(make(), left)
        if len(world.done) >= limit:
            return
        assert not make()


def test_a_blank_pair_of_luns_becomes_a_volume_in_safe_order():
    world = World(ONE, TWO)
    run(world)
    assert world.done == ["partition", "partition", "pvcreate", "pvcreate", "vgcreate", "lvcreate"]
    assert all(not make() for make in plans(world))


@pytest.mark.parametrize("cut", range(7))
def test_whatever_was_interrupted_is_continued_and_nothing_is_done_twice(cut):
    world = World(ONE, TWO)
    run(world, limit=cut)
    before = list(world.done)
    run(world)
    assert all(not make() for make in plans(world))
    whole = World(ONE, TWO)
    run(whole)
    assert sorted(world.done) == sorted(whole.done)
    assert world.done[:len(before)] == before


def test_on_blank_luns_every_state_predicts_its_change_before_anything_exists():
    world = World(ONE, TWO)
    assert [make().sentence() for make in plans(world)] == [
        f"LUN {ONE} partition table, LUN {TWO} partition table",
        f"LUN {ONE} physical volume, LUN {TWO} physical volume", "vg db-vg", "lv db-vg/db-vol"]


def test_a_group_that_starts_at_boot_is_kept_from_it():
    luns = [partitioned(ONE, inside="LVM2_member", pv=pv_of("db-vg"))]
    plan = storage_plan.plan_vg(luns, report(group("pv-1", autoactivation=True)), WANTED[:1], "db-vg")
    assert [step.do for step in plan.steps] == ["no_autoactivation"]


def test_a_lun_added_to_the_pillar_extends_the_group():
    luns = [partitioned(ONE, inside="LVM2_member", pv=pv_of("db-vg")), lun(TWO)]
    plan = storage_plan.plan_vg(luns, report(group("pv-1")), WANTED, "db-vg")
    assert [(step.do, step.args["wwids"]) for step in plan.steps] == [("vgextend", [TWO])]


def test_a_group_is_not_extended_from_a_node_that_it_does_not_belong_to():
    luns = [partitioned(ONE, inside="LVM2_member", pv=pv_of("db-vg")), lun(TWO)]
    with pytest.raises(Refused, match="belongs to db2, this is db1"):
        storage_plan.plan_vg(luns, report(group("pv-1", system_id="db2")), WANTED, "db-vg")


def test_a_complete_group_of_the_other_node_needs_nothing():
    luns = [partitioned(ONE, inside="LVM2_member", pv=pv_of("db-vg"))]
    known = report(group("pv-1", system_id="db2"))
    for make in (storage_plan.plan_partitions, storage_plan.plan_pvs, storage_plan.plan_vg):
        assert make(luns, known, WANTED[:1], "db-vg") == Plan()


def test_refuses_a_group_of_our_name_on_other_devices():
    with pytest.raises(Refused, match="volume group db-vg on other devices: /dev/local"):
        storage_plan.plan_partitions([lun()], report(group("local")), WANTED[:1], "db-vg")


def test_refuses_a_group_of_our_name_that_reaches_beyond_the_luns_of_the_pillar():
    luns = [partitioned(ONE, inside="LVM2_member", pv=pv_of("db-vg")), lun(TWO)]
    with pytest.raises(Refused, match="/dev/pv-2"):
        storage_plan.plan_vg(luns, report(group("pv-1", "pv-2")), WANTED, "db-vg")


def test_refuses_a_group_with_a_missing_physical_volume():
    have = group("pv-1", missing=1)
    have["pvs"].append({**have["pvs"][0], "uuid": "gone", "missing": True})
    with pytest.raises(Refused, match="lacks a physical volume: gone"):
        storage_plan.plan_vg([partitioned(inside="LVM2_member", pv=pv_of("db-vg"))], report(have), WANTED[:1], "db-vg")


def test_refuses_a_group_without_an_owner():
    luns = [partitioned(inside="LVM2_member", pv=pv_of("db-vg"))]
    with pytest.raises(Refused, match="has no system ID"):
        storage_plan.plan_vg(luns, report(group("pv-1", system_id="")), WANTED[:1], "db-vg")


def test_refuses_an_exported_group():
    luns = [partitioned(inside="LVM2_member", pv=pv_of("db-vg"))]
    with pytest.raises(Refused, match="is exported"):
        storage_plan.plan_vg(luns, report(group("pv-1", exported=True)), WANTED[:1], "db-vg")


def test_refuses_to_guess_when_lvm_hides_a_physical_volume():
    luns = [partitioned(inside="LVM2_member", pv=pv_of(None))]
    with pytest.raises(Refused, match="LVM does not show"):
        storage_plan.plan_vg(luns, report(), WANTED[:1], "db-vg")


def test_without_lvm2_nothing_is_planned_for_a_lun_that_carries_our_partition():
    luns = [partitioned(inside="LVM2_member", pv=pv_of(None))]
    plan = storage_plan.plan_vg(luns, {**report(), "installed": False}, WANTED[:1], "db-vg")
    assert not plan and "lvm2 is not installed" in plan.remarks[0]


def test_refuses_a_lun_that_this_node_does_not_see():
    with pytest.raises(Refused, match=f"does not see LUN {TWO}"):
        storage_plan.chosen([lun(ONE)], WANTED)


@pytest.mark.parametrize("least", [4 * GIB, "4G", "4 GiB"])
def test_refuses_a_lun_that_is_too_small(least):
    with pytest.raises(Refused, match=str(4 * GIB)):
        storage_plan.chosen([lun(ONE)], [{"wwid": ONE, "min_size": least}])


def test_refuses_an_empty_list_of_luns():
    with pytest.raises(Refused, match="no LUN is named"):
        storage_plan.chosen([lun(ONE)], [])


def with_volume(size: int):
    return report(group("pv-1", lvs=[{"name": "db-vol", "uuid": "l", "size": size, "active": False, "begins": None}]))


def test_refuses_to_shrink_a_volume():
    with pytest.raises(Refused, match="never shrinks"):
        storage_plan.plan_lv(with_volume(2 * GIB), "db-vg", "db-vol", "1G")


def test_a_volume_that_should_be_larger_is_left_alone_and_told():
    plan = storage_plan.plan_lv(with_volume(GIB), "db-vg", "db-vol", "2G")
    assert not plan and "hadb.orch.grow" in plan.remarks[0]


@pytest.mark.parametrize("size", ["1G", "1024M", "1023M", "100%FREE", "50%VG"])
def test_a_volume_of_the_wanted_size_to_the_extent_needs_nothing(size):
    assert storage_plan.plan_lv(with_volume(GIB), "db-vg", "db-vol", size) == Plan()


def test_no_volume_is_made_in_a_group_of_the_other_node():
    with pytest.raises(Refused, match="belongs to db2"):
        storage_plan.plan_lv(report(group("pv-1", system_id="db2")), "db-vg", "db-vol", "1G")


@pytest.mark.parametrize("size", ["", "16 apples", "0%FREE", "101%FREE", "-1G"])
def test_a_size_that_is_none_is_invalid(size):
    with pytest.raises(Invalid):
        storage_plan.plan_lv(with_volume(GIB), "db-vg", "db-vol", size)


def test_partitions_that_the_other_node_made_are_to_be_made_known():
    part = {**partitioned()["partitions"][0], "device": ""}
    unknown = partitioned()
    unknown["partitions"] = [part]
    assert storage_plan.plan_unknown_partitions([unknown], WANTED).sentence() == f"LUN {ONE} partitions"
    assert not storage_plan.plan_unknown_partitions([partitioned(), lun(TWO)], WANTED)
    assert not storage_plan.plan_unknown_partitions([], WANTED)


def test_a_lun_without_its_map_gets_its_partitions_with_the_map():
    unknown = partitioned(multipath=None)
    unknown["partitions"][0]["device"] = ""
    assert not storage_plan.plan_unknown_partitions([unknown], WANTED)
    assert storage_plan.plan_unknown_partitions([unknown], WANTED, multipath=False)
