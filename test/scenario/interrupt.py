"""Interruptions of an orchestration: its process on the master killed, or a node's power cut, at a chosen moment."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from scenario.bus import Bus
from scenario.lab import ORCHESTRATION_SECONDS, Lab, document
from scenario.wait import until

_KILL_SECONDS = 20.0
_BACK_SECONDS = 240.0
# Seconds until a node is in the middle of what its power is to be cut in.
_REACHED_SECONDS = 240.0
# A few of some two hundred packages unpacked, others not.
_UNPACKING = """n=$(ls /var/lib/dpkg/info/*.list | wc -l)
until [ $(ls /var/lib/dpkg/info/*.list | wc -l) -gt $((n + 10)) ]; do sleep 0.2; done"""
_POLL = 0.3
# The bracket keeps the pattern from finding the shell that looks for it.
_FIND = "pgrep -f '[s]alt-run .*state.orchestrate' || true"


class Run:
    """An orchestration under way, with its output in a file."""

    def __init__(self, lab: Lab, bus: Bus, log: Path) -> None:
        self.lab = lab
        self.bus = bus
        self.log = log
        self._from = len(bus.started)
        self._process: subprocess.Popen[bytes] = lab.background(
            "salt-run", "--out=json", "state.orchestrate", "hadb.orch", log=log
        )

    def phases(self) -> list[str]:
        """Return the SLS files that this run has had applied, in order."""
        return self.bus.started[self._from:]

    def wait_phase(self, known: set[str]) -> str | None:
        """Return the first phase that is not among the known ones, or None when the run ended without one."""
        def news() -> str | None:
            return next((name for name in self.phases() if name not in known), None)

        until(lambda: news() or self._process.poll() is not None, ORCHESTRATION_SECONDS, "no phase and no end", _POLL)
        return news()

    def kill(self) -> None:
        """Kill the run on the master, as if the operator's terminal and machine had died."""
        pids = self.lab.ask("salt", _FIND).stdout.split()
        assert pids, "the orchestration does not run any more"
        self.lab.ask("salt", f"kill -9 {' '.join(pids)}", check=False)
        until(lambda: not self.lab.ask("salt", _FIND).stdout.split(), _KILL_SECONDS, "the orchestration survives")
        self.wait()

    def wait(self) -> int:
        """Wait until the run has ended and return its exit status."""
        return self._process.wait(ORCHESTRATION_SECONDS)


def wait_minions(lab: Lab) -> None:
    """Wait until the minions of all database nodes answer the master."""
    def all_answer() -> bool:
        ping = lab.verb("salt", "--out=json", "--static", "-t", "5", "*", "test.ping", check=False)
        try:
            return set(lab.nodes) <= {name for name, answer in document(ping).items() if answer is True}
        except AssertionError:
            return False

    until(all_answer, _BACK_SECONDS, "a minion does not come back", poll=1.0)


def interrupt_every_phase(lab: Lab, start: Callable[[], Run], half_built: Callable[[], None] = lambda: None) -> None:
    """Run the orchestration again and again until it ends, and interrupt it once in each phase.

    It is killed on the master as a phase starts, and started again at once, while the nodes are still at what it left
    them with. In the two phases that change most a node's power is cut besides: among the packages together with the
    kill, and among the steps that happen once alone, which the run then has to notice by itself.

    half_built
        Called once, when nothing is under way and both nodes are there: prepared, with a volume and perhaps a part of
        a database on it; the first one with a Pacemaker that is alone and has nothing to do, the second one without.

    Raises AssertionError when a run stopped by itself although no node was dead.
    """
    known: set[str] = set()
    while True:
        run = start()
        phase = run.wait_phase(known)
        if phase is None:
            assert run.wait() == 0, f"stopped after {run.phases()}: see {run.log}"
            return
        known.add(phase)
        if phase == "hadb":
            _cut_power_when(lab, lab.nodes[1], _UNPACKING)
            run.kill()
            _give_back(lab, lab.nodes[1])
        elif phase == "hadb.cluster":
            _cut_power_when(lab, lab.nodes[0], f"until grep -q ' {lab.mount} ' /proc/mounts; do sleep 0.1; done")
            assert run.wait() != 0, f"the run did not notice that {lab.nodes[0]} died in {phase}"
            _give_back(lab, lab.nodes[0])
            # Pacemaker starts at boot, and writes a first configuration when it has found that it is alone.
            until(lambda: "S_IDLE" in lab.ask(lab.nodes[0], f"crmadmin --status {lab.nodes[0]}", check=False).stdout, _BACK_SECONDS,
                  f"Pacemaker of {lab.nodes[0]} does not come to rest", poll=1.0)  # fmt: skip
            half_built()
        else:
            run.kill()


def _cut_power_when(lab: Lab, node: str, reached: str) -> None:
    lab.ask(node, reached, timeout=_REACHED_SECONDS)
    lab.verb("power", node, "off")


def _give_back(lab: Lab, node: str) -> None:
    lab.verb("power", node, "on")
    wait_minions(lab)
