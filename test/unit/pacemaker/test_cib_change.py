"""What an operator could do by hand, done to a copy."""

import xml.etree.ElementTree as ET

import pytest

from hadb_core import cib_change, cib_plan
from hadb_core.errors import HadbError, Refused


def standby_nodes(cib):
    places = [*cib.iterfind("configuration/nodes/node"), *cib.iterfind("status/node_state")]
    return [
        place.get("uname")
        for place in places
        for item in place.iterfind(".//instance_attributes/nvpair[@name='standby']")
        if item.get("value") == "on"
    ]


def test_a_standby_comes_and_goes_and_the_original_stays(running):
    before = ET.tostring(running)
    there = cib_change.standby(running, "db2", True)
    assert standby_nodes(there) == ["db2"]
    assert standby_nodes(cib_change.standby(there, "db2", False)) == []
    assert ET.tostring(running) == before


SMALL = (
    "<cib><configuration><nodes>{}</nodes><constraints>{}</constraints></configuration><status>"
    '<node_state uname="db1" in_ccm="true" crmd="online" />{}</status></cib>'
)
NODES = '<node id="1" uname="db1" /><node id="2" uname="db2">{}</node>'
STANDBY = '<instance_attributes id="{0}"><nvpair id="{0}-standby" name="standby" value="on" /></instance_attributes>'
UP = '<node_state uname="db2" in_ccm="true" crmd="online" />'
LOCATION = '<rsc_location id="{}" rsc="db" node="db2" score="{}INFINITY" />'


@pytest.mark.parametrize(
    ("change", "node", "inside", "constraints", "state"),
    [
        (lambda cib: cib_change.standby(cib, "db2", True), "", STANDBY.format("nodes-2"), "", UP),
        (lambda cib: cib_change.standby(cib, "db2", True), '<instance_attributes id="x" />', STANDBY.format("x"), "", UP),
        (lambda cib: cib_change.lost(cib, "db2"), "", "", "", UP.replace("true", "false").replace("online", "offline")),
        (lambda cib: cib_change.move(cib, "db", "db2"), "", "", LOCATION.format("cli-prefer-db", ""), UP),
        (lambda cib: cib_change.ban(cib, "db", "db2"), "", "", LOCATION.format("cli-ban-db-on-db2", "-"), UP),
    ],
)
def test_a_change_is_what_pacemakers_own_tools_would_write_and_the_original_stays(change, node, inside, constraints, state):
    cib = ET.fromstring(before := SMALL.format(NODES.format(node), "", UP))
    assert ET.tostring(change(cib)) == ET.tostring(ET.fromstring(SMALL.format(NODES.format(inside), constraints, state)))
    assert ET.tostring(cib) == ET.tostring(ET.fromstring(before))


def test_a_standby_until_the_next_restart_ends_too(held):
    states = {item.get("uname"): item for item in held.iterfind("status/node_state")}
    attributes = states["db1"].find("transient_attributes/instance_attributes")
    ET.SubElement(attributes, "nvpair", id="s", name="standby", value="on")
    assert standby_nodes(cib_change.standby(held, "db1", False)) == ["db2"]


def test_a_node_has_one_standby_however_often_it_is_set(held):
    assert standby_nodes(cib_change.standby(held, "db2", True)) == ["db2"]


def test_a_second_ban_replaces_the_first(running):
    twice = cib_change.ban(cib_change.ban(running, "db", "db2"), "db", "db2")
    assert len(twice.findall("configuration/constraints/rsc_location[@id='cli-ban-db-on-db2']")) == 1


def test_resources_of_every_kind_can_be_named(running):
    section = running.find("configuration/resources")
    section.append(ET.fromstring('<clone id="c"><primitive id="p" class="ocf" provider="x" type="y"/></clone>'))
    objects = cib_plan.snapshot(running)
    for name in ("db", "db-fs", "fence-db1", "c", "p"):
        cib_change.refuse_unknown(objects, name)
    with pytest.raises(HadbError, match="no resource loc-fence-db1"):
        cib_change.refuse_unknown(objects, "loc-fence-db1")
    with pytest.raises(HadbError) as error:
        cib_change.refuse_unknown({"group db": {}, "primitive p": {}, "property": {}, "location l": {}}, "l")
    assert str(error.value) == "the cluster has no resource l; it has db, p"


def test_an_empty_cluster_says_that_it_has_none():
    with pytest.raises(HadbError, match="it has none"):
        cib_change.refuse_unknown({"property": {}}, "db")


def test_a_groups_members_and_addresses_move_with_it(running):
    objects = cib_plan.snapshot(running)
    assert cib_change.members(objects, "db") == ["db-lvm", "db-fs", "db-server", "vip-glance", "vip-nova"]
    assert cib_change.members(objects, "db-fs") == ["db-fs"]


def test_a_ban_of_another_node_does_not_stand_against_a_move(held):
    objects = cib_plan.snapshot(held)
    cib_change.refuse_placed(objects, "db", "db1")
    with pytest.raises(Refused) as error:
        cib_change.refuse_placed(objects | {"location cli-prefer-db": {}}, "db", "db2")
    assert str(error.value) == (
        "an operator's constraint decides where db runs: location cli-ban-db-on-db2, location cli-prefer-db. "
        "What to do: if it is no longer wanted, pacemaker.clear db"
    )
