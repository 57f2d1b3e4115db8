"""The document that the tests of the CIB start from: the shipped defaults and a site of two nodes."""

from __future__ import annotations

from typing import Any

import yaml

from hadb_core.document import merge
from support import ROOT

SITE: dict[str, Any] = {
    "nodes": {
        "db1": {"bmc": {"address": "10.20.0.101", "username": "hadb"}},
        "db2": {"bmc": {"address": "10.20.0.102", "username": "hadb"}},
    },
    "vips": {
        "nova": {"address": "10.20.0.50", "prefix_length": 24, "interface": "vec0"},
        "glance": {"address": "10.20.0.51", "prefix_length": 24, "interface": "vec0"},
    },
}


def document(**changes: Any) -> dict[str, Any]:
    """Return the document with ``changes`` merged in, as the pillar would."""
    defaults = yaml.safe_load((ROOT / "hadb/parameters/defaults.yaml").read_text(encoding="utf-8"))
    return merge(defaults, SITE, changes)


def without_vip(name: str) -> dict[str, Any]:
    """Return the document without one virtual address."""
    changed = document()
    del changed["vips"][name]
    return changed
