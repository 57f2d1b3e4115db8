"""The seed's configuration for a site, and what to write to get from one configuration to another. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from string import Template
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from hadb_core.corosync_conf import Entry, Section, parse, render

_SEED = Path(__file__).with_name("seed.xml")
_DEVICE = Path(__file__).with_name("seed_device.xml")
# ms; those of its corosync.conf.
SEED_TOTEM = {"token": 3000, "consensus": 5000}
# Pacemaker's own notes among the cluster's properties.
_ITS_OWN = ("dc-version", "have-watchdog", "cluster-infrastructure", "cluster-name")


def seed(site: Mapping[str, Any]) -> Element:
    """Return the ``configuration`` of the seed.

    site
        The whole document: ``nodes`` with ``bmc``, ``storage``, ``database``, ``vips`` (nova, glance), ``fencing``.

    Raises KeyError for a key that is missing.
    """
    storage, database, vips = site["storage"], site["database"], site["vips"]
    values = {
        "vg": storage["vg"], "lv": storage["lv"], "mount": storage["filesystem"]["mount_point"],
        "nova": vips["nova"]["address"], "glance": vips["glance"]["address"], "nic": vips["nova"]["interface"],
        "config": database["config_file"], "datadir": database["datadir"], "pid": database["pid_file"],
        "socket": database["socket"], "log": database["error_log"],
    }  # fmt: skip
    found = ElementTree.fromstring(Template(_SEED.read_text(encoding="utf-8")).substitute(values))
    resources, constraints = _section(found, "resources"), _section(found, "constraints")
    device = Template(_DEVICE.read_text(encoding="utf-8"))
    for node in sorted(site["nodes"]):
        bmc = site["nodes"][node]["bmc"]
        text = device.substitute(
            node=node, address=bmc["address"], username=bmc["username"], privlvl=site["fencing"]["privlvl"]
        )
        resources.append(ElementTree.fromstring(text))
        away = {"id": f"loc-fence-{node}", "rsc": f"fence-{node}", "node": node, "score": "-INFINITY"}
        constraints.append(Element("rsc_location", away))
    return found


def of(cib: str) -> Element:
    """Return the ``configuration`` of a whole CIB. Raises ValueError when it is none."""
    try:
        found = ElementTree.fromstring(cib).find("configuration")
    except ElementTree.ParseError as error:
        raise ValueError(f"not a CIB: {error}") from error
    if found is None:
        raise ValueError("not a CIB: it has no configuration")
    return found


def is_ours(live: Element) -> bool:
    """Return whether a cluster's configuration is one that hadb wrote: it leaves a tag."""
    return live.find("tags/tag[@id='hadb']") is not None


def onto(live: Element, wanted: Element) -> Element:
    """Return what to replace the configuration of a running cluster with, to get what is wanted.

    The nodes, and what Pacemaker noted about itself, stay as they are in the running cluster.
    """
    found = deepcopy(wanted)
    nodes = _section(found, "nodes")
    found.insert(list(found).index(nodes), deepcopy(_section(live, "nodes")))
    found.remove(nodes)
    properties = _section(found, "crm_config/cluster_property_set")
    for pair in list(properties):
        if pair.get("name") in _ITS_OWN:
            properties.remove(pair)
    for pair in live.iterfind("crm_config/cluster_property_set/nvpair"):
        if pair.get("name") in _ITS_OWN:
            properties.append(deepcopy(pair))
    return found


def without_resources(live: Element) -> Element:
    """Return a configuration with nothing in it to run: between two that have agents of other types by the same names.

    Fencing is off in it, since Pacemaker calls a cluster with fencing and without any device an error.
    """
    found = deepcopy(live)
    for pair in found.iterfind("crm_config/cluster_property_set/nvpair"):
        if pair.get("name") in ("stonith-enabled", "fencing-enabled"):
            pair.set("value", "false")
    for name in ("resources", "constraints", "tags"):
        section = found.find(name)
        if section is not None:
            section.clear()
    tags = found.find("tags")
    if tags is not None:
        found.remove(tags)
    return found


def text(configuration: Element) -> bytes:
    """Return a configuration as ``cibadmin --xml-pipe`` wants it."""
    return ElementTree.tostring(configuration)


def with_totem(conf: str, values: Mapping[str, int]) -> str:
    """Return a corosync.conf with other values in its totem section, and all else as it is.

    Raises ValueError when there is no totem section.
    """
    tree = parse(conf)
    sections = tree.sections("totem")
    if len(sections) != 1:
        raise ValueError(f"corosync.conf has {len(sections)} totem sections")
    kept = tuple(item for item in sections[0].items if not (isinstance(item, Entry) and item.key in values))
    # Before the subsections, as people write them.
    count = next((number for number, item in enumerate(kept) if isinstance(item, Section)), len(kept))
    new = tuple(Entry(key, str(value)) for key, value in values.items())
    totem = replace(sections[0], items=(*kept[:count], *new, *kept[count:]))
    return render(replace(tree, items=tuple(totem if item is sections[0] else item for item in tree.items)))


def totem(conf: str) -> dict[str, int]:
    """Return the token and the consensus that a corosync.conf names, in ms."""
    sections = parse(conf).sections("totem")
    values = {key: section.get(key) for section in sections for key in SEED_TOTEM}
    return {key: int(value) for key, value in values.items() if value is not None}


def _section(parent: Element, path: str) -> Element:
    found = parent.find(path)
    if found is None:
        raise ValueError(f"the configuration has no {path}")
    return found
