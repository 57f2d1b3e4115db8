"""Growing: from any interruption to the size that is wanted, never smaller, never on the wrong node."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from storage_shapes import ONE, TWO, fixture, group, partitioned, pv_of, report, volume

from hadb_core.errors import Refused, Unreadable
from hadb_core.plan import Plan
from hadb_core.storage_grow import parse_ext4_size, plan_grow, target
from support import load

EXTENT = 4 * 2**20
EXT4 = {"type": "ext4", "uuid": "u", "label": ""}
LUNS = [{"wwid": ONE}]


class Volume:
    """One LUN with a group, a mounted volume and a filesystem, of given sizes in extents; grows as the tools do."""

    def __init__(self, part: int = 100, pv: int = 100, lv: int = 100, fs: int = 100) -> None:
        self.part, self.pv, self.lv, self.fs = part, pv, lv, fs
        self.have: dict[str, Any] = {}
        self.ran: list[list[str]] = []
        self.luns = [self.lun()]

    def lun(self) -> dict[str, Any]:
        one = partitioned(inside="LVM2_member", pv=pv_of("db-vg", ONE), size=(self.part + 1) * EXTENT + 2**22)
        one["partitions"][0]["size"] = self.part * EXTENT + 2**20
        return one

    @property
    def group(self) -> dict[str, Any]:
        made = group(ONE, size=self.pv * EXTENT, free=(self.pv - self.lv) * EXTENT)
        made["pvs"][0] |= {"size": self.pv * EXTENT, "pe_start": 2**20}
        made["lvs"] = [{"name": "db-vol", "uuid": "lv", "size": self.lv * EXTENT, "active": True, "begins": None}]
        return made

    @property
    def volume(self) -> dict[str, Any]:
        return volume(**{"size": self.lv * EXTENT, "active": True, "mounted_at": ["/dbmnt"], "fs": EXT4, **self.have})

    def plan(self, size: str = "100%FREE") -> Plan:
        return plan_grow(self.luns, report(self.group), LUNS, self.volume, size, fstype="ext4",
                         fs_size=self.fs * EXTENT, mount_point="/dbmnt")

    def pvresize(self, wwid: str, vg: str) -> None:
        self.pv = self.part

    def lvextend(self, vg: str, lv: str, size: str) -> None:
        self.lv = target(self.group, self.lv * EXTENT, size) // EXTENT

    def resizefs(self, vg: str, lv: str, fstype: str) -> None:
        self.fs = self.lv

    def run_all(self, argv: list[str], **_: Any) -> dict[str, Any]:
        self.ran.append(argv)
        return {"retcode": 0, "stdout": fixture("dumpe2fs.txt") if argv[0] == "dumpe2fs" else "", "stderr": ""}

    def module(self) -> Any:
        return load("_modules/halvm_grow.py", salt={
            "cmd.run_all": self.run_all, "halvm.luns": lambda wwids: [one for one in self.luns if one["wwid"] in wwids],
            "halvm.report": lambda: report(self.group), "halvm.volume": lambda vg, lv: self.volume})


def extents(least: int, most: int) -> st.SearchStrategy[int]:
    return st.integers(least, most)


@given(st.data())
def test_every_interruption_is_completed_to_the_same_end(data):
    lv = data.draw(extents(1, 50))
    pv = data.draw(extents(lv, 80))
    part, fs = data.draw(extents(pv, 120)), data.draw(extents(1, lv))
    size = data.draw(st.sampled_from(["100%FREE", "90%VG", f"{lv * EXTENT}", f"{pv * EXTENT}"]))
    world = Volume(part, pv, lv, fs)
    for _ in range(4):
        plan = world.plan(size)
        if not plan:
            break
        for step in plan.steps[: data.draw(st.integers(1, len(plan.steps)))]:
            before = (world.pv, world.lv, world.fs)
            getattr(world, step.do)(**step.args)
            assert all(new >= old for new, old in zip((world.pv, world.lv, world.fs), before, strict=True))
    for step in world.plan(size).steps:
        getattr(world, step.do)(**step.args)
    assert not world.plan(size)
    assert (world.pv, world.fs) == (part, world.lv)
    assert size != "100%FREE" or world.lv == part


def test_nothing_to_grow_is_nothing_to_do():
    assert not Volume().plan()


def test_an_enlarged_partition_reaches_the_filesystem():
    steps = Volume(part=200).plan().steps
    assert [step.do for step in steps] == ["pvresize", "lvextend", "resizefs"]
    assert steps[1].path == "lv db-vg/db-vol"


def test_a_new_lun_that_is_still_blank_is_counted_on():
    world = Volume()
    blank = partitioned(TWO)
    plan = plan_grow([*world.luns, blank], report(world.group), [*LUNS, {"wwid": TWO}], world.volume, "100%FREE",
                     fstype="ext4", fs_size=100 * EXTENT, mount_point="/dbmnt")
    assert [step.do for step in plan.steps] == ["lvextend", "resizefs"]


def test_an_absolute_size_that_is_reached_does_not_use_a_new_lun():
    world = Volume()
    plan = plan_grow([*world.luns, partitioned(TWO)], report(world.group), [*LUNS, {"wwid": TWO}], world.volume,
                     str(100 * EXTENT), fstype="ext4", fs_size=100 * EXTENT, mount_point="/dbmnt")
    assert not plan


def test_a_lun_that_is_larger_than_its_partition_is_told_and_left():
    world = Volume()
    world.luns[0]["size"] = 500 * EXTENT
    plan = world.plan()
    assert not plan and "larger than its partition" in plan.remarks[0]


@pytest.mark.parametrize(("have", "words"), [
    ({"mounted_at": []}, "not mounted at /dbmnt on this node"), ({"local": False, "system_id": "db2"}, "belongs to db2"),
    ({"exists": False}, "there is no volume"), ({"fs": None}, "cannot|can grow"),
    ({"fs": {"type": "xfs", "uuid": "", "label": ""}}, "can grow"),
])
def test_growing_is_refused_where_it_would_be_a_guess(have, words):
    world = Volume(part=200)
    world.have = have
    with pytest.raises(Refused, match=words):
        world.plan()


def test_without_a_group_there_is_nothing_to_grow():
    world = Volume()
    world.luns = [partitioned()]
    with pytest.raises(Refused, match="there is no volume"):
        plan_grow(world.luns, report(), LUNS, world.volume, "100%FREE", fstype="ext4", fs_size=None,
                  mount_point="/dbmnt")


@pytest.mark.parametrize(("size", "wanted"), [
    ("100%FREE", 200), ("75%VG", 150), ("10%VG", 100), (str(120 * EXTENT - 5), 120), ("4M", 100)])
def test_the_size_is_one_that_the_volume_stays_at(size, wanted):
    world = Volume(part=200, pv=200)
    assert target(world.group, 100 * EXTENT, size) == wanted * EXTENT
    world.lv = wanted
    assert target(world.group, wanted * EXTENT, size) == wanted * EXTENT


@pytest.mark.parametrize(("size", "words"), [("50%FREE", "says nothing"), ("10G", "bytes free")])
def test_a_size_that_cannot_be_reached_is_refused(size, words):
    with pytest.raises(Refused, match=words):
        target(Volume().group, 100 * EXTENT, size)


def test_the_size_of_a_filesystem_is_read():
    assert parse_ext4_size(fixture("dumpe2fs.txt")) == 256 * 2**20
    with pytest.raises(Unreadable):
        parse_ext4_size("Block size: 4096\n")


def test_the_filesystem_of_a_volume_that_is_not_active_has_no_size_here():
    world = Volume()
    assert world.module().filesystem_size("db-vg", "db-vol", "ext4") == 256 * 2**20
    world.have = {"active": False}
    assert world.module().filesystem_size("db-vg", "db-vol", "ext4") is None


def test_the_effects_run_what_they_say():
    world = Volume(part=200, pv=200)
    module = world.module()
    module.pvresize(ONE, "db-vg")
    module.lvextend("db-vg", "db-vol", "100%FREE")
    module.resizefs("db-vg", "db-vol", "ext4")
    assert world.ran == [["pvresize", f"/dev/mapper/{ONE}-part1"], ["lvextend", "--extents", "200", "db-vg/db-vol"],
                         ["resize2fs", "/dev/db-vg/db-vol"]]


@pytest.mark.parametrize(("effect", "args", "have"), [
    ("pvresize", (TWO, "db-vg"), {}), ("pvresize", (ONE, "other"), {}),
    ("lvextend", ("db-vg", "db-vol", "4M"), {}), ("lvextend", ("db-vg", "db-vol", "100%FREE"), {"active": False}),
    ("lvextend", ("db-vg", "db-vol", "100%FREE"), {"local": False}),
    ("resizefs", ("db-vg", "db-vol", "ext4"), {"mounted_at": []}), ("resizefs", ("db-vg", "db-vol", "ext4"), {"fs": None}),
    ("filesystem_size", ("db-vg", "db-vol", "zfs"), {}),
])
def test_the_effects_look_again_and_refuse(effect, args, have):
    world = Volume(part=200, pv=200)
    world.have = have
    with pytest.raises(Refused):
        getattr(world.module(), effect)(*args)
    assert world.ran == []


def test_the_state_predicts_exactly_and_a_second_run_does_nothing():
    world = Volume(part=200)

    def state(test: bool) -> dict[str, Any]:
        return load("_states/halvm.py", opts={"test": test}, salt={
            "halvm.luns": lambda wwids: world.luns, "halvm.report": lambda: report(world.group),
            "halvm.volume": lambda vg, lv: world.volume,
            "halvm_grow.filesystem_size": lambda vg, lv, fstype: world.fs * EXTENT,
            **{f"halvm_grow.{name}": getattr(world, name) for name in ("pvresize", "lvextend", "resizefs")},
        }).grown("db-vol", "db-vg", LUNS, "100%FREE", "ext4", "/dbmnt")

    predicted = state(test=True)
    assert (predicted["result"], world.pv, world.lv) == (None, 100, 100)
    real = state(test=False)
    assert (real["result"], real["changes"]) == (True, predicted["changes"])
    assert state(test=False)["changes"] == {}


