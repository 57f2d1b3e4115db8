"""The documents that the tests of the CIB start from."""

from __future__ import annotations

import json
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
