"""One scenario from start to verdict: its timeline is always written, its evidence when something did not hold."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from scenario import scenario
from scenario.client_log import ClientLog
from scenario.scenario import Scenario, play


class Recorder:
    """Stands for journals or a sampler: starts, is open, stops, and has recorded nothing."""

    stopped: object = []

    def __init__(self, *_: object) -> None:
        self.start = self.wait_open = lambda: None
        self.deliveries = list

    def stop(self) -> object:
        return self.stopped

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class Client(Recorder):
    """Stands for a client that was stopped at 9.0 and had two answers."""

    stopped = 9.0

    def read(self) -> ClientLog:
        return ClientLog({1: 1.0, 2: 1.4}, {1: 1.0, 2: 1.5})


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Play on a lab that is always whole; the names of what is kept, in order."""
    names: list[str] = []
    for name, stand_in in {"Writer": Client, "Sampler": Recorder, "Journals": Recorder}.items():
        monkeypatch.setattr(scenario, name, stand_in)
    stage = SimpleNamespace(active="db1", passive="db2", writer=Client(), wait_served=lambda since: None)
    monkeypatch.setattr(scenario, "Stage", lambda lab, writer, before, sampler: SimpleNamespace(lab=lab, **vars(stage)))
    monkeypatch.setattr(scenario, "wait_whole", lambda lab, seconds=0.0: SimpleNamespace(dc="db1"))
    monkeypatch.setattr(scenario, "heal", lambda lab: None)
    monkeypatch.setattr(scenario, "_judge", lambda *_: [])
    monkeypatch.setattr(scenario.evidence, "timeline", lambda lab, kept, head: names.append(f"timeline of {head.fault}"))
    monkeypatch.setattr(scenario.evidence, "collect", lambda lab, kept, findings: names.append(f"evidence of {findings}"))
    return names


LAB = SimpleNamespace(run=None, nodes=("db1", "db2"), array="san", mount="/m", volume="v", addresses=[], ways={}, events=lambda since: [],
                      look_over=lambda network: None)  # fmt: skip


def nothing(_stage: object) -> None:
    """Nothing happens."""


def broken(_stage: object) -> None:
    """It goes wrong."""
    raise AssertionError("never served")


def test_scenario_that_holds_leaves_its_timeline_with_the_fault_in_words(kept: list[str], tmp_path: Path) -> None:
    result = play(LAB, Scenario("calm", nothing), tmp_path)
    assert (result.findings, kept) == ([], ["timeline of Nothing happens."])


def test_scenario_that_goes_wrong_leaves_its_timeline_and_evidence(kept: list[str], tmp_path: Path) -> None:
    result = play(LAB, Scenario("bad", broken), tmp_path)
    assert result.findings == ["AssertionError: never served"]
    assert kept == ["timeline of It goes wrong.", "evidence of ['AssertionError: never served']"]


def test_timeline_that_cannot_be_written_is_a_finding_and_does_not_cost_the_evidence(
    kept: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def unwritable(*_: object) -> None:
        raise ValueError("the client used number 3 twice")

    monkeypatch.setattr(scenario.evidence, "timeline", unwritable)
    result = play(LAB, Scenario("calm", nothing), tmp_path)
    assert result.findings == ["ValueError: the client used number 3 twice"]
    assert kept == ["evidence of ['ValueError: the client used number 3 twice']"]


def test_cluster_that_is_not_whole_in_the_time_that_the_scenario_has_is_a_finding(
    kept: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def wait_whole(lab: object, seconds: float = 240.0) -> SimpleNamespace:
        if kept_waiting and seconds < 100:
            raise AssertionError("db1 is not online")
        kept_waiting.append(seconds)
        return SimpleNamespace(dc="db1")

    kept_waiting: list[float] = []
    monkeypatch.setattr(scenario, "wait_whole", wait_whole)
    assert play(LAB, Scenario("calm", nothing), tmp_path).findings == []
    assert play(LAB, Scenario("calm", nothing, whole=90.0), tmp_path).findings == ["AssertionError: db1 is not online"]


def told(part: str, _stage: object) -> None:
    """A node is struck."""


def test_fault_is_told_in_words_also_when_its_function_was_given_something() -> None:
    assert Scenario("x", partial(told, "active")).words == "A node is struck."
    assert Scenario("x", lambda _stage: None).words == ""


def test_pillar_that_cannot_be_taken_back_is_a_finding_beside_the_others(kept: list[str], tmp_path: Path, monkeypatch) -> None:
    @contextmanager
    def in_force(lab: object, more: object):
        assert more == {"hadb:x": 1}
        yield
        raise AssertionError("a state failed")

    monkeypatch.setattr(scenario.settings, "in_force", in_force)
    result = play(LAB, Scenario("other", broken, pillar={"hadb:x": 1}), tmp_path)
    assert result.findings == ["AssertionError: never served", "AssertionError: a state failed"]


def test_scenario_whose_pillar_cannot_be_had_is_not_played(kept: list[str], tmp_path: Path, monkeypatch) -> None:
    @contextmanager
    def in_force(lab: object, more: object):
        raise AssertionError("a state failed")
        yield

    monkeypatch.setattr(scenario.settings, "in_force", in_force)
    with pytest.raises(AssertionError, match="a state failed"):
        play(LAB, Scenario("other", nothing, pillar={"hadb:x": 1}), tmp_path)
    assert kept == []
