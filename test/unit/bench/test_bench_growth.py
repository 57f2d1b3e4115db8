"""The site of many VIPs and databases that the bench gives to a run."""

from __future__ import annotations

import pytest
from bench import growth

from documents import document
from hadb_core.document import merge
from hadb_core.document_faults import faults


@pytest.mark.parametrize("count", growth.SIZES[1:])
def test_a_site_merged_into_the_labs_pillar_has_so_many_in_all_and_is_valid(count: int) -> None:
    merged = merge(document(), growth.site(count))
    assert len(merged["vips"]) == len(merged["database"]["databases"]) == count
    assert len(growth.with_site(count)["vips"]) == count
    assert faults(merged) == []


def test_a_site_of_one_is_one_of_the_labs_own() -> None:
    assert set(growth.with_site(1)["vips"]) < set(document()["vips"])
