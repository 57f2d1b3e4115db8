"""The readers on fixtures of real tools: data, or an error, never "nothing" for "unknown"."""

from __future__ import annotations

from pathlib import Path

import facts
import pytest
from storage_shapes import ONE, fixture, nodes

from hadb_core.block_devices import disks, parse_mountinfo
from hadb_core.errors import CommandFailed, HadbError, Refused, Unreadable
from support import load

MAP = f"/dev/mapper/{ONE}"
# The kernel's names of the map and of its partition, in the fixtures.
MAP_FILE, PART_FILE = "/dev/dm-0", "/dev/dm-1"
UDEV = ("udevadm", "info", "--query=all", *(f"/sys/class/block/{name}" for name in disks(nodes("nodes-multipath.json"))))
LVM = ("lvm", "fullreport", "--foreign", "--reportformat", "json", "--units", "b", "--nosuffix")
ANSWERS = {
    UDEV: fixture("udev-multipath.txt"),
    ("wipefs", "--json", "--no-act", MAP_FILE): fixture("wipefs-gpt.json"),
    ("wipefs", "--json", "--no-act", PART_FILE): fixture("wipefs-lvm.json"),
    ("partx", "--bytes", "--pairs", "--output", "NR,NAME,START,SIZE,UUID,TYPE", MAP): fixture("partx.txt"),
    ("blockdev", "--flushbufs", MAP, PART_FILE): "",
    ("blockdev", "--flushbufs", f"{MAP}-part1"): "",
    ("blockdev", "--flushbufs", MAP): "",
    ("lvm", "systemid"): fixture("systemid.txt"),
    LVM: fixture("fullreport.json"),
}


REAL_NODES = load("_modules/halvm.py").nodes


@pytest.fixture
def node(monkeypatch, tmp_path):
    """Return the module on a node whose commands answer from fixtures; a str answers, an int fails with that code."""
    answers: dict[tuple[str, ...], str | int] = dict(ANSWERS)

    def run_all(argv, **_):
        answer = answers[tuple(argv)]
        failed = isinstance(answer, int)
        return {"retcode": answer if failed else 0, "stdout": "" if failed else answer, "stderr": ""}

    module = load("_modules/halvm.py", salt={"cmd.run_all": run_all})
    monkeypatch.setattr(module, "nodes", lambda: nodes("nodes-multipath.json"))
    monkeypatch.setattr(module, "_mounts", lambda: parse_mountinfo(fixture("mountinfo.txt")))
    monkeypatch.setattr(module, "_swaps", set)
    monkeypatch.setattr(module, "_readable", lambda *_: None)
    monkeypatch.setattr(module.salt.utils.path, "which", lambda program: f"/sbin/{program}")
    module.answers = answers
    return module


def test_a_lun_is_told_with_all_that_is_on_it(node):
    lun = node.luns([ONE])[0]
    assert (lun["wwid"], lun["multipath"], lun["device"], lun["paths"]) == (ONE, ONE, MAP, ["sda", "sdd"])
    assert [one["type"] for one in lun["signatures"]] == ["gpt", "gpt", "PMBR", "LVM2_member"]
    assert lun["partitions"][0]["device"] == f"{MAP}-part1"
    assert (lun["pv"]["vg"], lun["holders"], lun["mounts"]) == ("db-vg", [], [])
    assert set(facts.lun()) <= set(lun), "what other tests make up is what is read"


def test_the_paths_are_told_without_reading_from_a_lun(node):
    for argv in [argv for argv in node.answers if argv[0] != "udevadm"]:
        del node.answers[argv]
    assert node.paths([ONE]) == [{"wwid": ONE, "size": 3 * 2**30, "paths": ["sda", "sdd"], "multipath": ONE, "device": MAP}]


def test_without_lvm2_the_group_of_a_physical_volume_is_unknown(node, monkeypatch):
    monkeypatch.setattr(node.salt.utils.path, "which", lambda program: None)
    assert node.luns([ONE])[0]["pv"]["vg"] is None
    assert node.report() == {"installed": False, "system_id": "", "vgs": [], "orphans": []}


def test_a_mounted_lun_is_not_flushed_and_tells_who_uses_it(node, monkeypatch):
    monkeypatch.setattr(node, "nodes", lambda: nodes("nodes-mounted.json"))
    monkeypatch.setattr(node, "_mounts", lambda: parse_mountinfo(fixture("mountinfo-mounted.txt")))
    for argv in [argv for argv in node.answers if argv[0] == "blockdev"]:
        del node.answers[argv]
    lun = node.luns([ONE])[0]
    assert (lun["holders"], lun["mounts"]) == (["db--vg-db--vol"], ["/dbmnt"])


def test_what_is_in_a_partition_counts_before_the_kernel_has_noticed_it(node, monkeypatch):
    without = {name: one for name, one in nodes("nodes-multipath.json").items() if name != "dm-1"}
    monkeypatch.setattr(node, "nodes", lambda: without)
    node.answers["blkid", "--probe", "--output", "export", "--offset", "1048576", "--size", "3220160000", MAP] = (
        f"DEVNAME={MAP}\nTYPE=ext4\n")
    lun = node.luns([ONE])[0]
    assert lun["partitions"][0]["device"] == ""
    assert [one["type"] for one in lun["signatures"] if one["device"] != MAP] == ["ext4"]


@pytest.mark.parametrize("failing", [
    ("wipefs", "--json", "--no-act", MAP_FILE),
    ("wipefs", "--json", "--no-act", PART_FILE), ("lvm", "systemid"), LVM,
    ("partx", "--bytes", "--pairs", "--output", "NR,NAME,START,SIZE,UUID,TYPE", MAP),
])
def test_a_tool_that_fails_is_an_error_not_an_empty_lun(node, failing):
    node.answers[failing] = 1
    with pytest.raises(CommandFailed):
        node.luns([ONE])


@pytest.mark.parametrize("said", ["", fixture("udev-multipath.txt").replace("/block/sdd", "/block/else")])
def test_a_disk_that_is_there_and_of_which_udev_does_not_tell_is_an_error_one_that_has_gone_is_none(node, monkeypatch, said):
    node.answers |= {UDEV: said, ("udevadm", "--version"): "257\n"}
    monkeypatch.setattr(node.Path, "exists", lambda path: path.name == "sdd")
    with pytest.raises(Unreadable):
        node.luns([ONE])
    if said:
        monkeypatch.setattr(node.Path, "exists", lambda path: False)
        assert node.paths([ONE])[0]["paths"] == ["sda"]


def test_a_device_that_cannot_be_read_is_an_error(tmp_path):
    module = load("_modules/halvm.py")
    with pytest.raises(Unreadable):
        module._readable(str(tmp_path / "gone"), 0, 4096)
    short = tmp_path / "short"
    short.write_bytes(b"x" * 4096)
    module._readable(str(short), 0, 4096)
    with pytest.raises(Unreadable):
        module._readable(str(short), 2048, 4096)


def test_a_wwid_of_digits_from_the_command_line_is_understood(node):
    assert node.luns([int(ONE)])[0]["wwid"] == ONE


def test_a_volume_is_read_without_activating_it(node):
    part = f"{MAP}-part1"
    node.answers["blkid", "--probe", "--output", "export", "--offset", "1142784", "--size", "3217031168", part] = (
        fixture("blkid-ext4.txt"))
    have = node.volume("db-vg", "db-vol")
    assert (have["exists"], have["local"], have["active"], have["mounted_at"]) == (True, True, False, [])
    assert have["fs"]["type"] == "ext4"


def test_an_active_volume_is_read_by_itself(node, monkeypatch):
    monkeypatch.setattr(node, "nodes", lambda: nodes("nodes-mounted.json"))
    monkeypatch.setattr(node, "_mounts", lambda: parse_mountinfo(fixture("mountinfo-mounted.txt")))
    node.answers["blkid", "--probe", "--output", "export", "--offset", "0", "--size", "3217031168",
                 "/dev/mapper/db--vg-db--vol"] = fixture("blkid-ext4.txt")
    have = node.volume("db-vg", "db-vol")
    assert (have["active"], have["mounted_at"]) == (True, ["/dbmnt"])


def test_the_other_node_s_volume_is_not_local(node):
    node.answers["lvm", "systemid"] = "  system ID: db2\n"
    node.answers["blkid", "--probe", "--output", "export", "--offset", "1142784", "--size", "3217031168",
                 f"{MAP}-part1"] = fixture("blkid-ext4.txt")
    have = node.volume("db-vg", "db-vol")
    assert (have["system_id"], have["local"]) == ("db1", False)


def test_a_volume_that_does_not_exist_is_told_so(node):
    have = node.volume("db-vg", "other")
    assert (have["exists"], have["fs"], have["active"]) == (False, None, False)
    assert set(facts.volume()) <= set(have), "what other tests make up is what is read"


@pytest.mark.parametrize(("cib", "owned"), [(None, False), ("<cib/>", False), (
    '<cib><primitive><instance_attributes><nvpair name="vgname" value="db-vg"/></instance_attributes></primitive></cib>',
    True)])
def test_the_file_of_the_cib_tells_whether_pacemaker_owns_the_volume(monkeypatch, tmp_path, cib, owned):
    module = load("_modules/halvm.py")
    if cib:
        (tmp_path / "cib.xml").write_text(cib)
    monkeypatch.setattr(module, "_CIB_FILE", str(tmp_path / "cib.xml"))
    assert module.managed_by_cluster("db-vg", "/dbmnt") is owned


def test_a_cib_that_cannot_be_read_is_an_error(monkeypatch, tmp_path):
    module = load("_modules/halvm.py")
    (tmp_path / "cib.xml").write_text("")
    monkeypatch.setattr(module, "_CIB_FILE", str(tmp_path / "cib.xml"))
    with pytest.raises(HadbError):
        module.managed_by_cluster("db-vg", "/dbmnt")


def test_this_machine_s_block_devices_are_read_as_the_kernel_has_them():
    found = REAL_NODES()
    assert found
    for name, one in found.items():
        assert (one.name, one.dev) == (name, (Path("/sys/class/block") / name / "dev").read_text().strip())
        assert bool(one.partition) == (Path("/sys/class/block") / name / "partition").exists()
        assert not one.partition or one.parent in found


def test_the_mounts_and_swaps_of_this_machine_are_read():
    module = load("_modules/halvm.py")
    assert "/" in [point for points in module._mounts().values() for point in points]
    assert all(":" in number for number in module._swaps())


def test_swap_is_known_by_its_device_number(monkeypatch):
    module = load("_modules/halvm.py")
    monkeypatch.setattr(module, "_text", lambda path: "Filename Type Size Used Priority\n/dev/null partition 1 0 -2\n/swap file 1 0 -3\n")
    assert module._swaps() == {"1:3"}


def test_what_is_mounted_at_a_directory_is_told(node):
    assert (node.occupant("/"), node.occupant("/nothing/here")) != ("", "")
    assert node.occupant("/nothing/here") == ""


def test_the_groups_in_use_are_told(node, monkeypatch):
    monkeypatch.setattr(node, "nodes", lambda: nodes("nodes-mounted.json"))
    monkeypatch.setattr(node, "_mounts", lambda: parse_mountinfo(fixture("mountinfo-mounted.txt")))
    assert node.vgs_in_use() == {"db-vg": ["db-vol"]}


def test_a_volume_of_which_lvm_does_not_say_where_it_begins_is_an_error(node):
    with pytest.raises(Unreadable, match="where db-vg/db-vol begins"):
        node._filesystem({"name": "db-vg", "pvs": []}, {"name": "db-vol", "size": 1, "begins": None}, None)


def test_a_partition_that_parted_has_just_made_is_read_and_not_known_until_udev_has_renamed_it(node, monkeypatch):
    made = nodes("nodes-multipath.json")
    monkeypatch.setattr(node, "nodes", lambda: {**made, "dm-1": made["dm-1"]._replace(dm_name=f"{ONE}p1")})
    monkeypatch.setattr(node.Path, "exists", lambda path: True)
    lun = node.luns([ONE])[0]
    assert [one["type"] for one in lun["signatures"]] == ["gpt", "gpt", "PMBR", "LVM2_member"]
    assert node.partitions_known(lun) == []


@pytest.mark.parametrize("there", [True, False])
def test_a_partition_counts_as_known_when_its_file_is_there_too(node, monkeypatch, there):
    monkeypatch.setattr(node.Path, "exists", lambda path: there)
    lun = {"wwid": ONE, "multipath": ONE, "paths": ["sda", "sdd"]}
    assert node.partitions_known(lun) == ([1] if there else [])


KEYS = ("mpathpersist", "--in", "--read-keys", MAP)
HELD = ("mpathpersist", "--in", "--read-reservation", MAP)


def test_a_lun_without_reservations(node):
    node.answers[KEYS] = "  PR generation=0x0, \t0 registered reservation key.\n"
    node.answers[HELD] = "  PR generation=0x0, there is NO reservation held \n"
    assert node.reservations(ONE) == {"keys": [], "held": None}


def test_somebody_s_reservation_is_told(node):
    node.answers[KEYS] = "  PR generation=0x2, \t1 registered reservation key follows:\n    0x123abc\n"
    node.answers[HELD] = (
        "  PR generation=0x2, Reservation follows:\n   Key = 0x123abc\n  scope = LU_SCOPE, type = Write Exclusive\n")
    assert node.reservations(ONE) == {"keys": ["0x123abc"], "held": {"key": "0x123abc", "type": "Write Exclusive"}}


@pytest.mark.parametrize("answers", [("", ""), ("PR generation=0x0", "PR generation=0x0, Reservation follows")])
def test_reservations_that_cannot_be_read_are_an_error(node, answers):
    node.answers[KEYS], node.answers[HELD] = answers
    with pytest.raises(Unreadable):
        node.reservations(ONE)


def test_an_array_that_knows_no_reservations_is_an_error(node):
    node.answers[KEYS] = 5
    with pytest.raises(CommandFailed):
        node.reservations(ONE)


def test_without_mpathpersist_nothing_is_said_about_reservations(node, monkeypatch):
    monkeypatch.setattr(node.salt.utils.path, "which", lambda program: None)
    with pytest.raises(Refused):
        node.reservations(ONE)


def test_an_answer_that_cannot_be_read_names_program_version_and_line(node):
    node.answers["lvm", "systemid"] = "  what is that\n"
    node.answers["lvm", "version"] = fixture("lvm-version.txt")
    with pytest.raises(Unreadable, match=r"lvm systemid \(LVM version: .*\).*what is that"):
        node.report()
    node.answers["lvm", "version"] = 1
    with pytest.raises(Unreadable, match="lvm systemid:"):
        node.report()
