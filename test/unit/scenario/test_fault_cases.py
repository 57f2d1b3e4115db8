"""The table of faults: scenarios play cases that there are, and what is not played is told."""

from __future__ import annotations

from scenario import faults, faults_cluster, faults_database, faults_node, forged
from scenario.fault_cases import CASES, coverage

SCENARIOS = (*faults.SCENARIOS, *faults_database.SCENARIOS, *faults_node.SCENARIOS, *faults_cluster.SCENARIOS, *forged.SCENARIOS)


def test_there_are_73_cases_and_scenarios_play_nothing_else() -> None:
    assert len(CASES) == 73
    assert {case for scenario in SCENARIOS for case in scenario.cases} <= set(CASES)


def test_each_scenario_has_a_name_of_its_own() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(set(names)) == len(names)


def test_what_was_not_played_is_named() -> None:
    assert coverage([]).startswith("0 of 73 fault cases; not: A1, A2, ")
    assert coverage([*list(CASES)[1:], "D1", "D1"]) == "72 of 73 fault cases; not: A1"
    assert coverage(CASES) == "73 of 73 fault cases"
