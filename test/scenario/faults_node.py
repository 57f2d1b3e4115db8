"""Faults of a whole node (A in ``fault_cases.py``)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from scenario.faults import CALM, FILL, PIDS, POLL, SEEN_SECONDS, strike
from scenario.scenario import COLD_START, FAILOVER, Scenario
from scenario.stage import Stage
from scenario.wait import until

_BUSY = "systemd-run --quiet --collect --unit=hadb-test-busy-{} --property=RuntimeMaxSec=60 sh -c 'while :; do :; done'"
# Later, in a shell that has nothing of ssh's open: the call itself has to come back.
_PANIC = "(sleep 0.5; echo c >/proc/sysrq-trigger) </dev/null >/dev/null 2>&1 &"
# Not without a server: the kernel would choose another process.
NO_MEMORY = f"set -e; pids={PIDS}; for pid in $pids; do echo 1000 >/proc/$pid/oom_score_adj; done; echo f >/proc/sysrq-trigger"
# Seconds that a node which is alone after a start of both is looked at.
_ALONE = 45.0


def panic(stage: Stage, part: str) -> None:
    """The kernel of a node panics, which ends it; the database is, or stays, on the other one."""
    node = stage.node(part)
    stage.lab.ask(node, _PANIC)
    stage.lab.wait_end(node)
    stage.wait_fenced(node)
    stage.wait_home(stage.passive if node == stage.active else stage.active)


def reset_active(stage: Stage) -> None:
    """The active node starts anew at once, without a word to anybody.

    By its plug: the network cards of a lab node do not outlive a restart that its kernel makes by itself (sysrq b).
    """
    stage.lab.verb("power", stage.active, "reset")
    stage.wait_home(stage.passive)


def freeze_for_a_moment(stage: Stage) -> None:
    """The active node stands still for less than the token: nobody may mind."""
    stage.lab.verb("freeze", stage.active)
    stage.lab.verb("thaw", stage.active)
    stage.watch(CALM)


@contextmanager
def busy(stage: Stage, node: str) -> Iterator[None]:
    """Have programs take all the processor time that a node gives them."""
    for number in range(3):
        stage.lab.ask(node, _BUSY.format(number))
    try:
        yield
    finally:
        stage.lab.ask(node, "systemctl stop 'hadb-test-busy-*'", check=False)


def keep_busy(stage: Stage) -> None:
    """Programs take all the processor time that the active node gives them."""
    with busy(stage, stage.active):
        stage.watch(CALM)


def run_out_of_memory(stage: Stage) -> None:
    """The kernel ends the process that it thinks the largest: the server, and nothing of the cluster, which starts it again."""
    stack = stage.pid(stage.active, "pacemakerd")
    strike(stage, NO_MEMORY)
    stage.wait_served(time.monotonic())
    assert stage.pid(stage.active, "pacemakerd") == stack, "Pacemaker was shut down with the server"


def fill_root(stage: Stage) -> None:
    """The root filesystem of the active node is full."""
    stage.lab.ask(stage.active, FILL.format("/", "/hadb-fill"), timeout=FAILOVER)
    try:
        stage.watch(CALM)
    finally:
        stage.lab.ask(stage.active, "rm -f /hadb-fill /hadb-fill.rest")


def jump_clock(stage: Stage) -> None:
    """The clock of the active node jumps by an hour, and back."""
    for way in ("+1 hour", "-1 hour"):
        stage.lab.ask(stage.active, f"date --set '{way}'")
        stage.watch(CALM)


def return_alone(stage: Stage) -> None:
    """Both lose their power and one comes back: it stays stopped and says why, until the other is there."""
    lab = stage.lab
    for node in (stage.active, stage.passive):
        lab.verb("power", node, "off")
    lab.verb("power", stage.passive, "on")
    until(lambda: stage.view(stage.passive), COLD_START, "the node does not come back", POLL)
    end = time.monotonic() + _ALONE
    while time.monotonic() < end:
        assert not stage.server_runs(stage.passive), "it started alone"
        time.sleep(POLL)
    said = lab.ask(stage.passive, "corosync-quorumtool -s; crm_mon -1", check=False).stdout
    assert "WaitForAll" in said and "WITHOUT quorum" in said, said
    stage.wait_told(f"There is no quorum without {stage.active}")
    lab.verb("power", stage.active, "on")
    stage.writer.wait_writing(time.monotonic(), COLD_START)


def shut_down(stage: Stage) -> None:
    """The administrator shuts the active node down: a clean handover, and nobody is fenced.

    Not a reboot: the network cards of a lab node do not outlive one that its kernel makes by itself.
    """
    stage.lab.ask(stage.active, "systemctl poweroff", check=False)
    stage.wait_home(stage.passive)
    # Long after the database has gone: whoever wants to switch it on again has to wait until it is off.
    stage.lab.wait_end(stage.active)


def come_back(stage: Stage) -> None:
    """A fenced node comes back: it is not fenced again, and the database does not go back to it."""
    stage.lab.verb("power", stage.active, "off")
    stage.wait_home(stage.passive)
    until(lambda: stage.view(stage.active), COLD_START, "the node does not come back", POLL)
    until(lambda: stage.home(stage.active), SEEN_SECONDS, "the node does not join", POLL)
    stage.watch(CALM)
    assert stage.home(stage.passive) == stage.passive, "the database went back"


SCENARIOS = (
    Scenario("active panics", partial(panic, part="active"), fenced=("active",), budget=FAILOVER, cases=("A3",)),
    Scenario("passive panics", partial(panic, part="passive"), fenced=("passive",), cases=("A3",)),
    Scenario("active starts anew at once", reset_active, fenced=("active",), budget=FAILOVER, cases=("A4",)),
    Scenario("active frozen for a moment", freeze_for_a_moment, cases=("A6",)),
    Scenario("active without processor time", keep_busy, cases=("A7",)),
    Scenario("active out of memory", run_out_of_memory, budget=FAILOVER, explained=("db-server",), cases=("A8",)),
    Scenario("root filesystem of the active full", fill_root, cases=("A9",)),
    Scenario("clock of the active jumps", jump_clock, cases=("A10",)),
    Scenario("both powered off and one returns", return_alone, budget=COLD_START, cases=("A12",)),
    Scenario("fenced node comes back", come_back, fenced=("active",), budget=FAILOVER, cases=("A13",)),
    Scenario("active shut down by its administrator", shut_down, budget=FAILOVER, cases=("A14",)),
)
