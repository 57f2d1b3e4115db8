"""The cluster's state compared whole: every field an operator or a state reads, also where crm_mon says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from hadb_core.cib_status import status, stopped, unsettled
from hadb_core.errors import Unreadable

QUIET = {
    "online": True, "standby": False, "maintenance": False, "pending": False, "unclean": False, "shutdown": False,
    "is_dc": False,
}  # fmt: skip
SERVER = {
    "agent": "ocf:heartbeat:mysql", "role": "Started", "node": "db1", "nodes": ["db1"], "held": False, "active": True,
    "failed": False, "managed": True, "blocked": False, "orphaned": False,
}  # fmt: skip
HISTORY = """<node_history><node name="db1"><resource_history id="db-fs">
  <operation_history task="probe" call="5" rc="2" rc_text="Invalid parameter" exit-reason="no such device" last-rc-change="noon"/>
  <operation_history task="probe" call="5" rc="2" rc_text="Invalid parameter" exit-reason="told twice"/>
  <operation_history task="probe" call="6" rc="0"/>
  <operation_history task="probe" call="7" rc="7"/>
  <operation_history task="probe" call="8" rc="8"/>
  <operation_history task="start" call="9" rc="1" rc_text="error"/>
 </resource_history><resource_history id="db-lvm"><operation_history task="probe" rc="5"/></resource_history></node>
 <node><resource_history id="vip-nova"><operation_history task="probe" call="5" rc="1"/></resource_history></node></node_history>
"""


def of(*parts: str, summary: str = "") -> dict[str, Any]:
    return status(f"<pacemaker-result><summary>{summary}</summary>{''.join(parts)}</pacemaker-result>")


def cluster(**changed: Any) -> dict[str, Any]:
    """A settled cluster of two nodes, one server and one fencing device, with some values changed."""
    state: dict[str, Any] = {
        "running": True, "reason": "",
        "cluster": {"dc": "db1", "version": "3.0.3", "with_quorum": True, "maintenance": False},
        "nodes": {"db1": dict(QUIET), "db2": dict(QUIET)},
        "resources": {"db-server": dict(SERVER), "fence-db1": SERVER | {"agent": "stonith:fence_ipmilan"}},
    }  # fmt: skip
    for path, value in changed.items():
        part, _, key = path.rpartition("__")
        place = state
        for name in filter(None, part.replace("_", "-").split("--")):
            place = place[name]
        place[key] = value
    return state


def test_a_cluster_with_a_failure_and_a_fencing_is_read_whole(real, version):
    found = status(real("crm_mon-fenced"))
    assert found["cluster"].pop("version").startswith(version)
    assert found["cluster"] == {"dc": "db1", "with_quorum": True, "maintenance": False}
    away = QUIET | {"online": False, "resources_running": 0}
    assert found["nodes"] == {"db1": QUIET | {"is_dc": True, "resources_running": 6}, "db2": away}
    assert found["resources"]["db-server"] == SERVER
    assert found["resources"]["fence-db1"] == SERVER | {
        "agent": "stonith:fence_ipmilan", "role": "Stopped", "node": "", "nodes": [], "active": False,
    }  # fmt: skip
    (failure,) = found["failures"]
    assert failure.pop("when").startswith("2026-11-2")
    assert failure == {
        "operation": "db-server_monitor_5000", "node": "db1", "status": failure["status"], "reason": "",
    }  # fmt: skip
    assert failure["status"].lower() == "not running"
    (event,) = found["fencing_history"]
    assert event.pop("when").startswith("2026-11-2")
    assert event == {"action": "reboot", "target": "db2", "status": "success", "by": "db1", "reason": ""}
    assert (found["running"], found["reason"], found["holds"]) == (True, "", [])


def test_what_is_not_told_is_empty_and_no_flag_is_set():
    parts = (
        "<nodes><node/></nodes>",
        "<resources><resource><node/></resource></resources>",
        "<failures><failure/></failures>",
        "<fence_history><fence_event/></fence_history>",
    )
    flags = dict.fromkeys(QUIET, False)
    assert of(*parts) == {
        "running": True, "reason": "",
        "cluster": {"dc": "", "version": "", "with_quorum": False, "maintenance": False},
        "nodes": {"": flags | {"resources_running": 0}},
        "resources": {"": {
            "agent": "", "role": "", "node": "", "nodes": [""], "held": True,
            "active": False, "failed": False, "managed": False, "blocked": False, "orphaned": False,
        }},
        "failures": [{"operation": "", "node": "", "status": "", "reason": "", "when": ""}],
        "fencing_history": [{"action": "", "target": "", "status": "", "by": "", "when": "", "reason": ""}],
        "holds": [],
    }  # fmt: skip


def test_a_failure_and_a_failed_fencing_are_told_with_their_reasons():
    found = of(
        '<failures><failure id="f1" node="db1" exitstatus="error" exitreason="no space" last-rc-change="noon"/></failures>',
        '<fence_history><fence_event action="off" target="db2" status="failed" origin="db1" last-failed="noon" '
        'exit-reason="No route"/></fence_history>',
    )
    assert found["failures"] == [
        {"operation": "f1", "node": "db1", "status": "error", "reason": "no space", "when": "noon"}
    ]
    assert found["fencing_history"] == [
        {"action": "off", "target": "db2", "status": "failed", "by": "db1", "when": "noon", "reason": "No route"}
    ]


def test_each_probe_without_answer_is_told_once_and_the_three_answers_are_none():
    empty = {"node": "", "status": "", "reason": "", "when": ""}
    assert of(HISTORY)["failures"] == [
        {"operation": "db-fs_probe", "node": "db1", "status": "Invalid parameter", "reason": "no such device", "when": "noon"},
        empty | {"operation": "db-lvm_probe", "node": "db1"},
        empty | {"operation": "vip-nova_probe"},
    ]  # fmt: skip


def test_who_fenced_is_the_node_that_did_it_and_not_the_one_that_asked():
    (event,) = of('<fence_history><fence_event origin="db1" delegate="db3" completed="c" last-failed="f"/></fence_history>')[
        "fencing_history"
    ]
    assert (event["by"], event["when"]) == ("db3", "c")


@pytest.mark.parametrize(
    ("dc", "found"),
    [
        ('<current_dc present="true" name="db1" version="3" with_quorum="true"/>', ("db1", "3", True)),
        ('<current_dc present="true" with_quorum="false"/>', ("", "", False)),
        ('<current_dc present="false" name="db1" version="3" with_quorum="true"/>', ("", "", False)),
        ("", ("", "", False)),
    ],
)
def test_a_controller_counts_only_when_it_is_present(dc, found):
    read = of(summary=dc)["cluster"]
    assert (read["dc"], read["version"], read["with_quorum"]) == found
    assert read["with_quorum"] is found[2]


@pytest.mark.parametrize(("word", "found"), [("true", True), ("false", False)])
def test_the_clusters_maintenance_mode_is_told(word, found):
    assert of(summary=f'<cluster_options maintenance-mode="{word}"/>')["cluster"]["maintenance"] is found


@pytest.mark.parametrize(
    ("attributes", "held"),
    [
        ('managed="true"', False),
        ('managed="false"', True),
        ('managed="true" target_role="Stopped"', True),
        ('managed="true" target_role="Started"', False),
    ],
)
def test_a_resource_is_held_when_it_is_unmanaged_or_wanted_stopped(attributes, held):
    found = of(f'<resources><clone><resource id="r" {attributes}/></clone></resources>')
    assert found["resources"]["r"]["held"] is held


def test_the_first_of_several_nodes_is_the_node():
    found = of('<resources><resource id="r"><node name="db2"/><node name="db1"/></resource></resources>')
    assert (found["resources"]["r"]["node"], found["resources"]["r"]["nodes"]) == ("db2", ["db2", "db1"])


def test_a_stopped_pacemaker_has_nothing_of_a_cluster():
    assert stopped("why") == {
        "running": False, "reason": "why",
        "cluster": {"dc": "", "version": "", "with_quorum": False, "maintenance": False},
        "nodes": {}, "resources": {}, "failures": [], "fencing_history": [], "holds": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<pacemaker-result/>", "cannot read the output of crm_mon: its report has no <summary>"),
        ("nothing", "cannot read the output of crm_mon: not XML: syntax error: line 1, column 0 (line: 'nothing')"),
    ],
)
def test_what_crm_mon_did_not_print_is_told(text, words):
    with pytest.raises(Unreadable) as error:
        status(text)
    assert str(error.value) == words


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, []),
        ({"cluster__dc": ""}, ["the cluster has no designated controller yet"]),
        ({"cluster__with_quorum": False}, ["the cluster has no quorum"]),
        ({"nodes__db2__unclean": True}, ["node db2 is unclean"]),
        ({"nodes__db2__pending": True}, ["node db2 is still joining"]),
        ({"resources__db_server__failed": True}, ["db-server has failed on db1"]),
        ({"resources__db_server__failed": True, "resources__db_server__node": ""}, ["db-server has failed on every node"]),
        ({"resources__db_server__blocked": True}, ["db-server is blocked"]),
        ({"resources__db_server__active": False}, ["db-server is not running"]),
        ({"resources__fence_db1__active": False}, ["fence-db1 is not running"]),
        ({"resources__fence_db1__active": False, "nodes__db2__online": False}, []),
        ({"resources__fence_db1__active": False, "nodes__db2__standby": True}, []),
        ({"resources__db_server__active": False, "nodes__db2__standby": True}, ["db-server is not running"]),
    ],
)
def test_each_thing_that_is_not_settled_is_one_sentence(changed, found):
    assert unsettled(cluster(**changed)) == found


def test_everything_that_is_not_settled_is_told():
    state = cluster(cluster__dc="", cluster__with_quorum=False, nodes__db1__unclean=True, nodes__db2__pending=True)
    state["resources"]["db-server"]["failed"] = state["resources"]["fence-db1"]["blocked"] = True
    assert unsettled(state) == [
        "the cluster has no designated controller yet", "the cluster has no quorum", "node db1 is unclean",
        "node db2 is still joining", "db-server has failed on db1", "fence-db1 is blocked",
    ]  # fmt: skip


def test_a_demanded_fencing_device_is_not_excused_while_a_node_is_away():
    state = cluster(resources__fence_db1__active=False, nodes__db2__online=False)
    assert unsettled(state, ["fence-db1", "nothing"]) == [
        "fence-db1 is not running", "nothing is not in the cluster's configuration",
    ]  # fmt: skip
    assert unsettled(state, []) == []
