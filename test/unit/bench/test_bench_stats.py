"""Medians of outages of which some never ended, and targets."""

from __future__ import annotations

from math import inf
from pathlib import Path

import pytest
from bench import formula_verdict, results, table
from bench.cases import BY_ID, OURS, SEED
from bench.results import Results, Run
from bench.stats import summary, typical
from bench.verdict import OPEN, PASS, SHORT, floor_of, rows


def measured(case: str, ours: list[float | None], seed: list[float | None], lost: int | None = 0) -> Results:
    runs = [Run(case, config, number, outage, lost, measured=True) for config, outages in ((OURS, ours), (SEED, seed))
            for number, outage in enumerate(outages, 1)]  # fmt: skip
    return Results(runs=runs, floor={"stop": [0.5], "start": [2.0], "recovery": [2.4, 2.6, 2.5]})


def test_median_and_spread() -> None:
    found = summary([3.0, 5.0, 4.0], 60)
    assert found and (found.median, found.low, found.high, found.text) == (4.0, 3.0, 5.0, "4.0 s (3.0-5.0)")
    even = summary([3.0, 4.0], 60)
    assert even and even.median == 3.5


def test_outage_that_never_ended_counts_as_longer_than_any() -> None:
    found = summary([3.0, None, 4.0], 60)
    assert found and (found.median, found.high, found.text) == (4.0, inf, "4.0 s (3.0-never)")
    most = summary([None, 3.0, None, None], 60)
    assert most and most.median == inf and most.at_least == 60 and most.text == ">60 s (3.0-never)"
    never = summary([None, None], 60)
    assert never and never.text == "never (>60 s)"
    half = summary([3.0, None], 60)
    assert half and half.median == inf


def test_nothing_measured_has_no_median() -> None:
    assert summary([], 60) is None
    with pytest.raises(ValueError, match="no run"):
        typical([])


def test_run_in_the_middle_is_a_real_one() -> None:
    assert typical([9.0, 3.0, None, 4.0]) == 3
    assert typical([None]) == 0


def test_floor_adds_up_medians_and_is_unknown_without_one_of_its_parts() -> None:
    floor = {"stop": [1.0, 9.0, 2.0], "start": [3.0]}
    assert floor_of(("stop", "start"), floor) == 5.0
    assert floor_of(("stop", "recovery"), floor) is None
    assert floor_of((), floor) is None


@pytest.mark.parametrize(
    ("ours", "seed", "verdict"),
    [([3.0], [14.0], PASS), ([3.4], [14.0], PASS), ([3.4], [13.0], SHORT), ([3.6], [20.0], SHORT), ([3.0], [], OPEN),
     ([None], [14.0], SHORT)],
)  # fmt: skip
def test_killed_server_needs_the_ratio_and_the_distance_from_the_floor(
    ours: list[float | None], seed: list[float | None], verdict: str
) -> None:
    (row,) = rows(measured("killed", ours, seed))
    assert row.verdict == verdict


def test_lost_write_is_never_a_pass_and_an_uncounted_one_neither() -> None:
    assert rows(measured("killed", [3.0], [14.0], lost=1))[0].verdict == SHORT
    assert rows(measured("killed", [3.0], [14.0], lost=None))[0].verdict == OPEN


def test_hung_server_is_judged_by_itself_and_the_seed_is_said_to_never_notice() -> None:
    (row,) = rows(measured("hung", [14.0], [None]))
    assert (row.verdict, row.seed, [check.name for check in row.checks]) == (PASS, "never (>60 s)", ["in all"])
    assert rows(measured("hung", [15.5], [None]))[0].verdict == SHORT
    assert rows(measured("hung", [None], [None]))[0].verdict == SHORT


def test_ratio_to_an_outage_that_was_cut_short_is_an_upper_bound() -> None:
    (row,) = rows(measured("storage", [30.0], [None]))
    assert (row.checks[0].value, row.verdict) == ("<0.25", PASS)


def test_run_that_was_not_measured_is_in_no_figure_but_is_a_problem() -> None:
    found = measured("killed", [3.0], [14.0])
    found.runs.append(Run("killed", OURS, 2, findings=["LabError: db1 is off"]))
    assert rows(found)[0].ours == "3.0 s (3.0-3.0)"
    assert table.problems(found) == ["killed, ours, round 2: LabError: db1 is off"]
    assert table.problems(measured("killed", [3.0], [14.0])) == []
    assert len(table.problems(measured("killed", [3.0], [14.0], lost=2))) == 2


def test_table_has_one_line_per_case_with_its_verdict() -> None:
    text = table.text(measured("switchover", [4.0, 4.2, 4.1], [10.0, 9.0, 11.0]))
    (line,) = [line for line in text.splitlines() if line.startswith(BY_ID["switchover"].title)]
    assert "4.1 s (4.0-4.2)" in line and "0.41 (<= 0.5 (aim 0.35))" in line and line.endswith("PASS")
    assert "recovery 2.50 s" in text


def test_results_survive_the_way_through_their_file(tmp_path: Path) -> None:
    found = measured("killed", [3.0], [None])
    results.write(found, tmp_path / "r.json")
    assert results.read(tmp_path / "r.json") == found
    (tmp_path / "r.json").write_text('{"runs": [{"colour": 1}]}')
    with pytest.raises(ValueError, match="not results of this bench"):
        results.read(tmp_path / "r.json")
    with pytest.raises(ValueError, match="make bench"):
        results.read(tmp_path / "none.json")


FORMULA = {
    "seconds": {"test.ping": [1.0, 1.2], "empty state": [1.5], "state.apply hadb": [3.0, 3.2],
                "state.apply hadb, 20 VIPs and databases": [3.3], "cibadmin -Q": [0.020], "hadb cluster is configured": [0.075],
                "hadb.orch": [60.0], "test.ping of all": [2.0]},
    "programs": {"state.apply hadb": {"dpkg-query": 1}, "hadb cluster is configured": {"cibadmin": 1}},
    "processes": {"test.ping": 4}, "change": {"epochs": 1, "transitions": 1}, "plan": {"1": 0.001, "20": 0.003},
}  # fmt: skip


def verdicts(formula: dict[str, object]) -> dict[str, str]:
    return {check.name: formula_verdict.word(check) for check in formula_verdict.checks(formula)}


def test_figures_of_the_formula_meet_their_targets() -> None:
    assert set(verdicts(FORMULA).values()) == {PASS}
    assert formula_verdict.checks({}) == []


@pytest.mark.parametrize(
    ("key", "value", "name", "verdict"),
    [("seconds", {"test.ping": [1.0], "state.apply hadb": [3.1]}, "no-op state.apply hadb / test.ping", SHORT),
     ("seconds", {"cibadmin -Q": [0.02], "hadb cluster is configured": [0.09]}, "cluster part of a no-op beyond one cibadmin -Q", SHORT),
     ("seconds", {}, "no-op state.apply hadb / test.ping", OPEN),
     ("change", {"epochs": 2, "transitions": 1}, "CIB epochs for one change of the pillar", SHORT),
     ("change", {}, "transitions for one change of the pillar", OPEN),
     ("programs", {"state.apply hadb": {"crm": 1}, "hadb cluster is configured": {}},
      "crm and pcs processes of a no-op, node and cluster part", SHORT),
     ("programs", {"state.apply hadb": {}}, "crm and pcs processes of a no-op, node and cluster part", OPEN)],
)  # fmt: skip
def test_figure_of_the_formula_that_misses_its_target_or_is_missing_says_so(
    key: str, value: object, name: str, verdict: str
) -> None:
    assert verdicts({**FORMULA, key: value})[name] == verdict
