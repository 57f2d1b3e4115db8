"""udev's database and mountinfo line by line, and which nodes are the paths and partitions of a LUN without a map."""

from __future__ import annotations

import pytest
from storage_shapes import ONE, fixture, garbled, nodes

from hadb_core import block_devices
from hadb_core.block_devices import Node

MULTIPATH = nodes("nodes-multipath.json")
BLANK = {name: node._replace(holders=()) for name, node in MULTIPATH.items() if not node.dm_uuid}
SDA1, SDA2, SDD1, SDB1 = (
    Node(f"{disk}{number}", f"8:{minor}", 2**20, number, disk)
    for disk, number, minor in (("sda", 1, 1), ("sda", 2, 2), ("sdd", 1, 49), ("sdb", 1, 17)))
# udev gives every partition the serial of its disk.
UDEV = {**block_devices.parse_udev(fixture("udev-blank.txt")),
        **{name: {"ID_SERIAL": ONE, "ID_BUS": "scsi"} for name in ("sda1", "sda2", "sdd1")}}
PARTITIONED = {**BLANK, **{node.name: node for node in (SDA1, SDA2, SDD1, SDB1)}}


def test_of_udev_s_database_the_properties_of_block_devices_are_read():
    text = """P: /devices/sda
N: sda
S: disk/by-path/ip=10.0.0.1
E: SUBSYSTEM=block
E: DEVPATH=/devices/sda
E: ID_PATH=ip-10.0.0.1:3260-iscsi-a=b
E: FLAG

P: /devices/tty0
E: SUBSYSTEM=tty
E: DEVPATH=/devices/tty0

P: /devices/nameless
E: SUBSYSTEM=block
"""
    assert block_devices.parse_udev(text) == {
        "sda": {"SUBSYSTEM": "block", "DEVPATH": "/devices/sda", "ID_PATH": "ip-10.0.0.1:3260-iscsi-a=b"}}


def test_a_database_without_a_block_device_is_told():
    assert garbled(lambda: block_devices.parse_udev("E: SUBSYSTEM=tty\nE: DEVPATH=/devices/tty0\n")) == (
        "udevadm", "it names no block device", "")


def test_a_device_is_known_by_the_kernel_s_name_also_where_its_file_is_in_a_folder():
    text = "E: SUBSYSTEM=block\nE: DEVPATH=/devices/pci0/block/cciss!c0d0\nE: DEVNAME=/dev/cciss/c0d0\nE: ID_SERIAL=3600508b1\n"
    udev = block_devices.parse_udev(text)
    node = block_devices.Node("cciss!c0d0", "104:0", 2**30)
    assert [lun.wwid for lun in block_devices.group({node.name: node}, udev, ["3600508b1"])] == ["3600508b1"]


def test_the_whole_disks_are_neither_partitions_nor_maps_nor_empty_drives():
    assert block_devices.disks(MULTIPATH) == ["sda", "sdb", "sdc", "sdd", "sde", "sdf", "ubda", "ubdb"]
    assert block_devices.disks({node.name: node for node in (SDA1, block_devices.Node("sr0", "11:0", 0))}) == []


def test_a_device_that_is_mounted_twice_has_both_mount_points_in_order():
    text = "36 35 98:0 / /srv rw - ext4 /dev/a rw\n37 35 98:0 / /a\u00a0b rw shared:1 - ext4 /dev/a rw\n"
    assert block_devices.parse_mountinfo(text) == {"98:0": ["/srv", "/a\u00a0b"]}


@pytest.mark.parametrize("line", ["36 35 - x", "36 35 98:0 / /srv rw,noatime ext4 /dev/a rw"])
def test_a_garbled_line_of_mountinfo_is_told(line):
    assert garbled(lambda: block_devices.parse_mountinfo(line)) == (
        "/proc/self/mountinfo", "a line has too few fields", line)


def test_a_device_file_is_named_as_its_users_name_it():
    assert (MULTIPATH["dm-0"].path, MULTIPATH["dm-0"].kernel_path) == (f"/dev/mapper/{ONE}", "/dev/dm-0")
    assert (SDA1.path, SDA1.kernel_path) == ("/dev/sda1", "/dev/sda1")


def test_a_disk_that_udev_knows_nothing_of_is_no_lun():
    assert block_devices.group(BLANK, {}, None) == []
    assert block_devices.wwid_of("sda", {}) == ""


def test_without_a_map_the_partitions_are_those_of_the_first_path_and_all_belong_to_the_lun():
    lun, = block_devices.group(PARTITIONED, UDEV, [ONE])
    assert lun.paths == (BLANK["sda"], BLANK["sdd"])
    assert lun.partitions == {1: SDA1, 2: SDA2}
    assert lun.family == (BLANK["sda"], BLANK["sdd"], SDA1, SDA2, SDD1)


@pytest.mark.parametrize("changed", [{"size": 0}, {"dm_uuid": "CRYPT-LUKS2-1"}])
def test_an_empty_reader_and_a_device_mapper_device_are_no_path(changed):
    odd = {**BLANK, "sdd": BLANK["sdd"]._replace(**changed)}
    assert block_devices.group(odd, UDEV, [ONE])[0].paths == (BLANK["sda"],)


def test_the_partitions_of_a_lun_without_a_map_are_found_by_its_first_path():
    without = {"wwid": ONE, "multipath": None, "paths": ["sda", "sdd"]}
    assert block_devices.partitions_of(PARTITIONED, without) == {1: SDA1, 2: SDA2}
    assert block_devices.partitions_of(BLANK, without) == {}


def test_the_partitions_of_a_map_are_found_under_their_final_name():
    mapped = {"wwid": ONE, "multipath": ONE, "paths": ["sda", "sdd"]}
    assert block_devices.partitions_of(MULTIPATH, mapped) == {1: MULTIPATH["dm-1"]}
    early = {**MULTIPATH, "dm-1": MULTIPATH["dm-1"]._replace(dm_name=f"{ONE}p1")}
    assert block_devices.partitions_of(early, mapped) == {}


def test_holders_are_told_in_the_order_of_their_names():
    stack = {"sda": BLANK["sda"]._replace(holders=("dm-3", "dm-1")), "dm-1": Node("dm-1", "254:1", 1, holders=("dm-2",)),
             "dm-2": Node("dm-2", "254:2", 1), "dm-3": Node("dm-3", "254:3", 1)}
    assert [node.name for node in block_devices.holders([stack["sda"]], stack)] == ["dm-1", "dm-2", "dm-3"]
