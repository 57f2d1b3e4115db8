"""Faults of network, cluster stack and fencing (N, C and F in ``fault_cases.py``)."""

from __future__ import annotations

import time

from scenario.faults import CALM, PIDS, POLL, SEEN_SECONDS
from scenario.scenario import FAILOVER, Scenario
from scenario.stage import Stage
from scenario.wait import until

LOSS = "20"


def lose_packets(stage: Stage) -> None:
    """One heartbeat cable loses packets."""
    stage.lab.verb("cut", "hb1", "--loss", LOSS)
    stage.watch(CALM)


def kill_corosync(stage: Stage) -> None:
    """kill -9 of Corosync on the active node, which is then as good as dead."""
    stage.lab.ask(stage.active, "kill -9 $(pidof corosync)")
    stage.wait_home(stage.passive)


def kill_helpers(stage: Stage) -> None:
    """kill -9 of those daemons of Pacemaker that hold nothing, on both nodes."""
    for node in stage.lab.nodes:
        for daemon in ("pacemaker-schedulerd", "pacemaker-attrd", "pacemaker-fenced"):
            stage.lab.ask(node, f"kill -9 $(pidof {daemon})")
            until(lambda node=node, daemon=daemon: stage.lab.ask(node, f"pidof {daemon}", check=False).stdout.strip(),
                  SEEN_SECONDS, f"{daemon} does not come back on {node}", POLL)  # fmt: skip
    stage.watch(CALM)


def kill_in_maintenance(stage: Stage) -> None:
    """The server dies while an operator holds the cluster: nothing happens until the hold ends."""
    lab = stage.lab
    lab.ask(stage.active, "crm_attribute --name maintenance-mode --update true")
    try:
        until(lambda: (view := stage.view(stage.active)) and not view.resources["db-server"].managed, SEEN_SECONDS,
              "the cluster does not go into maintenance mode", POLL)  # fmt: skip
        lab.ask(stage.active, f"kill -9 {PIDS}")
        time.sleep(CALM)
        assert not stage.server_runs(stage.active), "it was restarted"
    finally:
        lab.ask(stage.active, "crm_attribute --name maintenance-mode --delete")
    stage.wait_served(time.monotonic())


def restart_cluster(stage: Stage) -> None:
    """The whole cluster is stopped and started."""
    for node in (stage.passive, stage.active):
        stage.lab.ask(node, "systemctl stop pacemaker corosync", timeout=FAILOVER)
    for node in (stage.active, stage.passive):
        stage.lab.ask(node, "systemctl start --no-block corosync pacemaker")
    stage.writer.wait_writing(time.monotonic(), FAILOVER)


SCENARIOS = (
    Scenario("packets of a heartbeat cable lost", lose_packets, cases=("N4",)),
    Scenario("corosync killed on the active", kill_corosync, fenced=("active",), budget=FAILOVER, cases=("C1",)),
    Scenario("helpers of pacemaker killed", kill_helpers, explained=("fence-db1", "fence-db2")),
    Scenario("server killed in maintenance", kill_in_maintenance, budget=FAILOVER, explained=("db-server",), cases=("C6",)),
    Scenario("whole cluster restarted", restart_cluster, budget=FAILOVER, cases=("C8",)),
)
