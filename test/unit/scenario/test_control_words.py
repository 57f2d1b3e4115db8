"""What each control waits for is what the suite really says then: words made by the invariants, proofs and states themselves."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import facts
import pytest
from scenario import control_checks, faults_node, invariants, stream, watch
from scenario.client_log import ClientLog
from scenario.control import CAUGHT, MISSED, OTHERWISE, judge
from scenario.control_checks import drift, sentences
from scenario.controls import CONTROLS
from scenario.events import Power
from scenario.function_table import BY_THE_FORMULA
from scenario.sample import Sample
from scenario.scenarios import BY_NAME
from scenario.status import Fencing, Member, Status

from documents import changed, document
from hadb_core import corosync_authkey, db_config, ipmi_passwords, lvm_config, preflight, proofs
from hadb_core.document_faults import faults
from hadb_core.findings import report
from hadb_core.outcome import converge
from hadb_core.plan import Plan
from support import load

QUORUM = Path(__file__).parents[1] / "corosync/fixtures/3.1.10/alone.quorum"
DONE = {node: Fencing(node, "success", "2026-11-22 18:00:00Z") for node in ("db1", "db2")}


def cut(node: str) -> Power:
    return Power(node, 5.0, "off", "bmc", "on")


def pillar(path: str, value: Any) -> list[str]:
    # As `hadb.check` returns it.
    return sentences({"pillar": faults(changed(path, value)), "retcode": 1})


def fenced(expected: list[str], by_cluster: list[str], by_bmc: list[str]) -> list[str]:
    after = [DONE[node] for node in by_cluster]
    return invariants.expected_node_fenced(expected, [], after, [cut(node) for node in by_bmc])


def held_by_both(fact: str) -> list[str]:
    seen = [Sample(node, at, "boot", frozenset([fact])) for at in (1.0, 2.0) for node in ("db1", "db2")]
    return invariants.never_two_owners(seen, [], ["db1", "db2"], [fact], 3.0)


def whole() -> dict[str, Any]:
    bmc = {"power": "on"}
    return {node: {"cluster": facts.cluster(), "bmc": bmc, "volume": facts.volume()} for node in ("db1", "db2")}


def proof(name: str, facts_of_nodes: dict[str, Any]) -> list[str]:
    found = proofs.prove(name, document(), facts_of_nodes)
    return sentences({"cluster": "proven", name: report(found), "retcode": 1})


def on_its_target() -> list[str]:
    found = whole()
    resources = {**facts.cluster()["resources"], "fence-db1": {"node": "db1", "active": True, "failed": False}}
    found["db2"]["cluster"] = facts.cluster(resources=resources)
    return proof("fencing", found)


def open_on_both() -> list[str]:
    found = whole()
    found["db1"]["volume"] = found["db2"]["volume"] = facts.volume(active=True)
    return proof("volume", found)


def anybody_let_in() -> list[str]:
    found = preflight.check(document(), {"db1": {"cipher_zero": {"refused": False}}, "db2": {"cipher_zero": {"refused": True}}})
    return sentences({"pillar": "valid", "preflight": report(found), "retcode": 1})


def said_by(act: Callable[[Any], None], stage: Any) -> list[str]:
    """Return what a scenario's own assertion becomes among the findings."""
    with pytest.raises(AssertionError) as caught:
        act(stage)
    return [f"AssertionError: {caught.value.args[0]}"]


def both_off(monkeypatch: pytest.MonkeyPatch, *, started: bool) -> list[str]:
    monkeypatch.setattr(faults_node, "_ALONE", 1.0 if started else 0.0)
    lab = SimpleNamespace(verb=lambda *_w: None, ask=lambda *_w, **_h: SimpleNamespace(stdout=QUORUM.read_text()))
    stage = SimpleNamespace(lab=lab, active="db1", passive="db2", view=lambda _n: True, server_runs=lambda _n: started)
    return said_by(faults_node.return_alone, stage)


def went_back() -> list[str]:
    lab = SimpleNamespace(verb=lambda *_w: None)
    stage = SimpleNamespace(lab=lab, active="db1", passive="db2", view=lambda _n: True, home=lambda _n: "db1",
                            wait_home=lambda _n: None, watch=lambda _s: None)  # fmt: skip
    return said_by(faults_node.come_back, stage)


def ended_with_the_server() -> list[str]:
    pids = iter(["1200", "1300"])
    stage = SimpleNamespace(lab=SimpleNamespace(ask=lambda *_w: None), active="db1", wait_served=lambda _since: None,
                            pid=lambda _node, _program: next(pids))  # fmt: skip
    return said_by(faults_node.run_out_of_memory, stage)


def not_online() -> list[str]:
    members = {"db1": Member("db1", True, ()), "db2": Member("db2", False, ())}
    status = Status(quorum=True, dc="db1", members=members, resources={}, failures=(), fencing=())
    return ["TooLateError: " + "; ".join(f"db1: {fault}" for fault in invariants.whole(status, members, [], {}))]


def silent_for(seconds: float, scenario: str) -> list[str]:
    return invariants.outage_within(ClientLog({1: 0.5}, {1: 1.0}), 1.0 + seconds, BY_NAME[scenario].budget)


def state(function: str, result: dict[str, Any]) -> list[str]:
    _, name = BY_THE_FORMULA[function]
    module, _, word = function.partition(".")
    return drift({"db1": {f"{module}_|-{name}_|-{result['name']}_|-{word}": result}})


def planned(function: str, plan: Plan) -> list[str]:
    return state(function, converge("a name", plan=lambda: plan, apply=lambda _plan: None, test=True, done="done"))


def weakened() -> list[str]:
    site = document()["database"]
    server = db_config.Server("mariadb", site["datadir"], site["socket"], site["pid_file"], site["error_log"], "mysql")
    text = db_config.render(server)
    there = text.replace("innodb_flush_log_at_trx_commit = 1", "innodb_flush_log_at_trx_commit = 2")
    return planned("dbnode.configured", db_config.plan(site["config_file"], there, text))


def without_system_id() -> list[str]:
    text = lvm_config.render([facts.WWID], [])
    there = "".join(line for line in text.splitlines(keepends=True) if "system_id_source" not in line)
    module = load("_states/hastorage.py", opts={"test": True}, salt={
        "halvm.vgs_in_use": dict, "hastorage.text": lambda _path: there,
        "hastorage.outdated_initramfs": lambda _path, changing: [],
    })  # fmt: skip
    return state("hastorage.lvm_configured", module.lvm_configured("a name", "db-vg", [{"wwid": facts.WWID}]))


def readable_key() -> list[str]:
    have = {"fingerprint": "a" * 64, "mode": 0o644, "root": True}
    return planned("corosync.authkey_present", corosync_authkey.plan_node(have, None, "hadb:corosync:authkey", running=True))


def readable_passwords() -> list[str]:
    there = {".": ipmi_passwords.EQUAL, "10.20.0.101": ipmi_passwords.EXPOSED}
    wanted = {"10.20.0.101": "hadb:nodes:db1:bmc:password"}
    return planned("ipmitool.passwords_present", ipmi_passwords.plan(there, wanted, ipmi_passwords.DIRECTORY))


def command_line() -> list[str]:
    planted = {"what": "command line", "names": ["control"], "shown": "sh -c : (hidden)"}
    told = {"what": "command line", "names": ["the BMC's password"], "shown": "timeout 60 /usr/bin/ipmitool -P (hidden)"}
    line = {"looks": 900, "seconds": 1.0, "gap": 0.02, "born": 10, "missed": 1, "hits": [planted, told]}
    return watch.findings("db1", watch.add(watch.Watched(), json.dumps(line)))


FLUSH = "database:settings:innodb_flush_log_at_trx_commit"
WORDS: dict[str, Callable[[], list[str]]] = {
    "token-too-short": lambda: pillar("corosync:token", 300),
    "corosync-not-encrypted": lambda: pillar("corosync:crypto_cipher", "none"),
    "commits-not-flushed-by-pillar": lambda: pillar(FLUSH, 2),
    "fencing-off": lambda: fenced(["db1"], [], []),
    "fence-agent-lies": lambda: fenced(["db1"], ["db1"], []),
    "no-reservation": lambda: held_by_both("mount"),
    "bmc-of-another-machine": lambda: held_by_both("mount"),
    "no-head-start": lambda: fenced(["db2"], [], ["db1", "db2"]),
    "hung-server-is-fenced": lambda: fenced([], ["db1"], ["db1"]),
    "fencing-device-on-its-target": on_its_target,
    "cipher-zero": anybody_let_in,
    "cluster-not-started-at-boot": not_online,
    "oom-ends-pacemaker": ended_with_the_server,
    "failback": went_back,
    "volume-open-to-the-other": lambda: held_by_both("volume"),
    "volume-open-on-both": open_on_both,
    "no-system-id": without_system_id,
    "dead-array-waited-for": lambda: silent_for(190.0, "all storage paths of the active lost"),
    "start-without-an-end": lambda: silent_for(300.0, "array lost while the server starts"),
    "filesystem-error": lambda: invariants.data_intact([["nova.t", "check", "status", "OK"]], 1, True),
    "commits-in-memory": lambda: invariants.no_acknowledged_write_lost(ClientLog({1: 1.0}, {1: 1.1}), []),
    "option-file-weakened": weakened,
    "server-not-masked": lambda: held_by_both("server"),
    "shallow-server-monitor": lambda: silent_for(180.0, "server hung"),
    "one-cable-only": lambda: fenced([], ["db2"], ["db2"]),
    "second-owner-of-an-address": lambda: held_by_both("10.20.0.50"),
    "corosync-key-readable": readable_key,
    "bmc-password-readable": readable_passwords,
}
NAMED = {one.name: one for one in CONTROLS}


@pytest.mark.parametrize("name", WORDS)
def test_control_knows_its_finding_by_the_words_that_the_suite_uses(name: str) -> None:
    assert judge(NAMED[name].pattern, WORDS[name]())[0] == CAUGHT


def test_node_that_goes_on_alone_is_known_by_its_server_and_by_its_quorum(monkeypatch: pytest.MonkeyPatch) -> None:
    started, quorate = both_off(monkeypatch, started=True), both_off(monkeypatch, started=False)
    assert judge(NAMED["quorum-ignored"].pattern, started)[0] == CAUGHT
    assert [judge(NAMED["no-wait-for-all"].pattern, found)[0] for found in (started, quorate)] == [CAUGHT, CAUGHT]
    assert judge(NAMED["quorum-ignored"].pattern, quorate)[0] == OTHERWISE


def test_password_on_a_command_line_is_known() -> None:
    assert judge(NAMED["bmc-password-on-the-command-line"].pattern, command_line())[0] == CAUGHT


def test_words_of_every_control_are_tried() -> None:
    elsewhere = {"no-wait-for-all", "quorum-ignored", "bmc-password-on-the-command-line"}
    assert {*WORDS, *elsewhere} == set(NAMED)


@pytest.mark.parametrize("one", CONTROLS, ids=lambda one: one.name)
@pytest.mark.parametrize("finding", [
    "I1: 1 rows were never sent: 7", "I2: db1 (until 1.000..2.000) and db2 (1.500..1.600 to 2.000) may both have held backup",
    "I3: the filesystem is not mounted writable", "I4: fenced more than once: db1", "I5: db1 is standby",
    "I6: the client never got an answer", "AssertionError: the database moved", "TooLateError: db2 is not fenced (waited 60 s)",
    "db1, clients: expected nova to reach the database at 10.20.0.50:3306; found timeout. What to do: check the VIP",
    "hadb:vips:nova:address: is missing; add it (The address.)", "db1: hadb packages are whole: {} half installed",
])  # fmt: skip
def test_no_control_takes_another_fault_for_its_own(one: Any, finding: str) -> None:
    assert judge(one.pattern, [finding])[0] == OTHERWISE


# What the checks read.

def test_answers_of_runners_on_a_whole_cluster_complain_of_nothing() -> None:
    assert sentences(dict.fromkeys(proofs.TOPICS, "proven")) == []
    assert sentences({"pillar": "valid", "preflight": "nothing speaks against going on"}) == []
    assert judge("anything", sentences({"pillar": "valid"}))[0] == MISSED


def test_states_that_are_as_wanted_are_no_drift_and_a_refusal_is() -> None:
    def states(**result: Any) -> dict[str, Any]:
        fine = {"result": True, "changes": {}, "comment": "The key is as wanted", "name": "x"}
        return {"db1": {"corosync_|-hadb corosync key is in place_|-x_|-authkey_present": {**fine, **result}}}

    assert drift(states()) == []
    assert drift(states(result=False, comment="no")) == ["db1: hadb corosync key is in place: {} no"]
    assert drift(states(changes={"a": 1}))[0].startswith('db1: hadb corosync key is in place: {"a": 1} ')
    with pytest.raises(AssertionError, match="not the results of states"):
        drift({"db1": ["Rendering SLS failed"]})


@pytest.mark.parametrize("tells", [False, True])
def test_command_lines_are_looked_at_while_the_agent_asks_a_bmc(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tells: bool
) -> None:
    """With this machine in the active node's place."""
    agent, words = tmp_path / "agent", "-P secret-of-the-lab" if tells else ""
    agent.write_text(f"#!/bin/sh\n[ \"$1\" = --action=status ] && sh -c 'sleep 0.3; :' wrapper {words}\n")
    agent.chmod(0o755)
    bmc = {"address": "10.20.0.102", "username": "hadb", "password": "secret-of-the-lab"}
    lab = SimpleNamespace(
        run=None, pillar={"nodes": {"db2": {"bmc": bmc}}, "fencing": {"cipher": 17}},
        ask=lambda _node, script: subprocess.run(["sh", "-c", script], check=True, capture_output=True),
    )  # fmt: skip
    monkeypatch.setattr(stream.ssh, "argv", lambda _run, _node, command, _options: list(command))
    monkeypatch.setattr(control_checks, "_AGENT", str(agent))
    found = control_checks.CHECKS["command lines"](SimpleNamespace(lab=lab, active="db1", passive="db2"))
    assert len(found) == tells and "secret-of-the-lab" not in "".join(found)
    assert judge(NAMED["bmc-password-on-the-command-line"].pattern, found)[0] == (CAUGHT if tells else MISSED)
