"""What is read of LVM, blkid, wipefs, partx and mpathpersist, field by field, and how garbled output is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from storage_shapes import ONE, fixture, garbled, group, lun, partitioned, pv_of, refusal, report, signature

from hadb_core import block_lun, lvm_report
from hadb_core.block_lun import Stage
from hadb_core.process import Result

PART = f"/dev/mapper/{ONE}-part1"
LONG = "x" * 300


def test_the_whole_report_of_lvm_is_read():
    assert lvm_report.parse_report(fixture("fullreport.json"), "db1") == {
        "installed": True, "system_id": "db1", "orphans": [], "vgs": [{
            "name": "db-vg", "uuid": "GkP2cp-US33-6gDJ-z4iz-uDlB-qRZc-xO366i", "system_id": "db1",
            "size": 3217031168, "free": 0, "extent_size": 4194304, "missing": 0, "exported": False,
            "autoactivation": False,
            "pvs": [{"name": PART, "uuid": "mVYSSr-aGMq-nq5i-WHXr-CkJo-cakN-WYMF43", "size": 3217031168,
                     "missing": False, "dev": "254:1", "pe_start": 1142784}],
            "lvs": [{"name": "db-vol", "uuid": "uVqGaF-fi2Y-loYI-0hgx-MrV2-ZeFX-ryMhVe", "size": 3217031168,
                     "active": False, "begins": {"pv": PART, "extent": 0}}],
        }]}


def raw() -> dict[str, Any]:
    """Return the only section of LVM's own report, to be changed."""
    return json.loads(fixture("fullreport.json"))["report"][0]


def parsed(*sections: dict[str, Any]) -> dict[str, Any]:
    return lvm_report.parse_report(json.dumps({"report": sections}), "")


def test_what_lvm_flags_with_a_word_is_true():
    section = raw()
    section["vg"][0] |= {"vg_exported": "exported", "vg_missing_pv_count": "1", "vg_autoactivation": "enabled"}
    section["pv"][0] |= {"pv_missing": "missing"}
    vg = parsed(section)["vgs"][0]
    assert (vg["exported"], vg["missing"], vg["autoactivation"], vg["pvs"][0]["missing"]) == (True, 1, True, True)


def test_an_lvm_that_does_not_know_the_property_activates_at_boot():
    section = raw()
    del section["vg"][0]["vg_autoactivation"]
    assert parsed(section)["vgs"][0]["autoactivation"] is True


@pytest.mark.parametrize("segments", [None, [], [{"lv_uuid": "another", "seg_start_pe": "0", "seg_pe_ranges": "/dev/x:0-1"}]])
def test_a_volume_without_segments_of_its_own_begins_nowhere(segments):
    section = raw()
    del section["seg"]
    assert parsed({**section, **({} if segments is None else {"seg": segments})})["vgs"][0]["lvs"][0]["begins"] is None


def test_a_volume_begins_where_its_first_extent_lies_in_whatever_order_segments_come():
    section = raw()
    first = section["seg"][0]
    later = {**first, "seg_start_pe": "10", "seg_pe_ranges": "/dev/later:5-9"}
    section["seg"] = [later, {**first, "seg_pe_ranges": "/dev/first:700-766"}]
    assert parsed(section)["vgs"][0]["lvs"][0]["begins"] == {"pv": "/dev/first", "extent": 700}
    section["seg"] = [later]
    assert parsed(section)["vgs"][0]["lvs"][0]["begins"] is None


@pytest.mark.parametrize("ranges", ["", "unknown"])
def test_a_volume_on_no_physical_volume_begins_nowhere(ranges):
    section = raw()
    section["seg"][0]["seg_pe_ranges"] = ranges
    assert parsed(section)["vgs"][0]["lvs"][0]["begins"] is None


def test_a_section_without_group_and_physical_volumes_holds_no_orphans():
    assert parsed({}) == {"installed": True, "system_id": "", "vgs": [], "orphans": []}


def test_an_orphan_is_read_like_any_physical_volume():
    assert lvm_report.parse_report(fixture("fullreport-orphan.json"), "db1")["orphans"] == [
        {"name": "/dev/loop4", "uuid": "aFQJ6O-ugWc-xSLD-DvwU-4cju-81nm-jFIm0E", "size": 268435456, "missing": False,
         "dev": "7:4", "pe_start": 1048576}]


@pytest.mark.parametrize(("read", "told"), [
    (lambda: lvm_report.parse_report('{"report": 1}' + " " * 300, ""),
     ("lvm fullreport", "not the JSON that was expected (TypeError(\"'int' object is not iterable\"))",
      '{"report": 1}' + " " * 187)),
    (lambda: lvm_report.parse_system_id(LONG), ("lvm systemid", "there is no line `system ID:`", LONG[:200])),
    (lambda: lvm_report.knows_autoactivation(LONG), ("lvm version", "there is no version in it", LONG[:200])),
    (lambda: lvm_report.filesystem(Result(0, f"USAGE={LONG}", "")),
     ("blkid", "there is neither TYPE nor PTTYPE", f"USAGE={LONG}"[:200])),
    (lambda: block_lun.parse_wipefs("{}" + " " * 300, "/dev/x"),
     ("wipefs", "not the JSON that was expected ('signatures')", "{}" + " " * 198)),
    (lambda: block_lun.parse_partx('NR="1" NAME="a"'),
     ("partx", "a partition could not be read ('START')", 'NR="1" NAME="a"')),
    (lambda: block_lun.parse_reservations(" a", LONG),
     ("mpathpersist", "there is no PR generation in it", f"a{LONG}"[:200])),
    (lambda: block_lun.parse_reservations("PR generation=0x0", "b"),
     ("mpathpersist", "there is no PR generation in it", "PR generation=0x0b")),
    (lambda: block_lun.parse_reservations("a", "PR generation=0x0, there is NO reservation held"),
     ("mpathpersist", "there is no PR generation in it", "aPR generation=0x0, there is NO reservation held")),
    (lambda: block_lun.parse_reservations("PR generation=0x0", f" PR generation=0x0, {LONG}"),
     ("mpathpersist", "it neither shows a reservation nor says that there is none", f"PR generation=0x0, {LONG}"[:200])),
])
def test_garbled_output_is_told_with_the_tool_and_its_first_two_hundred_characters(read, told):
    assert garbled(read) == told


@pytest.mark.parametrize(("version", "known"), [
    ("2.03.11(2)", False), ("2.03.12(2)", True), ("2.02.188(2)", False), ("2.04.00(2)", True), ("3.00.00(2)", True)])
def test_groups_know_the_autoactivation_property_from_2_03_12_on(version, known):
    assert lvm_report.knows_autoactivation(f"  LVM version:     {version} (2021-05-07)\n") is known


def test_two_groups_of_one_name_are_told_with_their_uuids():
    assert refusal(lambda: lvm_report.find_vg(report(group(), group(uuid="vg-2")), "db-vg")) == (
        "2 volume groups are called db-vg: vg-1, vg-2",
        "rename the one that is not the cluster's: `vgrename UUID NEWNAME`")


def test_a_physical_volume_is_told_with_its_group_without_one_or_unknown():
    one = partitioned(inside="LVM2_member")
    orphans = group("pv-2")["pvs"]
    assert lvm_report.pv_of(report(group("pv-1")), one) == {"vg": "db-vg", "vg_uuid": "vg-1", "uuid": "pv-1"}
    assert lvm_report.pv_of({**report(), "orphans": orphans}, one) == {"vg": "", "vg_uuid": "", "uuid": "pv-2"}
    assert lvm_report.pv_of(report(), one) == {"vg": None, "vg_uuid": None, "uuid": None}


@pytest.mark.parametrize(("out", "found"), [
    ("TYPE=ext4\nUUID=u\nLABEL=a=b\n", {"type": "ext4", "uuid": "u", "label": "a=b"}),
    ("TYPE=swap\n", {"type": "swap", "uuid": "", "label": ""}),
    ("TYPE=ext4\nPTTYPE=dos\n", {"type": "ext4", "uuid": "", "label": ""}),
])
def test_a_filesystem_is_read_with_uuid_and_label_where_it_has_them(out, found):
    assert lvm_report.filesystem(Result(0, f"DEVNAME=/dev/x\n{out}", "")) == found


def test_an_inner_layer_of_a_volume_belongs_to_its_group():
    assert lvm_report.split_dm_name("root--vg-thin--pool-tpool") == ("root-vg", "thin-pool-tpool")


def test_signatures_are_read_with_uuid_and_label_where_they_have_them():
    text = json.dumps({"signatures": [
        {"device": "sda", "offset": "0x438", "type": "ext4", "uuid": "u-1", "label": "data"},
        {"device": "sda", "offset": "0x1fe", "type": "PMBR"},
        {"device": "sda", "offset": "0x218", "type": "LVM2_member", "uuid": None, "label": None}]})
    assert block_lun.parse_wipefs(text, "/dev/sda") == [
        {"type": "ext4", "offset": 1080, "device": "/dev/sda", "uuid": "u-1", "label": "data"},
        {"type": "PMBR", "offset": 510, "device": "/dev/sda", "uuid": "", "label": ""},
        {"type": "LVM2_member", "offset": 536, "device": "/dev/sda", "uuid": "", "label": ""}]


@pytest.mark.parametrize("text", ["", "\n"])
def test_wipefs_says_nothing_about_a_blank_device(text):
    assert block_lun.parse_wipefs(text, "/dev/sda") == []


def test_a_partition_name_is_unescaped():
    line = r'NR="2" NAME="it\x22s \x5cB" START="8" SIZE="7" UUID="u" TYPE="ABC"'
    assert block_lun.parse_partx(line) == [
        {"number": 2, "name": 'it"s \\B', "start": 4096, "size": 7, "uuid": "u", "type": "abc"}]


def test_a_reservation_is_read_with_its_holder_and_all_keys():
    keys = "  PR generation=0x2, \t2 registered reservation keys follow:\n    0x123abc\n    0x456\n"
    held = "  PR generation=0x2, Reservation follows:\n   Key = 0x123abc\n  scope = LU_SCOPE, type = Write Exclusive \n"
    assert block_lun.parse_reservations(keys, held) == {
        "keys": ["0x123abc", "0x456"], "held": {"key": "0x123abc", "type": "Write Exclusive"}}


def test_a_partition_name_is_the_group_s_cut_to_what_gpt_allows():
    assert block_lun.partition_name("db-vg") == "hadb-db-vg"
    assert block_lun.partition_name("0123456789" * 4) == "hadb-0123456789012345678901234567890"


REMOVE = ("make sure that nobody needs what is on it, then remove it by hand (`wipefs` shows it), or take this WWID out "
          "of hadb:storage:luns; hadb never erases anything")
DEVICE = f"/dev/mapper/{ONE}"
NAME = f"{DEVICE} (WWID {ONE})"
OURS = partitioned()["partitions"][0]


@pytest.mark.parametrize(("one", "reason", "remedy"), [
    (lun(signatures=[{**signature("ext4", DEVICE, 1080), "label": "data"}, signature("swap", DEVICE, 4086)]),
     f"{NAME} is not blank: ext4 at byte 1080 of {DEVICE} labelled 'data', swap at byte 4086 of {DEVICE}", REMOVE),
    # A protective MBR without the GPT that it protects: somebody's table, damaged.
    (lun(signatures=[signature("PMBR", DEVICE, 510)]), f"{NAME} is not blank: PMBR at byte 510 of {DEVICE}", REMOVE),
    (lun(signatures=[signature("LVM2_member", DEVICE, 536)], pv=pv_of("finance")),
     f"{NAME} is not blank: LVM2_member at byte 536 of {DEVICE} of volume group 'finance'", REMOVE),
    (lun(signatures=[signature("LVM2_member", DEVICE, 536)], pv=pv_of("")),
     f"{NAME} is not blank: LVM2_member at byte 536 of {DEVICE} without a volume group", REMOVE),
    (lun(signatures=[signature("LVM2_member", DEVICE, 536)]),
     f"{NAME} is not blank: LVM2_member at byte 536 of {DEVICE} of a volume group that cannot be named while lvm2 is "
     "not installed", REMOVE),
    (lun(signatures=[signature("gpt", DEVICE, 512), signature("zfs_member", DEVICE, 0)]),
     f"{NAME} is not blank: zfs_member at byte 0 of {DEVICE}", REMOVE),
    (partitioned(inside="xfs"), f"{NAME} is not blank: xfs at byte 536 of {PART}", REMOVE),
    (partitioned(inside="LVM2_member"),
     f"{NAME} is not blank: LVM2_member at byte 536 of {PART} of a volume group that cannot be named while lvm2 is not "
     "installed", REMOVE),
    (partitioned(inside="LVM2_member", pv=pv_of("finance")),
     f"{NAME} is not blank: LVM2_member at byte 536 of {PART} of volume group 'finance'", REMOVE),
    # A physical volume whose partition shows something else too: both may be somebody's data.
    ({**partitioned(pv=pv_of("")), "signatures": [
        signature("gpt", DEVICE, 512), signature("LVM2_member", PART, 536), signature("ext4", PART, 1080)]},
     f"{NAME} is not blank: ext4 at byte 1080 of {PART}", REMOVE),
    ({**partitioned(), "partitions": [OURS, {**OURS, "number": 2, "name": "data", "size": 512}]},
     f"{NAME} has a GPT with partitions that hadb did not make: 1 'hadb-db-vg' of {OURS['size']} bytes, 2 'data' of 512 "
     "bytes", "make sure that nobody needs them, then delete the table by hand, or take this WWID out of "
     "hadb:storage:luns"),
    (partitioned(holders=["md0", "md1"], mounts=["/srv"]), f"{NAME} is in use: md0, md1, /srv",
     "stop what uses it, or take this WWID out of hadb:storage:luns"),
    (lun(mounts=["/srv"]), f"{NAME} is in use: /srv", "stop what uses it, or take this WWID out of hadb:storage:luns"),
])
def test_a_lun_that_is_not_hadb_s_is_told_with_what_is_on_it_and_what_to_do(one, reason, remedy):
    assert refusal(lambda: block_lun.stage(one, "db-vg")) == (reason, remedy)


def test_an_empty_partition_of_ours_is_ours_whatever_lvm_says_elsewhere():
    assert block_lun.stage(partitioned(pv=pv_of("")), "db-vg") is Stage.PARTITIONED
    assert [stage.value for stage in Stage] == [0, 1, 2, 3, 4]
