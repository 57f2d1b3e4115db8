"""Which devices are one LUN: on a blank node, with multipath, and in use."""

from __future__ import annotations

import pytest
from storage_shapes import ONE, TWO, fixture, nodes

from hadb_core import block_devices
from hadb_core.errors import Unreadable

MULTIPATH = nodes("nodes-multipath.json")
# The same node before multipath-tools was installed: no device-mapper device, nothing holds the paths.
BLANK = {name: node._replace(holders=()) for name, node in MULTIPATH.items() if not node.dm_uuid}
UDEV_BLANK = block_devices.parse_udev(fixture("udev-blank.txt"))
UDEV_MULTIPATH = block_devices.parse_udev(fixture("udev-multipath.txt"))


def test_two_paths_of_a_blank_node_are_one_lun():
    found = block_devices.group(BLANK, UDEV_BLANK, [ONE])
    assert [lun.wwid for lun in found] == [ONE]
    assert [path.name for path in found[0].paths] == ["sda", "sdd"]
    assert found[0].map is None
    assert found[0].head.path == "/dev/sda"


def test_the_multipath_map_is_the_device_to_use_and_its_partition_belongs_to_it():
    lun = block_devices.group(MULTIPATH, UDEV_MULTIPATH, [ONE])[0]
    assert lun.head.path == f"/dev/mapper/{ONE}"
    assert lun.partitions[1].path == f"/dev/mapper/{ONE}-part1"
    assert {node.name for node in lun.family} == {"sda", "sdd", "dm-0", "dm-1"}


def test_without_a_list_all_disks_of_the_san_are_found_and_local_ones_not():
    found = block_devices.group(MULTIPATH, UDEV_MULTIPATH, None)
    assert [lun.wwid[:8] for lun in found] == ["36001405"] * 3
    assert all(not path.name.startswith("ubd") for lun in found for path in lun.paths)


@pytest.mark.parametrize("bus", ["usb", "ata"])
def test_a_usb_or_ata_disk_is_not_on_the_san_but_found_when_asked_for(bus):
    udev = {**UDEV_BLANK, "sda": {**UDEV_BLANK["sda"], "ID_BUS": bus}, "sdd": {**UDEV_BLANK["sdd"], "ID_BUS": bus}}
    assert ONE not in [lun.wwid for lun in block_devices.group(BLANK, udev, None)]
    assert [lun.wwid for lun in block_devices.group(BLANK, udev, [ONE])] == [ONE]


def test_a_wwid_that_is_not_seen_is_left_out():
    assert block_devices.group(BLANK, UDEV_BLANK, ["36001405ffffffff"]) == []


def test_a_map_whose_paths_are_all_gone_is_still_a_lun():
    alone = {name: node for name, node in MULTIPATH.items() if node.dm_uuid}
    lun = block_devices.group(alone, {}, [ONE])[0]
    assert (lun.paths, lun.head.dm_name) == ((), ONE)


def test_nvme_has_its_wwid_where_multipath_looks_for_it():
    assert block_devices.wwid_of("nvme0n1", {"ID_WWN": "eui.1", "ID_SERIAL": "x"}) == "eui.1"


def test_a_mounted_volume_on_top_is_told_as_holder_and_mount():
    mounted = nodes("nodes-mounted.json")
    lun = block_devices.group(mounted, UDEV_MULTIPATH, [ONE])[0]
    above = block_devices.holders(lun.family, mounted)
    assert [node.dm_name for node in above] == ["db--vg-db--vol"]
    mounts = block_devices.parse_mountinfo(fixture("mountinfo-mounted.txt"))
    assert block_devices.used_by([*lun.family, *above], mounts, set()) == ["/dbmnt"]


def test_a_map_and_its_partition_alone_are_no_holders():
    lun = block_devices.group(MULTIPATH, UDEV_MULTIPATH, [ONE])[0]
    assert block_devices.holders(lun.family, MULTIPATH) == []


def test_swap_counts_as_use():
    lun = block_devices.group(MULTIPATH, UDEV_MULTIPATH, [TWO])[0]
    assert block_devices.used_by(lun.family, {}, {lun.head.dev}) == ["[SWAP]"]


def test_mount_points_with_spaces_are_unescaped():
    line = r"36 35 98:0 / /mnt/a\040b rw,noatime - ext3 /dev/root rw"
    assert block_devices.parse_mountinfo(line) == {"98:0": ["/mnt/a b"]}


@pytest.mark.parametrize("text", ["", "E: nothing\n"])
def test_an_empty_udev_database_is_unreadable_not_a_node_without_disks(text):
    with pytest.raises(Unreadable):
        block_devices.parse_udev(text)


def test_a_garbled_mountinfo_is_unreadable():
    with pytest.raises(Unreadable):
        block_devices.parse_mountinfo("36 35\n")
