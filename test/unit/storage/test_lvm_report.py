"""LVM's report as data."""

from __future__ import annotations

import pytest
from storage_shapes import fixture, group, lun, partitioned, report, signature

from hadb_core import lvm_report
from hadb_core.errors import Refused, Unreadable
from hadb_core.process import Result


def test_reads_group_volume_and_where_the_volume_begins():
    known = lvm_report.parse_report(fixture("fullreport.json"), "db1")
    vg = lvm_report.find_vg(known, "db-vg")
    assert (vg["system_id"], vg["autoactivation"], vg["missing"]) == ("db1", False, 0)
    lv = lvm_report.find_lv(known, "db-vg", "db-vol")
    assert (lv["size"], lv["active"]) == (3217031168, False)
    assert lv["begins"] == {"pv": "/dev/mapper/360014051000000000000000000000000-part1", "extent": 0}


def test_reads_whether_the_volume_is_active():
    known = lvm_report.parse_report(fixture("fullreport-active.json"), "db1")
    assert lvm_report.find_lv(known, "db-vg", "db-vol")["active"]


def test_reads_physical_volumes_without_a_group():
    known = lvm_report.parse_report(fixture("fullreport-orphan.json"), "db1")
    assert [pv["name"] for pv in known["orphans"]] == ["/dev/loop4"]
    assert [vg["name"] for vg in known["vgs"]] == ["db-vg"]


def test_what_is_not_there_is_none():
    known = lvm_report.parse_report(fixture("fullreport.json"), "db1")
    assert lvm_report.find_vg(known, "other") is None
    assert lvm_report.find_lv(known, "db-vg", "other") is None
    assert lvm_report.find_lv(known, "other", "db-vol") is None


def test_two_groups_of_one_name_are_refused():
    with pytest.raises(Refused, match="2 volume groups are called db-vg"):
        lvm_report.find_vg(report(group(), group()), "db-vg")


@pytest.mark.parametrize("text", ["", "[]", '{"report": [{"vg": [{}]}]}'])
def test_a_garbled_report_is_unreadable_not_empty(text):
    with pytest.raises(Unreadable):
        lvm_report.parse_report(text, "")


def test_reads_the_system_id():
    assert lvm_report.parse_system_id(fixture("systemid.txt")) == "db1"
    assert lvm_report.parse_system_id("  system ID:\n") == ""
    with pytest.raises(Unreadable):
        lvm_report.parse_system_id("nothing")


def test_knows_since_which_version_groups_have_the_autoactivation_property():
    assert lvm_report.knows_autoactivation(fixture("lvm-version.txt"))
    assert not lvm_report.knows_autoactivation("  LVM version:     2.03.11(2) (2021-01-08)\n")
    with pytest.raises(Unreadable):
        lvm_report.knows_autoactivation("?")


def test_names_the_group_of_a_physical_volume_on_a_lun():
    one = partitioned(inside="LVM2_member")
    known = report(group("pv-1"))
    assert lvm_report.pv_of(known, one) == {"vg": "db-vg", "vg_uuid": "vg-1", "uuid": "pv-1"}
    assert lvm_report.pv_of({**report(), "orphans": group("pv-1")["pvs"]}, one)["vg"] == ""
    assert lvm_report.pv_of(report(), one)["vg"] is None
    assert lvm_report.pv_of(known, lun(signatures=[signature("ext4", "/dev/x")])) is None


def test_finds_the_physical_volume_also_when_lvm_sees_it_by_another_path():
    other_path = group("pv-1")["pvs"][0] | {"dev": "8:48"}
    known = report(group("pv-1", pvs=[other_path]))
    assert lvm_report.pv_of(known, partitioned(inside="LVM2_member"))["vg"] == "db-vg"


def test_reads_the_filesystem():
    assert lvm_report.filesystem(Result(0, fixture("blkid-ext4.txt"), "")) == {
        "type": "ext4", "uuid": "e62fb31b-b735-40ff-9f69-026e30fd748e", "label": ""}
    assert lvm_report.filesystem(Result(2, "", "")) is None


def test_the_entry_of_the_partition_table_is_no_content():
    assert lvm_report.filesystem(Result(0, fixture("blkid-partition-entry-only.txt"), "")) is None


def test_a_partition_table_inside_a_volume_is_content():
    assert lvm_report.filesystem(Result(0, "DEVNAME=/dev/x\nPTTYPE=gpt\n", ""))["type"] == "gpt"


def test_ambiguous_content_is_unreadable():
    with pytest.raises(Unreadable):
        lvm_report.filesystem(Result(0, "DEVNAME=/dev/x\nUSAGE=filesystem\n", ""))


@pytest.mark.parametrize(("vg", "lv"), [("db-vg", "db-vol"), ("a", "b"), ("a--b", "c-"), ("root_vg", "swap-1")])
def test_device_mapper_names_go_both_ways(vg, lv):
    assert lvm_report.split_dm_name(lvm_report.dm_name(vg, lv)) == (vg, lv)


def test_the_device_mapper_name_is_the_kernels():
    assert lvm_report.dm_name("db-vg", "db-vol") == "db--vg-db--vol"
