"""When two holds are excused because the array refuses what the one node writes, and when they are not."""

from __future__ import annotations

from typing import Any

import pytest
from scenario import invariants, refused
from scenario.events import Power
from scenario.holds import Hold
from scenario.sample import Sample

FROZEN, THAWED, RESET = 10.0, 40.0, 43.0
LATE = THAWED + refused.SECONDS + 0.1


def log(*more: tuple[str, str, float]) -> list[dict[str, Any]]:
    events = [("freeze", "db1", FROZEN), ("thaw", "db1", THAWED), *more]
    return [{"event": kind, "node": node, "monotonic": at, "action": "off", "source": "itself", "before": "on"} for kind, node, at in events]


RESET_ITSELF = ("power", "db1", RESET)


def zombie(until: float = RESET) -> Hold:
    return Hold("db1", 0.0, 0.0, until, until)


def owner(since: float = 20.0) -> Hold:
    return Hold("db2", since - 0.1, since, 90.0, 90.0)


def test_a_node_that_stood_still_and_soon_reset_itself_is_excused_in_either_order():
    excused = refused.excuse(["db1"], log(RESET_ITSELF))
    assert excused(zombie(), owner()) and excused(owner(), zombie())


def test_a_node_that_never_went_on_held_nothing():
    assert refused.excuse(["db1"], log()[:1])(zombie(90.0), owner())


@pytest.mark.parametrize(("nodes", "events", "one", "other"), [
    ([], log(RESET_ITSELF), zombie(), owner()),
    (["db2"], log(RESET_ITSELF), zombie(), owner()),
    (["db1"], log(("power", "db1", LATE)), zombie(LATE), owner()),
    (["db1"], log(), zombie(), owner()),
    (["db1"], log(("power", "db2", RESET)), zombie(), owner()),
    (["db1"], log(RESET_ITSELF), zombie(RESET + 0.1), owner()),
    (["db1"], log(RESET_ITSELF), zombie(), owner(FROZEN - 1)),
    (["db1"], log(RESET_ITSELF), Hold("db1", 39.0, 41.0, 43.0, 43.0), owner()),
    (["db1"], [], zombie(), owner()),
], ids=["no scenario says so", "another node", "too long", "went on and let go", "the other one ended", "held on after its end",
        "before it stood still", "taken after it went on", "never stood still"])  # fmt: skip
def test_nothing_else_is_excused(nodes, events, one, other):
    assert not refused.excuse(nodes, events)(one, other)


def seen() -> list[Sample]:
    both = frozenset(["mount"])
    return [Sample("db1", 5.0, "a", both), Sample("db2", 19.9, "x", frozenset()), Sample("db2", 20.0, "x", both), Sample("db1", 42.0, "a", both),
            Sample("db2", 60.0, "x", both), Sample("db1", 60.0, "b", frozenset())]  # fmt: skip


def judged(excuse: refused.Excuse, powers: list[Power]) -> list[str]:
    return invariants.never_two_owners(seen(), powers, ["db1", "db2"], ["mount"], 60.0, excuse)


def test_two_owners_are_found_unless_the_scenario_excuses_them_and_the_end_is_known():
    ended = [Power("db1", RESET, "off", "itself", "on")]
    assert judged(refused.excuse(["db1"], log(RESET_ITSELF)), ended) == []
    assert len(judged(refused.nothing, ended)) == 1
    assert len(judged(refused.excuse(["db1"], log(RESET_ITSELF)), [])) == 1
