"""Plot, documentation and command line."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from bench import __main__ as cli
from bench import chart, document, results, table
from bench.cases import OURS, SEED
from bench.results import Results, Run
from pages import filled
from scenario.phases import PHASES

RESULTS = Results(
    machine={"machine": "2 cores"}, rounds=1, floor={"stop": [0.5], "start": [2.0], "recovery": [2.5]},
    runs=[Run("killed", OURS, 1, 4.0, 0, phases={"detection": 1.0, "server": 3.0}, measured=True),
          Run("killed", SEED, 1, 16.0, 0, phases={"detection": 10.0, "server": 5.0, "other": 1.0}, measured=True)],
)  # fmt: skip
SVG = "{http://www.w3.org/2000/svg}"


def bars(text: str) -> list[float]:
    """Return the widths of the phases' bars; they are the ones that say what they are."""
    found = ElementTree.fromstring(text).iter(f"{SVG}rect")
    return [float(rect.get("width", 0)) for rect in found if rect.find(f"{SVG}title") is not None]


def test_plot_has_a_bar_per_phase_in_proportion() -> None:
    one, three, *seed = bars(chart.svg(RESULTS))
    assert three == pytest.approx(3 * one, rel=0.01)
    assert sum(seed) == pytest.approx(4 * (one + three), rel=0.01)


def test_plot_of_nothing_says_so() -> None:
    text = chart.svg(Results())
    assert "nothing was measured" in text and bars(text) == []


def test_page_gets_its_figures_between_its_marks_and_keeps_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text("# before\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nafter\n", encoding="utf-8")
    results.write(RESULTS, tmp_path / "b/results.json")
    (tmp_path / "b/timeline.svg").write_text("<svg/>", encoding="utf-8")
    document.fill(tmp_path / "b", page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# before\n") and text.endswith("after\n") and "old" not in text
    assert "| server killed | 4.0 s (4.0-4.0) | 16.0 s (16.0-16.0) |" in text and " | ".join(PHASES) in text
    assert (tmp_path / "timeline.svg").exists()
    document.fill(tmp_path / "b", page)
    assert page.read_text(encoding="utf-8") == text


def test_shipped_page_has_a_place_for_the_figures() -> None:
    assert "figures" in filled(document.PAGE.read_text(encoding="utf-8"), "bench", "figures")


def test_dry_run_prints_the_plan_and_touches_no_lab(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--dry-run", "--rounds", "1", "--cases", "killed"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:-1] == ["floor", "01-killed-ours", "01-killed-seed"] and lines[-1].startswith("3 steps, about 2 min")


@pytest.mark.parametrize("words", [["--rounds", "0"], ["--cases", "fire"]])
def test_wrong_call_is_said_and_is_no_failure_to_measure(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*words, "--dry-run"]) == cli.USAGE
    assert "bench: " in capsys.readouterr().err


def test_what_is_not_measured_is_kept_from_the_bench_before_and_says_so() -> None:
    before = Results(machine={"when": "yesterday", "commit": "abc"}, rounds=5, runs=[Run("killed", OURS, 1)],
                     floor={"stop": [0.2]}, calm={"load": {"minutes": 30}})  # fmt: skip
    now = Results(machine={"when": "today", "commit": "def"}, rounds=2)
    now.keep(before, {results.FORMULA, results.OUTAGES})
    assert (now.runs, now.floor, now.rounds) == ([], {}, 2)
    assert (now.calm, now.kept) == (before.calm, {results.CALM: before.machine})
    later = Results(machine={"when": "tomorrow"})
    later.keep(now, {results.OUTAGES})
    assert later.kept == {results.CALM: before.machine}, "the moment it was measured, not the one it was kept"
    table_lines = table.markdown(Results(machine=now.machine, kept=now.kept)).splitlines()
    assert "calm: measured yesterday, commit abc  " in table_lines


def test_a_part_that_was_never_measured_is_not_kept() -> None:
    now = Results()
    now.keep(Results(machine={"when": "yesterday"}), {results.CALM})
    assert now.kept == {}
