"""Verdicts, the bound of the rate of failures, and what is written and printed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from scenario import chaos_record, lab
from scenario.chaos_plan import ALONE, Step
from scenario.chaos_record import (
    Outcome,
    Record,
    earlier,
    outcome,
    progress,
    read,
    summary,
    upper_bound,
    write,
)
from scenario.fault_cases import CASES
from scenario.invariants import data_intact, looked_at_all_the_time
from scenario.lab import FrontEndError, Lab
from scenario.results import Result
from scenario.sample import Sample
from scenario.scenario import Scenario, _faults_of
from scenario.verdicts import FAIL, PASS, UNKNOWN, verdict
from scenario.wait import TooLateError

from hadblab.errors import LabError


def raised(error: Exception) -> str:
    """Return the finding that a scenario makes of an error."""
    def step() -> None:
        raise error

    (finding,) = _faults_of(step)
    return finding


LAB, NODE = raised(FrontEndError("lab freeze db1: exit status 1")), raised(LabError("ssh db1: no end after 30 s"))
LATE = raised(TooLateError("db1 is not fenced (waited 60 s)"))
(BLIND,) = looked_at_all_the_time([Sample("db1", 1.0, "b", frozenset()), Sample("db1", 9.0, "b", frozenset())], ["db1"], [])
(READ_ONLY,) = data_intact([["t", "check", "status", "OK"]], 0, False)
LOST, BOTH = "I1: 1 acknowledged writes are lost: 3", "I2: db1 (until 1..2) and db2 (1..2 to 3) both held mount"
UNFENCED, NOT_WHOLE = "I4: the cluster says that it fenced none; expected db1", "db1: I5: no quorum"


@pytest.mark.parametrize("findings", [[LOST], [UNFENCED], [NOT_WHOLE], [LATE], ["ValueError: no report"], [READ_ONLY], [BLIND, LATE]])
def test_invariant_that_does_not_hold_is_a_failure(findings: list[str]) -> None:
    assert verdict(findings) == FAIL


def test_nothing_found_is_a_pass() -> None:
    assert verdict([]) == PASS


def test_lab_that_did_not_do_what_it_was_told_leaves_no_verdict() -> None:
    assert verdict([LAB]) == verdict([LAB, UNFENCED, NOT_WHOLE, LATE, READ_ONLY]) == UNKNOWN


@pytest.mark.parametrize("finding", [LOST, BOTH, "I3: CHECK TABLE: nova.t check error Corrupt", "I3: the filesystem counts 2 errors"])
def test_lost_write_two_owners_and_damage_are_failures_whatever_the_lab_did(finding: str) -> None:
    assert verdict([LAB, finding]) == verdict([NODE, finding]) == FAIL


def test_node_that_does_not_answer_leaves_no_verdict_and_suspects_the_cluster_if_more_is_amiss() -> None:
    assert verdict([NODE]) == UNKNOWN
    assert verdict([NODE, NOT_WHOLE]) == FAIL


def test_time_in_which_nobody_looked_leaves_no_verdict() -> None:
    assert verdict([BLIND]) == verdict([BLIND, NODE]) == UNKNOWN


def test_front_end_that_fails_is_told_from_a_node_and_from_salt(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_words: object, **_how: object) -> None:
        raise LabError("exit status 1")

    monkeypatch.setattr(lab, "run_command", fails)
    silent = SimpleNamespace(_note=lambda *_words: None)
    with pytest.raises(FrontEndError, match="exit status 1"):
        Lab.verb(silent, "freeze", "db1")
    with pytest.raises(LabError) as error:
        Lab.verb(silent, "salt", "*", "test.ping")
    assert not isinstance(error.value, FrontEndError)


# The rate

def test_without_a_failure_the_bound_is_three_by_the_number_of_steps() -> None:
    assert upper_bound(0, 200) == pytest.approx(0.015)
    assert upper_bound(0, 2) == 1.0
    # What the rule stands for: the rate at which no failure in 200 has a probability of 5 %.
    assert upper_bound(0, 200) == pytest.approx(1 - 0.05 ** (1 / 200), rel=0.01)


@pytest.mark.parametrize(("failures", "steps", "bound"), [
    # The 95 % quantiles of the beta distribution with (failures + 1, steps - failures).
    (1, 10, 0.3942), (2, 10, 0.5069), (5, 10, 0.7776), (1, 100, 0.0466), (1, 2, 0.9747),
])  # fmt: skip
def test_with_failures_the_bound_is_that_of_clopper_and_pearson(failures: int, steps: int, bound: float) -> None:
    assert upper_bound(failures, steps) == pytest.approx(bound, abs=2e-4)


def test_bound_of_nothing_and_of_nothing_but_failures() -> None:
    assert upper_bound(0, 0) is None
    assert upper_bound(3, 3) == 1.0


# What is told

def done(number: int, found: str = PASS, **more: object) -> Outcome:
    return Outcome(number, ALONE, "server killed", found, 2.6, cases=["D1"], **more)


def record(*outcomes: Outcome) -> Record:
    return Record(7, 200, "abc", list(outcomes))


def test_line_after_a_step_has_number_faults_outage_verdict_and_time_left() -> None:
    assert progress(done(83), 200, 3900.0) == "83/200 server killed: outage 2.6 s, pass, 1 h 05 min left"
    assert "outage -, unknown" in progress(replace(done(1, UNKNOWN), outage=None), 200, 1.0)


def test_last_line_has_count_seed_coverage_bound_and_verdicts() -> None:
    *rest, last = summary(record(*(done(number) for number in range(1, 201))))
    assert last == (
        "200 of 200 steps, seed 7, 1 of 73 fault cases, failures in 1.5 % at most (95 % bound of 200 verdicts; rule of three, "
        "3/n: Hanley and Lippman-Hand, JAMA 249 (1983) 1743); 200 passed, 0 failed, 0 unknown"
    )
    assert rest[0].startswith("not: A1, A2, ")


def test_unknown_counts_neither_as_a_pass_nor_for_the_bound_nor_for_the_coverage() -> None:
    *rest, last = summary(record(done(1), done(2, UNKNOWN, findings=[LAB]), done(3)))
    assert "bound of 2 verdicts" in last and last.endswith("2 passed, 0 failed, 1 unknown")
    assert f"2: {LAB}" in rest
    assert "0 of 73 fault cases" in summary(record(done(1, UNKNOWN)))[-1]


def test_failure_is_told_with_its_findings_and_the_exact_bound() -> None:
    *rest, last = summary(record(done(1), done(2, FAIL, findings=[LOST])))
    assert f"2: {LOST}" in rest
    assert "failures in 97.5 % at most" in last and "Clopper and Pearson" in last and last.endswith("1 passed, 1 failed, 0 unknown")


def test_no_verdict_no_rate_and_full_coverage_misses_nothing() -> None:
    assert "no rate of failures without a verdict; 0 passed, 0 failed, 0 unknown" in summary(record())[-1]
    assert len(summary(record(replace(done(1), cases=list(CASES))))) == 1
    assert "failures in 100 % at most" in summary(record(done(1)))[-1]


def test_table_and_results_are_written_and_read_back(tmp_path: Path) -> None:
    found = record(done(1, commit="v1"), done(2, FAIL, findings=[LOST], fenced=["db1"]))
    write(found, tmp_path)
    assert read(tmp_path / "results.json") == found
    table = (tmp_path / "table.txt").read_text().splitlines()
    assert "server killed" in table[0] and table[0].endswith("pass") and table[1].endswith("fail") and "fenced db1" in table[1]
    assert table[-1].endswith("1 passed, 1 failed, 0 unknown")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.json", "table.txt"]


def test_no_results_are_none_and_foreign_ones_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    assert read(path) is None
    for text in ("{", json.dumps([1]), json.dumps({"runs": []})):
        path.write_text(text)
        with pytest.raises(ValueError, match="not results of chaos"):
            read(path)


def test_steps_of_the_same_plan_are_added_up_and_of_another_are_not() -> None:
    found = record(done(1), done(2), done(3))
    assert [one.number for one in earlier(found, record(), 3)] == [1, 2]
    assert earlier(found, replace(record(), plan="other"), 3) == []
    assert earlier(found, replace(record(), seed=8), 3) == []
    assert earlier(None, record(), 3) == []


def test_result_of_a_step_is_kept_with_its_verdict() -> None:
    step = Step(4, ALONE, Scenario("server killed", lambda _stage: None))
    result = Result("step-004", 2.6, ["db1"], [LOST], 61.0, 700, 900, ("D1",))
    found = outcome(step, result, "v1")
    assert (found.number, found.text, found.verdict, found.cases, found.commit) == (4, "server killed", FAIL, ["D1"], "v1")
    assert found.writes == 700 and chaos_record.BUILD.name == "chaos"
