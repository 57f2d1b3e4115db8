"""The states that need no call of their own in the lab are really applied by the formula: rendered, and reached from its entries."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scenario.function_table import BY_THE_FORMULA

from documents import load

ROOT = Path(__file__).resolve().parents[2]
LAB = "test/lab/pillar.sls"
_INCLUDED = re.compile(r"^  - (hadb[\w.]*)$", re.MULTILINE)


def text_of(sls: str) -> str:
    """Return the text of an SLS."""
    path = ROOT / sls.replace(".", "/")
    return (path / "init.sls" if path.is_dir() else path.with_suffix(".sls")).read_text(encoding="utf-8")


def reached(sls: str) -> set[str]:
    """Return the SLS and everything that it includes, itself or by what it includes."""
    found = {sls}
    for name in _INCLUDED.findall(text_of(sls)):
        found |= reached(name)
    return found


@pytest.fixture(scope="module")
def applied(minion) -> set[str]:
    """Every SLS that one run of the orchestration applies."""
    low = minion(load(LAB)).cmd("state.show_low_sls", "hadb.orch")
    return {"hadb.orch"}.union(*(reached(step["sls"]) for step in low if step["state"] == "salt"))


@pytest.mark.parametrize("function", BY_THE_FORMULA)
def test_state_is_applied_where_the_table_says(minion, applied, function) -> None:
    sls, name = BY_THE_FORMULA[function]
    assert sls in applied
    low = minion(load(LAB)).cmd("state.show_low_sls", sls)
    assert (function, sls, name) in [(f"{one['state']}.{one['fun']}", one["__sls__"], one["__id__"]) for one in low]
