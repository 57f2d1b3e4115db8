import copy
import xml.etree.ElementTree as ET

import pytest
from cib_document import SITE, with_addresses_in_the_group, without_vip
from cib_document import captured as document

from hadb_core import cib_merge
from hadb_core.cib_plan import plan
from hadb_core.cib_wanted import wanted
from hadb_core.document import merge
from hadb_core.errors import Refused, Unreadable


def blank():
    return cib_merge.parse(cib_merge.BLANK)


def add(root, section, text):
    root.find(f"configuration/{section}").append(ET.fromstring(text))
    return root


def test_a_blank_node_predicts_every_object():
    changes = plan(blank(), wanted(document())).changes()
    for name in (
        "group db",
        "primitive db-server",
        "primitive fence-db1",
        "location loc-fence-db2",
        "property stonith-enabled",
    ):
        assert changes[name]["old"] is None
    assert changes["primitive vip-nova"]["new"]["param ip"] == "10.20.0.50"


def test_a_cluster_that_hadb_configured_needs_nothing(running):
    assert not plan(running, wanted(document()))


def test_the_plan_is_empty_after_the_merge(running):
    for root in (blank(), running):
        for given in (document(), document(fencing={"action": "off"}), without_vip("nova", document())):
            assert not plan(cib_merge.merge(root, wanted(given)), wanted(given))


def test_every_prefix_of_the_way_converges(running):
    """Whatever part of a configuration is there, one merge completes it (and a second changes nothing)."""
    whole = list(running.iter())
    for cut in range(0, len(whole), 25):
        part = copy.deepcopy(running)
        gone = {
            item.get("id") for item in whole[cut:] if item.tag in ("nvpair", "op", "rsc_location", "obj_ref")
        }
        for parent in part.find("configuration").iter():
            for child in list(parent):
                if child.get("id") in gone and child.tag != "node":
                    parent.remove(child)
        assert not plan(cib_merge.merge(part, wanted(document())), wanted(document()))


def test_ids_order_and_spelling_are_not_changes(running):
    for item in running.iterfind("configuration/resources//nvpair"):
        item.set("id", f"other-{item.get('id')}")
    attributes = running.find("configuration/resources/primitive/instance_attributes")
    attributes[:] = reversed(attributes)
    running.find("configuration/resources/group/primitive/operations/op").set("timeout", "90000ms")
    running.find("configuration/constraints/rsc_location").set("score", "-inf")
    assert not plan(running, wanted(document()))


def test_the_order_of_the_group_is_a_change(running):
    group = running.find("configuration/resources/group")
    members = group.findall("primitive")
    group.remove(members[0])
    group.append(members[0])
    assert "group db members" in plan(running, wanted(document())).changes()


def test_one_changed_parameter_is_one_change(running):
    changes = plan(running, wanted(document(vips={"nova": {"address": "10.20.0.60"}}))).changes()
    assert changes == {"primitive vip-nova param ip": {"old": "10.20.0.50", "new": "10.20.0.60"}}


def test_another_set_of_agents_is_told_by_name_and_keeps_every_id(running):
    given = merge(SITE, document(pacemaker={"agents": "hadb"}, fencing={"agent": "fence_hadb"}))
    changes = plan(running, wanted(given)).changes()
    assert changes["primitive db-server agent"] == {"old": "ocf:heartbeat:mysql", "new": "ocf:hadb:server"}
    assert changes["primitive db-lvm param vg_access_mode"] == {"old": "system_id", "new": None}
    assert changes["primitive fence-db1 agent"]["new"] == "stonith:fence_hadb"
    assert changes["property priority-fencing-delay"] == {"old": "3s", "new": "0s"}
    assert all(change["old"] or change["new"] for change in changes.values())
    merged = cib_merge.merge(running, wanted(given))
    assert cib_merge.owned(merged) == cib_merge.owned(running)
    assert not plan(cib_merge.merge(merged, wanted(document())), wanted(document())), "and back"


def test_what_somebody_changed_by_hand_is_put_right(running):
    running.find("configuration/resources/group/primitive[@id='db-fs']//nvpair[@name='directory']").set(
        "value", "/mnt"
    )
    add(
        running,
        "resources/primitive[@id='fence-db1']",
        '<utilization id="u"><nvpair id="u-cpu" name="cpu" value="1"/></utilization>',
    )
    changes = plan(running, wanted(document())).changes()
    assert changes["primitive db-fs param directory"] == {"old": "/mnt", "new": "/dbmnt"}
    assert "primitive fence-db1 utilization u" in changes


def test_a_password_that_somebody_put_into_the_cib_is_removed_and_not_shown(running):
    attributes = running.find("configuration/resources/primitive[@id='fence-db1']/instance_attributes")
    ET.SubElement(attributes, "nvpair", id="x", name="password", value="canary")
    changes = plan(running, wanted(document())).changes()
    assert changes == {"primitive fence-db1 param password": {"old": "(hidden)", "new": None}}


def test_an_object_that_left_the_pillar_is_removed(running):
    merged = cib_merge.merge(running, wanted(without_vip("glance", document())))
    assert merged.find(".//primitive[@id='vip-glance']") is None
    assert "vip-glance" not in cib_merge.owned(merged)
    assert (
        plan(running, wanted(without_vip("glance", document()))).changes()["primitive vip-glance"]["new"]
        is None
    )


def test_an_object_with_a_name_like_ours_that_we_never_recorded_is_kept(running):
    add(running, "resources", '<primitive id="vip-other" class="ocf" provider="heartbeat" type="Dummy"/>')
    merged = cib_merge.merge(running, wanted(document()))
    assert merged.find(".//primitive[@id='vip-other']") is not None
    assert plan(running, wanted(document())).remarks == ("Not hadb's and left alone: primitive vip-other",)


def test_foreign_constraints_attributes_and_properties_are_kept(running):
    add(running, "constraints", '<rsc_location id="mine" rsc="db" node="db2" score="50"/>')
    add(running, "crm_config/cluster_property_set", '<nvpair id="p" name="batch-limit" value="5"/>')
    node = running.find("configuration/nodes/node")
    node.append(
        ET.fromstring(
            '<instance_attributes id="n"><nvpair id="n-rack" name="rack" value="7"/></instance_attributes>'
        )
    )
    merged = cib_merge.merge(running, wanted(document(fencing={"delay": 9})))
    for name in ("mine", "p", "n-rack"):
        assert merged.find(f".//*[@id='{name}']") is not None


def test_refuses_to_remove_what_somebody_elses_constraint_names(running):
    add(running, "constraints", '<rsc_order id="mine" first="vip-glance" then="db-server"/>')
    with pytest.raises(Refused, match="order mine still names it"):
        plan(running, wanted(without_vip("glance", document())))


def test_refuses_to_remove_what_a_ban_names(running):
    add(
        running,
        "constraints",
        '<rsc_location id="cli-ban-vip-glance-on-db1" rsc="vip-glance" node="db1" score="-INFINITY"/>',
    )
    with pytest.raises(Refused, match="cli-ban-vip-glance-on-db1"):
        plan(running, wanted(without_vip("glance", document())))


def test_refuses_to_take_a_resource_out_of_a_foreign_group():
    root = add(
        blank(),
        "resources",
        '<group id="theirs"><primitive id="db-fs" class="ocf" provider="heartbeat" type="Dummy"/></group>',
    )
    with pytest.raises(Refused, match="db-fs is inside group theirs"):
        plan(root, wanted(document()))


def test_refuses_to_take_the_group_out_of_a_clone():
    root = add(
        blank(),
        "resources",
        '<clone id="theirs"><group id="db"><primitive id="x" class="ocf" type="y"/></group></clone>',
    )
    with pytest.raises(Refused, match="the group db is inside clone theirs"):
        plan(root, wanted(document()))


def test_a_member_that_somebody_added_to_the_group_keeps_its_place(running):
    group = running.find("configuration/resources/group")
    group.insert(2, ET.fromstring('<primitive id="backup" class="ocf" provider="heartbeat" type="Dummy"/>'))
    merged = cib_merge.merge(running, wanted(document(vips={"nova": {"address": "10.20.0.60"}})))
    assert [item.get("id") for item in merged.find("configuration/resources/group").findall("primitive")] == [
        "db-lvm", "backup", "db-fs", "db-server",
    ]  # fmt: skip


def test_addresses_that_were_members_of_the_group_leave_it_as_they_are(running):
    held = with_addresses_in_the_group(running).find("configuration/resources/group/primitive[@id='vip-nova']")
    ET.SubElement(ET.SubElement(held, "meta_attributes", id="m"), "nvpair", id="n", name="is-managed", value="false")
    told = {step.path for step in plan(running, wanted(document())).steps}
    assert told == {
        "group db members", "tag hadb objects",
        *(f"{kind}-vip-{name}" for name in ("glance", "nova") for kind in ("colocation col", "order ord")),
    }  # fmt: skip
    merged = cib_merge.merge(running, wanted(document()))
    assert not plan(merged, wanted(document()))
    assert [item.get("id") for item in merged.findall("configuration/resources/group/primitive")] == ["db-lvm", "db-fs", "db-server"]
    assert merged.find("configuration/resources/primitive[@id='vip-nova']/meta_attributes/nvpair").get("name") == "is-managed"


def test_an_address_that_leaves_the_pillar_takes_its_constraints_along(running):
    fewer = without_vip("glance", document())
    merged = cib_merge.merge(running, wanted(fewer))
    assert "glance" not in ET.tostring(merged.find("configuration/constraints"), encoding="unicode")
    record = running.find("configuration/tags/tag[@id='hadb']")
    for item in [item for item in record if item.get("id").endswith("-vip-glance")]:
        record.remove(item)
    assert ET.tostring(cib_merge.merge(running, wanted(fewer)).find("configuration/constraints")) == ET.tostring(
        merged.find("configuration/constraints")
    )


def test_a_member_made_by_hand_outside_the_group_is_adopted():
    root = add(blank(), "resources", '<primitive id="db-fs" class="ocf" provider="heartbeat" type="Dummy"/>')
    merged = cib_merge.merge(root, wanted(document()))
    assert len(merged.findall(".//primitive[@id='db-fs']")) == 1
    assert merged.find("configuration/resources/group/primitive[@id='db-fs']").get("type") == "Filesystem"


def test_holds_survive_a_change_of_the_held_resource(held):
    found = wanted(document(database={"config_file": "/etc/other.cnf"}, fencing={"privlvl": "administrator"}))
    merged = cib_merge.merge(held, found)
    assert (
        merged.find(".//primitive[@id='db-server']/meta_attributes/nvpair[@name='target-role']").get("value")
        == "Stopped"
    )
    assert (
        merged.find(".//primitive[@id='fence-db1']/meta_attributes/nvpair[@name='is-managed']").get("value")
        == "false"
    )
    assert merged.find(".//rsc_location[@id='cli-ban-db-on-db2']") is not None
    assert merged.find(".//nodes/node//nvpair[@name='standby']") is not None


def test_holds_are_told_and_are_no_change(held):
    found = plan(held, wanted(document()))
    assert not found
    told = "\n".join(found.remarks)
    for words in ("Node db2 is in standby", "Node db1 is in maintenance until its next restart", "db is banned from db2",
                  "fence-db1 is not managed", "db-server is kept stopped"):  # fmt: skip
        assert words in told


def test_both_spellings_of_a_renamed_property_count(running):
    for item in cib_merge.properties(running):
        if item.get("name") == "stonith-enabled":
            item.set("name", "fencing-enabled")
    assert not plan(running, wanted(document()))
    for item in cib_merge.properties(running):
        if item.get("name") == "fencing-enabled":
            item.set("value", "false")
    assert plan(running, wanted(document())).changes() == {
        "property stonith-enabled": {"old": "false", "new": "true"}
    }


def test_a_new_cluster_of_3_0_2_gets_the_new_name():
    root = add(
        blank(),
        "crm_config",
        '<cluster_property_set id="cib-bootstrap-options"><nvpair id="v" name="dc-version" value="3.0.2-1"/></cluster_property_set>',
    )
    names = {item.get("name") for item in cib_merge.properties(cib_merge.merge(root, wanted(document())))}
    assert "fencing-enabled" in names and "stonith-enabled" not in names


def test_a_property_that_left_the_pillar_is_removed_and_a_foreign_one_is_not(running):
    with_extra = cib_merge.merge(running, wanted(document(pacemaker={"properties": {"batch-limit": 7}})))
    add(
        with_extra,
        "crm_config/cluster_property_set",
        '<nvpair id="theirs" name="migration-limit" value="2"/>',
    )
    names = {
        item.get("name") for item in cib_merge.properties(cib_merge.merge(with_extra, wanted(document())))
    }
    assert "batch-limit" not in names and "migration-limit" in names


def test_defaults_under_a_rule_are_left_alone(running):
    add(running, "rsc_defaults", '<meta_attributes id="night"><rule id="r" score="INFINITY" boolean-op="and"><date_expression id="d" operation="gt" start="2030-01-01"/></rule>'
        '<nvpair id="night-s" name="resource-stickiness" value="0"/></meta_attributes>')  # fmt: skip
    merged = cib_merge.merge(running, wanted(document()))
    assert merged.find(".//nvpair[@id='night-s']").get("value") == "0"


@pytest.mark.parametrize("text", ["", "<cib/>", "<other/>", "Connection refused"])
def test_what_is_no_cib_is_unreadable_and_never_empty(text):
    with pytest.raises(Unreadable):
        cib_merge.parse(text)


def test_a_patch_without_version_is_not_used():
    with pytest.raises(Unreadable, match="names no version"):
        cib_merge.guarded("<diff format='2'/>", 0)


def test_a_description_and_holds_of_a_changed_resource_are_kept(running):
    live = running.find("configuration/resources/primitive[@id='fence-db1']")
    live.set("description", "rack 7")
    ET.SubElement(ET.SubElement(live, "meta_attributes", id="own"), "nvpair", id="own-m", name="is-managed", value="false")
    merged = cib_merge.merge(running, wanted(document(fencing={"privlvl": "administrator"})))
    after = merged.find("configuration/resources/primitive[@id='fence-db1']")
    assert after.get("description") == "rack 7"
    assert after.find("meta_attributes/nvpair[@name='is-managed']").get("value") == "false"


def test_a_recorded_constraint_that_is_no_longer_wanted_goes(running):
    add(running, "constraints", '<rsc_location id="loc-old" rsc="db" node="db1" score="5"/>')
    running.find("configuration/tags/tag[@id='hadb']").append(ET.Element("obj_ref", id="loc-old"))
    assert plan(running, wanted(document())).changes()["location loc-old"]["new"] is None


@pytest.mark.parametrize("section", ["rsc_defaults", "tags"])
def test_a_cib_without_an_optional_section_gets_it(running, section):
    config = running.find("configuration")
    config.remove(config.find(section))
    assert not plan(cib_merge.merge(running, wanted(document())), wanted(document()))
