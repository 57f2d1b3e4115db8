"""Another pillar is carried out before a scenario that needs it, and taken back after it, whole cluster each time."""

from __future__ import annotations

import json
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from scenario import settings

MORE = {"hadb:fencing:reservations": True}
LEAVE = {"hadb:pacemaker:allow_restart": True}


class Lab:
    """Notes what is applied; ``result`` is that of each state."""

    nodes = ("db1", "db2")

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.result: dict[str, bool] = {}

    def _states(self, name: str) -> dict[str, Any]:
        self.done.append(name)
        return {"a_|-b_|-c_|-d": {"result": self.result.get(name, True), "comment": "refused", "changes": {}}}

    def apply(self) -> Any:
        return SimpleNamespace(stdout=json.dumps({node: self._states(node) for node in self.nodes}), stderr="", returncode=0)

    def sls(self, node: str, name: str) -> dict[str, Any]:
        return self._states(name)

    def ask(self, node: str, script: str, timeout: float) -> None:
        self.done.append(script)


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Lab:
    found = Lab()

    @contextmanager
    def saying(lab: Lab, more: dict[str, Any]):
        lab.done.append(more)
        try:
            yield
        finally:
            lab.done.append({})

    monkeypatch.setattr(settings.pillars, "saying", saying)
    monkeypatch.setattr(settings, "wait_whole", lambda lab: lab.done.append("whole"))
    return found


CARRIED_OUT = ["db1", "db2", "hadb.cluster.cib", "crm_resource --wait", "whole"]


def test_nothing_more_is_nothing_done(lab: Lab) -> None:
    with settings.in_force(lab, {}):
        lab.done.append("played")
    assert lab.done == ["played"]


def test_it_is_carried_out_before_and_taken_back_after_with_leave_to_restart(lab: Lab) -> None:
    with settings.in_force(lab, MORE):
        lab.done.append("played")
    assert lab.done == [{**MORE, **LEAVE}, *CARRIED_OUT, "played", {}, LEAVE, *CARRIED_OUT, {}]


@pytest.mark.parametrize("failing", ["db2", "hadb.cluster.cib"])
def test_what_is_not_carried_out_is_not_played(lab: Lab, failing: str) -> None:
    lab.result = {failing: False}
    with pytest.raises(AssertionError, match="refused"), settings.in_force(lab, MORE):
        lab.done.append("played")
    assert "played" not in lab.done and lab.done[-1] == {}
