"""A CIB as small as one can be that has something of everything hadb owns, and what it wants, as text."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest

from hadb_core import cib_merge
from hadb_core.cib_wanted import Wanted
from hadb_core.errors import Refused

FENCE = '<primitive id="fence-db1" class="stonith" type="fence_x" />'
FS, SERVER = (f'<primitive id="{name}" class="ocf" provider="hadb" type="{name}" />' for name in ("fs", "server"))
GROUP = f'<group id="db">{FS}{SERVER}</group>'
BAN = '<rsc_location id="loc" rsc="fence-db1" node="db1" score="-INFINITY" />'
REF = '<obj_ref id="{}" />'
TAGS = '<tags><tag id="hadb">{}</tag></tags>'.format("".join(REF.format(n) for n in ("fence-db1", "db", "loc", "fs", "server")))
PROPERTIES = (
    '<crm_config><cluster_property_set id="cib-bootstrap-options">'
    '<nvpair id="cib-bootstrap-options-stonith-enabled" name="stonith-enabled" value="true" /></cluster_property_set></crm_config>'
)
DEFAULTS = (
    '<rsc_defaults><meta_attributes id="rsc-options">'
    '<nvpair id="rsc-options-resource-stickiness" name="resource-stickiness" value="100" /></meta_attributes></rsc_defaults>'
)


def wanted(fence: str = FENCE, group: str = GROUP, bans: tuple[str, ...] = (BAN,), **changed: Any) -> Wanted:
    values: dict[str, Any] = {"properties": {"stonith-enabled": "true"}, "defaults": {"resource-stickiness": "100"}}
    return Wanted((ET.fromstring(fence), ET.fromstring(group)), tuple(map(ET.fromstring, bans)), **(values | changed))


def live(resources: str = FENCE + GROUP, constraints: str = BAN, config: str = PROPERTIES, defaults: str = DEFAULTS,
         tags: str = TAGS) -> ET.Element:  # fmt: skip
    return ET.fromstring(
        f"<cib><configuration>{config}<nodes /><resources>{resources}</resources><constraints>{constraints}</constraints>"
        f"{defaults}{tags}</configuration><status /></cib>"
    )


def merged(root: ET.Element, want: Wanted | None = None) -> str:
    before, want = ET.tostring(root), want or wanted()
    asked = [ET.tostring(item) for item in (*want.resources, *want.constraints)]
    text = ET.tostring(cib_merge.merge(root, want), encoding="unicode")
    assert ET.tostring(root) == before, "the live CIB was changed in place"
    assert [ET.tostring(item) for item in (*want.resources, *want.constraints)] == asked, "what is wanted was changed in place"
    return text


def part(name: str, root: ET.Element, want: Wanted | None = None) -> str:
    """Return what is inside one section after the merge."""
    section = ET.fromstring(merged(root, want)).find(f"configuration/{name}")
    assert section is not None
    return "".join(ET.tostring(item, encoding="unicode") for item in section)


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as error:
        call()
    return str(error.value)
