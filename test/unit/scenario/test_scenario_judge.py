"""A scenario gets to its verdict whatever is left of the database and the cluster: what was recorded counts in any case."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from scenario import scenario
from scenario.client_log import ClientLog
from scenario.sample import MOUNT, Sample
from scenario.scenario import Scenario
from scenario.status import Fencing, Status

LOG = ClientLog({1: 1.0, 2: 2.0}, {1: 1.1, 2: 2.1})
TWO_MOUNTS = [Sample(node, at / 2, "boot", frozenset([MOUNT])) for at in range(2, 8) for node in ("db1", "db2")]
PLAYED = Scenario("active powered off", lambda _stage: None, fenced=("active",), budget=5.0)


class Lab:
    nodes = ("db1", "db2")
    facts = (MOUNT,)

    def events(self, _since: float) -> list[dict[str, Any]]:
        return [{"event": "power", "node": "db1", "monotonic": 0.5, "action": "off", "source": "bmc", "before": "on"}]


def stage(*, answers: bool, sees: tuple[str, ...]) -> Any:
    """Return a stage: does the database answer, and which nodes can tell of the cluster?"""
    def read_back() -> dict[str, Any]:
        if not answers:
            raise AssertionError("the table cannot be read back")
        return {"ids": [1], "check": [["nova.t", "check", "status", "OK"]]}

    fencing = (Fencing("db1", "success", "2026-11-22 18:00:00Z"),)
    after = Status(quorum=True, dc="db2", members={}, resources={}, failures=(), fencing=fencing)
    return SimpleNamespace(
        lab=Lab(), writer=SimpleNamespace(read=lambda: LOG, read_back=read_back), before=SimpleNamespace(fencing=()),
        named=lambda parts: [{"active": "db1", "passive": "db2"}[part] for part in parts], view=lambda node: after if node in sees else None,
    )  # fmt: skip


def judged(monkeypatch: pytest.MonkeyPatch, **how: Any) -> list[str]:
    monkeypatch.setattr(scenario, "wait_paths", lambda _lab, _seconds: None)
    monkeypatch.setattr(scenario, "faults", lambda _lab: [])
    return scenario._judge(stage(**how), PLAYED, 0.0, 3.0, TWO_MOUNTS)


def test_two_owners_are_found_although_the_database_does_not_answer_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    found = judged(monkeypatch, answers=False, sees=("db2",))
    assert found[0].startswith("I2: db1 ") and found[0].endswith(" both held mount")
    assert found[1:] == ["AssertionError: the table cannot be read back"]


def test_second_node_is_asked_when_the_first_cannot_tell_of_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    found = judged(monkeypatch, answers=True, sees=("db2",))
    assert [line[:3] for line in found] == ["I2:", "I1:", "I3:"]


def test_cluster_that_no_node_can_tell_of_is_a_finding_beside_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    found = judged(monkeypatch, answers=True, sees=())
    assert [line[:3] for line in found] == ["I2:", "I1:", "Ass", "Ass"]
    assert found[-1] == "AssertionError: I5: no node tells what has become of the cluster"


def test_cluster_that_was_whole_and_is_so_no_more_is_a_finding_and_only_its_paths_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def wait_paths(_lab: object, seconds: float) -> None:
        raise AssertionError(f"I5: a path to the LUNs does not return (waited {seconds:.0f} s)")

    monkeypatch.setattr(scenario, "wait_paths", wait_paths)
    monkeypatch.setattr(scenario, "faults", lambda _lab: ["db2: I5: db1 is not online"])
    found = scenario._judge(stage(answers=True, sees=("db1",)), PLAYED, 0.0, 3.0, TWO_MOUNTS)
    assert "AssertionError: I5: a path to the LUNs does not return (waited 45 s)" in found
    assert "db2: I5: db1 is not online" in found
