import copy
from pathlib import Path

import pytest

from hadb_core.cib_status import status, stopped, unsettled
from hadb_core.errors import Unreadable


def test_a_running_cluster(real, version):
    state = status(real("crm_mon-running"))
    assert state["running"] and state["cluster"]["with_quorum"]
    assert state["cluster"]["version"].startswith(version)
    assert state["cluster"]["dc"] in state["nodes"]
    assert {name: node["online"] for name, node in state["nodes"].items()} == {"db1": True, "db2": True}
    assert state["resources"]["db-server"]["node"] == "db1"
    assert state["resources"]["fence-db1"]["node"] == "db2"
    assert state["resources"]["vip-nova"]["agent"] == "ocf:heartbeat:IPaddr2"
    assert state["failures"] == state["fencing_history"] == []


def test_what_operators_hold(real):
    state = status(real("crm_mon-held"))
    assert state["nodes"]["db2"]["standby"] and state["nodes"]["db1"]["maintenance"]
    assert not state["resources"]["fence-db1"]["managed"]


def test_failures_and_fencing_are_history(real):
    state = status(real("crm_mon-fenced"))
    assert state["failures"][0]["operation"] == "db-server_monitor_5000"
    assert state["failures"][0]["node"] == "db1"
    event = state["fencing_history"][0]
    assert (event["action"], event["target"], event["status"], event["by"]) == (
        "reboot",
        "db2",
        "success",
        "db1",
    )
    assert not state["nodes"]["db2"]["online"] and not state["nodes"]["db2"]["unclean"]


def test_a_probe_without_answer_is_a_failure():
    report = (Path(__file__).parent / "fixtures/crm_mon-probe_failed-3.0.0.xml").read_text(encoding="utf-8")
    failures = status(report)["failures"]
    assert {
        "operation": "db-server_probe",
        "node": "db1",
        "status": "Invalid parameter",
        "reason": "",
    }.items() <= next(item.items() for item in failures if item["operation"] == "db-server_probe")
    assert len(failures) == 10


def test_both_shapes_have_the_same_keys(real):
    running, absent = status(real("crm_mon-running")), stopped("why")
    assert running.keys() == absent.keys() and running["cluster"].keys() == absent["cluster"].keys()
    assert absent["running"] is False and absent["reason"] == "why"


@pytest.mark.parametrize(
    "report", ["", "Connection refused", '<pacemaker-result><status code="102"/></pacemaker-result>']
)
def test_no_summary_is_unreadable(report):
    with pytest.raises(Unreadable):
        status(report)


def test_a_running_cluster_is_settled(real):
    assert unsettled(status(real("crm_mon-running"))) == []


def test_a_cluster_with_a_fenced_node_is_settled(real):
    assert unsettled(status(real("crm_mon-fenced"))) == []
    assert unsettled(status(real("crm_mon-fenced")), ["fence-db1"]) == ["fence-db1 is not running"]


@pytest.mark.parametrize(
    ("where", "key", "value", "words"),
    [
        ("cluster", "dc", "", "no designated controller"),
        ("cluster", "with_quorum", False, "no quorum"),
        ("nodes/db2", "unclean", True, "node db2 is unclean"),
        ("nodes/db2", "pending", True, "node db2 is still joining"),
        ("resources/db-fs", "failed", True, "db-fs has failed on db1"),
        ("resources/db-fs", "blocked", True, "db-fs is blocked"),
        ("resources/db-fs", "active", False, "db-fs is not running"),
    ],
)
def test_what_is_not_settled_is_named(real, where, key, value, words):
    state = copy.deepcopy(status(real("crm_mon-running")))
    part = state
    for name in where.split("/"):
        part = part[name]
    part[key] = value
    assert any(words in item for item in unsettled(state))


def test_a_held_resource_may_be_stopped_unless_it_is_demanded(real):
    state = copy.deepcopy(status(real("crm_mon-running")))
    state["resources"]["db-server"] |= {"active": False, "held": True}
    assert unsettled(state) == []
    assert unsettled(state, ["db-server"]) == ["db-server is not running"]


def test_a_demanded_resource_that_does_not_exist_is_named(real):
    assert unsettled(status(real("crm_mon-running")), ["vip-x"]) == [
        "vip-x is not in the cluster's configuration"
    ]


def test_a_stopped_pacemaker_is_not_settled():
    assert unsettled(stopped("Pacemaker is not installed here")) == [
        "Pacemaker does not run here: Pacemaker is not installed here"
    ]
