"""Effects: what they run, and that each looks again and refuses before it writes."""

from __future__ import annotations

from typing import Any

import pytest
from storage_shapes import ONE, fixture, group, lun, partitioned, pv_of, report, signature, volume

from hadb_core.errors import Refused
from support import load

MAP = f"/dev/mapper/{ONE}"
EXT4 = {"type": "ext4", "uuid": "u-1", "label": ""}


class Machine:
    """A node in a given state; ``ran`` holds what was run, without what only reads or waits."""

    def __init__(self, one: dict[str, Any] | None = None, known: Any = None, have: Any = None, managed: bool = False):
        self.lun, self.known, self.volume, self.managed = one, known or report(), have or volume(), managed
        self.ran: list[list[str]] = []
        self.module = load("_modules/halvm_write.py", salt={
            "cmd.run_all": self.run_all,
            "halvm.luns": lambda wwids: [self.lun] if self.lun and self.lun["wwid"] in wwids else [],
            "halvm.partitions_known": lambda lun: [part["number"] for part in self.lun["partitions"] if part["device"]],
            "halvm.report": lambda: self.known,
            "halvm.volume": lambda vg, lv: self.volume,
            "halvm.managed_by_cluster": lambda vg, mount_point: self.managed,
        })

    def run_all(self, argv, **_):
        if argv == ["lvm", "version"]:
            return {"retcode": 0, "stdout": fixture("lvm-version.txt"), "stderr": ""}
        if argv[0] != "udevadm":
            self.ran.append(argv)
        if argv[0] == "parted":
            self.lun = partitioned()
        return {"retcode": 0, "stdout": "", "stderr": ""}


def test_partitions_a_blank_lun():
    machine = Machine(lun())
    machine.module.partition(ONE, "db-vg")
    assert machine.ran == [["parted", "--script", "--align", "optimal", MAP, "mklabel", "gpt", "mkpart", "hadb-db-vg",
                            "1MiB", "100%", "set", "1", "lvm", "on"]]


def test_continues_on_a_table_without_partitions():
    machine = Machine(lun(signatures=[signature("gpt", MAP, 512)]))
    machine.module.partition(ONE, "db-vg")
    assert "mklabel" not in machine.ran[0]


WRITERS = [
    ("partition", (ONE, "db-vg")), ("pvcreate", (ONE, "db-vg")), ("vgcreate", ("db-vg", [ONE])),
    ("vgextend", ("db-vg", [ONE])),
]
PRECIOUS = [
    lun(signatures=[signature("ext4", MAP, 1080)]), partitioned(inside="xfs"), partitioned(name="data"),
    partitioned(inside="LVM2_member", pv=pv_of("finance")), partitioned(inside="LVM2_member", pv=pv_of("db-vg")),
    lun(holders=["md0"]), lun(mounts=["/srv"]), lun(multipath=None), None,
]


@pytest.mark.parametrize(("effect", "args"), WRITERS)
@pytest.mark.parametrize("one", PRECIOUS)
def test_nothing_is_written_when_the_lun_is_not_what_the_plan_was_made_from(effect, args, one):
    machine = Machine(one)
    with pytest.raises(Refused):
        getattr(machine.module, effect)(*args)
    assert machine.ran == []


@pytest.mark.parametrize(("effect", "args", "one"), [
    ("partition", (ONE, "db-vg"), partitioned()), ("pvcreate", (ONE, "db-vg"), lun()),
    ("pvcreate", (ONE, "db-vg"), partitioned(inside="LVM2_member", pv=pv_of(""))),
    ("vgcreate", ("db-vg", [ONE]), partitioned()),
])
def test_a_step_that_is_done_or_too_early_is_refused(effect, args, one):
    machine = Machine(one)
    with pytest.raises(Refused, match="has changed"):
        getattr(machine.module, effect)(*args)
    assert machine.ran == []


def test_makes_the_partition_a_physical_volume():
    machine = Machine(partitioned())
    machine.module.pvcreate(ONE, "db-vg")
    assert machine.ran == [["pvcreate", f"{MAP}-part1"]]


def test_makes_a_group_that_is_never_activated_at_boot():
    machine = Machine(partitioned(inside="LVM2_member", pv=pv_of("")))
    machine.module.vgcreate("db-vg", [ONE])
    assert machine.ran == [["vgcreate", "--setautoactivation", "n", "db-vg", f"{MAP}-part1"]]


def test_refuses_a_group_without_an_owner():
    machine = Machine(partitioned(inside="LVM2_member", pv=pv_of("")), report(system_id=""))
    with pytest.raises(Refused, match="has no system ID"):
        machine.module.vgcreate("db-vg", [ONE])
    assert machine.ran == []


def test_refuses_a_second_group_of_the_same_name():
    machine = Machine(partitioned(inside="LVM2_member", pv=pv_of("")), report(group("elsewhere")))
    with pytest.raises(Refused, match="already"):
        machine.module.vgcreate("db-vg", [ONE])
    assert machine.ran == []


def test_a_new_volume_stays_inactive_and_overwrites_nothing():
    machine = Machine()
    machine.module.lvcreate("db-vg", "db-vol", "100%FREE")
    assert machine.ran == [["lvcreate", "--activate", "n", "--zero", "n", "--wipesignatures", "n", "--name", "db-vol",
                            "--extents", "100%FREE", "db-vg"]]


def test_a_new_volume_over_a_removed_one_is_given_up_again():
    machine = Machine(have=volume(fs=EXT4))
    with pytest.raises(Refused, match="begins with ext4 .uuid u-1"):
        machine.module.lvcreate("db-vg", "db-vol", "100%FREE")
    assert [argv[0] for argv in machine.ran] == ["lvcreate", "lvremove"]


def test_formats_a_blank_volume_which_is_active_only_meanwhile():
    machine = Machine()
    machine.module.mkfs("db-vg", "db-vol", "ext4")
    assert machine.ran == [["lvchange", "--activate", "y", "db-vg/db-vol"],
                           ["mkfs.ext4", "-q", "/dev/db-vg/db-vol"],
                           ["lvchange", "--activate", "n", "db-vg/db-vol"]]


@pytest.mark.parametrize("have", [volume(fs=EXT4), volume(fs={**EXT4, "type": "xfs"}), volume(exists=False),
                                  volume(local=False, system_id="db2")])
def test_refuses_to_format_what_is_not_blank_not_there_or_not_ours(have):
    machine = Machine(have=have)
    with pytest.raises(Refused):
        machine.module.mkfs("db-vg", "db-vol", "ext4")
    assert machine.ran == []


@pytest.mark.parametrize("system_id", ["db2", ""])
def test_never_activates_a_volume_of_another_node(system_id):
    machine = Machine(have=volume(local=False, system_id=system_id))
    for effect, args in (("activate", ()), ("mount", ("/dbmnt", "ext4", "noatime"))):
        with pytest.raises(Refused, match="not to this node"):
            getattr(machine.module, effect)("db-vg", "db-vol", *args)
    assert machine.ran == []


def test_mounts_after_activating(tmp_path):
    machine = Machine()
    machine.module.mount("db-vg", "db-vol", str(tmp_path / "dbmnt"), "ext4", "noatime")
    assert [argv[0] for argv in machine.ran] == ["lvchange", "mount"]
    assert (tmp_path / "dbmnt").is_dir()


def test_neither_mounts_nor_unmounts_what_pacemaker_owns():
    machine = Machine(have=volume(mounted_at=["/dbmnt"]), managed=True)
    with pytest.raises(Refused, match="Pacemaker is configured"):
        machine.module.mount("db-vg", "db-vol", "/dbmnt", "ext4", "")
    with pytest.raises(Refused, match="Pacemaker is configured"):
        machine.module.umount("db-vg", "db-vol", "/dbmnt")
    assert machine.ran == []


def test_unmounts_only_what_is_mounted():
    machine = Machine()
    machine.module.umount("db-vg", "db-vol", "/dbmnt")
    assert machine.ran == []
    machine.volume = volume(mounted_at=["/dbmnt"])
    machine.module.umount("db-vg", "db-vol", "/dbmnt")
    assert machine.ran == [["umount", "/dbmnt"]]


@pytest.mark.parametrize(("one", "told"), [
    ({}, ["kpartx", "-u", "-n", "-p", "-part", MAP]),
    ({"multipath": None, "device": "/dev/sda"}, ["partx", "--update", "/dev/sda"]),
])
def test_the_kernel_is_told_of_partitions_when_udev_does_not(monkeypatch, one, told):
    machine = Machine(unknown(**one))
    monkeypatch.setattr(machine.module, "_NODE_PATIENCE", 0)

    def noticed(argv, **how):
        machine.lun = partitioned()
        return Machine.run_all(machine, argv, **how)

    machine.module.__salt__["cmd.run_all"] = noticed
    machine.module.reread_partitions(ONE)
    assert machine.ran == [told]


def unknown(**changed):
    """Return a LUN whose partition the kernel does not know."""
    one = partitioned(**changed)
    one["partitions"][0]["device"] = ""
    return one


def test_partitions_that_are_known_already_need_nothing():
    machine = Machine(partitioned())
    machine.module.reread_partitions(ONE)
    assert machine.ran == []


def test_the_wait_for_partitions_ends(monkeypatch):
    machine = Machine(unknown())
    monkeypatch.setattr(machine.module, "_NODE_TIMEOUT", 0.3)
    monkeypatch.setattr(machine.module, "_NODE_PATIENCE", 0.1)
    with pytest.raises(Refused, match="does not show the partitions"):
        machine.module.reread_partitions(ONE)
    assert [argv[0] for argv in machine.ran] == ["kpartx"]


def test_a_lun_without_partitions_has_none_to_wait_for():
    with pytest.raises(Refused, match="has no partition"):
        Machine(lun()).module.reread_partitions(ONE)


def test_a_partition_that_the_kernel_missed_is_waited_for_before_it_is_used(monkeypatch):
    machine = Machine(unknown())
    machine.module.reread_partitions = lambda wwid: setattr(machine, "lun", partitioned())
    machine.module.pvcreate(ONE, "db-vg")
    assert machine.ran == [["pvcreate", f"{MAP}-part1"]]


def test_an_lvm_without_the_property_makes_the_group_without_it():
    machine = Machine(partitioned(inside="LVM2_member", pv=pv_of("")))
    old = {"retcode": 0, "stdout": "  LVM version:     2.03.11(2) (2021-01-08)\n", "stderr": ""}
    machine.module.__salt__["cmd.run_all"] = lambda argv, **_: old if argv[0] == "lvm" else machine.run_all(argv)
    machine.module.vgcreate("db-vg", [ONE])
    assert machine.ran == [["vgcreate", "db-vg", f"{MAP}-part1"]]


def test_a_group_takes_further_luns_and_stops_being_activated_at_boot():
    machine = Machine(partitioned(inside="LVM2_member", pv=pv_of("")))
    machine.module.vgextend("db-vg", [ONE])
    machine.module.no_autoactivation("db-vg")
    assert machine.ran == [["vgextend", "db-vg", f"{MAP}-part1"], ["vgchange", "--setautoactivation", "n", "db-vg"]]


def test_a_volume_that_filled_up_while_it_was_activated_is_not_formatted():
    machine = Machine()
    machine.module.__salt__["halvm.volume"] = lambda vg, lv, seen=[]: (  # noqa: B006
        seen.append(1) or volume(fs=EXT4 if len(seen) > 2 else None))
    with pytest.raises(Refused, match="not blank any more"):
        machine.module.mkfs("db-vg", "db-vol", "ext4")
    assert [argv[0] for argv in machine.ran] == ["lvchange", "lvchange"]


def test_a_volume_that_was_active_stays_so_after_it_was_formatted():
    machine = Machine(have=volume(active=True))
    machine.module.mkfs("db-vg", "db-vol", "ext4")
    assert [argv[0] for argv in machine.ran] == ["lvchange", "mkfs.ext4"]
