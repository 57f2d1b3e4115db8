"""Faults of storage, network, cluster stack and fencing (S, N, C and F in ``fault_cases.py``)."""

from __future__ import annotations

import time

from scenario.faults import CALM, PIDS, POLL, SEEN_SECONDS
from scenario.scenario import FAILOVER, Scenario
from scenario.stage import Stage
from scenario.wait import until

_USER = "hadb-test-user"
LOSS = "20"


def cut_paths_of_passive(stage: Stage) -> None:
    """The passive node loses the array: the client must not notice."""
    for network in ("san1", "san2"):
        stage.lab.verb("cut", network, stage.passive)
    stage.watch(CALM)


def take_volume_by_hand(stage: Stage) -> None:
    """Somebody activates and mounts the volume on the passive node: LVM refuses, it belongs to the other host."""
    lab = stage.lab
    vg, lv = lab.storage["vg"], lab.storage["lv"]
    activated = lab.ask(stage.passive, f"lvchange --activate y {vg}/{lv} 2>&1", check=False)
    assert activated.returncode != 0, activated.stdout
    mounted = lab.ask(stage.passive, f"mount /dev/{vg}/{lv} {lab.mount} 2>&1", check=False)
    assert mounted.returncode != 0, mounted.stdout
    stage.watch(CALM)


def use_filesystem_at_stop(stage: Stage) -> None:
    """A program stands in the mounted directory and holds a file open when the node is to give it up."""
    lab = stage.lab
    lab.ask(stage.active, f"systemd-run --quiet --collect --unit={_USER} sh -c"
                          f" 'cd {lab.mount} && exec 3>hadb-test && trap \"\" TERM; while :; do sleep 1; done'")  # fmt: skip
    until(lambda: lab.ask(stage.active, f"test -e {lab.mount}/hadb-test", check=False).returncode == 0, SEEN_SECONDS,
          "the program does not start", POLL)  # fmt: skip
    lab.ask(stage.active, f"crm node standby {stage.active}")
    stage.wait_home(stage.passive)
    lab.ask(stage.passive, f"rm -f {lab.mount}/hadb-test")
    lab.ask(stage.active, f"crm node online {stage.active}")


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
    Scenario("all storage paths of the passive lost", cut_paths_of_passive, cases=("S2",)),
    Scenario("volume taken by hand on the passive", take_volume_by_hand, cases=("S8", "S9")),
    Scenario("filesystem in use at a stop", use_filesystem_at_stop, budget=FAILOVER, cases=("S11",)),
    Scenario("packets of a heartbeat cable lost", lose_packets, cases=("N4",)),
    Scenario("corosync killed on the active", kill_corosync, fenced=("active",), budget=FAILOVER, cases=("C1",)),
    Scenario("helpers of pacemaker killed", kill_helpers, explained=("fence-db1", "fence-db2")),
    Scenario("server killed in maintenance", kill_in_maintenance, budget=FAILOVER, explained=("db-server",), cases=("C6",)),
    Scenario("whole cluster restarted", restart_cluster, budget=FAILOVER, cases=("C8",)),
)
