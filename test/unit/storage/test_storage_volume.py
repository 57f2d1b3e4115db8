"""The filesystem and mounting it by hand, never against Pacemaker or the other node."""

from __future__ import annotations

import pytest
from storage_shapes import volume

from hadb_core import storage_size, storage_volume
from hadb_core.errors import Refused, Unreadable
from hadb_core.plan import Plan

EXT4 = {"type": "ext4", "uuid": "u-1", "label": ""}
NOT_YET = volume(exists=False, local=False, system_id="", size=0)
FOREIGN = volume(local=False, system_id="db2")


def mount(have, occupant="", managed=False):
    return storage_volume.plan_mount(have, "/dbmnt", "ext4", "noatime", occupant=occupant, managed=managed)


def release(have, managed=False, expect_mounted=False):
    return storage_volume.plan_release(have, "/dbmnt", managed=managed, expect_mounted=expect_mounted)


@pytest.mark.parametrize("have", [volume(), NOT_YET])
def test_a_blank_volume_is_formatted(have):
    assert [step.do for step in storage_volume.plan_format(have, "ext4").steps] == ["mkfs"]


@pytest.mark.parametrize("have", [volume(fs=EXT4), volume(fs=EXT4, local=False, system_id="db2")])
def test_a_formatted_volume_needs_nothing(have):
    assert storage_volume.plan_format(have, "ext4") == Plan()


@pytest.mark.parametrize("kind", ["xfs", "ext3", "crypto_LUKS", "gpt"])
def test_refuses_to_format_a_volume_that_holds_something_else(kind):
    with pytest.raises(Refused, match=f"holds {kind} .uuid u-1"):
        storage_volume.plan_format(volume(fs={**EXT4, "type": kind}), "ext4")


def test_refuses_to_format_a_volume_of_the_other_node():
    with pytest.raises(Refused, match="belongs to db2"):
        storage_volume.plan_format(FOREIGN, "ext4")


def test_refuses_a_filesystem_that_hadb_does_not_make():
    with pytest.raises(Refused, match="btrfs"):
        storage_volume.plan_format(volume(), "btrfs")


@pytest.mark.parametrize("have", [volume(fs=EXT4), volume(fs=EXT4, active=True), NOT_YET])
def test_mounts_what_is_not_mounted(have):
    assert [step.do for step in mount(have).steps] == ["mount"]


def test_a_mounted_volume_needs_nothing():
    assert mount(volume(active=True, mounted_at=["/dbmnt"])) == Plan()


def test_nothing_is_mounted_or_released_that_pacemaker_owns():
    here = volume(active=True, mounted_at=["/dbmnt"])
    for plan in (mount(FOREIGN, managed=True), mount(volume(), managed=True), release(here, managed=True),
                 release(here, managed=True, expect_mounted=True)):
        assert not plan and plan.remarks


def test_refuses_to_mount_a_volume_of_the_other_node():
    with pytest.raises(Refused, match="belongs to db2"):
        mount(FOREIGN)


def test_refuses_to_mount_over_something_else():
    with pytest.raises(Refused, match="8:1 is mounted at /dbmnt"):
        mount(volume(), occupant="8:1")


def test_refuses_a_volume_that_is_mounted_elsewhere():
    elsewhere = volume(active=True, mounted_at=["/mnt"])
    with pytest.raises(Refused, match="/mnt"):
        mount(elsewhere)
    with pytest.raises(Refused, match="/mnt"):
        release(elsewhere)


def test_releases_a_mounted_volume_in_order():
    plan = release(volume(active=True, mounted_at=["/dbmnt"]))
    assert [step.do for step in plan.steps] == ["umount", "deactivate"]


def test_releases_an_active_volume_that_an_interrupted_run_left():
    assert [step.do for step in release(volume(active=True)).steps] == ["deactivate"]


def test_a_released_volume_needs_nothing():
    assert release(volume()) == Plan()


def test_a_test_run_predicts_the_release_of_what_the_real_run_mounts_before():
    predicted = release(NOT_YET, expect_mounted=True)
    assert predicted.changes() == release(volume(active=True, mounted_at=["/dbmnt"])).changes()


CIB = """<cib><configuration><resources><group id="db">
<primitive id="db-vg" class="ocf" provider="heartbeat" type="LVM-activate"><instance_attributes id="i">
<nvpair id="n" name="vgname" value="db-vg"/></instance_attributes></primitive>
<primitive id="db-fs" class="ocf" provider="heartbeat" type="Filesystem"><instance_attributes id="j">
<nvpair id="m" name="directory" value="/dbmnt"/></instance_attributes></primitive>
</group></resources></configuration></cib>"""


@pytest.mark.parametrize(("vg", "mount_point", "owned"), [
    ("db-vg", "/elsewhere", True), ("other", "/dbmnt", True), ("other", "/elsewhere", False)])
def test_the_cib_tells_whether_pacemaker_owns_the_volume(vg, mount_point, owned):
    assert storage_volume.in_cib(CIB, vg, mount_point) is owned


def test_a_broken_cib_is_unreadable_not_empty():
    with pytest.raises(Unreadable):
        storage_volume.in_cib("<cib>", "db-vg", "/dbmnt")


@pytest.mark.parametrize(("size", "number"), [("16TB", 16 * 2**40), ("1.5G", 3 * 2**29), ("512m", 2**29),
                                              ("10GiB", 10 * 2**30), (4096, 4096)])
def test_sizes_are_powers_of_1024_as_in_lvm(size, number):
    assert storage_size.to_bytes(size) == number


@pytest.mark.parametrize(("size", "argv"), [("100%FREE", ["--extents", "100%FREE"]), ("16TB", ["--size", f"{2**44}b"])])
def test_lvcreate_is_told_the_size_in_its_own_words(size, argv):
    assert storage_size.lvcreate_size(size) == argv
