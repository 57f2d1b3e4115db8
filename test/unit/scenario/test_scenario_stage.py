"""The stage, the verdict over who was fenced, and how a lab is started, on labs that only remember."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scenario import scenario, session, stage
from scenario.client_log import ClientLog
from scenario.sample import Sample
from scenario.sampler import Sampler
from scenario.scenario import Scenario
from scenario.status import Fencing, Member, Resource, Status
from scenario.wait import TooLateError

BEFORE = Status(True, "db1", {name: Member(name, True, ()) for name in ("db1", "db2")},
                {"db-server": Resource("db-server", ("db1",), False, True)}, (), (Fencing("db1", "success", "early"),))  # fmt: skip


class Lab:
    """A lab whose nodes say what they are told to say."""

    nodes = ("db1", "db2")
    facts: tuple[str, ...] = ()
    run = SimpleNamespace()

    def __init__(self) -> None:
        self.says: dict[str, Status] = {}
        self.verbs: list[str] = []
        self.log: list[dict[str, Any]] = []

    def peer(self, node: str) -> str:
        return next(other for other in self.nodes if other != node)

    def status(self, node: str) -> Status:
        return self.says[node]

    def events(self, _since: float) -> list[dict[str, Any]]:
        return self.log

    def verb(self, *words: str, **_how: object) -> None:
        self.verbs.append(" ".join(words))


def fenced(*events: Fencing) -> Status:
    return replace(BEFORE, fencing=(*events, *BEFORE.fencing))


def staged(lab: Lab, sampler: object = None) -> stage.Stage:
    return stage.Stage(lab, SimpleNamespace(), BEFORE, sampler)


def test_fencing_is_known_from_the_other_node_and_must_be_new_and_successful() -> None:
    lab = Lab()
    found = staged(lab)
    lab.says = {"db2": fenced(), "db1": fenced(Fencing("db1", "success", "now"))}
    with pytest.raises(TooLateError, match="db1 is not fenced"):
        found.wait_fenced("db1", 0.0)
    lab.says["db2"] = fenced(Fencing("db1", "failed", "now"), Fencing("db2", "success", "now"))
    with pytest.raises(TooLateError):
        found.wait_fenced("db1", 0.0)
    lab.says["db2"] = fenced(Fencing("db1", "success", "now"))
    found.wait_fenced("db1", 0.0)


def test_samples_are_those_of_the_node_that_arrived_after_the_moment() -> None:
    lab = Lab()
    sampler = Sampler(lab.run, lab.nodes, {})
    looks = [(1.0, "db1"), (2.0, "db2"), (3.0, "db1"), (4.0, "db1")]
    sampler._received = [(at, Sample(node, at / 10, "b", frozenset())) for at, node in looks]
    assert [one.at for one in staged(lab, sampler).seen("db1", 1.0)] == [0.3, 0.4]
    assert len(staged(lab, sampler).seen("db1")) == 3


def test_stage_without_a_sampler_says_so() -> None:
    with pytest.raises(ValueError, match="no sampler"):
        staged(Lab()).seen("db1")


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch):
    """The verdict of a scenario in which nothing else is amiss."""
    monkeypatch.setattr(scenario, "wait_paths", lambda _lab, _seconds: None)
    monkeypatch.setattr(scenario, "faults", lambda _lab: [])
    monkeypatch.setattr(scenario, "filesystem", lambda _lab, _home: (0, True))

    def verdict(lab: Lab, played: Scenario) -> list[str]:
        found = staged(lab)
        log = ClientLog({1: 1.0}, {1: 1.1})
        found.writer = SimpleNamespace(read=lambda: log, read_back=lambda: {"ids": [1], "check": [["t", "check", "status", "OK"]]})
        return scenario._judge(found, played, 0.0, 2.0, [])

    return verdict


def test_scenario_holds_whether_a_node_that_may_be_fenced_was_or_not(judged: Any) -> None:
    lab = Lab()
    lab.says = {"db1": fenced()}
    perhaps, surely, never = (Scenario("x", lambda _stage: None, **more) for more in ({"perhaps": ("active",)}, {"fenced": ("active",)}, {}))
    assert judged(lab, perhaps) == judged(lab, never) == [] and len(judged(lab, surely)) == 2
    lab.says = {"db1": fenced(Fencing("db1", "success", "now"))}
    lab.log = [{"event": "power", "node": "db1", "monotonic": 1.0, "action": "off", "source": "bmc", "before": "frozen"}]
    assert judged(lab, perhaps) == judged(lab, surely) == [] and len(judged(lab, never)) == 2


def test_lab_is_started_anew_unless_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "Session", lambda lab: lab)
    monkeypatch.setenv("DISTRO", "debian12")
    monkeypatch.delenv("SALT", raising=False)
    lab = Lab()
    monkeypatch.delenv("HADB_SCENARIO_KEEP", raising=False)
    session.down(session.up(lab, "--topology", "t"))
    assert lab.verbs == ["down", "up --distro debian12 --salt 3008.3 --topology t", "down"]
    monkeypatch.setenv("HADB_SCENARIO_KEEP", "1")
    lab.verbs.clear()
    session.down(session.up(lab))
    assert lab.verbs == ["up --distro debian12 --salt 3008.3"]


def test_scenario_keeps_its_evidence_where_it_is_told_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def not_whole(_lab: object) -> None:
        raise TooLateError("not whole")

    monkeypatch.setattr(scenario, "wait_whole", not_whole)
    (tmp_path / "step-001").mkdir()
    (tmp_path / "step-001/old").touch()
    with pytest.raises(TooLateError):
        scenario.play(Lab(), Scenario("step-001", lambda _stage: None), tmp_path)
    assert list((tmp_path / "step-001").iterdir()) == []
