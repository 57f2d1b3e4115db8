"""Controls: each names a scenario or check that there is, only its own red counts, and one that is not caught fails the run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scenario import control, run_controls
from scenario.control import CAUGHT, MISSED, OTHERWISE, UNKNOWN, Control, judge
from scenario.control_checks import CHECKS
from scenario.controls import CONTROLS
from scenario.results import Result
from scenario.scenarios import BY_NAME
from scenario.session import BLANK, CONVERGED

from hadblab.errors import LabError

AREAS = {"fencing", "quorum", "cluster", "storage", "database", "monitors", "network", "secrets", "pillar"}
LOST = "I1: 3 acknowledged writes are lost: 4, 5, 6"


def test_there_are_enough_and_every_area_has_one() -> None:
    assert len(CONTROLS) >= 14
    assert {one.area for one in CONTROLS} == AREAS


def test_every_control_names_a_scenario_or_a_check_that_there_is() -> None:
    assert {one.catcher for one in CONTROLS} <= {*BY_NAME, *CHECKS}
    assert not set(BY_NAME) & set(CHECKS)


def test_each_invariant_and_each_check_has_to_catch_something() -> None:
    patterns = " ".join(one.pattern for one in CONTROLS)
    assert all(f"I{number}: " in patterns for number in range(1, 7))
    assert set(CHECKS) <= {one.catcher for one in CONTROLS}


def test_each_control_has_a_name_of_its_own_that_a_table_can_have() -> None:
    names = [one.name for one in CONTROLS]
    assert len(set(names)) == len(names)
    # MariaDB's longest name, with what the writer puts around it.
    assert all(len(f"hadb_{name}_1234567890") <= 64 and "," not in name for name in names)


# The verdict.

@pytest.mark.parametrize(
    ("findings", "before", "trouble", "verdict"),
    [
        ([LOST], [], "", CAUGHT),
        (["I5: no quorum", LOST], [], "", CAUGHT),
        ([], [], "", MISSED),
        (["I5: no quorum"], [], "", OTHERWISE),
        (["LabError: db1: no end after 30 s", "I5: no quorum"], [], "", OTHERWISE),
        ([LOST], [LOST], "", OTHERWISE),
        ([LOST], ["I5: no quorum"], "", CAUGHT),
        (["LabError: db1: no end after 30 s", "I2: nobody looked at db1 from 1.000 to 9.000"], [], "", UNKNOWN),
        ([LOST], [], "it could not be broken", UNKNOWN),
        ([], [], "it could not be broken", UNKNOWN),
    ],
)
def test_only_red_for_its_own_reason_counts(findings: list[str], before: list[str], trouble: str, verdict: str) -> None:
    assert judge(r"^I1: \d+ acknowledged", findings, before, trouble)[0] == verdict


def test_reason_names_the_finding_or_what_was_found_instead() -> None:
    assert judge("acknowledged", ["I5: no quorum", LOST])[1] == LOST
    assert judge("acknowledged", ["I5: no quorum"])[1] == "nothing matches acknowledged: I5: no quorum"
    assert "wanted: acknowledged" in judge("acknowledged", [])[1]


def outcomes(*verdicts: str) -> list[control.Outcome]:
    return [control.outcome(one, (verdict, "why")) for one, verdict in zip(CONTROLS, verdicts, strict=False)]


def test_last_line_and_exit_status_say_whether_all_were_caught() -> None:
    assert control.summary(outcomes(CAUGHT, CAUGHT)) == "2 passed, 0 failed"
    assert control.summary(outcomes(CAUGHT, MISSED, OTHERWISE)) == "1 passed, 2 failed"
    assert control.summary(outcomes(CAUGHT, UNKNOWN)) == "1 passed, 0 failed, 1 unknown"
    assert control.all_caught(outcomes(CAUGHT, CAUGHT), 2)
    assert not control.all_caught(outcomes(CAUGHT), 2)
    assert not control.all_caught([], 0)
    assert not any(control.all_caught(outcomes(CAUGHT, verdict), 2) for verdict in (MISSED, OTHERWISE, UNKNOWN))


def test_some_can_be_chosen_and_unknown_names_are_refused() -> None:
    assert [one.name for one in control.chosen(CONTROLS, "failback, fencing-off")] == ["fencing-off", "failback"]
    assert control.chosen(CONTROLS, "") == list(CONTROLS)
    with pytest.raises(ValueError, match="no control named nothing; there are token-too-short, "):
        control.chosen(CONTROLS, "failback,nothing")


def test_what_is_kept_can_be_read_by_people_and_programs(tmp_path: Path) -> None:
    control.write(outcomes(CAUGHT, MISSED), tmp_path / "new")
    told = json.loads((tmp_path / "new/results.json").read_text())
    assert [(one["name"], one["verdict"]) for one in told] == [(CONTROLS[0].name, CAUGHT), (CONTROLS[1].name, MISSED)]
    table = (tmp_path / "new/table.txt").read_text().splitlines()
    assert table[-1] == "1 passed, 1 failed" and table[-2] == "    why"


# A run.

class Session:
    """Counts how often the lab is brought back, and cannot do so the times it is told."""

    def __init__(self, state: str = BLANK, broken: tuple[int, ...] = ()) -> None:
        self.state, self._broken, self.asked, self.restored = state, broken, 0, 0
        self.verbs: list[str] = []
        self.lab = SimpleNamespace(nodes=("db1", "db2"), status=lambda _node: SimpleNamespace(home=lambda _name: "db1"),
                                   peer=lambda node: {"db1": "db2", "db2": "db1"}[node], verb=self.verbs.append)  # fmt: skip

    def converged(self) -> Any:
        self.asked += 1
        if self.asked in self._broken:
            raise LabError("the snapshot is gone")
        if self.state != CONVERGED:
            self.restored += 1
        self.state = CONVERGED
        return self.lab

    def touched(self) -> None:
        self.state = "unknown"


def a_control(name: str = "one", catcher: str = "active powered off", breaks: Callable[[Any], None] = lambda _stage: None) -> Control:
    return Control(name, "database", "commits are not flushed", catcher, "^I1: ", breaks)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What each played scenario finds, in turn; its act is carried out on nothing."""
    left: list[list[str]] = []

    def play(_lab: object, scenario: Any, _build: Path) -> Result:
        findings = left.pop(0)
        try:
            scenario.act(SimpleNamespace())
        except LabError as error:
            findings = [f"LabError: {error}", *findings]
        return Result(scenario.name, None, [], findings)

    monkeypatch.setattr(run_controls, "play", play)
    quiet = replace(BY_NAME["active powered off"], act=lambda _stage: None)
    monkeypatch.setattr(run_controls, "BY_NAME", {"active powered off": quiet})
    monkeypatch.delenv("HADB_SCENARIO_KEEP", raising=False)
    return left


def run(session: Session, build: Path, *wanted: Control) -> list[control.Outcome]:
    controls = run_controls.Controls(session, lambda _line: None, build)
    controls.run(wanted)
    return controls.outcomes


def test_lab_is_brought_back_before_each_control(found: list[list[str]], tmp_path: Path) -> None:
    found += [[LOST], [LOST], [LOST]]
    session = Session()
    played = run(session, tmp_path, a_control("one"), a_control("two"), a_control("three"))
    assert [one.verdict for one in played] == [CAUGHT] * 3
    assert session.restored == 3


def test_kept_lab_is_not_trusted(found: list[list[str]], tmp_path: Path) -> None:
    found += [[LOST]]
    session = Session(CONVERGED)
    run(session, tmp_path, a_control())
    assert session.restored == 1


def test_setting_that_cannot_be_broken_is_unknown_whatever_was_found(found: list[list[str]], tmp_path: Path) -> None:
    def refuses(_stage: object) -> None:
        raise LabError("lvchange: exit status 5")

    found += [[LOST], [LOST]]
    first, second = run(Session(), tmp_path, a_control("one", breaks=refuses), a_control("two"))
    assert (first.verdict, first.why) == (UNKNOWN, "the setting could not be broken; LabError: lvchange: exit status 5")
    assert second.verdict == CAUGHT


def test_setting_is_broken_before_the_fault_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    scenario = replace(BY_NAME["active powered off"], act=lambda _stage: done.append("fault"))
    spoiled = run_controls.broken(a_control(breaks=lambda _stage: done.append("broken")), scenario, trouble := [])
    assert trouble
    spoiled.act(SimpleNamespace())
    assert spoiled.words.startswith("Broken: commits are not flushed. ")
    assert (done, trouble, spoiled.name, spoiled.fenced) == (["broken", "fault"], [], "one", scenario.fenced)
    assert spoiled.whole < scenario.whole


def test_lab_that_cannot_be_had_is_unknown_and_twice_in_a_row_the_end(found: list[list[str]], tmp_path: Path) -> None:
    found += [[LOST]] * 3
    played = run(Session(broken=(1, 3)), tmp_path, *map(a_control, "abcd"))
    assert [one.verdict for one in played] == [UNKNOWN, CAUGHT, UNKNOWN, CAUGHT]
    controls = run_controls.Controls(Session(broken=(1, 2)), lambda _line: None, tmp_path)
    with pytest.raises(LabError, match="2 controls were not played"):
        controls.run([*map(a_control, "abcd")])
    assert [one.verdict for one in controls.outcomes] == [UNKNOWN, UNKNOWN]


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [([[], [LOST]], CAUGHT), ([[], []], MISSED), ([[LOST], [LOST]], OTHERWISE), ([["I5: no quorum"], [LOST]], CAUGHT)],
)
def test_check_is_asked_before_and_after(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answers: list[list[str]], verdict: str
) -> None:
    left, done = list(answers), []
    monkeypatch.setattr(run_controls, "CHECKS", {"a check": lambda _stage: done.append("asked") or left.pop(0)})
    (played,) = run(Session(), tmp_path, a_control(catcher="a check", breaks=lambda stage: done.append(stage.passive)))
    assert (played.verdict, done) == (verdict, ["asked", "db2", "asked"])


def test_check_without_an_answer_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def silent(_stage: object) -> list[str]:
        raise AssertionError("no JSON, exit 1")

    monkeypatch.setattr(run_controls, "CHECKS", {"a check": silent})
    (played,) = run(Session(), tmp_path, a_control(catcher="a check"))
    assert (played.verdict, played.why) == (UNKNOWN, "AssertionError: no JSON, exit 1")


@pytest.mark.parametrize(("findings", "status", "line"), [([LOST], 0, "1 passed, 0 failed"), ([], 1, "0 passed, 1 failed")])
def test_run_fails_when_a_control_does_not_go_red(
    monkeypatch: pytest.MonkeyPatch, found: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str],
    findings: list[str], status: int, line: str,
) -> None:  # fmt: skip
    session = Session()
    found += [findings]
    monkeypatch.setattr(run_controls, "up", lambda _lab: session)
    monkeypatch.setattr(run_controls, "CONTROLS", (a_control(),))
    monkeypatch.setattr(run_controls, "BUILD", tmp_path)
    monkeypatch.setattr(run_controls.long_run.signal, "signal", lambda *_words: None)
    monkeypatch.setenv("HADB_LAB", "controls")
    assert run_controls.main([]) == status
    assert capsys.readouterr().out.splitlines()[-1] == line
    assert session.verbs == ["down"]


def test_run_without_a_lab_fails_and_a_wrong_name_is_a_wrong_call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def up(_lab: object) -> None:
        raise LabError("another lab is up")

    monkeypatch.setattr(run_controls, "up", up)
    monkeypatch.setattr(run_controls.long_run.signal, "signal", lambda *_words: None)
    monkeypatch.setenv("HADB_LAB", "controls")
    assert run_controls.main([]) == 1
    assert "another lab is up" in capsys.readouterr().err
    assert run_controls.main(["--only", "nothing"]) == 2
