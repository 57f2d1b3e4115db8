"""The acts of the formula's scenarios on a stage without a lab: what they demand of a run can fail."""

from __future__ import annotations

import pytest
from fake_stage import FakeLab, play
from scenario.faults_formula import orchestrate_in_a_failover

_ORCHESTRATION = "salt-run state.orchestrate hadb.orch"


def _failing_over() -> FakeLab:
    lab = FakeLab()
    lab.answers = [("power db1 off", lambda lab: lab.moves_to("db2")), ("db2: pidof", "77")]
    return lab


@pytest.mark.parametrize("status", [0, 1])
def test_orchestration_in_a_failover_may_end_either_way(status: int) -> None:
    lab = _failing_over()
    lab.answers.append((_ORCHESTRATION, (status, "")))
    play(lab, orchestrate_in_a_failover)
    assert lab.done.index("power db1 off") < lab.done.index(_ORCHESTRATION)


@pytest.mark.parametrize(("pattern", "other", "words"), [("db2: pidof", "78", "restarted"), ("db2: epoch", "2", "changed")])
def test_orchestration_that_touches_the_service_is_found(pattern: str, other: str, words: str) -> None:
    lab = _failing_over()
    lab.answers.append((_ORCHESTRATION, lambda lab: lab.answers.insert(0, (pattern, other))))
    with pytest.raises(AssertionError, match=words):
        play(lab, orchestrate_in_a_failover)
