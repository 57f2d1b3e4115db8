"""Every SLS renders for every pillar we ship, its requisites resolve, and no secret is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from documents import document, load
from hadb_core.cib_wanted import wanted
from hadb_core.document import redacted

ROOT = Path(__file__).resolve().parents[2]
SLS = sorted(
    str(path.relative_to(ROOT)).removesuffix(".sls").removesuffix("/init").replace("/", ".")
    for path in ROOT.glob("hadb/**/*.sls")
)


@pytest.mark.parametrize("sls", SLS)
def test_renders_compiles_and_holds_no_secret(minion, sls):
    compiles_without_secrets(minion, sls, "test/lab/pillar.sls")


@pytest.mark.parametrize("sls", ["hadb", "hadb.cluster.cib", "hadb.cluster.accounts", "hadb.orch"])
def test_pillar_example_renders_too(minion, sls):
    compiles_without_secrets(minion, sls, "pillar.example")


def compiles_without_secrets(minion, sls, pillar):
    """Fail unless the SLS compiles to states, with all requisites resolved, in which no password stands."""
    low = minion(load(pillar)).cmd("state.show_low_sls", sls)
    assert all(isinstance(one, dict) for one in low), low
    assert low, "an SLS without a state cannot be required"
    for secret in secrets(load(pillar)["hadb"]):
        assert secret not in repr(low)


def secrets(value):
    """Yield every password of a pillar."""
    for key, item in value.items():
        if isinstance(item, dict):
            yield from secrets(item)
        elif key in ("password", "authkey"):
            yield item


def test_the_cluster_is_given_all_that_its_configuration_is_made_from(minion):
    (state,) = minion(load("test/lab/pillar.sls")).cmd("state.show_low_sls", "hadb.cluster.cib")
    site = load("test/lab/pillar.sls")["hadb"]["nodes"]
    devices = {item.get("id"): item for item in wanted(state["document"]).resources}
    for name, node in site.items():
        given = {pair.get("name"): pair.get("value") for pair in devices[f"fence-{name}"].iter("nvpair")}
        assert (given["ip"], given["target_address"]) == (node["bmc"]["address"], node["address"])
        assert given["database_mount"] == "/dbmnt"


def test_every_agent_is_installed_where_pacemaker_looks(minion):
    files = {
        one["name"]: (one["source"].removeprefix("salt://"), one["mode"], one["user"])
        for sls in ("hadb.pacemaker.agents", "hadb.fencing.agent")
        for one in minion(load("test/lab/pillar.sls")).cmd("state.show_low_sls", sls)
    }
    expected = {
        f"/usr/lib/ocf/resource.d/hadb/{path.name}": (f"hadb/files/agents/{path.name}", "0755", "root")
        for path in ROOT.glob("hadb/files/agents/*")
        if path.suffix != ".sh"
    }
    assert len(expected) == 4
    expected["/usr/lib/hadb/agent.sh"] = ("hadb/files/agents/agent.sh", "0644", "root")
    expected["/usr/lib/hadb/reservation.sh"] = ("hadb/files/agents/reservation.sh", "0644", "root")
    expected["/usr/lib/hadb/reservation-watch"] = ("hadb/files/reservation-watch", "0755", "root")
    expected["/usr/sbin/fence_hadb_reservation"] = ("hadb/files/fence_hadb_reservation", "0755", "root")
    expected["/usr/sbin/fence_hadb"] = ("hadb/files/fence_hadb", "0755", "root")
    assert files.items() >= expected.items()


def test_the_node_states_install_the_agents(minion):
    states = {one["name"] for one in minion(load("test/lab/pillar.sls")).cmd("state.show_low_sls", "hadb")}
    assert {"/usr/lib/ocf/resource.d/hadb/server", "/usr/lib/hadb/agent.sh", "/usr/sbin/fence_hadb"} <= states


def test_what_reserves_comes_and_goes_with_its_switch(minion):
    """The package, the key that multipathd knows, the second fencing level, and the two steps of the orchestration."""
    def found(on):
        pillar = load("test/lab/pillar.sls")
        pillar["hadb"]["fencing"]["reservations"] = on
        minion_, shown = minion(pillar), {}
        for sls in ("hadb.package", "hadb.storage.multipath", "hadb.cluster.cib", "hadb.orch"):
            shown[sls] = minion_.cmd("state.show_low_sls", sls)
            assert all(isinstance(one, dict) for one in shown[sls]), shown[sls]
        (cib,) = shown["hadb.cluster.cib"]
        return (
            any("sg3-utils" in one.get("pkgs", ()) for one in shown["hadb.package"]),
            [one["cluster_name"] for one in shown["hadb.storage.multipath"] if "cluster_name" in one],
            len(wanted(cib["document"]).levels),
            [one["__id__"] for one in shown["hadb.orch"] if "reserved" in one["__id__"]],
        )

    assert found(True) == (True, ["nova-db"], 4, ["hadb LUNs can be reserved", "hadb LUNs are reserved for that node"])
    assert found(False) == (False, [], 0, [])


def test_an_sls_sees_the_merged_document_without_its_secrets(minion):
    pillar = "test/lab/pillar.sls"
    release = str(minion(load(pillar)).cmd("grains.get", "osmajorrelease"))
    rendered = minion(load(pillar)).cmd(
        "slsutil.renderer",
        string="{% from 'hadb/map.jinja' import hadb with context %}{{ hadb | json }}",
        default_renderer="jinja|yaml",
    )
    assert rendered == redacted(document(pillar, release))


def test_bad_pillar_stops_before_anything_else(minion):
    broken = minion({"hadb": {"nodez": {}}})
    ret = broken.cmd("state.single", "hadb.pillar_valid", "pillar")
    state = next(iter(ret.values()))
    assert state["result"] is False
    assert "hadb:nodez: unknown key" in state["comment"]
