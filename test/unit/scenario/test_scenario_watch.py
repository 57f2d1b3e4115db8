"""How closely command lines were looked at, and what a look is worth: pure verdicts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from scenario import watch
from scenario.watch import Watched

PLANTED = {"what": "command line", "names": ["control"], "shown": "sh -c : (hidden); sleep 0.3"}


def line(**told: Any) -> str:
    return json.dumps({"looks": 900, "seconds": 1.0, "gap": 0.02, "born": 10, "missed": 1, "hits": [], **told})


def watched(*lines: str) -> Watched:
    known = Watched()
    for one in lines:
        known = watch.add(known, one)
    return known


def short(number: int) -> dict[str, Any]:
    return {"what": "command line", "names": ["control"], "shown": f"/bin/true (hidden)-{number}"}


def test_lines_add_up_and_the_worst_second_stays_known() -> None:
    known = watched(line(), line(looks=300, gap=0.5, missed=4), line(hits=[PLANTED]))
    assert (known.looks, known.seconds, known.slowest, known.gap, known.born, known.missed) == (2100, 3.0, 300.0, 0.5, 30, 6)
    assert known.rate == 700
    said = known.line("db1")
    assert "db1: 700 looks a second (in the worst second 300, longest gap 0.50 s) for 3 s; 6 of 30" in said


def test_a_slow_look_is_told_and_no_finding() -> None:
    known = watched(line(looks=150, hits=[PLANTED]))
    assert "LESS THAN 200" in known.line("db1")
    assert "LESS THAN" not in watched(line(looks=201)).line("db1")
    assert watch.findings("db1", known) == []


def test_a_secret_on_a_command_line_is_a_finding_once_and_is_not_shown() -> None:
    hit = {"what": "command line", "names": ["bmc of db1", "bmc of db2"], "shown": "ipmitool -P (hidden)"}
    known = watched(line(hits=[PLANTED, hit]), line(hits=[hit]))
    assert watch.findings("db1", known) == ["db1: bmc of db1, bmc of db2 is in the command line of 'ipmitool -P (hidden)'"]


@pytest.mark.parametrize("lines", [[], [line()], [line(hits=[{**PLANTED, "names": ["bmc"]}])]])
def test_a_watch_that_did_not_see_what_was_planted_is_blind(lines: list[str]) -> None:
    assert watch.findings("db1", watched(*lines))[-1] == "db1: the watch is blind: it did not see the command line that was planted"


def test_of_the_processes_that_end_at_once_each_is_counted_once() -> None:
    known = watched(line(hits=[PLANTED, short(1), short(2)]), line(hits=[short(2), {**short(3), "names": ["bmc"]}]))
    assert known.short == 2
    assert "of 20 that end at once 2 were seen" in known.line("db1")


def test_nobody_looked_is_no_division_by_nothing() -> None:
    assert Watched().rate == 0.0
