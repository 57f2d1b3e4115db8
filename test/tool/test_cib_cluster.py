"""The CIB in a live cluster of two nodes: what is applied is one epoch and one transition, and holds stay."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chroots import SUITES
from cib_cluster import Cluster
from cib_document import AGENT_SETS, without_vip
from cib_document import document as shipped
from joined_module import pacemaker

from hadb_core import cib_merge
from hadb_core.cib_wanted import wanted
from hadb_core.errors import Refused
from support import load

SETTLE = 120


class Live:
    """A live cluster, seen from db1 through hadb's modules, and the set of agents that the pillar chose."""

    def __init__(self, cluster: Cluster, agents: str) -> None:
        self.cluster, self.tool, self.agents = cluster, cluster.run_all("db1"), agents
        self.module = pacemaker(self.tool)
        self.state = load("_states/pacemaker.py", salt=self.module.salt)
        self.dry = load("_states/pacemaker.py", salt=self.module.salt, opts={"test": True})

    def document(self, **changes: Any) -> dict[str, Any]:
        """Return the shipped defaults with this set of agents."""
        return shipped(AGENT_SETS[self.agents], **changes)

    def epoch(self) -> int:
        return int(self.module.configuration()["version"].split(".")[1])

    def settled(self) -> None:
        answer = self.module.settled(SETTLE)
        assert answer["settled"], answer


# The stock agents are the same for hadb on every release.
@pytest.fixture(scope="module", params=[*((suite, "hadb") for suite in SUITES), ("trixie", "stock")], ids="-".join)
def live(request: pytest.FixtureRequest) -> Iterator[Live]:
    with (
        tempfile.TemporaryDirectory(prefix="hadb-tool-", dir="/tmp") as home,
        Cluster(request.param[0], Path(home)) as cluster,
    ):
        yield Live(cluster, request.param[1])


# The tests of one cluster build on each other, in this order; each leaves it settled and configured.


def test_the_whole_configuration_is_one_epoch_and_one_transition(live):
    epoch, transitions = live.epoch(), live.cluster.transitions()
    ret = live.state.configured("x", live.document())
    assert ret["result"] is True and ret["changes"], ret
    live.settled()
    assert live.epoch() == epoch + 1
    assert live.cluster.transitions() == transitions + 1


def test_everything_runs_on_one_node_and_fencing_on_the_others(live):
    resources = live.module.status()["resources"]
    assert len({resources[name]["node"] for name in wanted(live.document()).service()}) == 1
    assert (resources["fence-db1"]["node"], resources["fence-db2"]["node"]) == ("db2", "db1")


def test_a_second_application_changes_nothing(live):
    epoch, transitions = live.epoch(), live.cluster.transitions()
    assert live.state.configured("x", live.document())["changes"] == {}
    assert (live.epoch(), live.cluster.transitions()) == (epoch, transitions)


def test_a_change_that_interrupts_the_database_is_refused(live):
    epoch = live.epoch()
    ret = live.state.configured("x", live.document(vips={"nova": {"address": "10.20.0.60"}}))
    assert ret["result"] is False and "restart vip-nova" in ret["comment"]
    assert live.epoch() == epoch


def test_holds_of_operators_are_kept_and_told(live):
    idle = next(node for node in ("db1", "db2") if node != live.module.where())
    live.tool(["crm_resource", "--ban", "--resource", "db", "--node", idle])
    live.tool(["crm_attribute", "--node", idle, "--name", "standby", "--update", "on"])
    ret = live.state.configured("x", live.document(pacemaker={"stickiness": 500}))
    assert ret["result"] is True and list(ret["changes"]) == ["resource default resource-stickiness"]
    assert f"Node {idle} is in standby" in ret["comment"] and f"db is banned from {idle}" in ret["comment"]
    assert len(live.module.status()["holds"]) == 2
    live.tool(["crm_resource", "--clear", "--resource", "db"])
    assert live.state.node_online(idle)["result"] is True
    assert live.module.status()["holds"] == []


def test_a_patch_that_somebody_overtook_is_not_written(live):
    cib, _ = live.module.pacemaker._live()
    live.tool(["crm_attribute", "--name", "batch-limit", "--update", "7"])
    assert live.module.pacemaker._patched(cib, cib_merge.merge(cib, wanted(live.document()))) is False
    live.state.configured("x", live.document())
    assert live.module.configuration()["objects"]["property"]["batch-limit"] == "7"


def test_a_busy_status_section_does_not_keep_a_patch_out(live):
    cib, _ = live.module.pacemaker._live()
    live.tool(["crm_attribute", "--node", "db1", "--name", "busy", "--update", "1", "--lifetime", "reboot"])
    live.cluster.wait(lambda: cib_merge.version(live.module.pacemaker._live()[0]) != cib_merge.version(cib), SETTLE)
    epoch = live.epoch()
    assert live.module.pacemaker._patched(cib, cib_merge.merge(cib, wanted(live.document(pacemaker={"stickiness": 77}))))
    assert live.epoch() == epoch + 1
    live.state.configured("x", live.document())


def test_a_removed_address_goes_when_it_is_allowed(live):
    smaller = without_vip("glance", live.document(pacemaker={"allow_restart": True}))
    assert live.state.configured("x", smaller)["result"] is True
    live.settled()
    assert "vip-glance" not in live.module.status()["resources"]
    assert live.state.configured("x", live.document(pacemaker={"allow_restart": True}))["result"] is True
    live.settled()


def test_a_move_does_what_was_foretold_and_leaves_no_constraint(live):
    source = live.module.where()
    target = next(node for node in ("db1", "db2") if node != source)
    foretold = [(item["target"], item["to"]) for item in live.module.simulate(move=target)["actions"] if item["what"] == "move"]
    assert live.module.where() == source
    assert live.module.move(target)["settled"]
    where = {name: resource["node"] for name, resource in live.module.status()["resources"].items()}
    assert sorted(foretold) == sorted((name, where[name]) for name in wanted(live.document()).service())
    assert live.module.status()["holds"] == []


def test_a_move_keeps_an_operators_ban_of_another_resource_and_node(live):
    source = live.module.where()
    target = next(node for node in ("db1", "db2") if node != source)
    live.module.ban("db", target)
    with pytest.raises(Refused, match=f"cli-ban-db-on-{target}"):
        live.module.move(target)
    live.module.clear("db", target)
    assert live.module.move(target)["settled"] and live.module.where() == target
    assert live.module.ban("db", source)["settled"]
    assert live.module.move(target)["settled"], "it is there already"
    assert [f"db is banned from {source}" in hold for hold in live.module.status()["holds"]] == [True]
    assert live.module.clear("db")["settled"] and live.module.status()["holds"] == []


def test_a_standby_does_what_was_foretold(live):
    owner = live.module.where()
    idle = next(node for node in ("db1", "db2") if node != owner)
    assert live.module.simulate(standby=idle)["interrupted"] == []
    assert set(live.module.simulate(standby=owner)["interrupted"]) == set(wanted(live.document()).service())
    assert live.module.standby(owner)["settled"] and live.module.where() == idle
    assert live.module.online(owner)["settled"] and live.module.where() == idle


def test_maintenance_is_predicted_switched_and_ended_without_touching_a_resource(live):
    owner, epoch = live.module.where(), live.epoch()
    for enabled in (True, False):
        predicted = live.dry.maintenance("x", enabled)
        assert predicted["result"] is None and live.module.status()["cluster"]["maintenance"] is not enabled
        assert live.state.maintenance("x", enabled)["changes"] == predicted["changes"]
        assert live.state.maintenance("x", enabled)["changes"] == {}
    live.settled()
    assert live.module.where() == owner and live.epoch() == epoch + 2


def test_a_test_run_predicts_the_real_one_and_changes_nothing(live):
    changed, epoch = live.document(pacemaker={"stickiness": 321}), live.epoch()
    predicted = live.dry.configured("x", changed)
    assert (predicted["result"], live.epoch()) == (None, epoch)
    assert live.state.configured("x", changed)["changes"] == predicted["changes"] != {}
    assert live.dry.configured("x", changed)["changes"] == {}
    live.state.configured("x", live.document())


def test_a_crash_is_seen_repaired_and_forgotten(live):
    live.cluster.crash(live.module.where(), "db-server")
    live.cluster.wait(lambda: live.module.status()["failures"], SETTLE)
    live.settled()
    assert live.module.status()["failures"][0]["operation"].startswith("db-server_monitor")
    live.module.cleanup()
    assert live.module.status()["failures"] == []


def test_another_set_of_agents_takes_over_when_it_is_allowed(live):
    owner, epoch = live.module.where(), live.epoch()
    other = AGENT_SETS["hadb" if live.agents == "stock" else "stock"]
    ret = live.state.configured("x", shipped(other))
    assert ret["result"] is False and f"restart db-lvm on {owner}" in ret["comment"] and live.epoch() == epoch
    for chosen in (other, AGENT_SETS[live.agents]):
        allowed = shipped(chosen, pacemaker={"allow_restart": True})
        assert live.state.configured("x", allowed)["result"] is True
        live.settled()
        # On either node: with the history of its stopped resources Pacemaker forgets where they were.
        resources = live.module.status()["resources"]
        assert len({resources[name]["node"] for name in wanted(allowed).service()}) == 1
        assert live.module.status()["failures"] == []
        assert live.state.configured("x", allowed)["changes"] == {}


def test_a_fenced_node_is_history_and_the_rest_is_settled(live):
    if live.module.where() != "db1":
        live.module.move("db1")
    with pytest.raises(Refused):
        live.module.fence("db2", "db1")
    event = live.module.fence("db2", "db2")[0]
    assert (event["action"], event["target"], event["status"]) == ("reboot", "db2", "success")
    live.cluster.wait(lambda: not live.module.status()["nodes"]["db2"]["online"], SETTLE)
    live.settled()
    assert live.state.configured("x", live.document(pacemaker={"stickiness": 900}))["result"] is True
