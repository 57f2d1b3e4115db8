"""Faults of the cluster stack (C in ``fault_cases.py``)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from scenario.faults import CALM, DEVICES, FILL, PIDS, POLL, RESOURCES, SEEN_SECONDS
from scenario.scenario import COLD_START, FAILOVER, Scenario
from scenario.stage import Stage, wait_whole
from scenario.wait import until

# Files of Pacemaker that hold its configuration.
_CIB = "/var/lib/pacemaker/cib"
# A new one of these is there within a moment, or the peer has the node switched off. Without its scheduler the designated
# controller ends too (seen: "Lost connection to the scheduler", then the peer fences it or does not, as the race goes).
_HOLD_SOMETHING = ("pacemaker-based", "pacemaker-controld", "pacemaker-execd", "pacemaker-schedulerd")
_HOLD_NOTHING = ("pacemaker-attrd", "pacemaker-fenced")
# Seconds until what a daemon's death has set off is through.
_SETTLED = 4.0
# Seconds until whatever asks a node's pacemakerd has to have answered.
_ANSWER = 5
_VERSION = re.compile(r'\b(admin_epoch|epoch)="(\d+)"')


def kill_corosync(stage: Stage) -> None:
    """kill -9 of Corosync on the active node, which is then as good as dead."""
    stage.lab.ask(stage.active, "kill -9 $(pidof corosync)")
    stage.wait_home(stage.passive)


def kill_helpers(stage: Stage) -> None:
    """kill -9 of those daemons of Pacemaker that hold nothing, on both nodes, one after the other.

    Both of a node within a second are more than Pacemaker takes (seen): the controller cannot write down that a fencing
    device failed because its daemon was gone, gives up for good, and the node is fenced.
    """
    for node in stage.lab.nodes:
        for daemon in _HOLD_NOTHING:
            _kill(stage, node, daemon, SEEN_SECONDS)
            stage.watch(_SETTLED)
            wait_whole(stage.lab)


def kill_pacemakerd(stage: Stage) -> None:
    """kill -9 of pacemakerd on each node: systemd starts another, which finds the others at work."""
    for node in (stage.passive, stage.active):
        _kill(stage, node, "pacemakerd")
    stage.watch(CALM)


def kill_daemon(daemon: str, stage: Stage) -> None:
    """kill -9 of a daemon that knows something, on one node after the other: a new one comes, or the node is fenced.

    Pacemaker's own tests (CTS, ComponentFail) allow both: when the rest of the node has to begin anew because of it, the
    peer may see that first.
    """
    for node in (stage.passive, stage.active):
        _kill(stage, node, daemon)
        # The peer that takes it for lost says so within this time.
        stage.watch(CALM)
        wait_whole(stage.lab)


def stop_pacemakerd(stage: Stage) -> None:
    """SIGSTOP to pacemakerd of the active node: the service goes on, and who asks there gets no answer (docs/runbook.md)."""
    lab = stage.lab
    lab.ask(stage.active, "kill -STOP $(pidof pacemakerd)")
    try:
        stage.watch(CALM)
        asked = lab.ask(stage.active, f"timeout {_ANSWER} crm_mon --one-shot", check=False)
        assert asked.returncode != 0, "nobody can tell by asking"
        assert stage.home(stage.passive) == stage.active, "the database moved"
    finally:
        lab.ask(stage.active, "kill -CONT $(pidof pacemakerd)")


def kill_in_maintenance(stage: Stage) -> None:
    """The server dies while an operator holds the cluster: nothing happens until the hold ends."""
    with _maintenance(stage):
        stage.lab.ask(stage.active, f"kill -9 {PIDS}")
        time.sleep(CALM)
        assert not stage.server_runs(stage.active), "it was restarted"
    stage.wait_served(time.monotonic())


def reattach(stage: Stage) -> None:
    """Pacemaker is restarted on one node after the other, as for an upgrade, while the database runs on (docs/runbook.md)."""
    with _maintenance(stage):
        for node in (stage.passive, stage.active):
            stage.lab.ask(node, "systemctl restart pacemaker", timeout=FAILOVER)
            until(lambda node=node: stage.home(node) == stage.active and _online(stage, node), FAILOVER,
                  f"{node} does not find the database running", POLL)  # fmt: skip
    stage.watch(CALM)


def delete_cib(stage: Stage) -> None:
    """The passive node's configuration is deleted: it fetches the active one's when it starts."""
    lab, node = stage.lab, stage.passive
    lab.ask(node, f"systemctl stop pacemaker && rm -f {_CIB}/* && systemctl start --no-block pacemaker", timeout=FAILOVER)
    until(lambda: _configuration(stage, node) == _configuration(stage, stage.active), FAILOVER,
          "the configuration is not fetched", POLL)  # fmt: skip
    until(lambda: _saved(stage, node), SEEN_SECONDS, "the configuration is not on the disk again", POLL)
    stage.watch(CALM)


def fill_var(stage: Stage) -> None:
    """/var of the active node, here part of its root filesystem, is full when the configuration changes.

    The change is in force on both nodes. Pacemaker does not write its file any more, also later, until it is told to
    (docs/runbook.md).
    """
    lab, node = stage.lab, stage.active
    lab.ask(node, FILL.format("/", "/hadb-fill"), timeout=FAILOVER)
    try:
        stage.mark("full")
        until(lambda: stage.marked(node) == stage.marked(stage.passive) == "full", CALM, "the change is not in force", POLL)
        stage.watch(CALM)
        assert not _saved(stage, node), "the configuration was written all the same"
    finally:
        lab.ask(node, "rm -f /hadb-fill /hadb-fill.rest")
        lab.ask(node, "kill -PIPE $(pidof pacemaker-based)")
        stage.unmark()
    until(lambda: _saved(stage, node), SEEN_SECONDS, "the configuration is not written again", POLL)


def restart_cluster(stage: Stage) -> None:
    """The whole cluster is stopped and started."""
    for node in (stage.passive, stage.active):
        stage.lab.ask(node, "systemctl stop pacemaker corosync", timeout=FAILOVER)
    for node in (stage.active, stage.passive):
        stage.lab.ask(node, "systemctl start --no-block corosync pacemaker")
    stage.writer.wait_writing(time.monotonic(), FAILOVER)


def same_version(printed: str) -> bool:
    """Return whether two documents, each shown by its first line, are the same version of the configuration.

    The third number, of changes of the status, is left out: they are not written to the disk.
    """
    versions = [dict(_VERSION.findall(line)) for line in printed.splitlines()]
    return len(versions) == 2 and len(versions[0]) == 2 and versions[0] == versions[1]


def _saved(stage: Stage, node: str) -> bool:
    """Return whether a node has the configuration that is in force on its disk."""
    return same_version(stage.lab.ask(node, f"cibadmin --query --local | head -n 1; head -n 1 {_CIB}/cib.xml", check=False).stdout)


def _configuration(stage: Stage, node: str) -> str:
    """Return a node's own copy of the configuration, without the status."""
    return stage.lab.ask(node, "cibadmin --query --local --scope configuration", check=False).stdout or f"none on {node}"


def _online(stage: Stage, node: str) -> bool:
    """Return whether a node sees all nodes online."""
    view = stage.view(node)
    return bool(view) and all(member.online for member in view.members.values())


def _kill(stage: Stage, node: str, daemon: str, seconds: float = COLD_START) -> None:
    """Kill a daemon and wait until there is a new one, by default for as long as it takes when its node is fenced."""
    old = stage.pid(node, daemon)
    stage.lab.ask(node, f"kill -9 {old}")
    until(lambda: stage.pid(node, daemon) not in ("", old), seconds, f"{daemon} does not come back on {node}", POLL)


@contextmanager
def _maintenance(stage: Stage) -> Iterator[None]:
    """Hold the cluster in maintenance mode, as an operator does, for as long as the block takes."""
    stage.lab.ask(stage.active, "crm_attribute --name maintenance-mode --update true")
    try:
        until(lambda: (view := stage.view(stage.active)) and not view.resources["db-server"].managed, SEEN_SECONDS,
              "the cluster does not go into maintenance mode", POLL)  # fmt: skip
        yield
    finally:
        stage.lab.ask(stage.active, "crm_attribute --name maintenance-mode --delete")


SCENARIOS = (
    Scenario("corosync killed on the active", kill_corosync, fenced=("active",), budget=FAILOVER, cases=("C1",)),
    Scenario("helpers of pacemaker killed", kill_helpers, explained=DEVICES, cases=("C2",)),
    Scenario("pacemakerd killed", kill_pacemakerd, cases=("C2",)),
    *(Scenario(f"{daemon} killed", partial(kill_daemon, daemon), perhaps=("active", "passive"), budget=FAILOVER,
               explained=RESOURCES, cases=("C2",)) for daemon in _HOLD_SOMETHING),
    Scenario("pacemakerd of the active stopped", stop_pacemakerd, cases=("C3",)),
    Scenario("configuration of the passive deleted", delete_cib, cases=("C5",)),
    Scenario("pacemaker restarted, resources go on", reattach, cases=("C9",)),
    Scenario("disk full when the configuration changes", fill_var, cases=("C10",)),
    Scenario("server killed in maintenance", kill_in_maintenance, budget=FAILOVER, explained=("db-server",), cases=("C6",)),
    Scenario("whole cluster restarted", restart_cluster, budget=FAILOVER, cases=("C8",)),
)
