"""What is kept of a scenario: little of one that held, everything of one that did not."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from subprocess import CompletedProcess
from types import SimpleNamespace

import frozen_run
import pytest
from scenario import evidence
from scenario.clock import Delivery
from scenario.deeds import Deed
from scenario.evidence import Kept

from hadblab.errors import LabError


class FakeLab:
    """Answers every question with its own words; ``silent`` nodes hang, ``away`` ones are not reached."""

    nodes = frozen_run.NODES
    facts = ("mount",)
    array = "san"

    def __init__(self, directory: Path) -> None:
        self.deeds = [Deed(726.4, "db1", "kill -9 1")]
        self.silent: set[str] = set()
        self.away: set[str] = set()
        self.asked: list[str] = []
        (directory / "logs").mkdir()
        (directory / "logs/db1.log").write_text("hello console", encoding="utf-8")
        self.run = SimpleNamespace(console=lambda name: directory / "logs" / f"{name}.log")

    def events(self, since: float) -> list[dict[str, object]]:
        return [event for event in frozen_run.LOG if event["monotonic"] >= since]

    def ask(self, node: str, script: str, *, check: bool) -> CompletedProcess[str]:
        assert not check
        self.asked.append(node)
        if node in self.silent:
            raise LabError(f"{node}: no end after 30 s")
        return CompletedProcess([], 255 if node in self.away else 0, f"{script}\n", "and more\n")


def archive(**files: str) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return data.getvalue()


def kept(directory: Path) -> Kept:
    said = SimpleNamespace(entries=frozen_run.raw(), unreadable=[], deliveries=[
        Delivery(node, boot, 1.0, at + 1.0) for (node, boot), at in frozen_run.clocks().items()
    ])  # fmt: skip
    return Kept(directory, frozen_run.BEGAN, frozen_run.BEGAN - frozen_run.HOST, frozen_run.END, [], said, [])


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeLab:
    monkeypatch.setattr(evidence.ssh, "fetch", lambda _run, node, *_: archive(**{"pe-warn-0.bz2": node}))
    return FakeLab(tmp_path)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    found = tmp_path / "scenario"
    found.mkdir()
    (found / "client.jsonl").write_text("".join(frozen_run.CLIENT), encoding="utf-8")
    return found


def test_scenario_that_held_leaves_a_small_timeline_and_nothing_else(lab: FakeLab, directory: Path) -> None:
    evidence.timeline(lab, kept(directory), frozen_run.HEAD)
    assert sorted(path.name for path in directory.iterdir()) == ["client.jsonl", "timeline.txt"]
    text = (directory / "timeline.txt").read_text(encoding="utf-8")
    assert "lab      on db1: kill -9 1" in text and "bmc db1  power off (was frozen)" in text and "doubt" not in text
    assert len(text) < 20_000
    assert lab.asked == []


def test_timeline_is_written_also_when_the_client_never_started(lab: FakeLab, directory: Path) -> None:
    (directory / "client.jsonl").unlink()
    evidence.timeline(lab, kept(directory), frozen_run.HEAD)
    assert "stops: 0 rows acknowledged" in (directory / "timeline.txt").read_text(encoding="utf-8")


def test_scenario_that_failed_leaves_everything_to_decide_it_again(lab: FakeLab, directory: Path) -> None:
    evidence.collect(lab, kept(directory), ["I5: not whole"])
    assert (directory / "findings.txt").read_text(encoding="utf-8") == "I5: not whole\n"
    assert (directory / "db2-pengine/pe-warn-0.bz2").read_text(encoding="utf-8") == "db2"
    names = {path.name for path in directory.iterdir()}
    assert {"events.log", "samples.jsonl", "journals.jsonl", "db1-pacemaker.log", "db2-cib.xml", "db1-corosync.txt", "db1-database.log",
            "san-kernel.txt", "db1-console.txt"} <= names  # fmt: skip
    assert (directory / "db1-cib.xml").read_text(encoding="utf-8").endswith("and more\n")


def test_everything_that_was_read_of_the_journals_is_kept_with_its_place(lab: FakeLab, directory: Path) -> None:
    evidence.collect(lab, kept(directory), ["I5: not whole"])
    lines = [json.loads(line) for line in (directory / "journals.jsonl").read_text(encoding="utf-8").splitlines()]
    # Also what the timeline leaves out.
    assert any("pmtud" in line["text"] for line in lines)
    assert [line["seconds"] for line in lines] == sorted(line["seconds"] for line in lines) and lines[0]["seconds"] >= 0.0


def test_node_that_hangs_or_is_away_does_not_hold_up_the_rest(lab: FakeLab, directory: Path) -> None:
    lab.silent, lab.away = {"db1"}, {"db2"}
    evidence.collect(lab, kept(directory), ["I5: not whole"])
    assert lab.asked == ["db1"] * 3 + ["db2", "san", "san"]
    assert "no end after 30 s" in (directory / "db1-journal.txt").read_text(encoding="utf-8")


def test_node_that_has_no_inputs_says_so(lab: FakeLab, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence.ssh, "fetch", lambda *_: archive())
    evidence.collect(lab, kept(directory), ["I5: not whole"])
    assert "no input" in (directory / "db1-pengine.txt").read_text(encoding="utf-8")


def test_archive_that_is_cut_short_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a whole archive"):
        evidence.unpack(archive(**{"pe-input-1.bz2": "x" * 2000})[:700], tmp_path / "into")


def test_archive_is_unpacked_into_its_directory_whatever_its_paths(tmp_path: Path) -> None:
    assert evidence.unpack(archive(**{"../../pe-input-1.bz2": "x"}), tmp_path / "into") == ["pe-input-1.bz2"]
    assert [path.name for path in tmp_path.iterdir()] == ["into"]
