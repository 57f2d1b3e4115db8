"""How far a LUN is, and everything that is refused."""

from __future__ import annotations

import pytest
from storage_shapes import fixture, lun, partitioned, pv_of, signature

from hadb_core.block_lun import Stage, parse_partx, parse_wipefs, partition_name, stage
from hadb_core.errors import Refused, Unreadable

DEVICE = lun()["device"]


@pytest.mark.parametrize(("one", "reached"), [
    (lun(), Stage.BLANK),
    (lun(signatures=parse_wipefs(fixture("wipefs-gpt.json"), DEVICE)), Stage.LABELLED),
    (partitioned(), Stage.PARTITIONED),
    (partitioned(inside="LVM2_member", pv=pv_of("")), Stage.PV),
    (partitioned(inside="LVM2_member", pv=pv_of("db-vg")), Stage.MEMBER),
    (partitioned(name="primary", inside="LVM2_member", pv=pv_of("db-vg")), Stage.MEMBER),
    (lun(signatures=[signature("LVM2_member", DEVICE)], pv=pv_of("db-vg")), Stage.MEMBER),
    (partitioned(inside="LVM2_member", pv=pv_of("db-vg"), holders=["db--vg-db--vol"], mounts=["/dbmnt"]),
     Stage.MEMBER),
])
def test_every_interruption_leaves_a_known_stage(one, reached):
    assert stage(one, "db-vg") is reached


def test_on_a_node_without_lvm2_our_partition_with_a_physical_volume_is_taken_for_a_member():
    assert stage(partitioned(inside="LVM2_member", pv=pv_of(None)), "db-vg") is Stage.MEMBER


@pytest.mark.parametrize(("file", "kind"), [
    ("wipefs-ext4.json", "ext4"), ("wipefs-swap.json", "swap"), ("wipefs-dos.json", "dos"),
    ("wipefs-whole-lvm.json", "LVM2_member"),
])
def test_refuses_a_lun_with_a_foreign_signature_and_names_it(file, kind):
    one = lun(signatures=parse_wipefs(fixture(file), DEVICE), pv=pv_of("other") if "lvm" in file else None)
    with pytest.raises(Refused) as refused:
        stage(one, "db-vg")
    assert all(word in refused.value.reason for word in (DEVICE, one["wwid"], kind))
    assert refused.value.remedy


@pytest.mark.parametrize("kind", ["ext4", "xfs", "swap", "linux_raid_member", "crypto_LUKS", "zfs_member", "gpt"])
def test_refuses_our_own_partition_when_anything_but_lvm_is_in_it(kind):
    with pytest.raises(Refused, match=kind):
        stage(partitioned(inside=kind), "db-vg")


def test_refuses_a_physical_volume_of_another_group_and_names_the_group():
    with pytest.raises(Refused, match="volume group 'finance'"):
        stage(partitioned(inside="LVM2_member", pv=pv_of("finance")), "db-vg")


def test_refuses_a_foreign_physical_volume_whose_group_cannot_be_named_without_lvm2():
    one = lun(signatures=[signature("LVM2_member", DEVICE)], pv=pv_of(None))
    with pytest.raises(Refused, match="cannot be named while lvm2 is not installed"):
        stage(one, "db-vg")


def test_refuses_partitions_of_somebody_else_even_when_nothing_is_recognised_in_them():
    one = lun(signatures=parse_wipefs(fixture("wipefs-gpt-loop.json"), DEVICE),
              partitions=[{**part, "device": ""} for part in parse_partx(fixture("partx-two.txt"))])
    with pytest.raises(Refused, match="data1.*data2"):
        stage(one, "db-vg")
    with pytest.raises(Refused, match="primary"):
        stage(partitioned(name="primary"), "db-vg")


@pytest.mark.parametrize("use", [{"holders": ["md0"]}, {"mounts": ["/srv"]}, {"mounts": ["[SWAP]"]}])
def test_refuses_a_lun_that_is_in_use(use):
    with pytest.raises(Refused, match="is in use"):
        stage(lun(**use), "db-vg")


def test_partitions_are_read_in_bytes():
    assert parse_partx(fixture("partx.txt")) == [{
        "number": 1, "name": "hadb-db-vg", "start": 2**20, "size": 3220160000,
        "uuid": "e301ab1f-4ce0-4192-bb5a-c1993c3ed818", "type": "e6d6d379-f507-44c2-a23c-238f2a3df928",
    }]


def test_a_blank_device_has_no_signatures():
    assert parse_wipefs(fixture("wipefs-blank.json"), DEVICE) == []


@pytest.mark.parametrize("text", ["{", "[]", '{"signatures": [{}]}', '{"signatures": [{"type": "x", "offset": "z"}]}'])
def test_garbled_wipefs_is_unreadable_not_blank(text):
    with pytest.raises(Unreadable):
        parse_wipefs(text, DEVICE)


def test_garbled_partx_is_unreadable():
    with pytest.raises(Unreadable):
        parse_partx('NR="x" NAME=""')


def test_a_long_group_name_still_fits_a_gpt_partition_name():
    assert len(partition_name("v" * 127)) == 36
