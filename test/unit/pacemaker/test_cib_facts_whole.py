"""Facts, holds and steps compared whole: what counts as a difference, what is shown of it, and what is only told."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from small_cib import BAN, FENCE, GROUP, PROPERTIES, REF, TAGS, live, wanted

from hadb_core import cib_facts, cib_xml
from hadb_core.cib_facts import facts
from hadb_core.cib_holds import foreign, holds
from hadb_core.cib_plan import plan, snapshot
from hadb_core.errors import Unreadable
from hadb_core.plan import Step

NO_VALUE = '<nvpair id="v" name="{}" />'
NO_NAME = '<nvpair id-ref="r" />'


def primitive(inside: str) -> ET.Element:
    return ET.fromstring(f'<primitive id="p" class="ocf" provider="hadb" type="y">{inside}</primitive>')


def nvpairs(**values: str) -> str:
    return "".join(f'<nvpair id="{name}" name="{name.replace("_", "-")}" value="{value}" />' for name, value in values.items())


def test_the_facts_of_a_constraint_and_of_a_group() -> None:
    assert facts(ET.fromstring(BAN)) == {"rsc": "fence-db1", "node": "db1", "score": "-INFINITY"}
    group = GROUP.replace("</group>", f'<meta_attributes id="m">{nvpairs(priority="1", target_role="Stopped")}</meta_attributes></group>')
    assert facts(ET.fromstring(group)) == {"members": "fs server", "meta priority": "1"}


def test_a_hold_is_no_fact_but_a_parameter_of_that_name_is() -> None:
    inside = (
        f'<instance_attributes id="i">{nvpairs(maintenance="a", ip="b")}</instance_attributes>'
        f'<meta_attributes id="m">{nvpairs(maintenance="true", is_managed="false", critical="true")}</meta_attributes>'
    )
    assert facts(primitive(inside)) == {"agent": "ocf:hadb:y", "param maintenance": "a", "param ip": "b", "meta critical": "true"}


def test_an_operation_is_named_by_role_and_interval_and_has_only_what_is_set() -> None:
    inside = (
        '<operations><op id="a" name="monitor" interval="5000ms" timeout="9s" on-fail="fence" enabled="true" />'
        f'<op id="b" name="start"><instance_attributes id="i">{nvpairs(depth="1")}<rule id="r" /></instance_attributes></op>'
        '<op id="c" name="stop" interval="0s" role="Started" timeout="8" /></operations>'
    )
    assert facts(primitive(inside)) == {
        "agent": "ocf:hadb:y", "op monitor 5s timeout": "9s", "op monitor 5s on-fail": "fence", "op monitor 5s enabled": "true",
        "op start depth": "1", "op start r": '<rule id="r" />', "op stop role=Started timeout": "8",
    }  # fmt: skip


def test_what_is_not_hadbs_is_shown_as_xml_without_its_secrets() -> None:
    inside = f'<utilization id="u">{nvpairs(password="canary", cpu="ä")}{NO_NAME}</utilization><x />'
    hidden = inside.replace("canary", "(hidden)").removesuffix("<x />")
    assert facts(primitive(inside)) == {"agent": "ocf:hadb:y", "utilization u": hidden, "x ": "<x />"}


@pytest.mark.parametrize(
    ("fact", "same"),
    [
        ("param pcmk_off_timeout", True), ("param pcmk_delay_base", True), ("param pcmk_delay_max", True),
        ("param pcmk_host_list", False), ("param start_timeout", False), ("op start timeout", True), ("meta x", False),
    ],
)  # fmt: skip
def test_which_parameters_are_durations(fact: str, same: bool) -> None:
    assert cib_facts.same(fact, "60", "60s") is same


def test_what_is_shown_of_values_and_which_are_secret() -> None:
    assert cib_facts.shown_all({"param password": "canary", "param ip": "1", "param x": "", "meta passwd": ""}) == {
        "param password": "(hidden)", "param ip": "1", "param x": "", "meta passwd": ""}  # fmt: skip
    inside = f'{nvpairs(password="canary", ip="1")}{NO_VALUE.format("passwd")}<nvpair id-ref="r" value="x" />'
    root = live(f'<primitive id="p"><instance_attributes id="i">{inside}</instance_attributes></primitive>')
    assert cib_facts.secrets(root) == {"canary"}


def test_every_hold_is_told_as_a_sentence() -> None:
    def meta(**values: str) -> str:
        return f'<meta_attributes id="m">{nvpairs(**values)}{NO_VALUE.format("is-managed")}{NO_NAME}</meta_attributes>'

    root = live(
        "".join(
            f'<primitive id="{name}">{meta(**values)}</primitive>'
            for name, values in {
                "a": {"target_role": "Stopped", "is_managed": "no", "maintenance": "yes"},
                "b": {"target_role": "started", "is_managed": "true", "maintenance": "false", "critical": "false"},
                "c": {"target_role": "Promoted", "critical": "true"}, "d": {"target_role": "Master"},
            }.items()
        ) + f'<group id="g"><primitive id="e">{meta(target_role="unpromoted")}</primitive></group>',
        '<rsc_location id="cli-ban-a-on-db1" rsc="a" node="db1" /><rsc_location rsc="a" node="db1" />'
        '<rsc_location id="cli-prefer-a" rsc="a"><rule id="r"><expression id="x" attribute="rack" value="7" />'
        '<expression id="e" attribute="#uname" value="db2" /></rule></rsc_location>',
        f'<crm_config><cluster_property_set id="o">{nvpairs(maintenance_mode="on", stop_all_resources="1", enable_acl="1")}'
        f'{NO_VALUE.format("maintenance-mode")}{NO_NAME}</cluster_property_set></crm_config>',
        f"<rsc_defaults>{meta(is_managed='false', maintenance='1', target_role='Stopped')}</rsc_defaults>",
    )  # fmt: skip
    config, status = root.find("configuration/nodes"), root.find("status")
    assert config is not None and status is not None
    inside = f'<instance_attributes id="i">{{}}{NO_VALUE.format("standby")}{NO_NAME}</instance_attributes>'
    config.append(ET.fromstring(f'<node uname="db1">{inside.format(nvpairs(standby="on", maintenance="off", other="on"))}</node>'))
    there = f'<node_state uname="db2"><transient_attributes id="t">{inside.format(nvpairs(maintenance="true"))}</transient_attributes></node_state>'
    status.append(ET.fromstring(there))
    assert holds(root) == [
        "The cluster is in maintenance mode: Pacemaker starts, stops and monitors nothing",
        "All resources are kept stopped (stop-all-resources)",
        "Node db1 is in standby",
        "Node db2 is in maintenance until its next restart",
        "a is banned from db1 (cli-ban-a-on-db1; `crm resource clear a` ends it)",
        "a prefers db2 (cli-prefer-a; `crm resource clear a` ends it)",
        "a is kept stopped (target-role=Stopped; `crm resource start a` ends it)",
        "a is not managed by Pacemaker (is-managed=no)",
        "a is in maintenance",
        "e is kept stopped (target-role=unpromoted; `crm resource start e` ends it)",
        "Every resource is not managed by Pacemaker (is-managed=false)",
        "Every resource is in maintenance",
        "Every resource is kept stopped (target-role=Stopped; `crm configure rsc_defaults target-role=Started` ends it)",
    ]


def test_what_is_wanted_or_recorded_or_an_operators_is_not_foreign() -> None:
    cli = '<rsc_location id="cli-ban-db-on-db1" rsc="db" node="db1" />'
    assert foreign(live(constraints=BAN + cli, tags=""), wanted()) == []
    other = FENCE.replace("fence-db1", "theirs")
    recorded = FENCE.replace("fence-db1", "fence-db9")
    root = live(other + recorded + FENCE + GROUP, BAN + BAN.replace('"loc"', '"mine"'),
                tags=f'<tags><tag id="hadb">{REF.format("fence-db9")}</tag><tag id="t">{REF.format("theirs")}</tag></tags>')  # fmt: skip
    assert foreign(root, wanted()) == ["Not hadb's and left alone: primitive theirs, location mine"]


def test_a_snapshot_is_everything_by_its_readable_name() -> None:
    twice = nvpairs(fencing_enabled="false", batch_limit="5") + NO_VALUE.format("enable-acl") + NO_NAME
    root = live(config=PROPERTIES.replace("</cluster_property_set>", f"{twice}</cluster_property_set>"),
                defaults=f'<rsc_defaults><meta_attributes id="d">{nvpairs(priority="1")}{NO_NAME}</meta_attributes></rsc_defaults>')  # fmt: skip
    assert snapshot(root) == {
        "property": {"stonith-enabled": "true / false", "batch-limit": "5", "enable-acl": "", "": ""},
        "primitive fence-db1": {"agent": "stonith:fence_x"}, "group db": {"members": "fs server"},
        "primitive fs": {"agent": "ocf:hadb:fs"}, "primitive server": {"agent": "ocf:hadb:server"},
        "location loc": {"rsc": "fence-db1", "node": "db1", "score": "-INFINITY"},
        "resource default": {"priority": "1", "": ""}, "tag hadb": {"objects": "db fence-db1 fs loc server"},
    }  # fmt: skip


def test_the_steps_from_one_cib_to_another() -> None:
    config, tags = PROPERTIES.replace('"true"', '"false"'), TAGS.replace("fence-db1", "fence-db9").replace(REF.format("loc"), "")
    found = plan(live(FENCE.replace("db1", "db9") + GROUP, "", config, tags=tags), wanted())
    assert found.steps == (
        Step("apply", "property stonith-enabled", "false", "true"),
        Step("apply", "primitive fence-db1", None, {"agent": "stonith:fence_x"}),
        Step("apply", "location loc", None, {"rsc": "fence-db1", "node": "db1", "score": "-INFINITY"}),
        Step("apply", "tag hadb objects", "db fence-db9 fs server", "db fence-db1 fs loc server"),
        Step("apply", "primitive fence-db9", {"agent": "stonith:fence_x"}, None),
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [("<a>\n <b x> \n</a>", "<b x>"), ("<a>\n", ""), ("<a>\n" + "y" * 250 + "</b>", "y" * 200)])
def test_the_line_where_it_ends_to_be_xml_is_told(text: str, line: str) -> None:
    with pytest.raises(Unreadable) as error:
        cib_xml.read(text, "tool")
    assert (error.value.tool, error.value.line) == ("tool", line)


def test_a_report_without_its_list_is_told() -> None:
    with pytest.raises(Unreadable) as error:
        cib_xml.part(ET.fromstring("<r />"), "nodes/node", "crm_mon")
    assert str(error.value) == "cannot read the output of crm_mon: its report has no <nodes/node>"
