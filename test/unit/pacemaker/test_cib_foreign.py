"""What hadb never writes but may find: it shows as a difference, a secret in it does not, a hold is told."""

import xml.etree.ElementTree as ET

import pytest

from hadb_core.cib_facts import facts, secrets
from hadb_core.cib_holds import holds


def primitive(inside, **attributes):
    return ET.fromstring(ET.tostring(ET.Element("primitive", {"id": "p", "class": "ocf", "type": "y", **attributes})).decode()
                         .replace(" />", f">{inside}</primitive>"))  # fmt: skip


def test_a_primitive_from_a_template_names_it():
    assert facts(ET.fromstring('<primitive id="p" template="t"/>'))["agent"] == "template t"


@pytest.mark.parametrize(
    ("inside", "fact"),
    [
        (
            '<instance_attributes id="a"/><instance_attributes id="b"><nvpair id="n" name="x" value="y"/></instance_attributes>',
            "instance_attributes b",
        ),
        ('<instance_attributes id="a" score="5"/>', "instance_attributes a"),
        ('<instance_attributes id="a"><rule id="r"/></instance_attributes>', "rule r"),
        ('<instance_attributes id="a"><nvpair id-ref="n"/></instance_attributes>', "nvpair n"),
        ('<operations><template id="o"/></operations>', "template o"),
        ('<operations><op id="o" name="monitor" interval="5s"><rule id="r"/></op></operations>', "rule r"),
    ],
)
def test_what_hadb_never_writes_is_a_fact(inside, fact):
    assert fact in facts(primitive(inside))


def test_operations_are_told_apart_by_role_and_by_an_interval_that_is_none():
    inside = (
        '<operations><op id="a" name="monitor" role="Promoted" interval="5s" timeout="1s"/>'
        '<op id="b" name="monitor" interval="soon" timeout="2s" enabled="false"/></operations>'
    )
    found = facts(primitive(inside))
    assert found["op monitor role=Promoted 5s timeout"] == "1s"
    assert (found["op monitor soon timeout"], found["op monitor soon enabled"]) == ("2s", "false")


def test_a_second_set_with_nothing_but_holds_is_no_fact():
    inside = '<meta_attributes id="a"/><meta_attributes id="b"><nvpair id="n" name="is-managed" value="false"/></meta_attributes>'
    assert not any(fact.startswith("meta_attributes") for fact in facts(primitive(inside)))


def test_a_secret_in_a_foreign_set_is_not_shown_and_is_known_as_one():
    inside = '<instance_attributes id="a"/><instance_attributes id="b"><nvpair id="n" name="password" value="canary"/></instance_attributes>'
    element = primitive(inside)
    assert "canary" not in str(facts(element)) and "(hidden)" in str(facts(element))
    root = ET.Element("cib")
    ET.SubElement(ET.SubElement(root, "configuration"), "resources").append(element)
    assert secrets(root) == {"canary"}


def test_the_whole_clusters_holds_are_told(running):
    config = running.find("configuration")
    section = config.find("crm_config/cluster_property_set")
    for name in ("maintenance-mode", "stop-all-resources"):
        ET.SubElement(section, "nvpair", id=f"x-{name}", name=name, value="true")
    meta = config.find("resources/group/meta_attributes")
    ET.SubElement(meta, "nvpair", id="x-m", name="maintenance", value="true")
    told = "\n".join(holds(running))
    for words in ("The cluster is in maintenance mode", "All resources are kept stopped", "db is in maintenance"):
        assert words in told


def test_a_cluster_without_holds_tells_none(running):
    section = running.find("configuration/crm_config/cluster_property_set")
    for name in ("maintenance-mode", "stop-all-resources"):
        ET.SubElement(section, "nvpair", id=f"x-{name}", name=name, value="false")
    assert holds(running) == []


def test_a_preference_and_a_ban_by_rule_name_the_node(running):
    constraints = running.find("configuration/constraints")
    rule = (
        '<rsc_location id="cli-ban-db-on-db1" rsc="db"><rule id="r" score="-INFINITY"><expression id="e" '
        'attribute="#uname" operation="eq" value="db1"/></rule></rsc_location>'
    )
    constraints.append(ET.fromstring(rule))
    constraints.append(ET.fromstring('<rsc_location id="cli-prefer-db" rsc="db" node="db2" score="INFINITY"/>'))
    constraints.append(ET.fromstring('<rsc_location id="cli-ban-x" rsc="x"/>'))
    told = "\n".join(holds(running))
    assert "db is banned from db1" in told and "db prefers db2" in told and "x is banned from ?" in told
