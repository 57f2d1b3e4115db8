"""Looking on while nothing may happen: what counts against it, and that load and loss end whatever comes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from bench import calm
from bench.calm_verdict import LOAD, LOSS, checks
from scenario.client_log import ClientLog

from hadblab.errors import LabError

CALM = {"minutes": 30.0, "fenced": [], "changed": [], "failures": 0, "writes": 9, "longest": 0.4}


@pytest.mark.parametrize(("seen", "reached"), [
    ({}, True), ({"fenced": ["db2"]}, False), ({"changed": ["db1"]}, False), ({"failures": 1}, False),
    # A shorter look shows a fault as well as a long one, but not that there is none.
    ({"minutes": 2.0}, None), ({"minutes": 2.0, "failures": 1}, False),
])  # fmt: skip
def test_whatever_the_cluster_did_counts(seen: dict[str, Any], reached: bool | None) -> None:
    assert [check.reached for check in checks({LOAD: {**CALM, **seen}})] == [reached]


def test_nothing_is_said_of_what_was_not_looked_at() -> None:
    assert checks({}) == []


class Lab:
    """Two nodes that live on, unless told otherwise."""

    nodes = ("db1", "db2")

    def __init__(self) -> None:
        self.done: list[str] = []
        self.lives = {"db1": "1", "db2": "2"}
        self.fails = ""

    def ask(self, node: str, script: str, **_how: object) -> SimpleNamespace:
        self.done.append(f"{node}: {script}")
        if self.fails and self.fails in script:
            raise LabError(script)
        return SimpleNamespace(stdout=self.lives[node] if "boot_id" in script else "")

    def verb(self, *words: str, **_how: object) -> None:
        self.done.append(" ".join(words))

    def events(self, _since: float) -> list[dict[str, Any]]:
        return []


class Writer:
    """A client that is always served."""

    def __init__(self, *_words: object) -> None: ...

    def start(self) -> None: ...

    def stop(self) -> float:
        return 1.5

    def read(self) -> ClientLog:
        return ClientLog({}, {1: 1.0, 2: 1.25})


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setattr(calm, "wait_whole", lambda _lab: SimpleNamespace(failures=()))
    monkeypatch.setattr(calm, "Writer", Writer)
    return Lab()


def test_both_nodes_are_kept_busy_then_one_cable_is_poor_and_all_is_taken_back(lab: Lab, tmp_path) -> None:
    found: dict[str, Any] = {}
    calm.measure(lab, 0.0, tmp_path, found.update, lambda _line: None)
    assert found[LOAD] == {"minutes": 0.0, "fenced": [], "changed": [], "failures": 0, "writes": 2, "longest": 0.25}
    assert set(found) == {LOAD, LOSS}
    for node in lab.nodes:
        begin, end = (next(number for number, line in enumerate(lab.done) if line.startswith(node) and word in line)
                      for word in ("while :;", "systemctl stop"))  # fmt: skip
        assert begin < end < lab.done.index("cut hb1 --loss 20") < lab.done.index("heal hb1")


def test_a_node_that_booted_or_has_another_server_is_named(lab: Lab, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calm, "_rest", lambda _lab: lab.lives.update(db2="3"))
    found: dict[str, Any] = {}
    calm.measure(lab, 0.0, tmp_path, found.update, lambda _line: None)
    assert (found[LOAD]["changed"], found[LOSS]["changed"]) == (["db2"], [])


def test_the_load_ends_when_looking_on_fails(lab: Lab, tmp_path) -> None:
    lab.fails = "while :;"
    with pytest.raises(LabError):
        calm.measure(lab, 0.0, tmp_path, lambda _found: None, lambda _line: None)
    assert [line for line in lab.done if "systemctl stop" in line]
