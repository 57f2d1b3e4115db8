"""What docs/reliability.md is filled with."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest
from scenario import chaos_record, control, figures, results
from scenario.chaos_record import Outcome, Record
from scenario.results import Result
from scenario.verdicts import FAIL, PASS

PAGE = "".join(f"<!-- {name}: begin -->\nold {name}\n<!-- {name}: end -->\n" for name in figures.PARTS)


def measured(build: Path) -> None:
    played = [Result("server killed", 2.5, [], [], 20.0, 300, 500, ("D1",), "abc1234"),
              Result("active frozen", None, ["db1"], ["I6: late"], 70.0, 20, 900, ("A5",), "abc1234")]
    results.write(played, build / "scenario")
    (build / "scenario/cases.json").write_text(json.dumps({"A5": FAIL, "D1": PASS}), encoding="utf-8")


def test_page_is_filled_with_what_was_measured_and_keeps_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    page.write_text(PAGE, encoding="utf-8")
    measured(tmp_path)
    assert figures.fill(tmp_path, page) == ["faults"]
    text = page.read_text(encoding="utf-8")
    assert "old faults" not in text and "old controls" in text and "old chaos" in text
    assert ": 1 passed, 1 failed, 0 unknown." in text
    assert "1 of 2 scenarios held, in 90 s: 320 acknowledged writes, 1400 samples." in text.replace("2 min", "90 s")
    assert json.loads((tmp_path / "runs/faults.json").read_text(encoding="utf-8"))[0]["name"] == "server killed"
    assert f"Code abc1234, {datetime.now(timezone.utc):%Y-%m-%d}." in text
    assert "| server killed | D1 | 2.5 s | - | 300 | held |" in text
    assert "| active frozen | A5 | - | db1 | 20 | FAILED |" in text


def test_controls_and_chaos_are_told(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    page.write_text(PAGE, encoding="utf-8")
    one = control.Outcome("fencing-off", "fencing", "stonith-enabled is false", "active powered off", "I4", control.CAUGHT, "I4: none", took=60.0, commit="abc1234")
    control.write([one], tmp_path / "controls")
    steps = [Outcome(number, "alone", "server killed", PASS, outage=float(number), cases=["D1"], took=30.0, writes=10, commit=f"v{number}") for number in (1, 2)]
    chaos_record.write(Record(1, 200, "f00", steps), tmp_path / "chaos")
    assert figures.fill(tmp_path, page) == ["controls", "chaos"]
    text = page.read_text(encoding="utf-8")
    assert "Code abc1234, " in text and "Code v1, v2, " in text
    assert "1 of 1 were caught" in text and "| stonith-enabled is false | active powered off | caught |" in text
    assert "2 of 200 steps, seed 1, 1 of 73 fault cases" in text and "2 passed, 0 failed, 0 unknown" in text
    assert "with 20 acknowledged writes; the longest outage of a client was 2 s" in text


def test_nothing_measured_leaves_the_page_alone(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    page.write_text(PAGE, encoding="utf-8")
    assert figures.fill(tmp_path, page) == []
    assert page.read_text(encoding="utf-8") == PAGE


def test_shipped_page_has_a_place_for_each(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    page.write_text(figures.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    measured(tmp_path)
    control.write([], tmp_path / "controls")
    chaos_record.write(Record(1, 1, "f00"), tmp_path / "chaos")
    assert figures.fill(tmp_path, page) == list(figures.PARTS)


def test_page_without_a_place_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    page.write_text("", encoding="utf-8")
    measured(tmp_path)
    with pytest.raises(ValueError, match="once each"):
        figures.fill(tmp_path, page)
