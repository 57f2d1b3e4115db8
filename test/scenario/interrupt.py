"""Interruptions of an orchestration: its process on the master killed, or a node's power cut, at a chosen moment."""

from __future__ import annotations

import subprocess
from pathlib import Path

from scenario.bus import Bus
from scenario.lab import ORCHESTRATION_SECONDS, Lab, document
from scenario.wait import until

_KILL_SECONDS = 20.0
_BACK_SECONDS = 240.0
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
