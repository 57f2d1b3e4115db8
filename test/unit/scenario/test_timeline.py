"""A timeline: every source on one clock, in order, short enough to read, and wrong clocks are seen."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import frozen_run
import pytest
from scenario import doubts, events, journal, report, sources, timeline
from scenario.deeds import Deed
from scenario.events import Power
from scenario.sample import Sample
from scenario.timeline import Event


def told(**other: object) -> list[str]:
    """Return the lines of the captured run's timeline without its head."""
    return report.text(frozen_run.HEAD, frozen_run.records(**other)).split("\n\n", 1)[1].splitlines()


def position(lines: list[str], words: str) -> int:
    return next(number for number, line in enumerate(lines) if words in line)


def test_events_of_all_sources_are_in_order_of_time() -> None:
    found = timeline.merged([Event(3.0, "db1", "c"), Event(1.0, "db1", "a")], [Event(2.0, "lab", "b")], since=0.0)
    assert [event.what for event in found] == ["a", "b", "c"]


def test_events_of_one_moment_keep_the_order_of_their_source() -> None:
    found = timeline.merged([Event(1.0, "db1", "z"), Event(1.0, "db1", "a")], since=0.0)
    assert [event.what for event in found] == ["z", "a"]


def test_what_was_before_the_scenario_is_left_out() -> None:
    assert timeline.merged([Event(0.9, "db1", "before"), Event(1.0, "db1", "first")], since=1.0) == [Event(1.0, "db1", "first")]


def test_same_words_soon_again_are_said_once_and_later_again() -> None:
    said = [Event(at, "db1", "no links") for at in (1.0, 1.1, 5.0)] + [Event(1.05, "db2", "no links")]
    assert [(event.at, event.where, event.what) for event in timeline.merged(said, since=0.0)] == [
        (1.0, "db1", "no links (2 times)"), (1.05, "db2", "no links"), (5.0, "db1", "no links"),
    ]  # fmt: skip


def test_each_event_is_one_line_of_bounded_length_in_three_columns() -> None:
    heading, first, second = timeline.lines([Event(12.5, "bmc db1", "power\noff"), Event(13.0, "db2", "x" * 999, why=True)], 10.0)
    assert heading == "  seconds  where    what"
    assert first == "    2.500  bmc db1  power off"
    assert second.startswith("    3.000  db2      why: xxx") and second.endswith("xxx ...") and len(second) < 350


def test_captured_failover_is_told_from_its_cause_to_the_first_answer() -> None:
    lines = told()
    steps = [
        "lab      freeze db1", "db2      corosync: [TOTEM ] A processor failed", "client   row 38, sent 1.00 s ago, fails",
        "db2      controld: State transition S_NOT_DC -> S_ELECTION",
        "db2      why: warning: Cluster node db1 will be fenced: peer is no longer part of the cluster",
        "db2      why: Actions: Move db-server ( db1 -> db2 )", "pe-warn-0.bz2", "db2      controld: Requesting fencing (reboot)",
        "bmc db1  is told: power off, and takes 2 s for it", "bmc db1  power off (was frozen)", "Operation 'reboot' targeting db1 by db2",
        "bmc db1  power on", "db1      boots", "db2      lvm(db-lvm): db-vg belongs to 'db1': taking it over as 'db2'",
        "db2      kernel: EXT4-fs (dm-2): recovery complete", "Result of start operation for db-server on db2: OK",
        "client   is answered again, 9.52 s after the last answer: 54 connections and 1 rows failed (38)",
        "db1      corosync: [MAIN ] Corosync Cluster Engine 3.1.9 starting up",
    ]  # fmt: skip
    found = [position(lines, step) for step in steps]
    assert found == sorted(found)
    times = [float(line.split()[0]) for line in lines[1:]]
    assert times == sorted(times)


def test_captured_failover_is_short_and_says_no_monitor_and_no_noise() -> None:
    lines = told()
    assert len(lines) < 110
    assert not [line for line in lines if re.search(r"monitor|probe|pmtud|Service engine|pam_env|MODE SENSE|udev|local execution", line)]


def test_head_says_fault_verdict_outage_with_its_phases_and_who_was_active() -> None:
    head = report.text(frozen_run.HEAD, frozen_run.records()).split("\n\n")[0]
    assert head.splitlines()[:3] == [
        "scenario  active frozen", "fault     The active node's kernel stops in its tracks.", "verdict   every invariant held",
    ]  # fmt: skip
    assert re.search(r"^outage    9\.52 s, from 0\.426 to 9\.949: detection 1\.\d+, fencing 3\.\d+, lvm", head, re.M)
    assert "active    db1, passive db2, designated controller db1" in head
    assert "second 0  2026-11-26 10:19:53.944 UTC; 726.000 of the host's monotonic clock" in head
    assert "clock     db1 booted at 6.085" in head
    assert "doubt" not in head


def test_head_of_a_failed_scenario_has_each_finding_in_a_line() -> None:
    failed = replace(frozen_run.RESULT, findings=["I1: lost\nrows", "I5: not whole"], outage=None)
    head = report.text(replace(frozen_run.HEAD, result=failed), frozen_run.records(client=[]))
    assert "verdict   FAILED, 2 findings" in head
    assert "finding   I1: lost rows\nfinding   I5: not whole" in head
    assert "outage    could not be measured" in head


def test_lines_that_could_not_be_read_and_a_journal_without_any_are_said() -> None:
    head = report.text(frozen_run.HEAD, frozen_run.records(unreadable=["db1: {brok"]))
    assert "1 could not be read, such as 'db1: {brok'" in head
    assert "db1 0 of 0 lines told" in report.text(frozen_run.HEAD, frozen_run.records(entries=[]))


def doubted(**other: object) -> list[str]:
    return [line for line in report.text(frozen_run.HEAD, frozen_run.records(**other)).splitlines() if line.startswith("doubt")]


def test_clock_of_the_wrong_sign_is_seen() -> None:
    wrong = {boot: -at for boot, at in frozen_run.clocks().items()}
    assert any("no node had asked" in line for line in doubted(clocks=wrong))


@pytest.mark.parametrize(("shift", "words"), [(4.0, "no node had asked for that before"), (-3.0, "no node knew of it afterwards")])
def test_clock_that_is_seconds_off_is_seen_by_a_fencing_out_of_order(shift: float, words: str) -> None:
    wrong = {(node, boot): at + (shift if node == "db2" else 0.0) for (node, boot), at in frozen_run.clocks().items()}
    assert any(words in line for line in doubted(clocks=wrong))


def test_lines_from_a_time_in_which_a_node_had_no_power_are_seen() -> None:
    wrong = {(node, boot): at - (5.5 if node == "db1" else 0.0) for (node, boot), at in frozen_run.clocks().items()}
    assert any("of db1's journal are from a time in which it did not run" in line for line in doubted(clocks=wrong))


def test_boot_that_nobody_heard_is_placed_by_its_wall_clock_and_said() -> None:
    known = {key: at for key, at in frozen_run.clocks().items() if at < frozen_run.BEGAN}
    text = report.text(frozen_run.HEAD, frozen_run.records(clocks=known))
    assert "nobody heard db1's boot 45ce1cf8 while it ran" in text
    assert re.search(r" 13\.5\d\d  db1      corosync: \[MAIN \] Corosync Cluster Engine", text)


def test_node_that_is_off_to_the_end_may_not_say_anything() -> None:
    off = [{"event": "power", "node": "db1", "action": "off", "source": "operator", "before": "on", "monotonic": 5.0}]
    said = journal.Entry("db1", "b", 8.0, 0.0, "kernel", 6, "hello")
    assert len(doubts.doubts([said], [], off, 10.0)) == 1
    assert doubts.doubts([replace(said, at=5.1)], [], off, 10.0) == []
    on = {"event": "power", "node": "db1", "action": "on", "source": "bmc", "before": "off", "monotonic": 7.0}
    assert doubts.doubts([said], [], [*off, on], 10.0) == []


def lab_event(kind: str, **fields: object) -> dict[str, object]:
    return {"time": 0.0, "monotonic": 1.0, "event": kind, **fields}


@pytest.mark.parametrize(
    ("event", "where", "what"),
    [
        (lab_event("power", node="db1", action="off", source="operator", before="on", took=0.1), "lab", "db1: power off (was on)"),
        (lab_event("power", node="db1", action="off", source="bmc", before="frozen", took=0.1), "bmc db1", "power off (was frozen)"),
        (lab_event("power", node="db1", action="off", source="itself", before="on", took=0.0), "db1", "power off (was on), by itself"),
        (lab_event("power-failed", node="db1", action="on", error="no disk"), "bmc db1", "power on FAILED: no disk"),
        (lab_event("cut", link="hb1", node=None, loss=20), "lab", "cut hb1, 20 % of its packets"),
        (lab_event("cut", link="san1", node="db1", loss=None), "lab", "cut san1 of db1"),
        (lab_event("cut", link="hb1", node="db1", loss=None, longer=1000, announces=None, one_way=True), "lab",
         "cut hb1 of db1, packets of more than 1000 bytes, one way"),
        (lab_event("cut", link="mgmt", node="db2", announces="10.20.0.50"), "lab", "cut mgmt of db2, what announces 10.20.0.50"),
        (lab_event("bmc", node="db1", power_off_seconds=20), "bmc db1", "takes 20 s to cut the power from now on"),
        (lab_event("bmc", node="db1", lies=True), "bmc db1", "lies from now on"),
        (lab_event("bmc", node="db1", lies=False), "bmc db1", "tells the truth again"),
        (lab_event("power-lie", node="db1", action="off"), "bmc db1", "is told: power off, says so, and leaves it as it is"),
        (lab_event("quake", strength=7), "lab", "quake 7"),
    ],
)  # fmt: skip
def test_event_of_the_lab_is_told_by_who_did_it(event: dict[str, object], where: str, what: str) -> None:
    assert list(sources.of_lab([event])) == [Event(1.0, where, what)]


def test_heal_of_what_was_whole_is_not_told() -> None:
    heal = [lab_event("heal", link=link, node=None) for link in ("hb1", "san1")]
    cut = lab_event("cut", link="san1", node="db1", loss=None)
    assert [event.what for event in sources.of_lab([cut, *heal, *heal])] == ["cut san1 of db1", "heal san1"]


def test_scenario_s_own_deeds_are_told_and_its_looks_are_not() -> None:
    done = [
        Deed(1.0, "db1", "kill -9 $(pidof mariadbd)"), Deed(1.1, "db1", "crm_mon --one-shot"), Deed(1.2, "lab", "power db1 status"),
        Deed(1.3, "lab", "salt '*' state.apply"), Deed(2.0, "db1", "kill -9 $(pidof mariadbd)"), Deed(9.0, "db1", "kill -9 $(pidof mariadbd)"),
    ]  # fmt: skip
    assert [(event.at, event.what) for event in sources.of_deeds(done)] == [
        (1.0, "on db1: kill -9 $(pidof mariadbd)"), (1.3, "salt '*' state.apply"), (9.0, "on db1: kill -9 $(pidof mariadbd)"),
    ]  # fmt: skip


def row(number: int, **fields: object) -> str:
    return json.dumps({"id": number, "sent": 1.0, "wall": 0.0, **fields}) + "\n"


def test_client_s_rows_are_not_told_but_its_waits_and_failures_are() -> None:
    log = [row(1, acked=1.0), row(2, acked=1.1), row(3, acked=3.2), row(4, failed=4.2, error="gone"), row(5, failed=4.3, error="gone"),
           json.dumps({"connect": 4.4, "error": "refused"}) + "\n", row(6, acked=6.0), '{"id": 7, "se']  # fmt: skip
    assert [(event.at, event.what) for event in sources.of_client(log, 7.0)] == [
        (1.0, "first answer"), (3.2, "is answered 2.10 s after the answer before, without an error"),
        (4.2, "row 4, sent 3.20 s ago, fails: gone"), (4.4, "cannot connect: refused"),
        (6.0, "is answered again, 2.80 s after the last answer: 1 connections and 2 rows failed (4, 5)"),
        (7.0, "stops: 4 rows acknowledged; served"),
    ]  # fmt: skip


def test_client_that_is_not_served_to_the_end_says_so() -> None:
    (first, failure, end) = sources.of_client([row(1, acked=1.0), row(2, failed=2.0, error="gone")], 60.0)
    assert (end.at, end.what) == (60.0, "stops: 1 rows acknowledged; NOT SERVED any more: 0 connections and 1 rows failed (2)")


def look(node: str, at: float, *held: str) -> Sample:
    return Sample(node, at, "b", frozenset(held))


def test_what_a_node_takes_gives_up_and_loses_with_its_power_is_told() -> None:
    seen = [look("db1", 1.0, "mount", "server"), look("db1", 1.1, "mount"), look("db2", 1.0), look("db2", 3.0, "mount"), look("db2", 3.1, "mount")]
    found = sources.of_samples(seen, [Power("db1", 2.0, events.OFF, "bmc", "on")], ("db1", "db2"), ("mount", "server"), 4.0)
    assert sorted((event.at, event.where, event.what) for event in found) == [
        (1.0, "db1", "holds at the start: mount, server"), (1.1, "db1", "holds no more server"),
        (2.0, "db1", "held, when its power was cut: mount"), (3.0, "db2", "holds mount"),
    ]  # fmt: skip


def test_node_that_is_not_seen_is_told() -> None:
    found = sources.of_samples([look("db1", 1.0), look("db1", 9.0)], [], ("db1",), ("mount",), 10.0)
    assert [(event.at, event.what) for event in found] == [(1.0, "is not seen from outside for 8.0 s")]
