"""Runs of the formula that change something, or are in each other's way (M in ``fault_cases.py``)."""

from __future__ import annotations

from typing import Any

from hadblab import ssh
from scenario import digest
from scenario.faults import POLL, SEEN_SECONDS
from scenario.lab import ORCHESTRATION_SECONDS, document
from scenario.loader import DENIED, login
from scenario.pillars import GONE, saying
from scenario.salt_result import changed, failed, minions
from scenario.scenario import FAILOVER, NO_OUTAGE, Scenario
from scenario.stage import Stage
from scenario.wait import until

_CIB, _ACCOUNTS = "hadb.cluster.cib", "hadb.cluster.accounts"
_CHANGE = {"hadb:pacemaker:stickiness": 1001, "hadb:pacemaker:cluster_recheck_interval": 301}
_VIP = "glance"
_OTHER_BMC, _OTHER_ACCOUNT = "lab-only-other", "lab-only-another"
# A file of an early state is gone, one of a later state and those of the last are altered. As soon as the first is back the
# run is killed; what it printed then says whether the second is still altered.
_INTERRUPTED = """rm /etc/multipath.conf; echo '# drift' >>/etc/hadb/my.cnf; chmod 0644 /etc/hadb/bmc/*
salt-call --out=quiet state.apply hadb </dev/null >/dev/null 2>&1 &
run=$!
until [ -e /etc/multipath.conf ] || ! kill -0 $run; do sleep 0.05; done
kill -9 $run; wait $run
grep -c '# drift' /etc/hadb/my.cnf"""
_APPLY_SECONDS = 180.0


def change_pillar(stage: Stage) -> None:
    """One change of the pillar is one transaction of the cluster, a second run is none, and the database goes on."""
    lab, epoch, server = stage.lab, stage.lab.epoch(), stage.server(stage.active)
    with saying(lab, _CHANGE):
        _applied(stage, _CIB)
        assert lab.epoch() == epoch + 1, "not one transaction"
        again = lab.sls(stage.active, _CIB)
        assert (failed(again), changed(again), lab.epoch()) == ({}, {}, epoch + 1)
    _applied(stage, _CIB)
    assert lab.epoch() == epoch + 2, "not one transaction back"
    assert stage.server(stage.active) == server, "the server was restarted"


def run_from_two_terminals(stage: Stage) -> None:
    """The orchestration is started twice at once: one waits for the other, both succeed, and nothing changes."""
    lab, logs = stage.lab, stage.writer.log.parent
    before = _condition(stage)
    runs = [lab.background("salt-run", "--out=json", "state.orchestrate", "hadb.orch", log=logs / f"terminal{number}.txt")
            for number in (1, 2)]  # fmt: skip
    codes = [run.wait(2 * ORCHESTRATION_SECONDS) for run in runs]
    assert codes == [0, 0], f"exit statuses {codes}: see {logs}/terminal*.txt"
    changes = before ^ _condition(stage)
    assert not changes, f"something changed: {sorted(changes)}"


def orchestrate_in_a_failover(stage: Stage) -> None:
    """The orchestration is started in the middle of a failover: it stops or is through, and does not touch the database."""
    lab = stage.lab
    lab.verb("power", stage.active, "off")
    run = lab.background("salt-run", "state.orchestrate", "hadb.orch", log=stage.writer.log.parent / "orch.txt")
    stage.wait_home(stage.passive)
    server, epoch = stage.server(stage.passive), lab.epoch(stage.passive)
    # The node that is away may be back before the run comes to it: this may succeed or say so.
    run.wait(ORCHESTRATION_SECONDS)
    assert stage.server(stage.passive) == server, "the server was restarted"
    assert lab.epoch(stage.passive) == epoch, "the cluster was changed"


def interrupt(stage: Stage) -> None:
    """A run is killed in the middle of what it repairs on the active node; the next one repairs the rest."""
    lab, server = stage.lab, stage.server(stage.active)
    before = digest.node(lab, stage.active)
    left = lab.ask(stage.active, _INTERRUPTED, check=False, timeout=_APPLY_SECONDS).stdout.strip()
    assert left == "1", "the run was through before it was killed, or did not start"
    states = minions(document(lab.apply(target=stage.active)))[stage.active]
    assert not failed(states) and changed(states), states
    assert digest.node(lab, stage.active) == before, "not everything was repaired"
    assert stage.server(stage.active) == server, "the server was restarted"


def take_vip_away(stage: Stage) -> None:
    """A virtual address leaves the pillar: refused without leave, then only it is stopped; put back, the server restarts."""
    lab, epoch, server = stage.lab, stage.lab.epoch(), stage.server(stage.active)
    gone, leave = {f"hadb:vips:{_VIP}": GONE}, {"hadb:pacemaker:allow_restart": True}
    with saying(lab, gone):
        refused = failed(lab.sls(stage.active, _CIB))
        assert f"stop vip-{_VIP}" in "".join(refused.values()), refused
        assert lab.epoch() == epoch, "refused, and changed all the same"
    with saying(lab, {**gone, **leave}):
        _applied(stage, _CIB)
        until(lambda: not _held(stage) and f"vip-{_VIP}" not in lab.status(stage.active).resources, SEEN_SECONDS,
              "the address does not go", POLL)  # fmt: skip
        assert stage.server(stage.active) == server, "the server was restarted"
        gap = stage.writer.read().longest_gap(0.0).seconds
        assert gap < NO_OUTAGE, f"the client of the other address waited {gap:.1f} s"
    with saying(lab, leave):
        _applied(stage, _CIB)
        until(lambda: _held(stage), FAILOVER, "the address does not come back", POLL)
        stage.wait_home(stage.active)


def change_secrets(stage: Stage) -> None:
    """A BMC and an account get other passwords by the pillar, and their old ones again; nobody notices but who uses them."""
    lab, server = stage.lab, stage.server(stage.active)
    bmc = f"hadb:nodes:{stage.active}:bmc"
    old = lab.pillar["nodes"][stage.active]["bmc"]["password"]
    new = {f"{bmc}:password": _OTHER_BMC, f"hadb:database:accounts:{_VIP}:password": _OTHER_ACCOUNT}
    _change_bmc(stage, {f"{bmc}:new_password": _OTHER_BMC})
    with saying(lab, new):
        _converged(stage, _OTHER_BMC)
        assert login(lab, _VIP, _OTHER_ACCOUNT) == 0, "the account has not got its new password"
        assert login(lab, _VIP, lab.pillar["database"]["accounts"][_VIP]["password"]) == DENIED, "the old one still counts"
    _change_bmc(stage, {**new, f"{bmc}:new_password": old})
    _converged(stage, old)
    assert login(lab, _VIP, lab.pillar["database"]["accounts"][_VIP]["password"]) == 0, "the account has not got its old password"
    assert stage.server(stage.active) == server, "the server was restarted"


def _applied(stage: Stage, *names: str) -> None:
    """Apply SLS files on the active node, which change something."""
    states = stage.lab.sls(stage.active, *names)
    assert not failed(states) and changed(states), states


def _change_bmc(stage: Stage, more: dict[str, Any]) -> None:
    """Let the passive node give the active one's BMC the pillar's new password."""
    address = stage.lab.pillar["nodes"][stage.active]["bmc"]["address"]
    with saying(stage.lab, {"hadb:fencing:privlvl": "administrator", **more}):
        done = stage.lab.verb("salt", "--out=json", "--static", "-t", "60", stage.passive, "ipmitool.change_password", address)
    answer = document(done)[stage.passive]
    assert isinstance(answer, dict) and answer["proven"] is True, answer


def _converged(stage: Stage, password: str) -> None:
    """Apply what the pillar says to both nodes and the database, and make sure that the cluster can fence with it."""
    lab, bmc = stage.lab, stage.lab.pillar["nodes"][stage.active]["bmc"]
    for node, states in minions(document(lab.apply())).items():
        assert not failed(states), f"{node}: {failed(states)}"
    _applied(stage, _ACCOUNTS)
    for node in lab.nodes:
        # Not as an argument, which everybody on the node could read.
        ssh.send(lab.run, node, password.encode(), "grep", "--quiet", "--line-regexp", "--file=/dev/stdin",
                 f"/etc/hadb/bmc/{bmc['address']}")  # fmt: skip
    lab.ask(stage.passive, f"fence_hadb --action=status --ip={bmc['address']} --username={bmc['username']}"
                           f" --cipher={lab.pillar['fencing']['cipher']}")  # fmt: skip


def _condition(stage: Stage) -> set[str]:
    """Return, a line each, what a run that changes nothing leaves as it is."""
    nodes = {f"{node}: {line}" for node in stage.lab.nodes for line in digest.node(stage.lab, node)}
    return {f"epoch {stage.lab.epoch()}", f"server {stage.server(stage.active)}", *nodes}


def _held(stage: Stage) -> bool:
    """Return whether the active node has the address that comes and goes."""
    address = stage.lab.pillar["vips"][_VIP]["address"]
    return f" {address}/" in stage.lab.ask(stage.active, "ip -o -4 address show").stdout


SCENARIOS = (
    Scenario("pillar changed", change_pillar, cases=("M3", "M4")),
    Scenario("formula applied from two terminals", run_from_two_terminals, cases=("M4",)),
    Scenario("formula interrupted", interrupt, cases=("M5",)),
    Scenario("virtual address leaves the pillar", take_vip_away, budget=FAILOVER, cases=("M6",)),
    Scenario("passwords changed by the pillar", change_secrets, cases=("M7",)),
    Scenario("orchestration in a failover", orchestrate_in_a_failover, fenced=("active",), budget=FAILOVER, cases=("M1", "M2")),
)
