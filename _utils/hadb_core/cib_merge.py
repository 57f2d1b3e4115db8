"""The live CIB + what hadb wants -> the CIB as it shall be.

hadb owns exactly the objects that it recorded in ``<tag id="hadb">`` (decision 0021), plus the
properties and defaults that it always sets. Everything else is kept as it is, element by
element; so is every live element that already means what is wanted, whatever its inner ids are.
"""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator

from hadb_core import cib_xml
from hadb_core.cib_facts import HOLDS, differences, facts, label
from hadb_core.cib_group import GROUP, bindings
from hadb_core.cib_values import canonical, old_property_name, property_name
from hadb_core.cib_wanted import TAG, Wanted
from hadb_core.errors import Refused, Unreadable

_LEVELS = "fencing-topology"
# Attributes in which constraints name other objects.
_REFERENCES = ("rsc", "with-rsc", "first", "then")

BLANK = "<cib><configuration><crm_config/><nodes/><resources/><constraints/></configuration><status/></cib>"


def parse(text: str, tool: str = "cibadmin --query") -> ET.Element:
    """Return the ``<cib>`` element of a CIB.

    Raises :class:`~hadb_core.errors.Unreadable` when the text is not a CIB.
    """
    root = cib_xml.read(text, tool)
    if root.tag != "cib" or root.find("configuration") is None:
        raise Unreadable(tool, f"<{root.tag}> is not a CIB with a configuration")
    return root


def owned(root: ET.Element) -> list[str]:
    """Return the ids that hadb recorded as its own; empty before the first application."""
    return [item.get("id", "") for item in root.findall(f"configuration/tags/tag[@id='{TAG}']/obj_ref")]


def properties(root: ET.Element) -> Iterator[ET.Element]:
    """Yield the nvpairs of all cluster properties."""
    return root.iterfind("configuration/crm_config/cluster_property_set/nvpair")


def property_value(root: ET.Element, name: str) -> str:
    """Return a cluster property as it is stored, ``""`` if it is not set."""
    return next((item.get("value", "") for item in properties(root) if item.get("name") == name), "")


def version(root: ET.Element) -> tuple[int, int, int]:
    """Return ``(admin_epoch, epoch, num_updates)``; the first two change only with the configuration."""
    admin_epoch, epoch, updates = (
        int(root.get(name, "0")) for name in ("admin_epoch", "epoch", "num_updates")
    )
    return admin_epoch, epoch, updates


def guarded(patch: str, updates: int) -> str:
    """Return a patch that is accepted only while the configuration it was made from is in force.

    patch
        What ``crm_diff`` makes from two CIBs of one version. The target's epoch is raised by one, as
        the CIB manager does for a change of the configuration; without that it takes the patch for an
        old one. (``crm_diff --no-version`` would be applied to whatever is there by then.)
    updates
        How often the status section has changed since the last change of the configuration.
    """
    root = cib_xml.read(patch, "crm_diff")
    source, target = root.find("version/source"), root.find("version/target")
    if source is None or target is None:
        raise Unreadable("crm_diff", "its patch names no version")
    source.set("num_updates", str(updates))
    target.set("epoch", str(int(target.get("epoch", "0")) + 1))
    target.set("num_updates", "0")
    return ET.tostring(root, encoding="unicode")


def merge(root: ET.Element, wanted: Wanted) -> ET.Element:
    """Return a copy of the CIB with everything in it that is wanted, and nothing of hadb's besides.

    Raises :class:`~hadb_core.errors.Refused` where that would damage what is not hadb's.
    """
    new = copy.deepcopy(root)
    config = new.find("configuration")
    assert config is not None  # parse() made sure
    extras = _merge_properties(config, wanted, property_value(root, "dc-version"), set(owned(root)))
    _merge_defaults(config, wanted)
    record = [*_ids(wanted), *extras]
    _remove_gone(config, [name for name in owned(root) if name not in record])
    for resource in wanted.resources:
        _merge_resource(config, resource)
    for constraint in wanted.constraints:
        _place(_section(config, "constraints"), constraint)
    for level in wanted.levels:
        _place(_section(config, _LEVELS), level)
    _merge_record(config, record)
    return new


def _ids(wanted: Wanted) -> list[str]:
    tops = [item.get("id", "") for item in (*wanted.resources, *wanted.constraints, *wanted.levels)]
    return [*tops, *wanted.members()]


def _section(config: ET.Element, name: str) -> ET.Element:
    found = config.find(name)
    return ET.SubElement(config, name) if found is None else found


def _parents(config: ET.Element) -> dict[str, tuple[ET.Element, ET.Element]]:
    """Return ``{id: (parent, element)}`` of all resources."""
    resources = _section(config, "resources")
    return {child.get("id", ""): (parent, child) for parent in resources.iter() for child in parent}


def _merge_resource(config: ET.Element, wanted: ET.Element) -> None:
    resources, known = _section(config, "resources"), _parents(config)
    live = known.get(GROUP, (resources, None))[1]
    if live is not None and known[GROUP][0] is not resources:
        raise Refused(
            f"the group {GROUP} is inside {label(known[GROUP][0])}, which is not hadb's", "take it out"
        )
    if wanted.tag == "primitive":
        name = wanted.get("id", "")
        _refuse_foreign_container(known, name, (resources, live))
        if live is not None and known.get(name, (None,))[0] is live:
            # The addresses were members once (decision 0064). Out of the group, what runs goes on running.
            live.remove(known[name][1])
            resources.insert(list(resources).index(live), known[name][1])
        _place(resources, wanted)
        return
    group = _with_holds(wanted, live)
    for member in group.findall("primitive"):
        name = member.get("id", "")
        _refuse_foreign_container(known, name, (resources, live))
        if name in known:
            group[list(group).index(member)] = _with_holds(member, known[name][1])
            if known[name][0] is resources:
                resources.remove(known[name][1])
    if live is None:
        resources.append(group)
        return
    _keep_foreign_members(live, group)
    resources[list(resources).index(live)] = group


def _keep_foreign_members(live: ET.Element, group: ET.Element) -> None:
    """Put primitives that somebody else added to the group back behind the member they followed."""
    ours = {item.get("id") for item in group.findall("primitive")}
    after: str | None = None
    for member in live.findall("primitive"):
        if member.get("id") not in ours:
            places = [
                index
                for index, item in enumerate(group)
                if item.tag != "primitive" or item.get("id") == after
            ]
            group.insert(max(places, default=-1) + 1, member)
        after = member.get("id")


def _refuse_foreign_container(
    known: dict[str, tuple[ET.Element, ET.Element]], name: str, allowed: Iterable[ET.Element | None]
) -> None:
    if name in known and not any(known[name][0] is place for place in allowed):
        raise Refused(
            f"{name} is inside {label(known[name][0])}, which is not hadb's",
            "take it out or give it another name",
        )


def _place(section: ET.Element, wanted: ET.Element) -> None:
    """Put an element into a section, in the place of the one with its id."""
    for index, live in enumerate(section):
        if live.get("id") == wanted.get("id"):
            section[index] = _with_holds(wanted, live)
            return
    section.append(copy.deepcopy(wanted))


def _with_holds(wanted: ET.Element, live: ET.Element | None) -> ET.Element:
    """Return the live element if it already means what is wanted, else the wanted one with its holds."""
    if live is None:
        return copy.deepcopy(wanted)
    if live.tag == wanted.tag == "primitive" and not any(differences(facts(live), facts(wanted))):
        return live
    if (
        live.tag == wanted.tag
        and live.tag.startswith("rsc_")
        and not any(differences(facts(live), facts(wanted)))
    ):
        return live
    new = copy.deepcopy(wanted)
    if live.get("description"):
        new.set("description", live.get("description", ""))
    holds = [item for item in live.iterfind("meta_attributes/nvpair") if item.get("name") in HOLDS]
    if holds:
        _meta(new, live).extend(copy.deepcopy(holds))
    return new


def _meta(element: ET.Element, live: ET.Element) -> ET.Element:
    """Return the element's set of meta attributes, made with the id of the live one (which has holds) if it has none."""
    found = element.find("meta_attributes")
    if found is None:
        held = live.find("meta_attributes")
        assert held is not None
        found = ET.Element("meta_attributes", id=held.get("id", ""))
        element.insert(0, found)
    return found


def _merge_properties(config: ET.Element, wanted: Wanted, version: str, recorded: set[str]) -> list[str]:
    """Set the wanted properties; return the ids of those that the pillar asked for."""
    section, extras = _section(config, "crm_config"), []
    for properties_set in section:
        for item in list(properties_set):
            if (
                item.get("id") in recorded
                and old_property_name(item.get("name", "")) not in wanted.properties
            ):
                properties_set.remove(item)
    for name, value in wanted.properties.items():
        found = [
            item
            for item in section.iterfind("cluster_property_set/nvpair")
            if old_property_name(item.get("name", "")) == name
        ]
        _set_values(found, name, value)
        if not found:
            target = _plain_set(section, "cluster_property_set", "cib-bootstrap-options")
            found = [_append(target, property_name(name, version), value)]
        if name in wanted.extras:
            extras += [item.get("id", "") for item in found]
    return extras


def _merge_defaults(config: ET.Element, wanted: Wanted) -> None:
    section = _section(config, "rsc_defaults")
    for name, value in wanted.defaults.items():
        target = _plain_set(section, "meta_attributes", "rsc-options")
        found = [item for item in target.findall("nvpair") if item.get("name") == name]
        _set_values(found, name, value)
        if not found:
            _append(target, name, value)


def _plain_set(section: ET.Element, tag: str, name: str) -> ET.Element:
    """Return the set that applies always (one without a rule), made if there is none."""
    plain = [
        item for item in section.findall(tag) if item.find("rule") is None and item.get("id-ref") is None
    ]
    chosen = [item for item in plain if item.get("id") == name] or plain
    return chosen[0] if chosen else ET.SubElement(section, tag, id=name)


def _set_values(items: Iterable[ET.Element], name: str, value: str) -> None:
    for item in items:
        if canonical(name, item.get("value", "")) != canonical(name, value):
            item.set("value", value)


def _append(target: ET.Element, name: str, value: str) -> ET.Element:
    return ET.SubElement(target, "nvpair", id=f"{target.get('id')}-{name}", name=name, value=value)


def _remove_gone(config: ET.Element, gone: list[str]) -> None:
    known = _parents(config)
    # What bound an address to the group goes with it, also if somebody took it out of the record.
    gone = [*gone, *(binding for name in gone for binding in bindings(name))]
    for name in gone:
        users = [label(item) for item in _section(config, "constraints") if name in _named_by(item)]
        users = [user for user in users if user.split()[-1] not in gone]
        users += [
            f"tag {tag.get('id')}"
            for tag in config.iterfind("tags/tag")
            if tag.get("id") != TAG and name in _named_by(tag)
        ]
        if name in known and users:
            raise Refused(
                f"{name} left the pillar, but {', '.join(users)} still names it and is not hadb's",
                "remove that first, for instance with `crm configure delete`, or `crm resource clear`",
            )
        if name in known:
            parent, child = known[name]
            parent.remove(child)
    for section in (_section(config, "constraints"), config.find(_LEVELS)):
        for item in list(section) if section is not None else ():
            if item.get("id") in gone:
                section.remove(item)


def _named_by(element: ET.Element) -> set[str]:
    """Return the ids that a constraint or tag names, also inside resource sets."""
    named = {element.get(name, "") for name in _REFERENCES}
    return named | {item.get("id", "") for item in element.iter() if item.tag in ("resource_ref", "obj_ref")}


def _merge_record(config: ET.Element, record: list[str]) -> None:
    tags = _section(config, "tags")
    tag = next((item for item in tags if item.get("id") == TAG), None)
    if tag is None:
        tag = ET.SubElement(tags, "tag", id=TAG)
    if sorted(item.get("id", "") for item in tag) != sorted(record):
        tag[:] = [ET.Element("obj_ref", id=name) for name in record]
