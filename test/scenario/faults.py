"""The faults, each a function that brings it about on a stage and waits until the client is served again."""

from __future__ import annotations

import time

from scenario.lab import ORCHESTRATION_SECONDS, document
from scenario.salt_result import changed, failed, minions
from scenario.scenario import COLD_START, FAILOVER, Scenario
from scenario.stage import Stage
from scenario.wait import until

# Seconds to look on while nothing is to happen: many times Corosync's token, so a false alarm would have been raised.
CALM = 12.0
SEEN_SECONDS = 60.0
# Seconds until the loss of the array has led to a takeover: a monitor's interval and time-out, a stop's time-out,
# and fencing.
LOST_ARRAY = 180.0
# The same until I/O goes on on the other path.
LOST_PATH = 30.0
POLL = 0.5
PIDS = "$(pidof mariadbd mysqld)"
# The fencing devices, each named after its target.
DEVICES = ("fence-db1", "fence-db2")
# All: what was under way when Pacemaker's own daemons died may count as failed, whosever it was.
RESOURCES = ("db-lvm", "db-fs", "vip-glance", "vip-nova", "db-server", *DEVICES)
# Takes all of a filesystem but a little at once, and then the rest; `{0}` is its mount point, `{1}` the file.
FILL = "fallocate -l $(($(df --output=avail -B1 {0} | tail -1) - 16777216)) {1}; dd if=/dev/zero of={1}.rest bs=64k 2>/dev/null || true"


def strike(stage: Stage, script: str) -> None:
    """Do harm to the server on the active node, and wait for a new one's first answer: the old connection dies with the old server."""
    began = time.monotonic()
    stage.lab.ask(stage.active, script)
    stage.wait_served(began)


def kill_server(stage: Stage) -> None:
    """kill -9 of the database server."""
    strike(stage, f"kill -9 {PIDS}")
    until(lambda: stage.home(stage.passive), SEEN_SECONDS, "the server does not come back", POLL)
    stage.wait_served(time.monotonic())


def switch_over(stage: Stage) -> None:
    """A planned switchover: the active node on standby, and back online."""
    stage.lab.ask(stage.active, f"crm node standby {stage.active}")
    stage.wait_home(stage.passive)
    stage.lab.ask(stage.active, f"crm node online {stage.active}")


def power_off_active(stage: Stage) -> None:
    """The active node's plug is pulled."""
    stage.lab.verb("power", stage.active, "off")
    stage.wait_home(stage.passive)


def freeze_active(stage: Stage) -> None:
    """The active node's kernel stops in its tracks; only its BMC can end that."""
    stage.lab.verb("freeze", stage.active)
    stage.wait_home(stage.passive)


def cut_one_cable(stage: Stage) -> None:
    """One heartbeat cable is cut: the other carries the cluster."""
    stage.lab.verb("cut", "hb1")
    until(lambda: "disconnected" in stage.lab.ask(stage.active, "corosync-cfgtool -s").stdout, SEEN_SECONDS,
          "Corosync does not see that the cable is cut", POLL)  # fmt: skip
    stage.watch(CALM)


def cut_both_cables(stage: Stage) -> None:
    """Both heartbeat cables are cut: the node with the database must win the race to fence."""
    for cable in ("hb1", "hb2"):
        stage.lab.verb("cut", cable)
    stage.wait_fenced(stage.passive)
    stage.watch(CALM)


def cut_one_path(stage: Stage) -> None:
    """The active node loses one of its two paths to the array."""
    stage.lab.verb("cut", "san1", stage.active)
    until(lambda: " F " in stage.lab.ask(stage.active, "dmsetup status --target multipath").stdout, SEEN_SECONDS,
          "multipath does not see that the path is gone", POLL)  # fmt: skip
    stage.watch(CALM)


def cut_all_paths(stage: Stage) -> None:
    """The active node loses the array: it cannot even stop properly, so it must be fenced."""
    for network in ("san1", "san2"):
        stage.lab.verb("cut", network, stage.active)
    stage.wait_home(stage.passive, LOST_ARRAY)


def power_off_passive(stage: Stage) -> None:
    """The passive node's plug is pulled: the client must not notice."""
    stage.lab.verb("power", stage.passive, "off")
    stage.wait_fenced(stage.passive)
    stage.watch(CALM)


def power_off_both(stage: Stage) -> None:
    """Both plugs are pulled, and both nodes come back: nobody else is to lend a hand."""
    for node in (stage.active, stage.passive):
        stage.lab.verb("power", node, "off")
    for node in (stage.passive, stage.active):
        stage.lab.verb("power", node, "on")
    stage.writer.wait_writing(time.monotonic(), COLD_START)


def salt_during_failover(stage: Stage) -> None:
    """The formula is applied in the middle of a failover, and once more on the node that is left."""
    stage.lab.verb("power", stage.active, "off")
    applying = stage.lab.background("salt", "*", "state.apply", "hadb", log=stage.writer.log.parent / "apply.txt")
    stage.wait_home(stage.passive)
    applying.wait(ORCHESTRATION_SECONDS)
    states = minions(document(stage.lab.apply(target=stage.passive)))[stage.passive]
    assert not failed(states), failed(states)
    assert not changed(states), changed(states)
    stage.wait_served(time.monotonic())


SCENARIOS = (
    Scenario("server killed", kill_server, budget=FAILOVER, explained=("db-server",), cases=("D1",)),
    Scenario("planned switchover", switch_over, budget=FAILOVER),
    Scenario("one heartbeat cable cut", cut_one_cable, cases=("N1",)),
    Scenario("both heartbeat cables cut", cut_both_cables, fenced=("passive",), cases=("N2", "F5")),
    Scenario("active powered off", power_off_active, fenced=("active",), budget=FAILOVER, cases=("A1", "S12")),
    Scenario("active frozen", freeze_active, fenced=("active",), budget=FAILOVER, cases=("A5",)),
    Scenario("one storage path of the active lost", cut_one_path, budget=LOST_PATH, cases=("S6",)),
    Scenario("all storage paths of the active lost", cut_all_paths, fenced=("active",), budget=LOST_ARRAY, cases=("S1",)),
    Scenario("passive powered off", power_off_passive, fenced=("passive",), cases=("A2",)),
    Scenario("salt applied during a failover", salt_during_failover, fenced=("active",), budget=FAILOVER, cases=("M1", "M2")),
    Scenario("both powered off and back", power_off_both, budget=COLD_START, cases=("A11", "C7")),
)
