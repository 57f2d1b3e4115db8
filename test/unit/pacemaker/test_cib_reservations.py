"""What hadb:fencing:reservations adds to the cluster's configuration, and takes away again."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from cib_document import AGENT_SETS, document

from hadb_core import cib_merge, reservation
from hadb_core.cib_facts import facts
from hadb_core.cib_plan import plan
from hadb_core.cib_wanted import wanted
from hadb_core.errors import Invalid

RUNNING = (Path(__file__).parent / "fixtures/cib-running-3.0.0.xml").read_text(encoding="utf-8")
ON = document(fencing={"reservations": True})
DEVICE = "fence-reservations"
LEVELS = {
    "level-db1-1": ("db1", "1", "fence-db1"), "level-db1-2": ("db1", "2", DEVICE),
    "level-db2-1": ("db2", "1", "fence-db2"), "level-db2-2": ("db2", "2", DEVICE),
}  # fmt: skip


def levels(root):
    return {item.get("id"): (item.get("target"), item.get("index"), item.get("devices"))
            for item in root.iterfind("configuration/fencing-topology/fencing-level")}  # fmt: skip


def params(found, name):
    element = next(item for top in found.resources for item in top.iter("primitive") if item.get("id") == name)
    return {fact.removeprefix("param "): value for fact, value in facts(element).items()}


def configured(given):
    return cib_merge.merge(cib_merge.parse(RUNNING), wanted(given))


def test_by_default_there_is_none_of_it():
    found = wanted(document())
    assert found.levels == () and "fence-reaction" not in found.properties
    assert DEVICE not in [item.get("id") for item in found.resources]
    assert not [name for name in params(found, "db-lvm") if "reservation" in name]


def test_each_node_is_fenced_by_its_bmc_first_and_by_the_array_after_it():
    root = configured(ON)
    assert levels(root) == LEVELS
    assert cib_merge.property_value(root, "fence-reaction") == "panic"
    assert {*LEVELS, DEVICE, "cib-bootstrap-options-fence-reaction"} <= set(cib_merge.owned(root))


def test_agents_of_both_levels_know_the_same_keys_and_the_second_waits_longer_than_the_first_is_patient():
    found = wanted(ON)
    volume, device = params(found, "db-lvm"), params(found, DEVICE)
    keys = f"db1={reservation.key('nova-db', 'db1')} db2={reservation.key('nova-db', 'db2')}"
    assert volume["reservation_keys"] == device["reservation_keys"] == keys
    assert (volume["reservation_patience"], device["settle"]) == ("30", "40")
    assert (device["pcmk_host_list"], device["pcmk_reboot_action"], device["vgname"]) == ("db1 db2", "off", "db-vg")
    # The wait, and a minute for the commands.
    assert device["pcmk_off_timeout"] == device["pcmk_reboot_timeout"] == "100s"


def test_whoever_turns_up_on_a_second_node_does_not_restart_the_first_one():
    def meta(given, name):
        elements = [item for top in wanted(given).resources for item in top.iter() if item.get("id") == name]
        return facts(elements[0]).get("meta multiple-active")

    for name in ("db", "vip-nova", "vip-glance"):
        assert (meta(ON, name), meta(document(), name)) == ("stop_unexpected", None)


def test_patience_is_as_long_as_the_volumes_own_io_waits():
    slow = document(storage={"multipath": {"no_path_retry": 12}}, fencing={"reservations": True})
    assert params(wanted(slow), "db-lvm")["reservation_patience"] == "80"
    assert params(wanted(slow), DEVICE)["settle"] == "90"


def test_switched_off_everything_of_it_goes_and_nothing_else_changes():
    root = cib_merge.merge(configured(ON), wanted(document()))
    plain = configured(document())
    assert levels(root) == {} and cib_merge.property_value(root, "fence-reaction") == ""
    assert sorted(cib_merge.owned(root)) == sorted(cib_merge.owned(plain))
    ids = [{item.get("id") for item in one.iterfind("configuration/resources//")} for one in (root, plain)]
    assert ids[0] == ids[1]


def test_a_second_merge_changes_nothing_and_the_plan_says_what_the_first_does():
    once = configured(ON)
    assert not plan(once, wanted(ON))
    paths = {step.path for step in plan(configured(document()), wanted(ON)).steps}
    assert {f"fencing-level {name}" for name in LEVELS} | {f"primitive {DEVICE}", "property fence-reaction"} <= paths


def test_a_level_that_somebody_changed_is_put_right_and_one_of_theirs_is_kept():
    root = configured(ON)
    topology = root.find("configuration/fencing-topology")
    topology.find("fencing-level[@id='level-db1-1']").set("devices", DEVICE)
    ET.SubElement(topology, "fencing-level", {"id": "theirs", "target": "db1", "index": "3", "devices": "fence-db1"})
    again = cib_merge.merge(root, wanted(ON))
    assert levels(again) == {**LEVELS, "theirs": ("db1", "3", "fence-db1")}
    assert set(levels(cib_merge.merge(again, wanted(document())))) == {"theirs"}


def test_the_reaction_to_ones_own_fencing_is_not_the_pillars_while_nodes_are_fenced_by_the_array():
    mine = {"pacemaker": {"properties": {"fence-reaction": "stop"}}}
    assert wanted(document(mine)).properties["fence-reaction"] == "stop"
    with pytest.raises(Invalid, match="fence-reaction is set by hadb itself"):
        wanted(document(mine, fencing={"reservations": True}))


def test_stock_devices_can_have_the_second_level_too():
    found = wanted(document(AGENT_SETS["stock"] | {"pacemaker": {}}, fencing={"reservations": True}))
    assert len(found.levels) == 4
