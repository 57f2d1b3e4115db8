"""When a node held something, from samples and the power log."""

from __future__ import annotations

import json

import pytest
from scenario import events, sample
from scenario.events import Power
from scenario.holds import Hold, gaps, holds, may_be_shared, shared
from scenario.sample import Sample


def look(node: str, at: float, *held: str, boot: str = "b1") -> Sample:
    return Sample(node, at, boot, frozenset(held))


def off(node: str, at: float, before: str = "on") -> Power:
    return Power(node, at, "off", "bmc", before)


def test_hold_lasts_until_the_sample_that_shows_it_gone() -> None:
    seen = [look("a", 1.0), look("a", 1.1, "mount"), look("a", 1.2, "mount"), look("a", 1.3)]
    assert holds(seen, [], "a", "mount", 2.0) == [Hold("a", 1.0, 1.1, 1.2, 1.3)]


def test_dead_node_holds_nothing_after_its_power_was_cut() -> None:
    seen = [look("a", 1.0, "mount"), look("a", 1.1, "mount"), look("a", 9.0, boot="b2")]
    assert holds(seen, [off("a", 1.5)], "a", "mount", 10.0) == [Hold("a", 1.0, 1.0, 1.5, 1.5)]


def test_frozen_node_holds_its_mount_until_it_is_switched_off() -> None:
    seen = [look("a", 1.0, "mount"), look("a", 1.1, "mount")]
    assert holds(seen, [off("a", 8.0, "frozen")], "a", "mount", 20.0)[0].until == 8.0


def test_frozen_node_that_is_never_switched_off_holds_its_mount_to_the_end() -> None:
    assert holds([look("a", 1.0, "mount")], [], "a", "mount", 20.0)[0].until == 20.0


def test_frozen_node_that_thaws_held_its_mount_all_the_time() -> None:
    seen = [look("a", 1.0, "mount"), look("a", 30.0, "mount"), look("a", 30.1)]
    assert holds(seen, [], "a", "mount", 31.0) == [Hold("a", 1.0, 1.0, 30.0, 30.1)]


def test_switching_off_what_was_off_already_ends_nothing() -> None:
    assert not off("a", 1.0, "off").cut


def test_other_node_may_take_over_after_the_power_off_and_not_before() -> None:
    frozen = Hold("a", 1.0, 1.0, 8.0, 8.0)
    assert not may_be_shared(frozen, Hold("b", 8.2, 8.3, 20.0, 20.0))
    assert shared(frozen, Hold("b", 7.2, 7.3, 20.0, 20.0))


def test_takeover_while_nobody_looked_is_neither_shared_nor_ruled_out() -> None:
    one, other = Hold("a", 1.0, 1.0, 2.0, 6.0), Hold("b", 3.9, 4.0, 9.0, 9.0)
    assert not shared(one, other)
    assert may_be_shared(one, other)


def test_gap_counts_within_a_boot_only() -> None:
    seen = [look("a", 1.0), look("a", 9.0), look("a", 60.0, boot="b2")]
    assert gaps(seen, "a", 3.0) == [(1.0, 9.0)]


def test_samples_are_placed_by_the_quickest_delivery_of_their_boot() -> None:
    # The node's clock is 100 s behind; the second line waited 2 s on its way.
    received = [(100.51, look("a", 0.5)), (103.0, look("a", 1.0)), (101.51, look("a", 1.5))]
    assert [round(found.at, 2) for found in sample.calibrated(received)] == [100.51, 101.01, 101.51]


def test_line_of_the_probe_is_read() -> None:
    found = sample.parse("a", json.dumps([1.5, "boot", True, False, True, ["10.20.0.50"]]))
    assert found == Sample("a", 1.5, "boot", frozenset({"mount", "server", "10.20.0.50"}))
    assert json.loads(sample.as_line(found))["held"] == ["10.20.0.50", "mount", "server"]


def test_line_that_is_not_the_probes_is_an_error() -> None:
    with pytest.raises(ValueError, match="unpack"):
        sample.parse("a", "[1, 2]")


def test_power_events_are_told_from_the_others() -> None:
    log = events.parse([
        '{"time": 1, "monotonic": 2.0, "event": "freeze", "node": "a"}\n',
        '{"time": 1, "monotonic": 3.0, "event": "power", "node": "a", "action": "off", "source": "bmc", "before": "frozen", "took": 0.1}\n',
        '{"time": 1, "mono',
    ])  # fmt: skip
    assert events.powers(log) == [Power("a", 3.0, "off", "bmc", "frozen")]
    assert events.freezes(log) == [("a", 2.0)]
