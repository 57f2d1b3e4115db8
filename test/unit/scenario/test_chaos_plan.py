"""The plan: the same for the same seed and tables, as often as the weights say, and continued where it was left."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from random import Random

import pytest
from scenario import fault_cases
from scenario.chaos_faults import FAULTS, TABLE, WEIGHTS
from scenario.chaos_plan import (
    ALONE,
    KINDS,
    THEN,
    TOGETHER,
    Table,
    fingerprint,
    lines,
    pick,
    plan,
    seconds_left,
)
from scenario.chaos_rules import Fault, Pair, follows, together
from scenario.scenario import Scenario
from scenario.scenarios import ALL as SCENARIOS

ROOT = Path(__file__).parents[3]


def scenario(name: str) -> Scenario:
    return Scenario(name, lambda _stage: None)


def harmless(name: str, weight: float = 1.0, **more: object) -> Fault:
    return Fault(name, lambda _stage, _node: nullcontext(), weight=weight, **more)


def test_same_seed_and_count_give_the_same_plan_and_another_seed_another() -> None:
    assert lines(plan(7, 50, TABLE)) == lines(plan(7, 50, TABLE))
    assert lines(plan(7, 50, TABLE)) != lines(plan(8, 50, TABLE))


def test_plan_of_a_smaller_count_is_the_beginning_of_the_greater_one() -> None:
    # So FROM=83 goes on with the very steps that a run of all 200 would have come to.
    whole = plan(7, 200, TABLE)
    assert lines(plan(7, 83, TABLE)) == lines(whole)[:83]
    assert [step.number for step in whole] == list(range(1, 201))


def test_plan_is_the_same_in_another_process_with_other_hashes() -> None:
    path = os.pathsep.join(str(ROOT / part) for part in ("_utils", "test/lab", "test"))
    said = {
        subprocess.run([sys.executable, "-m", "scenario.chaos", "--seed", "3", "--count", "40", "--dry-run"], check=True, cwd=ROOT,
                       capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": hashes, "PYTHONPATH": path}).stdout
        for hashes in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1
    assert f"plan {fingerprint(plan(3, 40, TABLE))}: 40 steps, about 31 min" in said.pop()


def test_plan_of_this_table_is_known() -> None:
    # In every version of Python: only what is promised to stay the same is used.
    dies = harmless("y", at="active", fenced=("active",), loses=frozenset({"active"}))
    table = Table([(scenario("a"), 1.0), (scenario("b"), 2.0)], [harmless("x"), dies])
    assert [(step.kind, step.text) for step in plan(1, 6, table)] == [
        (TOGETHER, "y + x"), (ALONE, "b"), (ALONE, "b"), (TOGETHER, "x + y"), (TOGETHER, "x + y"), (ALONE, "b"),
    ]  # fmt: skip


def test_other_table_has_another_fingerprint() -> None:
    other = Table([*TABLE.alone, (scenario("one more"), 50.0)], FAULTS)
    assert fingerprint(plan(7, 50, TABLE)) != fingerprint(plan(7, 50, other))


def test_kinds_come_as_often_as_their_weights_say() -> None:
    found = Counter(step.kind for step in plan(11, 3000, TABLE))
    total = sum(weight for _, weight in KINDS)
    for kind, weight in KINDS:
        assert found[kind] == pytest.approx(3000 * weight / total, rel=0.1)


def test_scenarios_alone_come_as_often_as_their_weights_say_and_never_without_weight() -> None:
    table = Table([(scenario("rare"), 1.0), (scenario("often"), 3.0), (scenario("never"), 0.0)], FAULTS)
    found = Counter(step.text for step in plan(5, 4000, table) if step.kind == ALONE)
    assert found["often"] / found["rare"] == pytest.approx(3.0, rel=0.2)
    assert "never" not in found


def test_faults_in_company_come_as_often_as_their_weights_say() -> None:
    dies = harmless("dies", 1.0, at="active", fenced=("active",), loses=frozenset({"active"}))
    table = Table(TABLE.alone, [harmless("rare"), harmless("often", 4.0), harmless("never", 0.0), dies])
    pairs = [step.what for step in plan(5, 4000, table) if step.kind == TOGETHER]
    found = Counter(pair.first.name for pair in pairs if isinstance(pair, Pair))
    assert found["dies"]
    assert found["often"] / found["rare"] == pytest.approx(4.0, rel=0.25)
    assert "never" not in found


def test_choice_without_any_weight_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing to choose from"):
        pick(Random(1).random, [("a", 0.0)])


def test_rounding_never_leads_beyond_the_last_choice_with_a_weight() -> None:
    assert pick(lambda: 1.0, [("a", 0.1), ("b", 0.2), ("never", 0.0)]) == "b"


def test_every_pair_of_a_long_plan_is_one_that_may_come() -> None:
    for step in plan(23, 2000, TABLE):
        if step.kind == TOGETHER:
            assert isinstance(step.what, Pair) and step.what.moment is None
            assert together(step.what.first, step.what.second)
        elif step.kind == THEN:
            assert isinstance(step.what, Pair) and step.what.moment
            assert follows(step.what.first, step.what.moment, step.what.second)


def test_long_plan_comes_to_every_scenario_and_every_fault() -> None:
    steps = plan(1, 3000, TABLE)
    drawn = {found.name for found in SCENARIOS if WEIGHTS.get(found.name, 1.0)}
    assert {step.text for step in steps if step.kind == ALONE} == drawn
    pairs = [step.what for step in steps if isinstance(step.what, Pair)]
    assert {one.name for pair in pairs for one in (pair.first, pair.second)} == {fault.name for fault in FAULTS}


def test_weights_and_cases_are_of_scenarios_and_cases_that_there_are() -> None:
    assert set(WEIGHTS) <= {found.name for found in SCENARIOS}
    assert {case for fault in FAULTS for case in fault.cases} <= set(fault_cases.CASES)
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert all(fault.weight > 0 for fault in FAULTS)


def test_names_of_steps_fit_a_table_of_the_database() -> None:
    assert [step.name for step in plan(1, 120, TABLE)][::119] == ["step-001", "step-120"]


def test_time_left_follows_what_was_measured() -> None:
    steps = plan(7, 30, TABLE)
    alone = sum(step.kind == ALONE for step in steps)
    less = seconds_left(steps, {ALONE: [10.0, 30.0, 20.0]})
    assert seconds_left(steps, {}) - less == pytest.approx(alone * (47.0 - 20.0))
