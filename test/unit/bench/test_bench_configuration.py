"""The seed's configuration, and the way from one to the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench import configuration
from bench.growth import plan_seconds
from bench.stand import topology

from documents import ROOT, document
from hadblab import topology_file

CIB = (Path(__file__).parents[1] / "pacemaker/fixtures/cib-running-3.0.0.xml").read_text(encoding="utf-8")
CONF = """\
# Managed
totem {
    version: 2
    token: 1000
    consensus: 250
    interface {
        linknumber: 0
    }
}
quorum {
    provider: corosync_votequorum
}
"""


def test_seed_has_the_appendix_own_values() -> None:
    found = configuration.seed(document())
    members = [member.get("id") for member in found.iterfind("resources/group/primitive")]
    assert members == ["db-lvm", "db-fs", "vip-glance", "vip-nova", "db-server"]
    limits = {op.get("id"): (op.get("interval"), op.get("timeout")) for op in found.iter("op")}
    assert limits["db-server-monitor-20"] == ("20", "30") and limits["db-fs-stop-0"] == ("0", "240")
    assert not [op for op in limits if op and op.startswith("db-lvm-monitor")]
    assert {pair.get("value") for pair in found.iterfind("resources//nvpair[@name='ip']")} >= {"10.20.0.50", "10.20.0.101"}


def test_seed_holds_no_password_and_fences_from_the_other_node() -> None:
    found = configuration.seed(document())
    assert b"lab-only" not in configuration.text(found) and b"$" not in configuration.text(found)
    places = {item.get("rsc"): (item.get("node"), item.get("score")) for item in found.iterfind("constraints/rsc_location")}
    assert places == {"fence-db1": ("db1", "-INFINITY"), "fence-db2": ("db2", "-INFINITY")}


def test_nodes_and_what_pacemaker_notes_stay_those_of_the_running_cluster() -> None:
    live = configuration.of(CIB)
    found = configuration.onto(live, configuration.seed(document()))
    assert [node.get("uname") for node in found.iterfind("nodes/node")] == ["db1", "db2"]
    names = [pair.get("name") for pair in found.iterfind("crm_config//nvpair")]
    assert names.count("dc-version") == 1 and "priority-fencing-delay" not in names
    back = configuration.onto(found, live)
    assert configuration.text(back.find("resources")) == configuration.text(live.find("resources"))
    assert [pair.get("name") for pair in back.iterfind("crm_config//nvpair")].count("dc-version") == 1


def test_between_the_two_nothing_is_left_to_run() -> None:
    live = configuration.of(CIB)
    found = configuration.without_resources(live)
    assert not list(found.find("resources")) and not list(found.find("constraints")) and found.find("tags") is None
    assert found.find("crm_config//nvpair[@name='stonith-enabled']").get("value") == "false"
    assert live.find("crm_config//nvpair[@name='stonith-enabled']").get("value") == "true"


def test_ours_is_known_by_its_tag() -> None:
    assert configuration.is_ours(configuration.of(CIB))
    assert not configuration.is_ours(configuration.seed(document()))


def test_what_is_no_cib_is_refused() -> None:
    with pytest.raises(ValueError, match="not a CIB"):
        configuration.of("connection failed")
    with pytest.raises(ValueError, match="no configuration"):
        configuration.of("<cib/>")


def test_corosync_gets_the_seeds_times_and_nothing_else_changes() -> None:
    found = configuration.with_totem(CONF, configuration.SEED_TOTEM)
    assert configuration.totem(found) == {"token": 3000, "consensus": 5000}
    assert configuration.totem(configuration.with_totem(found, {"token": 1000, "consensus": 250})) == {"token": 1000, "consensus": 250}
    times = ("token", "consensus")
    kept = [line.strip() for line in CONF.splitlines() if not line.strip().startswith(times)]
    assert [line.strip() for line in found.splitlines() if not line.strip().startswith(times)] == kept
    with pytest.raises(ValueError, match="0 totem"):
        configuration.with_totem("quorum {\n}\n", configuration.SEED_TOTEM)


def test_lab_of_the_bench_has_slow_bmcs_and_is_the_lab_otherwise() -> None:
    path = ROOT / "test/lab/topology.toml"
    text = topology(path.read_text(encoding="utf-8"))
    import tomllib

    slow = topology_file.parse(tomllib.loads(text)).nodes
    usual = topology_file.parse(topology_file.load(path)).nodes
    assert {node.bmc.power_off_seconds for node in slow.values() if node.bmc} == {2.0}
    assert slow.keys() == usual.keys()
    with pytest.raises(ValueError, match="power_off_seconds"):
        topology("[bmc]\n")


def test_plan_is_timed_where_nothing_is_to_be_done() -> None:
    assert set(plan_seconds(CIB, (1, 2))) == {"1", "2"}
