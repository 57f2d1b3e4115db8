"""Elements of the CIB's resources section, with the ids that crmsh and crm_resource give, so that their edits meet them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

Agent = tuple[str, str, str]
"""Standard, provider (``""`` for fence agents) and name: ``("ocf", "heartbeat", "IPaddr2")``."""
Operations = Mapping[str, Mapping[str, Any]]
"""By label (``monitor``, ``monitor-NAME``): ``interval`` and ``timeout`` in s, ``depth``, ``on_fail``."""


def primitive(name: str, agent: Agent, params: Mapping[str, str], operations: Operations) -> ET.Element:
    """Return a ``<primitive>`` with its parameters and operations."""
    standard, provider, kind = agent
    found = ET.Element("primitive", {"id": name, "class": standard})
    if provider:
        found.set("provider", provider)
    found.set("type", kind)
    nvset(found, "instance_attributes", params)
    ops = ET.SubElement(found, "operations")
    for label, settings in operations.items():
        ops.append(_operation(name, label, settings))
    return found


def _operation(resource: str, label: str, settings: Mapping[str, Any]) -> ET.Element:
    action, interval = label.partition("-")[0], f"{settings.get('interval', 0)}s"
    op = ET.Element("op", id=f"{resource}-{action}-{interval}", name=action, interval=interval)
    op.set("timeout", f"{settings['timeout']}s")
    if settings.get("on_fail"):
        op.set("on-fail", settings["on_fail"])
    if settings.get("depth"):
        nvset(op, "instance_attributes", {"OCF_CHECK_LEVEL": text(settings["depth"])})
    return op


def nvset(parent: ET.Element, kind: str, values: Mapping[str, str]) -> None:
    """Give an element a set of values; ``kind`` is ``instance_attributes`` or ``meta_attributes``."""
    base = f"{parent.get('id')}-{kind}"
    attributes = ET.Element(kind, id=base)
    for name, value in values.items():
        ET.SubElement(attributes, "nvpair", id=f"{base}-{name}", name=name, value=value)
    # The schema wants instance_attributes before operations, and a group's meta before its members.
    parent.insert(0, attributes)


def text(value: Any) -> str:
    """Return a value of the pillar as Pacemaker spells it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
