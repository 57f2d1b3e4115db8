"""The documents that the tests of the CIB start from."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import Any

import yaml

from hadb_core.document import merge
from support import ROOT

SITE: dict[str, Any] = {
    "nodes": {
        "db1": {"address": "10.20.0.11", "bmc": {"address": "10.20.0.101", "username": "hadb"}},
        "db2": {"address": "10.20.0.12", "bmc": {"address": "10.20.0.102", "username": "hadb"}},
    },
    "vips": {
        "nova": {"address": "10.20.0.50", "prefix_length": 24, "interface": "vec0"},
        "glance": {"address": "10.20.0.51", "prefix_length": 24, "interface": "vec0"},
    },
}
# How the pillar chooses the agents; hadb's own are the default.
AGENT_SETS: dict[str, dict[str, Any]] = {
    "hadb": {},
    "stock": {"pacemaker": {"agents": "stock"}, "fencing": {"agent": "fence_ipmilan"}},
}
_CAPTURED = ROOT / "test/unit/pacemaker/fixtures/document.json"


def document(*layers: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the shipped defaults for a site of two nodes, with ``layers`` and ``changes`` merged in as the pillar would."""
    defaults = yaml.safe_load((ROOT / "hadb/parameters/defaults.yaml").read_text(encoding="utf-8"))
    return merge(defaults, SITE, *layers, changes)


def captured(**changes: Any) -> dict[str, Any]:
    """Return the document with which the clusters of the fixtures were configured, with ``changes`` merged in.

    Not the defaults of today: a better default must not make old output of real tools wrong.
    """
    return merge(json.loads(_CAPTURED.read_text(encoding="utf-8")), changes)


def without_vip(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return a document without one of its virtual addresses."""
    return merge(given) | {"vips": {key: vip for key, vip in given["vips"].items() if key != name}}


def with_addresses_in_the_group(root: ET.Element) -> ET.Element:
    """Make a CIB one of before decision 0064, when the addresses were members of the group, and return it."""
    config = root.find("configuration")
    assert config is not None
    resources, group = config.find("resources"), config.find("resources/group")
    assert resources is not None and group is not None
    places = list(group)
    before_server = places.index(next(item for item in places if item.get("id") == "db-server"))
    for address in [item for item in resources if item.get("id", "").startswith("vip-")]:
        resources.remove(address)
        group.insert(before_server, address)
    for section in (config.find("constraints"), config.find("tags/tag[@id='hadb']")):
        assert section is not None
        for item in [item for item in section if item.get("id", "").startswith(("col-vip-", "ord-vip-"))]:
            section.remove(item)
    return root
