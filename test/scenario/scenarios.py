"""All scenarios: the one place that names the tables."""

from __future__ import annotations

from scenario import (
    faults,
    faults_cluster,
    faults_database,
    faults_fencing,
    faults_forged,
    faults_formula,
    faults_network,
    faults_node,
    faults_storage,
    faults_takeover,
)
from scenario.scenario import Scenario

# `make test` plays the first ones, `make faults` all.
FIRST: tuple[Scenario, ...] = faults.SCENARIOS
ALL: tuple[Scenario, ...] = (
    *FIRST, *faults_database.SCENARIOS, *faults_node.SCENARIOS, *faults_storage.SCENARIOS, *faults_cluster.SCENARIOS,
    *faults_network.SCENARIOS, *faults_takeover.SCENARIOS, *faults_fencing.SCENARIOS, *faults_forged.SCENARIOS,
    *faults_formula.SCENARIOS,
)  # fmt: skip
BY_NAME = {scenario.name: scenario for scenario in ALL}
