"""What agents and cluster properties there are, read from the metadata that Pacemaker's tools print."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

from hadb_core import cib_xml

# The words of select options, which 2.1.5 tells for some properties in the description only.
_ALLOWED = re.compile(r"Allowed values: ([\w-]+(?:, [\w-]+)*)")


def agents(report: str) -> list[str]:
    """Return the agents of one standard, sorted, from ``crm_resource --list-agents --output-as=xml``.

    Raises :class:`~hadb_core.errors.Unreadable` when there is no list in it.
    """
    found = cib_xml.part(cib_xml.read(report, "crm_resource"), "agents", "crm_resource")
    return sorted(item.text or "" for item in found.findall("agent"))


def named(root: ET.Element) -> set[tuple[str, str]]:
    """Return the agents that a CIB's primitives name, as family and name: ``("ocf:hadb", "lvm")``."""
    return {
        (":".join(filter(None, (item.get("class"), item.get("provider")))), item.get("type", ""))
        for item in root.iterfind("configuration/resources//primitive[@type]")
    }


def metadata(report: str) -> dict[str, Any]:
    """Return what an agent says about itself, from ``crm_resource --show-metadata``.

    ``{"name": ..., "version": ..., "short": one line, "long": text, "parameters": {name: {"required": bool,
    "unique": bool, "type": ..., "default": ..., "values": [words], "short": ..., "long": ...}}, "actions":
    [{"name": "monitor", "timeout": "40s", "interval": "20s", ...}]}``; what it does not say is ``""``.

    Raises :class:`~hadb_core.errors.Unreadable` when it is no agent's metadata.
    """
    root = cib_xml.read(report, "crm_resource --show-metadata")
    cib_xml.part(root, "parameters", "crm_resource --show-metadata")
    return {
        "name": root.get("name", ""),
        "version": root.get("version") or _text(root, "version"),
        "short": root.get("shortdesc") or _text(root, "shortdesc"),
        "long": _text(root, "longdesc"),
        "parameters": {item.get("name", ""): _parameter(item) for item in root.iterfind("parameters/parameter")},
        "actions": [dict(item.attrib) for item in root.iterfind("actions/action")],
    }


def properties(report: str, tool: str = "crm_attribute --list-options=cluster") -> dict[str, dict[str, Any]]:
    """Return the cluster properties that this Pacemaker knows, by name.

    report
        What ``crm_attribute --list-options=cluster --all --output-as=xml`` printed (3.0), or one
        daemon's ``metadata`` (2.1, where each daemon knows its own).

    Each has ``type``, ``default``, ``values`` (the allowed words, if there are only some), ``short`` and
    ``long``; properties that Pacemaker itself sets (``dc-version``) are left out.
    """
    root = cib_xml.read(report, tool)
    parameters = next(root.iter("parameters"), None)
    found = cib_xml.part(root, "parameters", tool) if parameters is None else parameters
    return {
        item.get("name", ""): {key: value for key, value in _parameter(item).items() if key not in ("required", "unique")}
        for item in found.findall("parameter")
        if item.get("generated") != "1"
    }


def _parameter(item: ET.Element) -> dict[str, Any]:
    content = item.find("content")
    kind = {} if content is None else content.attrib
    values = [option.get("value", "") for option in item.iterfind("content/option")]
    described = _ALLOWED.search(_text(item, "longdesc"))
    return {
        "required": item.get("required") == "1",
        "unique": item.get("unique") == "1",
        "type": kind.get("type", ""),
        "default": kind.get("default", ""),
        "values": values or (described[1].split(", ") if described else []),
        "short": _text(item, "shortdesc"),
        "long": _text(item, "longdesc"),
    }


def _text(element: ET.Element, tag: str) -> str:
    """Return a description without the indentation that some tools put around it."""
    lines = [line.strip() for line in (element.findtext(tag) or "").splitlines()]
    return "\n".join(lines).strip()
