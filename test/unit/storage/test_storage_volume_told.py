"""What an operator reads when the volume is formatted, mounted, released and grown."""

from __future__ import annotations

import pytest
from storage_shapes import ONE, TWO, garbled, group, lun, partitioned, pv_of, refusal, report, volume

from hadb_core import storage_grow, storage_volume
from hadb_core.plan import Plan, Step

EXTENT = 4 * 2**20
EXT4 = {"type": "ext4", "uuid": "u-1", "label": ""}
NAMES = {"vg": "db-vg", "lv": "db-vol"}
DEVICE = "/dev/db-vg/db-vol"


def mount(have, occupant=""):
    return storage_volume.plan_mount(have, "/dbmnt", "ext4", "noatime", occupant=occupant, managed=False)


def release(have, expect_mounted=False):
    return storage_volume.plan_release(have, "/dbmnt", managed=False, expect_mounted=expect_mounted)


def test_the_mount_point_is_made_once():
    nothing = {"exists": False, "mounted": False, "entries": []}
    assert storage_volume.plan_mount_point("/dbmnt", nothing) == Plan((
        Step("make_directory", "directory /dbmnt", None, "present", {"path": "/dbmnt"}),))
    assert storage_volume.plan_mount_point("/dbmnt", {**nothing, "exists": True}) == Plan()


def test_a_mount_point_that_hides_files_is_refused_with_five_of_their_names():
    found = {"exists": True, "mounted": False, "entries": ["a", "b", "c", "d", "e", "f"]}
    assert refusal(lambda: storage_volume.plan_mount_point("/dbmnt", found)) == (
        "/dbmnt is not mounted and not empty: a, b, c, d, e",
        "somebody wrote to the local disk instead of the volume, which would hide it: look whose it is and move it")


def test_formatting_is_told():
    assert storage_volume.plan_format(volume(), "ext4") == Plan((
        Step("mkfs", "filesystem on db-vg/db-vol", None, "ext4", {**NAMES, "fstype": "ext4"}),))


def test_what_is_not_formatted_is_told_with_the_choices(monkeypatch):
    monkeypatch.setattr(storage_volume, "MKFS", {"ext4": (), "xfs": ()})
    assert refusal(lambda: storage_volume.plan_format(volume(), "zfs")) == (
        "a filesystem 'zfs' is not made here", "choose one of ext4, xfs")
    assert refusal(lambda: storage_volume.plan_format(volume(fs={**EXT4, "type": "gpt"}), "ext4")) == (
        "db-vg/db-vol holds gpt (uuid u-1), hadb:storage:filesystem:type wants ext4",
        "set hadb:storage:filesystem:type to what is there; hadb never erases anything")


@pytest.mark.parametrize(("owner", "reason", "remedy"), [
    ("db2", "volume group db-vg belongs to db2, not to this node", "run this on db2"),
    ("", "volume group db-vg belongs to nobody, not to this node", "run this on the node that owns it"),
])
def test_a_volume_of_another_owner_is_neither_formatted_nor_mounted(owner, reason, remedy):
    foreign = volume(local=False, system_id=owner)
    assert refusal(lambda: storage_volume.plan_format(foreign, "ext4")) == (reason, remedy)
    assert refusal(lambda: mount(foreign)) == (reason, remedy)


def test_mounting_is_told_with_device_type_and_options():
    assert mount(volume()) == Plan((
        Step("mount", "mount /dbmnt", None, f"{DEVICE} (ext4, noatime)",
             {**NAMES, "mount_point": "/dbmnt", "fstype": "ext4", "options": "noatime"}),))


def test_a_mount_that_is_in_the_way_is_told_with_what_to_do():
    twice = volume(active=True, mounted_at=["/mnt", "/srv"])
    assert refusal(lambda: mount(twice)) == (f"{DEVICE} is mounted at /mnt, /srv", "unmount it; hadb mounts it at /dbmnt")
    assert refusal(lambda: release(twice)) == (f"{DEVICE} is mounted at /mnt, /srv", "unmount it by hand")
    assert refusal(lambda: mount(volume(), occupant="8:1")) == (
        "8:1 is mounted at /dbmnt", "unmount it, or change hadb:storage:filesystem")


def test_releasing_is_told_and_the_prediction_is_the_same():
    told = Plan((
        Step("umount", "mount /dbmnt", DEVICE, None, {**NAMES, "mount_point": "/dbmnt"}),
        Step("deactivate", "lv db-vg/db-vol", "active", "inactive", NAMES)))
    assert release(volume(active=True, mounted_at=["/dbmnt"])) == told
    assert release(volume(), expect_mounted=True) == told
    assert release(volume(active=True)) == Plan(told.steps[1:])


@pytest.mark.parametrize(("name", "value", "owned"), [
    ("vgname", "db-vg", True), ("volgrpname", "db-vg", True), ("directory", "/dbmnt", True),
    ("directory", "db-vg", False), ("vgname", "/dbmnt", False), ("ip", "db-vg", False)])
def test_a_resource_owns_the_volume_by_the_parameter_that_its_agent_has_for_it(name, value, owned):
    cib = f"""<cib><primitive id="p"><instance_attributes id="i"><nvpair id="n" name="{name}" value="{value}"/>
</instance_attributes></primitive></cib>"""
    assert storage_volume.in_cib(cib, "db-vg", "/dbmnt") is owned


def test_attributes_of_anything_but_a_resource_own_nothing():
    cib = """<cib><node id="1"><instance_attributes id="i"><nvpair id="n" name="vgname" value="db-vg"/>
</instance_attributes></node></cib>"""
    assert not storage_volume.in_cib(cib, "db-vg", "/dbmnt")


def test_a_broken_cib_is_told_with_the_parser_s_words():
    assert garbled(lambda: storage_volume.in_cib("<cib>", "db-vg", "/dbmnt")) == (
        "cib.xml", "no element found: line 1, column 5", "")


def in_group(part: int = 100, pv: int = 100, lv: int = 100):
    """Return a LUN and its group of which partition, physical volume and volume have so many extents."""
    one = partitioned(inside="LVM2_member", pv=pv_of("db-vg", ONE), size=(part + 1) * EXTENT)
    one["partitions"][0] |= {"start": 2**20, "size": part * EXTENT + 2**20}
    made = group(ONE, size=pv * EXTENT, free=(pv - lv) * EXTENT)
    made["pvs"][0] |= {"size": pv * EXTENT, "pe_start": 2**20}
    return one, made


def grow(one, made, size="100%FREE", lv=100, fs_size=100 * EXTENT, coming=(), fstype="ext4", **have):
    mounted = volume(**{"size": lv * EXTENT, "active": True, "mounted_at": ["/dbmnt"], "fs": EXT4, **have})
    wanted = [{"wwid": ONE}, *({"wwid": new["wwid"]} for new in coming)]
    return storage_grow.plan_grow([one, *coming], report(*[made] if made else []), wanted, mounted, size,
                                  fstype=fstype, fs_size=fs_size, mount_point="/dbmnt")


def test_growing_is_told_from_the_physical_volume_to_the_filesystem():
    assert grow(*in_group(part=200)) == Plan((
        Step("pvresize", f"LUN {ONE} physical volume", f"{100 * EXTENT} bytes", "all of its partition",
             {"wwid": ONE, "vg": "db-vg"}),
        Step("lvextend", "lv db-vg/db-vol", f"{100 * EXTENT} bytes", "100%FREE", {**NAMES, "size": "100%FREE"}),
        Step("resizefs", "filesystem on db-vg/db-vol", f"{100 * EXTENT} bytes", "all of the volume",
             {**NAMES, "fstype": "ext4"})))


@pytest.mark.parametrize(("room", "grows"), [(EXTENT, True), (EXTENT - 1, False)])
def test_a_physical_volume_grows_when_one_extent_more_fits_behind_its_metadata(room, grows):
    one, made = in_group()
    one["partitions"][0]["size"] += room
    assert [step.do for step in grow(one, made).steps] == (["pvresize", "lvextend", "resizefs"] if grows else [])


@pytest.mark.parametrize(("less", "grows"), [(EXTENT, True), (EXTENT - 1, False)])
def test_a_filesystem_grows_when_one_extent_is_left_behind_it(less, grows):
    assert [step.do for step in grow(*in_group(), fs_size=100 * EXTENT - less).steps] == (["resizefs"] if grows else [])


@pytest.mark.parametrize(("more", "told"), [(EXTENT, True), (EXTENT - 1, False), (-EXTENT, False)])
def test_a_lun_larger_than_its_partition_by_an_extent_is_told_with_the_way_out(more, told):
    one, made = in_group()
    # 1 MiB before the partition, 1 MiB for the table's copy and alignment behind it.
    one["size"] = 2**20 + one["partitions"][0]["size"] + 2**20 + more
    assert grow(one, made).remarks == ((
        f"LUN {ONE} is {EXTENT} bytes larger than its partition. hadb rewrites no partition table in use: add another "
        "LUN instead, or enlarge the partition by hand (docs/modules/halvm.md)",) if told else ())


@pytest.mark.parametrize(("have", "reason", "remedy"), [
    ({"exists": False}, "there is no volume db-vg/db-vol yet", "`salt-run state.orchestrate hadb.orch` makes it"),
    ({"mounted_at": ["/mnt"]},
     "db-vg/db-vol is not mounted at /dbmnt on this node; it is grown online, where it is in use",
     "run this on the node with the database (the volume group belongs to db1)"),
    ({"fs": {**EXT4, "type": "xfs"}},
     "db-vg/db-vol does not hold a filesystem that hadb can grow: {'type': 'xfs', 'uuid': 'u-1', 'label': ''}",
     "hadb:storage:filesystem:type can be ext4, btrfs"),
    ({"fstype": "xfs", "fs": {**EXT4, "type": "xfs"}},
     "db-vg/db-vol does not hold a filesystem that hadb can grow: {'type': 'xfs', 'uuid': 'u-1', 'label': ''}",
     "hadb:storage:filesystem:type can be ext4, btrfs"),
])
def test_a_volume_that_is_not_grown_is_told_with_what_to_do(monkeypatch, have, reason, remedy):
    monkeypatch.setattr(storage_grow, "RESIZE", {"ext4": (), "btrfs": ()})
    assert refusal(lambda: grow(*in_group(part=200), **have)) == (reason, remedy)


def test_a_size_that_says_nothing_and_one_that_is_too_large_are_told():
    made = in_group(pv=120)[1]
    assert refusal(lambda: storage_grow.target(made, 100 * EXTENT, "50%free")) == (
        "hadb:storage:lv_size 50%free says nothing about how large the volume should become",
        "set it to 100%FREE, a share such as 80%VG, or a size")
    assert refusal(lambda: storage_grow.target(made, 100 * EXTENT, str(121 * EXTENT))) == (
        f"volume group db-vg has {20 * EXTENT} bytes free, {21 * EXTENT} are needed for {121 * EXTENT}",
        "add a LUN to hadb:storage:luns")
    assert storage_grow.target(made, 100 * EXTENT, str(120 * EXTENT)) == 120 * EXTENT  # the last extent too


def test_a_share_of_the_group_is_whole_extents():
    wanted = storage_grow.target(in_group(pv=133)[1], EXTENT, "25%VG")
    # lvextend is told whole extents; 33.0 is none to it.
    assert (wanted, type(wanted)) == (33 * EXTENT, int)


def test_a_new_lun_is_used_up_to_the_size_that_is_wanted():
    one, made = in_group()
    assert [step.new for step in grow(one, made, size=str(100 * EXTENT + 1), coming=[lun(TWO)]).steps] == [
        str(100 * EXTENT + 1), "all of the volume"]
    assert not grow(one, made, size=str(100 * EXTENT), coming=[lun(TWO)])


def test_an_answer_of_dumpe2fs_without_a_size_is_told():
    text = "Block count: 12\n" + "x" * 300
    assert garbled(lambda: storage_grow.parse_ext4_size(text)) == (
        "dumpe2fs", "there is no block count or no block size in it", text[:200])
