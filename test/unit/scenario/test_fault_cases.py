"""The table of faults: scenarios play cases that there are, and what is not played is told."""

from __future__ import annotations

import re

import pytest
from scenario.fault_cases import CASES, coverage, held
from scenario.faults import RESOURCES
from scenario.lab import Lab
from scenario.results import Result
from scenario.test_faults import ALL


def test_there_are_73_cases_and_scenarios_play_nothing_else() -> None:
    assert len(CASES) == 73
    assert {case for scenario in ALL for case in scenario.cases} <= set(CASES)


def test_each_scenario_has_a_name_of_its_own_that_fits_into_the_table_and_into_a_path() -> None:
    names = [scenario.name for scenario in ALL]
    assert len(set(names)) == len(names)
    assert [name for name in names if len(name) > 42 or not re.fullmatch(r"[a-zA-Z0-9%, -]+", name)] == []


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.name)
def test_parts_that_scenarios_name_are_there_and_named_once(scenario) -> None:
    assert {*scenario.fenced, *scenario.may_be_fenced, *scenario.fencing_fails} <= {"active", "passive"}
    assert not set(scenario.fenced) & set(scenario.may_be_fenced)
    assert set(scenario.fencing_fails) <= set(scenario.fenced)


def test_of_network_cluster_and_fencing_at_most_what_needs_forged_packets_or_a_second_level_is_not_played() -> None:
    played = {case for scenario in ALL for case in scenario.cases}
    assert {case for case in CASES if case[0] in "NCF"} - played <= {"N9", "F4", "F7"}


def test_failures_that_scenarios_explain_are_of_resources_that_the_lab_has() -> None:
    lab = Lab()
    assert {*lab.group, *lab.fences} == set(RESOURCES)
    assert {resource for scenario in ALL for resource in scenario.explained} <= set(RESOURCES)


def test_what_was_not_played_is_named() -> None:
    assert coverage([]).startswith("0 of 73 fault cases; not: A1, A2, ")
    assert coverage([*list(CASES)[1:], "D1", "D1"]) == "72 of 73 fault cases; not: A1"
    assert coverage(CASES) == "73 of 73 fault cases"
    assert coverage(iter(CASES)) == "73 of 73 fault cases"


def result(cases: tuple[str, ...], *findings: str) -> Result:
    return Result("x", 1.0, [], list(findings), cases=cases)


def test_case_holds_only_when_every_scenario_that_plays_it_held() -> None:
    good, bad = result(("C2", "C1")), result(("C2",), "I4: ...")
    assert held([good]) == ["C1", "C2"]
    assert held([good, bad]) == held([bad, good]) == ["C1"]
    assert held([]) == []
