"""Properties, defaults, versions and patches of the CIB: what a merge sets, and what is read of them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest
from small_cib import DEFAULTS, PROPERTIES, REF, TAGS, live, merged, part, wanted

from hadb_core import cib_merge
from hadb_core.errors import Unreadable


def properties(*sets: str) -> str:
    return f"<crm_config>{''.join(sets)}</crm_config>"


def nvpair(name: str, value: str, where: str = "s") -> str:
    return f'<nvpair id="{where}-{name}" name="{name}" value="{value}" />'


def property_set(*pairs: str, name: str = "s", rule: str = "") -> str:
    return f'<cluster_property_set id="{name}">{rule}{"".join(pairs)}</cluster_property_set>'


@pytest.mark.parametrize(
    ("there", "after"),
    [
        (nvpair("stonith-enabled", "on"), nvpair("stonith-enabled", "on")),
        (nvpair("stonith-enabled", "false"), nvpair("stonith-enabled", "true")),
        (nvpair("fencing-enabled", "false"), nvpair("fencing-enabled", "true")),
        (nvpair("batch-limit", "5"), nvpair("batch-limit", "5") + nvpair("stonith-enabled", "true")),
        (nvpair("dc-version", "3.0.3-1"), nvpair("dc-version", "3.0.3-1") + nvpair("fencing-enabled", "true")),
    ],
)
def test_a_property_is_set_where_it_is_or_added_by_the_name_that_the_release_knows(there: str, after: str) -> None:
    assert part("crm_config", live(config=properties(property_set(there)))) == property_set(after)


def test_a_property_is_added_to_the_usual_set_and_never_to_one_with_a_rule() -> None:
    rule, other, usual = property_set(rule='<rule id="r" />', name="a"), property_set(name="b"), "cib-bootstrap-options"
    added = nvpair("stonith-enabled", "true", usual)
    assert part("crm_config", live(config=properties(rule, other, property_set(name=usual)))) == (
        rule + property_set(name="b").replace("></cluster_property_set>", " />") + property_set(added, name=usual)
    )
    reference = '<cluster_property_set id-ref="z" />'
    assert part("crm_config", live(config=properties(rule, reference))) == rule + reference + property_set(added, name=usual)
    assert part("crm_config", live(config=properties(rule, other))) == rule + property_set(nvpair("stonith-enabled", "true", "b"), name="b")


def test_a_property_that_the_pillar_asked_for_is_recorded_and_goes_when_it_no_longer_does() -> None:
    asked = wanted(properties={"stonith-enabled": "true", "batch-limit": "4"}, extras=("batch-limit",))
    new = cib_merge.merge(live(), asked)
    usual = "cib-bootstrap-options"
    assert cib_merge.owned(new) == ["fence-db1", "db", "loc", "fs", "server", f"{usual}-batch-limit"]
    assert cib_merge.property_value(new, "batch-limit") == "4"
    assert merged(new) == ET.tostring(live(), encoding="unicode")
    theirs = live(config=PROPERTIES.replace("</cluster", nvpair("batch-limit", "9", usual) + "</cluster"))
    assert merged(theirs) == ET.tostring(theirs, encoding="unicode")


def test_defaults_are_set_beside_what_is_there() -> None:
    there = '<rsc_defaults><meta_attributes id="theirs"><nvpair id="x" name="{}" value="{}" /></meta_attributes></rsc_defaults>'
    added = '<nvpair id="theirs-resource-stickiness" name="resource-stickiness" value="100" /></meta_attributes>'
    inner = '<meta_attributes id="theirs"><nvpair id="x" name="{}" value="{}" /></meta_attributes>'
    assert part("rsc_defaults", live(defaults=there.format("priority", "1"))) == inner.format("priority", "1").replace(
        "</meta_attributes>", added
    )
    assert part("rsc_defaults", live(defaults=there.format("resource-stickiness", "1"))) == inner.format("resource-stickiness", "100")


def test_a_version_and_a_property_are_read_as_they_are_stored() -> None:
    root = ET.fromstring('<cib admin_epoch="1" epoch="2" num_updates="3" />')
    assert cib_merge.version(root) == (1, 2, 3) and cib_merge.version(ET.fromstring("<cib />")) == (0, 0, 0)
    found = live(config=properties(property_set('<nvpair id="e" name="empty" />', nvpair("stonith-enabled", "on"))))
    assert [cib_merge.property_value(found, name) for name in ("stonith-enabled", "empty", "nothing")] == ["on", "", ""]
    assert cib_merge.owned(found) == ["fence-db1", "db", "loc", "fs", "server"]
    assert cib_merge.owned(ET.fromstring(cib_merge.BLANK)) == []
    assert cib_merge.owned(live(tags='<tags><tag id="hadb"><obj_ref /></tag></tags>')) == [""]


def test_a_patch_is_bound_to_the_version_that_it_was_made_from() -> None:
    patch = '<diff><version><source epoch="6" num_updates="1" /><target admin_epoch="0" epoch="6" num_updates="9" /></version></diff>'
    assert cib_merge.guarded(patch, 58) == (
        '<diff><version><source epoch="6" num_updates="58" /><target admin_epoch="0" epoch="7" num_updates="0" /></version></diff>'
    )
    assert 'target epoch="1"' in cib_merge.guarded("<diff><version><source /><target /></version></diff>", 0)


@pytest.mark.parametrize("inside", ["", "<version><source /></version>", "<version><target /></version>"])
def test_a_patch_without_a_version_is_never_applied(inside: str) -> None:
    with pytest.raises(Unreadable) as error:
        cib_merge.guarded(f"<diff>{inside}</diff>", 1)
    assert str(error.value) == "cannot read the output of crm_diff: its patch names no version"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: cib_merge.parse("<cib />"), "cibadmin --query: <cib> is not a CIB with a configuration"),
        (lambda: cib_merge.parse("<x><configuration /></x>", "cat"), "cat: <x> is not a CIB with a configuration"),
        (lambda: cib_merge.parse("no"), "cibadmin --query: not XML: syntax error: line 1, column 0 (line: 'no')"),
        (lambda: cib_merge.guarded("no", 1), "crm_diff: not XML: syntax error: line 1, column 0 (line: 'no')"),
    ],
)
def test_what_is_no_cib_is_told(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(Unreadable) as error:
        call()
    assert str(error.value) == f"cannot read the output of {words}"


def test_properties_that_are_asked_for_and_recorded_stay_as_they_are_and_one_without_a_value_gets_it() -> None:
    asked = wanted(properties={"stonith-enabled": "true", "batch-limit": "4", "enable-acl": "true"}, extras=("batch-limit", "enable-acl"))
    more = '<nvpair id="own" name="batch-limit" value="4" /><nvpair id="acl" name="enable-acl"{} /></cluster_property_set>'
    config = PROPERTIES.replace("</cluster_property_set>", more)
    tags = TAGS.replace("</tag>", f"{REF.format('own')}{REF.format('acl')}</tag>")
    whole = live(config=config.format(' value="true"'), tags=tags)
    assert merged(live(config=config.format(""), tags=tags), asked) == merged(whole, asked) == ET.tostring(whole, encoding="unicode")


def test_a_default_in_other_words_stays() -> None:
    there = live(defaults=DEFAULTS.replace('"100"', '"+100"'))
    assert merged(there) == ET.tostring(there, encoding="unicode")
