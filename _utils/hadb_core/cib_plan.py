"""What would change in the CIB, told in the words of operators; and what is left alone.

The plan is the difference between the live CIB and the merged one, so that what is shown,
what is simulated and what is applied cannot differ.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator

from hadb_core.cib_facts import Facts, differences, facts, label, shown, shown_all
from hadb_core.cib_holds import foreign, holds
from hadb_core.cib_merge import merge, owned, properties
from hadb_core.cib_values import old_property_name
from hadb_core.cib_wanted import TAG, Wanted
from hadb_core.plan import Plan, Step

# Objects that are reported as a whole when they come or go.
_SETS = ("property", "resource default")


def plan(root: ET.Element, wanted: Wanted) -> Plan:
    """Return what has to change in a CIB, one step for each readable path.

    All steps are carried out by one call (``pacemaker.apply``) as one transaction.

    Raises :class:`~hadb_core.errors.Refused` where it cannot be done without damage.
    """
    before, after = snapshot(root), snapshot(merge(root, wanted))
    steps = tuple(
        step
        for name in dict.fromkeys((*after, *before))
        for step in _steps(name, before.get(name), after.get(name))
    )
    return Plan(steps, (*holds(root), *foreign(root, wanted)))


def snapshot(root: ET.Element) -> dict[str, Facts]:
    """Return the facts of everything in the configuration that hadb could change, by readable name."""
    found: dict[str, Facts] = {}
    found["property"] = _values((old_property_name(item.get("name", "")), item) for item in properties(root))
    for section in ("resources", "constraints", "fencing-topology"):
        for item in root.iterfind(f"configuration/{section}/*"):
            found[label(item)] = facts(item)
            found |= {label(member): facts(member) for member in item.iter("primitive") if member is not item}
    pairs = root.iterfind("configuration/rsc_defaults/meta_attributes/nvpair")
    found["resource default"] = _values((item.get("name", ""), item) for item in pairs)
    record = sorted(owned(root))
    if record:
        found[f"tag {TAG}"] = {"objects": " ".join(record)}
    return found


def _values(pairs: Iterator[tuple[str, ET.Element]]) -> Facts:
    """Return values by name; a name that is set more than once differently shows all its values."""
    values: dict[str, list[str]] = {}
    for name, item in pairs:
        values.setdefault(name, []).append(item.get("value", ""))
    return {name: " / ".join(dict.fromkeys(given)) for name, given in values.items()}


def _steps(name: str, old: Facts | None, new: Facts | None) -> Iterator[Step]:
    if name not in _SETS and (old is None or new is None):
        yield Step(
            "apply", name, None if old is None else shown_all(old), None if new is None else shown_all(new)
        )
        return
    for fact, before, after in differences(old or {}, new or {}):
        yield Step("apply", f"{name} {fact}", shown(fact, before), shown(fact, after))
