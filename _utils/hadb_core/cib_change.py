"""What an operator could do by hand, done to a copy of the CIB: Pacemaker then says what would come of it.

The elements are those that Pacemaker's own tools would write; nothing of this is ever sent to a cluster.
"""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from hadb_core.errors import HadbError, Refused

# Every kind of element that can be moved or banned, as objects are labelled in a snapshot.
_RESOURCES = ("primitive", "group", "clone", "bundle", "master")


def resources(objects: Mapping[str, Any]) -> list[str]:
    """Return the ids of all resources, groups and clones.

    objects
        ``pacemaker.configuration()["objects"]``.
    """
    split = (name.split(" ", 1) for name in objects)
    return [name for kind, *rest in split if kind in _RESOURCES for name in rest]


def members(objects: Mapping[str, Any], resource: str) -> list[str]:
    """Return the primitives that move when a resource is moved: a group's members or itself, and what has to be with it."""
    with_it = [
        facts.get("rsc", "")
        for name, facts in objects.items()
        if name.startswith("colocation ") and (facts.get("with-rsc"), facts.get("score")) == (resource, "INFINITY")
    ]
    return [*objects.get(f"group {resource}", {}).get("members", resource).split(), *with_it]


def refuse_unknown(objects: Mapping[str, Any], resource: str) -> None:
    """Raise :class:`~hadb_core.errors.HadbError` unless the cluster has this resource."""
    known = resources(objects)
    if resource not in known:
        raise HadbError(f"the cluster has no resource {resource}; it has {', '.join(known) or 'none'}")


def refuse_placed(objects: Mapping[str, Any], resource: str, node: str) -> None:
    """Raise :class:`~hadb_core.errors.Refused` when an operator's own constraint stands against a move.

    ``crm_resource --move`` would silently replace a preference and lift a ban of the target.
    """
    ours = {f"location cli-prefer-{resource}", f"location cli-ban-{resource}-on-{node}"}
    held = sorted(ours & set(objects))
    if held:
        raise Refused(
            f"an operator's constraint decides where {resource} runs: {', '.join(held)}",
            f"if it is no longer wanted, pacemaker.clear {resource}",
        )


def standby(cib: ET.Element, node: str, on: bool) -> ET.Element:
    """Return a copy of the CIB in which a node is in standby, or is not."""
    new = copy.deepcopy(cib)
    places = [item for item in new.iterfind("configuration/nodes/node") if item.get("uname") == node]
    places += [
        attributes
        for state in new.iterfind("status/node_state")
        if state.get("uname") == node
        for attributes in state.iterfind("transient_attributes")
    ]
    for place in places:
        for attributes in place.findall("instance_attributes"):
            for item in attributes.findall("nvpair"):
                if item.get("name") == "standby":
                    attributes.remove(item)
    if on:
        target = places[0].find("instance_attributes")
        if target is None:
            target = ET.SubElement(places[0], "instance_attributes", id=f"nodes-{places[0].get('id')}")
        ET.SubElement(target, "nvpair", id=f"{target.get('id')}-standby", name="standby", value="on")
    return new


def lost(cib: ET.Element, node: str) -> ET.Element:
    """Return a copy of the CIB as the others see it when a node has just failed.

    ``crm_simulate --node-fail`` says the same, but then Pacemaker 3.0 reports no actions (3.0.0, 3.0.3).
    """
    new = copy.deepcopy(cib)
    for state in new.iterfind("status/node_state"):
        if state.get("uname") == node:
            state.attrib.update(in_ccm="false", crmd="offline")
    return new


def move(cib: ET.Element, resource: str, node: str) -> ET.Element:
    """Return a copy of the CIB in which a resource shall run on a node."""
    return _located(cib, f"cli-prefer-{resource}", resource, node, "INFINITY")


def ban(cib: ET.Element, resource: str, node: str) -> ET.Element:
    """Return a copy of the CIB in which a resource must not run on a node."""
    return _located(cib, f"cli-ban-{resource}-on-{node}", resource, node, "-INFINITY")


def _located(cib: ET.Element, name: str, resource: str, node: str, score: str) -> ET.Element:
    new = copy.deepcopy(cib)
    section = new.find("configuration/constraints")
    assert section is not None  # the schema wants it in every CIB
    for item in section.findall(f"rsc_location[@id='{name}']"):
        section.remove(item)
    ET.SubElement(section, "rsc_location", id=name, rsc=resource, node=node, score=score)
    return new
