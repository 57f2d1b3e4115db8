"""What operators hold, and what in the CIB is not hadb's: reported, never undone."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator

from hadb_core.cib_facts import label
from hadb_core.cib_values import boolean, old_property_name
from hadb_core.cib_wanted import Wanted

_EVERY = "Every resource"
_CLI = ("cli-ban-", "cli-prefer-", "cli-standby-")


def holds(root: ET.Element) -> list[str]:
    """Return what keeps the cluster from doing what it would do by itself, as sentences."""
    return [*_properties(root), *_nodes(root), *_constraints(root), *_resources(root)]


def foreign(root: ET.Element, wanted: Wanted) -> list[str]:
    """Return one sentence about resources and constraints that are not hadb's, or nothing."""
    ours = {item.get("id") for item in (*wanted.resources, *wanted.constraints)} | set(wanted.members())
    ours |= {item.get("id") for item in root.iterfind("configuration/tags/tag[@id='hadb']/obj_ref")}
    config = root.find("configuration")
    assert config is not None
    others = [
        label(item)
        for section in ("resources", "constraints")
        for item in config.iterfind(f"{section}/*")
        if item.get("id") not in ours and not item.get("id", "").startswith(_CLI)
    ]
    return [f"Not hadb's and left alone: {', '.join(others)}"] if others else []


def _properties(root: ET.Element) -> Iterator[str]:
    for item in root.iterfind("configuration/crm_config/cluster_property_set/nvpair"):
        name, on = old_property_name(item.get("name", "")), boolean(item.get("value", ""))
        if name == "maintenance-mode" and on:
            yield "The cluster is in maintenance mode: Pacemaker starts, stops and monitors nothing"
        if name == "stop-all-resources" and on:
            yield "All resources are kept stopped (stop-all-resources)"


def _nodes(root: ET.Element) -> Iterator[str]:
    sets = [(node.get("uname"), node, "") for node in root.iterfind("configuration/nodes/node")]
    sets += [
        (state.get("uname"), attributes, " until its next restart")
        for state in root.iterfind("status/node_state")
        for attributes in state.iterfind("transient_attributes")
    ]
    for name, element, limit in sets:
        for item in element.iterfind("instance_attributes/nvpair"):
            if item.get("name") in ("standby", "maintenance") and boolean(item.get("value", "")):
                yield f"Node {name} is in {item.get('name')}{limit}"


def _constraints(root: ET.Element) -> Iterator[str]:
    for item in root.iterfind("configuration/constraints/rsc_location"):
        name = item.get("id", "")
        if name.startswith(_CLI):
            verb = "prefers" if name.startswith("cli-prefer-") else "is banned from"
            where = item.get("node") or next(
                (
                    test.get("value", "")
                    for test in item.iter("expression")
                    if test.get("attribute") == "#uname"
                ),
                "?",
            )
            yield f"{item.get('rsc')} {verb} {where} ({name}; `crm resource clear {item.get('rsc')}` ends it)"


def _resources(root: ET.Element) -> Iterator[str]:
    held = [(item.get("id"), item) for item in root.find("configuration/resources") or ()]
    held += [(item.get("id"), item) for item in root.iterfind("configuration/resources/*/primitive")]
    held += [(_EVERY, item) for item in root.iterfind("configuration/rsc_defaults")]
    for name, element in held:
        for item in element.iterfind("meta_attributes/nvpair"):
            what, value = item.get("name"), item.get("value", "")
            if what == "target-role" and value.lower() not in ("started", "promoted", "master"):
                end = "configure rsc_defaults target-role=Started" if name == _EVERY else f"resource start {name}"
                yield f"{name} is kept stopped (target-role={value}; `crm {end}` ends it)"
            if what == "is-managed" and boolean(value) is False:
                yield f"{name} is not managed by Pacemaker (is-managed={value})"
            if what == "maintenance" and boolean(value):
                yield f"{name} is in maintenance"
