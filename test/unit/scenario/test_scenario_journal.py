"""Journals: read as they are written, across power cuts, placed on the host's clock, and the lines that matter kept."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import frozen_run
import pytest
from scenario import journal, journals, relevance, stream
from scenario.clock import Delivery, offsets
from scenario.journal import Entry
from scenario.journals import Journals
from scenario.stream import Stream
from scenario.wait import until

LINE = (frozen_run.DIRECTORY / "db2.jsonl").read_text(encoding="utf-8").splitlines()[0]


def test_entry_is_read_with_its_time_by_both_clocks() -> None:
    entry = journal.parse("db2", LINE)
    assert (entry.node, entry.speaker, entry.priority) == ("db2", "corosync", 6)
    assert entry.text == "  [KNET  ] link: host: 1 link: 0 is down"
    assert entry.wall == pytest.approx(1795688394.581406, abs=1e-6)
    assert entry.at == pytest.approx(23.050291)


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"MESSAGE": "no time"}', '{"__MONOTONIC_TIMESTAMP": "x"', "{}"])
def test_line_that_is_no_entry_is_an_error(line: str) -> None:
    with pytest.raises(ValueError):
        journal.parse("db1", line)


def entry(**fields: str) -> Entry:
    known = {"__MONOTONIC_TIMESTAMP": "5000000", "__REALTIME_TIMESTAMP": "100000000", "_BOOT_ID": "b", "__CURSOR": "c"}
    body = ", ".join(f'"{key}": {value}' for key, value in {**{k: f'"{v}"' for k, v in known.items()}, **fields}.items())
    return journal.parse("db1", f"{{{body}}}")


def test_message_of_bytes_and_no_message_are_text_too() -> None:
    assert entry(MESSAGE="[104, 105, 255]").text == "hi\ufffd"
    assert entry(MESSAGE="null").text == ""


def test_entry_that_the_journal_read_late_is_placed_when_it_was_said() -> None:
    assert entry(_SOURCE_REALTIME_TIMESTAMP='"97500000"').at == pytest.approx(2.5)


def test_wall_clock_that_was_set_meanwhile_moves_no_entry() -> None:
    assert entry(_SOURCE_REALTIME_TIMESTAMP='"3700000000"').at == 5.0
    assert entry(_SOURCE_REALTIME_TIMESTAMP='"1"').at == 5.0


def test_quickest_delivery_of_a_boot_places_its_clock() -> None:
    heard = [Delivery("db1", "a", 10.0, 110.5), Delivery("db1", "a", 20.0, 120.1), Delivery("db1", "b", 1.0, 130.0)]
    assert offsets(heard) == {("db1", "a"): pytest.approx(100.1), ("db1", "b"): 129.0}


def test_entries_are_placed_by_their_boot_and_an_unheard_one_by_its_wall_clock() -> None:
    said = [Entry("db1", "b", 1.0, 1030.0, "x", 6, "new"), Entry("db1", "a", 20.0, 1020.5, "x", 6, "old"),
            Entry("db1", "z", 3.0, 1025.0, "x", 6, "between")]  # fmt: skip
    found = journal.placed(said, {("db1", "a"): 100.0, ("db1", "b"): 129.0}, -900.0)
    assert [(one.text, one.at) for one in found] == [("old", 120.0), ("between", 125.0), ("new", 130.0)]


def arguments(script: str, directory: Path) -> list[str]:
    """Return what the script calls journalctl with, and what it says first."""
    program = directory / "journalctl"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    lines: list[str] = []
    environment = f"PATH={directory}:{os.environ['PATH']}"
    one = local(["env", environment, "sh", "-c", script], lines)
    one.start()
    until(lambda: len(lines) >= 5, 10.0, "the script says nothing")
    one.stop()
    return lines


def local(command: list[str], lines: list[str]) -> Stream:
    """Return a stream of a program of this machine; ``through_ssh`` has to be used."""
    return Stream(None, "db1", lambda: command, lambda _, line: lines.append(line))  # type: ignore[arg-type]


@pytest.fixture
def through_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run on this machine what would be run on a node."""
    monkeypatch.setattr(stream.ssh, "argv", lambda _run, _node, command, _options: list(command))


BOOT = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip().replace("-", "")
CURSOR = "s=1;i=2;b=3"


@pytest.mark.usefixtures("through_ssh")
@pytest.mark.parametrize(
    ("boot", "wanted"),
    [(BOOT, ["--no-tail", f"--after-cursor={CURSOR}"]), ("0123", ["--lines=1000"]), ("", ["--lines=200"])],
)  # fmt: skip
def test_journal_goes_on_in_its_boot_and_is_read_anew_in_another(boot: str, wanted: list[str], tmp_path: Path) -> None:
    hello, *found = arguments(journal.script(boot, CURSOR if boot else "", journal.KERNEL), tmp_path)
    assert journal.hello(hello)[0] == BOOT
    assert journal.hello(hello)[1] == pytest.approx(time.monotonic(), abs=5.0)
    assert found[0] == "--follow"
    assert [word for word in found[3:] if not word.startswith("_")][: len(wanted)] == wanted
    assert "_TRANSPORT=kernel" in found


@pytest.mark.usefixtures("through_ssh")
def test_stream_starts_its_program_again_and_drops_half_a_line() -> None:
    lines: list[str] = []
    one = local(["sh", "-c", "echo whole; printf half"], lines)
    one.start()
    until(lambda: len(lines) >= 2, 10.0, "the program is not started again")
    one.stop()
    assert set(lines) == {"whole"}


@pytest.mark.usefixtures("through_ssh")
def test_stream_tells_its_program_its_input_at_each_start() -> None:
    lines: list[str] = []
    followed = Stream(None, "db1", lambda: ["sh", "-c", "echo $$ $(cat)"], lambda _, line: lines.append(line), "secret")  # type: ignore[arg-type]
    followed.start()
    until(lambda: len(set(lines)) >= 2, 30.0, "not started again")
    followed.stop()
    assert all(line.endswith(" secret") for line in lines)


@pytest.mark.usefixtures("through_ssh")
def test_program_that_does_not_listen_ends_nothing() -> None:
    followed = Stream(None, "db1", lambda: ["false"], lambda _at, _line: None, "x" * (1 << 20))  # type: ignore[arg-type]
    followed.start()
    until(lambda: followed._process, 30.0, "nothing was begun")
    followed.stop()
    assert not followed._thread.is_alive()


@pytest.mark.usefixtures("through_ssh")
def test_stream_of_a_silent_program_can_be_stopped() -> None:
    one = local(["sleep", "600"], [])
    one.start()
    began = time.monotonic()
    one.stop()
    assert time.monotonic() - began < 5.0


def reading(commands: list[list[str]]) -> Journals:
    found = Journals(None, {"db2": journal.EVERYTHING})  # type: ignore[arg-type]
    found._streams = [Stream(None, "db2", lambda: commands[-1], partial(found._take, "db2"))]  # type: ignore[arg-type]
    return found


@pytest.mark.usefixtures("through_ssh")
def test_journal_that_is_read_twice_has_each_entry_once_and_keeps_what_it_cannot_read(tmp_path: Path) -> None:
    text = tmp_path / "said"
    text.write_text(f"0a1b 12.5\n{LINE}\n{{broken\n", encoding="utf-8")
    with reading([["cat", str(text)]]) as found:
        found.wait_open()
        until(lambda: len(found.unreadable) >= 2, 10.0, "it is not read again")
    assert [one.text for one in found.entries] == ["  [KNET  ] link: host: 1 link: 0 is down"]
    assert found.unreadable[0] == "db2: {broken"
    assert (found.deliveries[0].boot, found.deliveries[0].at) == ("0a1b", 12.5)


@pytest.mark.usefixtures("through_ssh")
def test_journal_that_nobody_opens_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "_OPEN_SECONDS", 0.3)
    with reading([["false"]]) as found, pytest.raises(AssertionError, match="not every journal"):
        found.wait_open()


def said(speaker: str, text: str, priority: int = 5) -> str | None:
    return relevance.told(Entry("db1", "b", 1.0, 1.0, speaker, priority, text))


@pytest.mark.parametrize(
    ("speaker", "text", "words"),
    [
        ("pacemaker-controld", " notice: Result of start operation for db-fs on db2: OK", "controld: Result of start operation for db-fs on db2: OK"),
        ("pacemaker-controld", " notice: Result of asyncmon operation for db-server on db1: Error occurred (Simulated failure)",
         "controld: Result of asyncmon operation for db-server on db1: Error occurred (Simulated failure)"),
        ("pacemaker-schedulerd", " notice: Actions: Recover    db-server      (   db1 )", "Actions: Recover db-server ( db1 )"),
        ("server(db-server)", "the server (process 9195) ended with status 137; telling Pacemaker returned 0",
         "server(db-server): the server (process 9195) ended with status 137; telling Pacemaker returned 0"),
        ("pacemaker-fenced", "error: something that no release has said before", "fenced: error: something that no release has said before"),
    ],
)  # fmt: skip
def test_what_the_cluster_and_its_agents_say_is_told_also_when_it_is_unknown(speaker: str, text: str, words: str) -> None:
    assert said(speaker, text) == words


def test_monitor_is_told_only_when_it_fails() -> None:
    assert said("pacemaker-controld", " notice: Result of monitor operation for db-server on db1: OK") is None
    assert said("pacemaker-controld", " notice: Result of probe operation for db-lvm on db1: Not running") is None
    assert said("pacemaker-controld", " notice: Result of monitor operation for db-server on db1: Not running")
    assert said("pacemaker-controld", " notice: Result of probe operation for db-lvm on db1: OK")


def test_of_others_only_errors_are_told() -> None:
    assert said("salt-minion", "[INFO    ] Minion is ready to receive requests!", 6) is None
    assert said("salt-minion", "no master", 3) == "salt-minion: no master"


@pytest.mark.parametrize(
    ("text", "priority", "is_told"),
    [
        ("EXT4-fs (dm-2): recovery complete", 6, True), ("something that no kernel has said before", 3, True),
        ("sd 0:0:0:0: [sda] Write Protect is off", 5, False), ("MODE SENSE: unimplemented page/subpage: 0x0a/0x05", 3, False),
        ("random: crng init done", 5, False),
    ],
)  # fmt: skip
def test_kernel_is_told_for_storage_and_errors_but_not_for_each_look_at_a_disk(text: str, priority: int, is_told: bool) -> None:
    assert (said("kernel", text, priority) is not None) is is_told


def test_only_the_scheduler_gives_reasons() -> None:
    one = Entry("db1", "b", 1.0, 1.0, "pacemaker-schedulerd", 4, "warning: Cluster node db1 will be fenced")
    assert relevance.is_reason(one)
    assert not relevance.is_reason(replace(one, speaker="pacemaker-controld"))
