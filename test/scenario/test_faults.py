"""One fault after the other on a whole cluster, all invariants after each."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scenario import results, scenarios
from scenario.lab import Lab, document
from scenario.results import Result
from scenario.salt_result import changed, failed, orchestration
from scenario.scenario import Scenario, play
from scenario.session import Session
from scenario.verdicts import UNKNOWN, verdict

SCENARIOS = scenarios.ALL if scenarios.EVERYTHING else scenarios.FIRST


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name.replace(" ", "-"))
def test_invariants_hold(
    scenario: Scenario, converged: Lab, session: Session, record: Callable[[Result], None]
) -> None:
    # Until the verdict is known: whatever ends this test, the next one starts from the snapshot.
    session.touched()
    result = play(converged, scenario)
    record(result)
    if verdict(result.findings) == UNKNOWN:
        # The lab's own trouble says nothing about the cluster: once more, on a whole one. The first try stays on record.
        results.set_aside(result.name)
        result = play(session.converged(), scenario)
        record(result)
    assert not result.findings, "\n" + "\n".join(result.findings)
    session.settled()


def test_orchestration_finds_nothing_to_do_after_all_faults(converged: Lab) -> None:
    before = converged.epoch()
    done = converged.orchestrate()
    states = orchestration(document(done))
    assert (done.returncode, failed(states), changed(states)) == (0, {}, {})
    assert converged.epoch() == before
