"""One fault after the other on a whole cluster, all invariants after each."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from scenario import (
    faults,
    faults_cluster,
    faults_database,
    faults_fencing,
    faults_network,
    faults_node,
    faults_takeover,
)
from scenario.lab import Lab, document
from scenario.results import Result
from scenario.salt_result import changed, failed, orchestration
from scenario.scenario import Scenario, play
from scenario.session import Session

# `make test` plays the first ones, `make faults` all.
_MORE = (
    *faults_database.SCENARIOS, *faults_node.SCENARIOS, *faults_cluster.SCENARIOS, *faults_network.SCENARIOS,
    *faults_takeover.SCENARIOS, *faults_fencing.SCENARIOS,
)  # fmt: skip
ALL = (*faults.SCENARIOS, *_MORE)
SCENARIOS = ALL if os.environ.get("HADB_FAULTS") == "all" else faults.SCENARIOS


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name.replace(" ", "-"))
def test_invariants_hold(
    scenario: Scenario, converged: Lab, session: Session, record: Callable[[Result], None]
) -> None:
    # Until the verdict is known: whatever ends this test, the next one starts from the snapshot.
    session.touched()
    result = play(converged, scenario)
    record(result)
    assert not result.findings, "\n" + "\n".join(result.findings)
    session.settled()


def test_orchestration_finds_nothing_to_do_after_all_faults(converged: Lab) -> None:
    done = converged.orchestrate()
    states = orchestration(document(done))
    assert (done.returncode, failed(states), changed(states)) == (0, {}, {})
