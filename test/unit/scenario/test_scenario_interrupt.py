"""The chain of interruptions: every phase once, each in its way, and no failure taken for an interruption."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from scenario import interrupt

PHASES = ["hadb.package.bmc", "hadb", "hadb.cluster", "hadb.cluster.start", "hadb.cluster.cib"]


class FakeLab:
    """Records what is done to the nodes."""

    nodes = ("db1", "db2")
    mount = "/dbmnt"

    def __init__(self) -> None:
        self.done: list[str] = []

    def ask(self, node: str, script: str, timeout: float = 0, check: bool = True) -> SimpleNamespace:
        self.done.append(f"{'look at' if script.startswith('crmadmin') else 'wait on'} {node}")
        return SimpleNamespace(stdout="Controller on db1 in state S_IDLE: ok\n")

    def verb(self, *words: str) -> None:
        self.done.append(" ".join(words))


class FakeRun:
    """An orchestration that goes through all phases unless it is told to stop."""

    log = Path("log")

    def __init__(self, lab: FakeLab, ends: int) -> None:
        self.lab = lab
        self.ends = ends

    def wait_phase(self, known: set[str]) -> str | None:
        return next((phase for phase in PHASES if phase not in known), None)

    def phases(self) -> list[str]:
        return PHASES

    def kill(self) -> None:
        self.lab.done.append("kill")

    def wait(self) -> int:
        # A run that a dead node stopped fails; the last one is what the test says.
        return 1 if "power db1 off" in self.lab.done and "power db1 on" not in self.lab.done else self.ends


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> FakeLab:
    monkeypatch.setattr(interrupt, "wait_minions", lambda lab: lab.done.append("minions answer"))
    return FakeLab()


def test_each_phase_is_interrupted_once_and_the_last_run_goes_through(lab: FakeLab) -> None:
    interrupt.interrupt_every_phase(lab, lambda: FakeRun(lab, 0), lambda: lab.done.append("half-built"))
    assert lab.done == [
        "kill",
        "wait on db2", "power db2 off", "kill", "power db2 on", "minions answer",
        "wait on db1", "power db1 off", "power db1 on", "minions answer", "look at db1", "half-built",
        "kill", "kill",
    ]  # fmt: skip


def test_last_run_that_stops_by_itself_is_a_failure(lab: FakeLab) -> None:
    with pytest.raises(AssertionError, match="stopped after"):
        interrupt.interrupt_every_phase(lab, lambda: FakeRun(lab, 1))


def test_dead_node_that_the_run_does_not_notice_is_a_failure(lab: FakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeRun, "wait", lambda self: 0)
    with pytest.raises(AssertionError, match="did not notice that db1 died"):
        interrupt.interrupt_every_phase(lab, lambda: FakeRun(lab, 0))
