"""A second fault in a step of a takeover (C4 in ``fault_cases.py``): the node that takes over is hit as well.

A watch on that node strikes the moment that the step before is done, so that the fault always hits the same step.
While the executor of a node stands still, nothing that asks Pacemaker there gets an answer for half a minute.
"""

from __future__ import annotations

import shlex
import time

from hadblab.errors import LabError
from scenario.faults import PIDS, POLL, RESOURCES, SEEN_SECONDS
from scenario.scenario import COLD_START, Scenario
from scenario.stage import Stage, switch_on
from scenario.wait import until

_STRUCK = "/run/hadb-test-struck"
# Seconds between two looks for what is to be followed at once.
_AT_ONCE = 0.02
# Nothing is started any more on a node whose executor stands still.
_HALT = "kill -STOP $(pidof pacemaker-execd)"


def lose_power_after_fencing(stage: Stage) -> None:
    """The moment that the active node has been switched off, the other one loses its power, the volume hardly touched."""
    began = time.monotonic()
    stage.lab.verb("freeze", stage.active)
    until(lambda: stage.cut_by_bmc(stage.active, began), SEEN_SECONDS, "the node is not fenced", _AT_ONCE)
    _lose_power(stage)


def kill_executor_after_volume(stage: Stage) -> None:
    """The volume is active, the filesystem not yet mounted: the daemon that carries out what comes next is killed."""
    device = f"/dev/mapper/{stage.lab.volume}"
    _take_over(stage, f"[ -e {device} ]", "kill -9 $(pidof pacemaker-execd)")
    stage.writer.wait_writing(time.monotonic(), COLD_START)


def lose_power_after_mount(stage: Stage) -> None:
    """The journal of the filesystem has just been replayed, the server is not started yet: the power fails again."""
    _take_over(stage, f'grep -q " {stage.lab.mount} " /proc/mounts', _HALT)
    _lose_power(stage)


def kill_server_at_start(stage: Stage) -> None:
    """The server is killed while it recovers what the dead node left; there is no other node to go to until that returns."""
    _take_over(stage, "pidof mariadbd mysqld >/dev/null", f"kill -9 {PIDS}")
    until(lambda: stage.failed("db-server", stage.passive, stage.passive), SEEN_SECONDS, "the start does not fail", POLL)
    stage.writer.wait_writing(time.monotonic(), COLD_START)


def watching(reached: str, harm: str) -> str:
    """Return the script that leaves a watch on a node.

    reached
        Shell command that succeeds once the step is done.
    harm
        What to do then at once.
    """
    watch = shlex.quote(f"until {reached}; do sleep 0.02; done; {harm}; touch {_STRUCK}")
    return f"rm -f {_STRUCK}; systemd-run --quiet --collect --unit=hadb-test-watch --property=RuntimeMaxSec=120 sh -c {watch}"


def _take_over(stage: Stage, reached: str, harm: str) -> None:
    """Let the active node lose its power, and wait until the watch on the other one has struck."""
    lab = stage.lab
    lab.ask(stage.passive, watching(reached, harm))
    lab.verb("power", stage.active, "off")
    until(lambda: _struck(stage), SEEN_SECONDS, "the takeover does not come to this step", POLL)


def _struck(stage: Stage) -> bool:
    try:
        return stage.lab.ask(stage.passive, f"test -e {_STRUCK}", check=False).returncode == 0
    except LabError:
        return False


def _lose_power(stage: Stage) -> None:
    """Pull the plug of the node that takes over; both come back, and one of them serves the client."""
    stage.lab.verb("power", stage.passive, "off")
    switch_on(stage.lab)
    stage.writer.wait_writing(time.monotonic(), COLD_START)


# What the cluster knew of the fencing dies with the only node that knew it: the history cannot be asked for afterwards.
_OPEN = {"perhaps": ("active",), "budget": COLD_START, "cases": ("C4",)}
SCENARIOS = (
    Scenario("power lost in a takeover after fencing", lose_power_after_fencing, **_OPEN),
    # With it end the monitors that were under way; for the volume's its node is to be fenced. Before the other one is back
    # nobody can do that, and then nothing wants it any more.
    Scenario("executor killed in a takeover", kill_executor_after_volume, fenced=("active",),
             perhaps=("passive",), fencing_fails=("passive",), budget=COLD_START, explained=RESOURCES, cases=("C4",)),
    Scenario("power lost in a takeover after the mount", lose_power_after_mount, **_OPEN),
    Scenario("server killed at its start in a takeover", kill_server_at_start, fenced=("active",), budget=COLD_START,
             explained=("db-server",), cases=("C4",)),
)  # fmt: skip
