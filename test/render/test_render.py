"""Every SLS renders for every pillar we ship, its requisites resolve, and no secret is in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from documents import document, load
from hadb_core.document import redacted

ROOT = Path(__file__).resolve().parents[2]
SLS = sorted(
    str(path.relative_to(ROOT)).removesuffix(".sls").removesuffix("/init").replace("/", ".")
    for path in ROOT.glob("hadb/**/*.sls")
)
PILLARS = ["test/lab/pillar.sls", "pillar.example"]


@pytest.mark.parametrize("pillar", PILLARS)
@pytest.mark.parametrize("sls", SLS)
def test_renders_and_compiles(minion, sls, pillar):
    low = minion(load(pillar)).cmd("state.show_low_sls", sls)
    assert all(isinstance(one, dict) for one in low), low
    assert low, "an SLS without a state cannot be required"


@pytest.mark.parametrize("pillar", PILLARS)
@pytest.mark.parametrize("sls", SLS)
def test_no_rendered_sls_holds_a_secret(minion, sls, pillar):
    shown = repr(minion(load(pillar)).cmd("state.show_sls", sls))
    for secret in secrets(load(pillar)["hadb"]):
        assert secret not in shown


def secrets(value):
    """Yield every password of a pillar."""
    for key, item in value.items():
        if isinstance(item, dict):
            yield from secrets(item)
        elif key in ("password", "authkey"):
            yield item


def test_the_two_ways_to_merge_agree(minion):
    pillar = "test/lab/pillar.sls"
    assert minion(load(pillar)).cmd("hadb.document") == redacted(document(pillar))
    rendered = minion(load(pillar)).cmd(
        "slsutil.renderer",
        string="{% from 'hadb/map.jinja' import hadb with context %}{{ hadb | json }}",
        default_renderer="jinja|yaml",
    )
    assert redacted(rendered) == redacted(document(pillar))


def test_bad_pillar_stops_before_anything_else(minion):
    broken = minion({"hadb": {"nodez": {}}})
    ret = broken.cmd("state.single", "hadb.pillar_valid", "pillar")
    state = next(iter(ret.values()))
    assert state["result"] is False
    assert "hadb:nodez: unknown key" in state["comment"]


def test_every_module_of_ours_loads(minion):
    functions = minion(load("test/lab/pillar.sls")).cmd("sys.list_functions")
    for path in ROOT.glob("_modules/*.py"):
        assert any(name.startswith(f"{path.stem}.") for name in functions), path.stem
    states = minion(load("test/lab/pillar.sls")).cmd("sys.list_state_functions")
    for path in ROOT.glob("_states/*.py"):
        assert any(name.startswith(f"{path.stem}.") for name in states), path.stem
