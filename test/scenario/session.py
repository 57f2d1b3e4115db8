"""What state the lab is in, so that each test starts from the one it needs whatever became of the tests before."""

from __future__ import annotations

import os

from scenario.lab import UP_SECONDS, Lab, document, keep
from scenario.salt_result import failed, orchestration
from scenario.stage import faults, wait_whole

BLANK, CONVERGED = "blank", "converged"


class Session:
    """A lab for the whole test run.

    state
        ``blank``, ``converged``, or ``unknown`` while or after something is done to it.
    """

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        # A snapshot of an earlier run shows what an earlier formula built.
        self._has_converged = keep() and (lab.run.snapshots / CONVERGED).is_dir()
        if self._has_converged:
            self.state = "unknown" if faults(lab) else CONVERGED
        else:
            self.lab.verb("snapshot", BLANK)
            self.state = BLANK

    def blank(self) -> Lab:
        """Return the lab with blank nodes."""
        if self.state != BLANK:
            self.lab.verb("restore", BLANK)
            self.state = BLANK
        return self.lab

    def converged(self) -> Lab:
        """Return the lab with a whole cluster: as it is, from the snapshot, or built from blank."""
        if self.state == CONVERGED:
            return self.lab
        if self._has_converged:
            self.lab.verb("restore", CONVERGED)
        else:
            lab = self.blank()
            self.touched()
            states = orchestration(document(lab.orchestrate()))
            assert not failed(states), failed(states)
            self.settled()
            self.snapshot()
        wait_whole(self.lab)
        self.state = CONVERGED
        return self.lab

    def touched(self) -> None:
        """Say that the lab's state is not known any more."""
        self.state = "unknown"

    def settled(self) -> None:
        """Say that the cluster is whole; remember it for the tests to come."""
        wait_whole(self.lab)
        self.state = CONVERGED

    def snapshot(self) -> None:
        """Save the whole cluster."""
        self.lab.verb("snapshot", CONVERGED)
        self._has_converged = True
        wait_whole(self.lab)


def start(*more: str) -> Session:
    """Start a lab of blank nodes, or go on with the one that HADB_SCENARIO_KEEP=1 kept, and return its session.

    more
        Further words for the lab's ``up``.
    """
    lab = Lab()
    if not keep():
        lab.verb("down")
    words = ["--distro", os.environ.get("DISTRO", "debian13"), "--salt", os.environ.get("SALT", "3008.3")]
    lab.verb("up", *words, *more, timeout=UP_SECONDS)
    return Session(lab)
