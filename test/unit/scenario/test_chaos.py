"""The run: it ends at the first violation, keeps evidence and results, and takes the lab's trouble for nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from scenario import chaos
from scenario.chaos_faults import TABLE
from scenario.chaos_plan import fingerprint, plan
from scenario.lab import FrontEndError
from scenario.results import Result
from scenario.verdicts import FAIL, PASS, UNKNOWN
from scenario.wait import TooLateError

from hadblab.errors import LabError

LOST = "I1: 1 acknowledged writes are lost: 3"
TROUBLE = "FrontEndError: lab freeze db1: exit status 1"


class Session:
    """A lab that remembers in which order it was asked for what."""

    def __init__(self) -> None:
        self.lab = SimpleNamespace(run=None)
        self.did: list[str] = []
        self.state = "unknown"
        self.broken = 0
        self.unsettled: Exception | None = None

    def converged(self) -> None:
        if self.broken and self.did:
            self.broken -= 1
            self.did.append("not restored")
            raise LabError("restore converged: exit status 1")
        self.did.append("as it is" if self.state == "converged" else "restored")
        self.state = "converged"

    def touched(self) -> None:
        self.state = "unknown"

    def settled(self) -> None:
        if self.unsettled:
            raise self.unsettled
        self.state = "converged"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """Everything around the run: sessions, what scenarios find, and where results go."""
    found = SimpleNamespace(session=Session(), findings={}, played=[], build=tmp_path / "chaos", evidence=[])

    def play(_lab: object, scenario: object, build: Path) -> Result:
        number = len(found.played) + 1
        found.played.append(scenario.name)
        (build / scenario.name).mkdir(parents=True, exist_ok=True)
        what = found.findings.get(number, [])
        if isinstance(what, BaseException):
            raise what
        return Result(scenario.name, 2.0, [], list(what), cases=scenario.cases)

    monkeypatch.setattr(chaos, "play", play)
    monkeypatch.setattr(chaos, "Lab", lambda: found.session.lab)
    monkeypatch.setattr(chaos, "up", lambda _lab: found.session)
    monkeypatch.setattr(chaos, "down", lambda _lab: found.session.did.append("down"))
    monkeypatch.setattr(chaos, "commit", lambda: "v1")
    monkeypatch.setattr(chaos, "BUILD", found.build)
    monkeypatch.setattr(chaos.chaos_record, "write", _writer(chaos.chaos_record.write, found.build))
    monkeypatch.setattr(chaos.evidence, "collect", lambda _lab, kept, findings: found.evidence.append((kept.directory.name, bool(findings))))
    monkeypatch.setenv("HADB_LAB", "test")
    monkeypatch.setattr(signal, "signal", lambda *_words: None)
    return found


def _writer(write: Callable[..., None], directory: Path) -> Callable[..., None]:
    return lambda record: write(record, directory)


def results(world: SimpleNamespace) -> list[dict]:
    return json.loads((world.build / "results.json").read_text())["outcomes"]


def verdicts(world: SimpleNamespace) -> list[str]:
    return [found["verdict"] for found in results(world)]


def test_every_step_is_played_in_order_and_told_in_one_line(world: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    assert chaos.main(["--seed", "7", "--count", "4"]) == 0
    assert world.played == ["step-001", "step-002", "step-003", "step-004"]
    lines = capsys.readouterr().out.splitlines()
    steps = plan(7, 4, TABLE)
    assert lines[0].startswith(f"1/4 {steps[0].text}: outage 2.0 s, pass, ") and lines[3].endswith("pass, 0 s left")
    assert lines[-1].startswith("4 of 4 steps, seed 7, ") and lines[-1].endswith("4 passed, 0 failed, 0 unknown")
    # The cluster stays as it is between steps that pass, and nothing of them is kept but their line.
    assert world.session.did == ["restored", *["as it is"] * 4, "down"]
    assert sorted(path.name for path in world.build.iterdir()) == ["results.json", "table.txt"]


def test_violation_ends_the_run_and_its_evidence_stays(world: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    world.findings[2] = [LOST]
    assert chaos.main(["--seed", "7", "--count", "4"]) == 1
    assert verdicts(world) == [PASS, FAIL] and world.played == ["step-001", "step-002"]
    assert (world.build / "step-002").is_dir() and not (world.build / "step-001").exists()
    said = capsys.readouterr()
    assert f"2: {LOST}" in said.out and said.out.endswith("1 passed, 1 failed, 0 unknown\n")
    assert "FROM=3" in said.err and str(world.build) in said.err
    assert world.session.did[-1] == "down"


def test_trouble_of_the_lab_is_no_verdict_and_the_next_step_starts_from_the_snapshot(world: SimpleNamespace) -> None:
    world.findings[2] = [TROUBLE, "I4: the cluster says that it fenced none; expected db1"]
    assert chaos.main(["--count", "3"]) == 1
    assert verdicts(world) == [PASS, UNKNOWN, PASS]
    assert world.session.did == ["restored", "as it is", "as it is", "restored", "down"]
    assert (world.build / "step-002").is_dir()


def test_lab_that_cannot_be_restored_is_no_verdict_and_in_the_end_no_lab(
    world: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    world.session.broken = 9
    assert chaos.main(["--count", "8"]) == chaos.FAILED
    assert verdicts(world) == [UNKNOWN] * chaos.MOST_UNKNOWN and world.played == []
    assert "the lab cannot be brought back: LabError: restore" in results(world)[0]["findings"][0]
    said = capsys.readouterr()
    assert said.out.endswith("0 passed, 0 failed, 3 unknown\n") and "3 steps in a row without a verdict" in said.err


def test_trouble_that_passes_does_not_end_the_run(world: SimpleNamespace) -> None:
    world.session.broken = 2
    chaos.main(["--count", "4"])
    assert verdicts(world) == [UNKNOWN, UNKNOWN, PASS, PASS]


def test_cluster_that_does_not_stay_whole_after_a_step_is_a_violation_with_evidence(world: SimpleNamespace) -> None:
    world.session.unsettled = TooLateError("db2: I5: db2 is not online (waited 240 s)")
    assert chaos.main(["--count", "3"]) == 1
    assert verdicts(world) == [FAIL] and world.evidence == [("step-001", True)]
    assert "not online" in results(world)[0]["findings"][0] and results(world)[0]["outage"] == 2.0


def test_cluster_that_is_not_whole_when_a_step_begins_is_a_violation(world: SimpleNamespace) -> None:
    world.findings[2] = TooLateError("db1: I5: no quorum (waited 240 s)")
    assert chaos.main(["--count", "3"]) == 1
    assert verdicts(world) == [PASS, FAIL] and world.evidence == [("step-002", True)]


def test_front_end_that_fails_before_a_step_is_no_verdict(world: SimpleNamespace) -> None:
    world.findings[1] = FrontEndError("lab power db1 status: exit status 1")
    chaos.main(["--count", "2"])
    assert verdicts(world) == [UNKNOWN, PASS]


def test_interrupt_keeps_what_there_is_and_says_how_to_go_on(world: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    world.findings[3] = KeyboardInterrupt()
    assert chaos.main(["--seed", "7", "--count", "5"]) == chaos.INTERRUPTED
    # The step that was cut short is neither.
    assert verdicts(world) == [PASS, PASS]
    said = capsys.readouterr()
    assert said.out.endswith("2 passed, 0 failed, 0 unknown\n") and "SEED=7 COUNT=5 FROM=3 goes on" in said.err
    assert world.session.did[-1] == "down"
    assert (world.build / "table.txt").read_text().endswith("2 passed, 0 failed, 0 unknown\n")


# Plays one step and hangs in the second.
HANGS = """
import sys, time
from pathlib import Path
from types import SimpleNamespace as Some
from scenario import chaos
from scenario.results import Result
build = Path(sys.argv[1])
write = chaos.chaos_record.write
chaos.BUILD, chaos.chaos_record.write = build, lambda record: write(record, build)
chaos.Lab = lambda: None
chaos.up = lambda lab: Some(lab=lab, converged=lambda: None, touched=lambda: None, settled=lambda: None)
chaos.down = lambda lab: print("down", flush=True)
chaos.play = lambda lab, scenario, where: scenario.name == "step-002" and time.sleep(60) or Result(scenario.name, 1.0, [])
sys.exit(chaos.main(["--count", "3"]))
"""


def test_sigterm_keeps_what_there_is_and_takes_the_lab_down(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    path = os.pathsep.join(str(root / part) for part in ("_utils", "test/lab", "test"))
    with subprocess.Popen([sys.executable, "-c", HANGS, str(tmp_path / "chaos")], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, env={**os.environ, "PYTHONPATH": path}) as run:  # fmt: skip
        assert run.stdout and run.stdout.readline().startswith("1/3 ")
        run.terminate()
        said, _ = run.communicate(timeout=30)
    assert run.returncode == chaos.INTERRUPTED
    assert said.splitlines()[0] == "down" and said.endswith("1 passed, 0 failed, 0 unknown\n")
    assert [found["verdict"] for found in json.loads((tmp_path / "chaos/results.json").read_text())["outcomes"]] == [PASS]


def test_run_goes_on_where_it_was_cut_and_adds_up(world: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    world.findings[3] = KeyboardInterrupt()
    chaos.main(["--seed", "7", "--count", "5"])
    assert verdicts(world) == [PASS, PASS]
    world.played.clear()
    world.findings.clear()
    assert chaos.main(["--seed", "7", "--count", "5", "--from", "3"]) == 0
    assert world.played == ["step-003", "step-004", "step-005"]
    assert [found["number"] for found in results(world)] == [1, 2, 3, 4, 5]
    assert capsys.readouterr().out.endswith("5 passed, 0 failed, 0 unknown\n")


def test_steps_of_another_plan_are_not_added_up_and_that_is_told(
    world: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    chaos.main(["--seed", "7", "--count", "3"])
    assert chaos.main(["--seed", "8", "--count", "3", "--from", "3"]) == 0
    assert [found["number"] for found in results(world)] == [3]
    assert "2 of the steps before 3 are not in" in capsys.readouterr().err


def test_interrupt_before_the_first_step_says_to_begin_where_it_was_to_begin(
    world: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    world.findings[1] = KeyboardInterrupt()
    chaos.main(["--count", "9", "--from", "6"])
    assert "FROM=6" in capsys.readouterr().err


def test_lab_that_does_not_start_is_told_and_taken_down(
    world: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_lab: object) -> None:
        raise FrontEndError("lab up: exit status 1")

    monkeypatch.setattr(chaos, "up", fails)
    assert chaos.main(["--count", "2"]) == chaos.FAILED
    said = capsys.readouterr()
    assert "FrontEndError: lab up" in said.err and said.out.endswith("0 passed, 0 failed, 0 unknown\n")
    assert world.session.did == ["down"]


def test_dry_run_prints_the_plan_from_where_it_begins_and_starts_nothing(
    world: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert chaos.main(["--seed", "7", "--count", "200", "--from", "199", "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    steps = plan(7, 200, TABLE)
    assert [line.split()[0] for line in lines[:2]] == ["199", "200"] and steps[199].text in lines[1]
    assert f"plan {fingerprint(steps)}: 2 steps" in lines[2]
    assert world.session.did == [] and not world.build.exists()


@pytest.mark.parametrize("words", [["--count", "0"], ["--count", "5", "--from", "6"], ["--from", "0"]])
def test_wrong_call_is_told(world: SimpleNamespace, words: list[str]) -> None:
    assert chaos.main(words) == chaos.USAGE
    assert world.session.did == []


def test_results_that_are_not_of_chaos_are_not_overwritten(world: SimpleNamespace) -> None:
    world.build.mkdir()
    (world.build / "results.json").write_text("[]")
    assert chaos.main(["--count", "5", "--from", "2"]) == chaos.USAGE
    assert (world.build / "results.json").read_text() == "[]"
