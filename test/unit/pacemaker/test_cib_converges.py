"""Properties of the plan: from whatever is there, one merge makes it right and keeps what is not hadb's."""

import copy
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path

from cib_document import captured, without_vip
from cib_document import document as shipped
from hypothesis import given, settings
from hypothesis import strategies as st

from hadb_core import cib_merge
from hadb_core.cib_facts import differences
from hadb_core.cib_plan import plan, snapshot
from hadb_core.cib_wanted import wanted

FIXTURES = Path(__file__).parent / "fixtures"
# What the pillar may have said at different times; each is reached from each.
DOCUMENTS = (
    captured(),
    without_vip("glance", captured()),
    captured(fencing={"action": "off", "delay": 9}),
    captured(pacemaker={"stickiness": 7, "properties": {"batch-limit": 4}}),
    shipped(),
)
FOREIGN = (
    ("resources", '<primitive id="theirs" class="ocf" provider="heartbeat" type="Dummy"/>'),
    ("constraints", '<rsc_location id="theirs-too" rsc="db" node="db2" score="50"/>'),
    ("constraints", '<rsc_location id="cli-ban-db-on-db2" rsc="db" node="db2" score="-INFINITY"/>'),
)


@cache
def real(version):
    return (FIXTURES / f"cib-running-{version}.xml").read_text(encoding="utf-8")


def blank(_version):
    return cib_merge.BLANK


EDITED = ("nvpair", "op", "rsc_location")


@st.composite
def cibs(draw, edited=(*EDITED, "obj_ref")):
    """A cluster that hadb configured or not, in which somebody deleted, changed and added things by hand."""
    read, version = draw(st.sampled_from((real, real, blank))), draw(st.sampled_from(("2.1.5", "3.0.0", "3.0.3")))
    root = cib_merge.parse(read(version))
    if draw(st.booleans()):
        root = cib_merge.merge(root, wanted(draw(st.sampled_from(DOCUMENTS))))
    config = root.find("configuration")
    for choice in draw(st.lists(st.integers(0, 10_000), max_size=6)):
        pairs = [(parent, child) for parent in config.iter() for child in parent if child.tag in edited]
        if not pairs:
            break
        parent, child = pairs[choice % len(pairs)]
        if choice % 2:
            parent.remove(child)
        elif child.tag == "nvpair":
            child.set("value", str(choice))
    for section, text in draw(st.lists(st.sampled_from(FOREIGN), unique=True)):
        config.find(section).append(ET.fromstring(text))
    return root


@settings(max_examples=40, deadline=None)
@given(cibs(), st.sampled_from(DOCUMENTS))
def test_one_merge_completes_whatever_is_there_and_a_second_changes_nothing(root, document):
    target = wanted(document)
    before = ET.tostring(root)
    once = cib_merge.merge(root, target)
    assert ET.tostring(root) == before, "planning must not touch what was read"
    assert not plan(once, target)
    assert ET.tostring(cib_merge.merge(once, target)) == ET.tostring(once)


@settings(max_examples=40, deadline=None)
@given(cibs(), st.sampled_from(DOCUMENTS))
def test_what_is_not_hadbs_survives(root, document):
    merged = cib_merge.merge(root, wanted(document))
    for _, text in FOREIGN:
        name = ET.fromstring(text).get("id")
        for section in ("resources", "constraints"):
            there = root.find(f"configuration/{section}/*[@id='{name}']")
            if there is not None:
                assert ET.tostring(merged.find(f"configuration/{section}/*[@id='{name}']")) == ET.tostring(there)
    for part in ("status", "configuration/nodes"):
        assert ET.tostring(merged.find(part)) == ET.tostring(root.find(part))


@settings(max_examples=40, deadline=None)
@given(cibs(EDITED), st.lists(st.sampled_from(DOCUMENTS), min_size=1, max_size=3))
def test_the_way_over_other_documents_ends_at_the_same_configuration(root, documents):
    """However many runs with other pillars came before, and whichever of them was the last that got through.

    As long as nobody edits the record of what hadb made: what is not in it is somebody else's, until a pillar names it again.
    """
    way = root
    for document in documents:
        way = cib_merge.merge(way, wanted(document))
    direct = cib_merge.merge(root, wanted(documents[-1]))
    one, other = snapshot(way), snapshot(direct)
    assert set(one) == set(other)
    for name in one:
        assert [item for item in differences(one[name], other[name]) if name != "property"] == []


@settings(max_examples=40, deadline=None)
@given(cibs())
def test_a_cib_reads_back_as_it_was_written(root):
    again = cib_merge.parse(ET.tostring(root, encoding="unicode"))
    assert snapshot(again) == snapshot(root)
    assert (cib_merge.version(again), cib_merge.owned(again)) == (cib_merge.version(root), cib_merge.owned(root))
    assert snapshot(copy.deepcopy(root)) == snapshot(root)
