"""CIB elements -> flat facts, and the difference of two sets of facts.

Facts are what matters: element ids (other than those of resources and constraints) and the
order of nvpairs and operations do not, the order of a group's members does. What an operator
sets to hold a resource is not a fact of hadb's, so it is neither compared nor overwritten.
"""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping

from hadb_core.cib_values import canonical, milliseconds

Facts = dict[str, str]

# Meta attributes with which an operator holds a resource (or asks for it to run).
HOLDS = frozenset(("target-role", "is-managed", "maintenance"))
_SECRETS = ("passw", "secret", "hexadecimal_kg")
_KINDS = {"instance_attributes": "param", "meta_attributes": "meta"}


def facts(element: ET.Element) -> Facts:
    """Return the facts of a resource or constraint: ``{"param ip": "10.0.0.5", ...}``.

    Anything that hadb never writes (rules, references, utilization, a second attribute set)
    becomes a fact too, so that it shows as a difference where hadb owns the element.
    """
    if element.tag == "primitive":
        return dict(_primitive(element))
    if element.tag == "group":
        members = " ".join(item.get("id", "") for item in element.findall("primitive"))
        return {"members": members, **dict(_attribute_sets(element))}
    return {name: value for name, value in element.attrib.items() if name != "id"} | dict(
        _foreign(element, ())
    )


def label(element: ET.Element) -> str:
    """Return how operators name an element: ``primitive db-fs``, ``location loc-fence-db1``."""
    return f"{element.tag.removeprefix('rsc_')} {element.get('id')}"


def differences(old: Facts, new: Facts) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield ``(fact, old, new)`` for every fact that Pacemaker would read differently."""
    for fact in sorted(old.keys() | new.keys()):
        before, after = old.get(fact), new.get(fact)
        if before is None or after is None or not same(fact, before, after):
            yield fact, before, after


def same(fact: str, one: str, other: str) -> bool:
    """Return whether two values of a fact mean the same.

    A resource agent's parameters are the agent's business and compare literally; those that
    begin with ``pcmk_`` are read by Pacemaker itself.
    """
    kind, _, name = fact.partition(" ")
    if kind != "param":
        return canonical(fact.rpartition(" ")[2], one) == canonical(fact.rpartition(" ")[2], other)
    if name.startswith("pcmk_") and name.endswith(("_timeout", "_delay_base", "_delay_max")):
        return canonical("timeout", one) == canonical("timeout", other)
    return one == other


def shown(fact: str, value: str | None) -> str | None:
    """Return a value as it may be reported: secrets that somebody put into the CIB stay hidden."""
    return "(hidden)" if value and _secret(fact) else value


def shown_all(values: Mapping[str, str]) -> Facts:
    """Return facts as they may be reported."""
    return {fact: shown(fact, value) or "" for fact, value in values.items()}


def secrets(root: ET.Element) -> set[str]:
    """Return the values that must not be shown, wherever in a CIB they are; hadb puts none there, others may."""
    return {
        item.get("value", "")
        for item in root.iterfind("configuration//nvpair")
        if _secret(item.get("name", "")) and item.get("value")
    }


def _secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRETS)


def _primitive(element: ET.Element) -> Iterator[tuple[str, str]]:
    parts = (element.get("class"), element.get("provider"), element.get("type"))
    yield "agent", ":".join(part for part in parts if part) or f"template {element.get('template')}"
    yield from _attribute_sets(element)
    for operations in element.findall("operations"):
        for op in operations:
            yield from _operation(op)


def _attribute_sets(element: ET.Element) -> Iterator[tuple[str, str]]:
    for tag, kind in _KINDS.items():
        first, *more = [*element.findall(tag), None]
        if first is not None:
            yield from _pairs(first, kind)
            yield from (_opaque(item) for item in more if item is not None and not _only_holds(item))
    yield from _foreign(element, (*_KINDS, "operations", "primitive"))


def _pairs(attributes: ET.Element, kind: str) -> Iterator[tuple[str, str]]:
    if set(attributes.attrib) - {"id"}:
        yield _opaque(attributes)
    for item in attributes:
        if item.tag != "nvpair" or "value" not in item.attrib:
            yield _opaque(item)
        elif kind != "meta" or item.get("name") not in HOLDS:
            yield f"{kind} {item.get('name')}", item.get("value", "")


def _operation(op: ET.Element) -> Iterator[tuple[str, str]]:
    if op.tag != "op":
        yield _opaque(op)
        return
    interval = milliseconds(op.get("interval", "0"))
    where = f"op {op.get('name')}"
    if op.get("role"):
        where += f" role={op.get('role')}"
    if interval is None or interval:
        where += f" {op.get('interval')}" if interval is None else f" {interval / 1000:g}s"
    for name in (
        "timeout",
        "on-fail",
        *sorted(set(op.attrib) - {"timeout", "on-fail", "id", "name", "interval", "role"}),
    ):
        if name in op.attrib:
            yield f"{where} {name}", op.attrib[name]
    for item in op:
        if item.tag in _KINDS:
            # Both kinds of set mean the same inside an operation; crmsh writes instance_attributes.
            yield from ((f"{where} {fact.partition(' ')[2]}", value) for fact, value in _pairs(item, "op"))
        else:
            yield _opaque(item)


def _foreign(element: ET.Element, known: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    yield from (_opaque(item) for item in element if item.tag not in known)


def _opaque(element: ET.Element) -> tuple[str, str]:
    name = element.get("id") or element.get("id-ref") or ""
    shown_as = copy.deepcopy(element)
    for item in shown_as.iter("nvpair"):
        if _secret(item.get("name", "")):
            item.set("value", "(hidden)")
    return f"{element.tag} {name}", ET.tostring(shown_as, encoding="unicode").strip()


def _only_holds(attributes: ET.Element) -> bool:
    return all(item.tag == "nvpair" and item.get("name") in HOLDS for item in attributes)
