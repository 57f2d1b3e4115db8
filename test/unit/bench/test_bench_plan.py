"""The order of the runs, and the time left."""

from __future__ import annotations

import pytest
from bench.cases import BY_ID, CALM, CASES, FORMULA, OTHERS, OURS, SEED, chosen
from bench.plan import FLOOR, items, seconds_left
from scenario.results import clock


def test_configurations_take_turns_a_b_b_a() -> None:
    runs = [item for item in items([BY_ID["killed"], BY_ID["power"]], 4) if item.case]
    order = [item.config for item in runs][::2]
    assert order == [OURS, SEED, SEED, OURS, OURS, SEED, SEED, OURS]
    assert [item.case.id for item in runs if item.case][:2] == ["killed", "power"]


def test_every_case_has_its_rounds_with_both_configurations() -> None:
    runs = [(item.case.id, item.config, item.round) for item in items(CASES, 5, OTHERS) if item.case]
    assert len(runs) == len(set(runs)) == len(CASES) * 2 * 5


def test_formula_and_floor_are_measured_with_ours_before_anything_is_broken() -> None:
    found = items([BY_ID["hung"]], 1, [FORMULA])
    assert [(item.kind, item.config) for item in found[:2]] == [(FORMULA, OURS), (FLOOR, OURS)]


def test_formula_alone_needs_no_floor() -> None:
    assert [item.kind for item in items([], 5, OTHERS)] == [FORMULA, CALM]


def test_time_left_follows_what_was_measured() -> None:
    left = items([BY_ID["killed"]], 3)[1:]
    before = seconds_left(left, {})
    assert before == 6 * BY_ID["killed"].typical
    assert seconds_left(left, {("killed", OURS): [10.0, 20.0, 12.0]}) == 3 * 12.0 + 3 * BY_ID["killed"].typical


@pytest.mark.parametrize(("seconds", "text"), [(42.4, "42 s"), (200, "3 min"), (3900, "1 h 05 min"), (3599, "1 h 00 min")])
def test_time_is_said_as_people_read_it(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_cases_are_chosen_by_id_and_an_unknown_one_is_named() -> None:
    assert chosen("") == (list(CASES), list(OTHERS))
    assert chosen("power, killed") == ([BY_ID["killed"], BY_ID["power"]], [])
    assert chosen("formula") == ([], [FORMULA])
    with pytest.raises(ValueError, match="no such case: fire; there are killed"):
        chosen("killed,fire")
