"""The document: defaults <- OS family <- pillar, and what of it may be shown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from hadb_core.errors import Invalid
from hadb_core.schema import SCHEMA
from hadb_core.schema_kinds import Schema

HIDDEN = "(hidden)"


def merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the layers merged, later ones win; mappings are merged, lists replaced.

    The rule of Salt's ``slsutil.merge`` with ``strategy="recurse", merge_lists=False``.
    """
    result: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            old = result.get(key)
            result[key] = (
                merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else _copy(value)
            )
    return result


def layers(
    defaults: Mapping[str, Any], os_family: Mapping[str, Any], release: str, pillar: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the whole document: defaults <- OS family <- OS release <- pillar.

    release
        The grain ``osmajorrelease`` as text; a key under ``releases`` of the OS family's parameters.
    """
    family = {key: value for key, value in os_family.items() if key != "releases"}
    return complete(merge(defaults, family, os_family.get("releases", {}).get(release, {}), pillar))


def complete(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with what follows from other keys filled in (``bootstrap_node``)."""
    nodes = document.get("nodes")
    if not isinstance(nodes, Mapping) or not nodes:
        return dict(document)
    return {"bootstrap_node": min(nodes, key=str), **document}


def redacted(value: Any, schema: Schema = SCHEMA) -> Any:
    """Return ``value`` with every secret replaced by ``(hidden)``; safe to print and to log."""
    if schema.get("secret"):
        return HIDDEN
    if isinstance(value, Mapping):
        known, others = schema.get("properties", {}), schema.get("additionalProperties") or {}
        return {key: redacted(item, known.get(key, others)) for key, item in value.items()}
    if isinstance(value, list):
        return [redacted(item, schema.get("items", {})) for item in value]
    return value


def secret(pillar: Mapping[str, Any], key: str) -> str:
    """Return the text at ``key`` (``a:b:c``) of the pillar; raises :class:`Invalid` naming the key only.

    pillar
        ``__pillar__`` itself: what ``pillar.get`` returns is masked since Salt 3008.
    """
    value: Any = pillar
    for word in key.split(":"):
        value = value.get(word) if isinstance(value, Mapping) else None
    if not isinstance(value, str) or not value:
        raise Invalid([f"{key} is not set in the pillar"])
    return value


def digest(document: Mapping[str, Any]) -> str:
    """Return a short fingerprint of the document *without* its secrets and packages.

    Both nodes and the master must compile the same pillar; secrets are left out because a
    fingerprint of a short password in the job cache could be tried out, names of packages
    because the master may be of another release of the system.
    """
    same = {key: value for key, value in redacted(document).items() if key != "packages"}
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:16]


def minion_ids(document: Mapping[str, Any]) -> dict[str, str]:
    """Return ``{node: minion id}``."""
    return {name: node.get("minion_id", name) for name, node in document["nodes"].items()}


def peer_of(document: Mapping[str, Any], node: str) -> str:
    """Return the name of the other node."""
    return next(name for name in document["nodes"] if name != node)


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    return list(value) if isinstance(value, list) else value
