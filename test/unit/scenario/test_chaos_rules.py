"""Which faults come in company, and what is expected of the cluster then."""

from __future__ import annotations

from itertools import combinations

import pytest
from scenario import chaos_rules, invariants
from scenario.chaos_faults import FAULTS
from scenario.chaos_rules import (
    ACTIVE,
    BACK,
    FENCED,
    HANGS,
    PARTS,
    PASSIVE,
    RETURNS,
    SLOWS,
    SPLITS,
    STAYS,
    STRIKES_SERVER,
    Fault,
    Moment,
    Pair,
    expected,
    follows,
    moments,
    together,
)
from scenario.events import Power
from scenario.sample import MOUNT, SERVER
from scenario.scenario import COLD_START, FAILOVER
from scenario.status import Fencing

BY_NAME = {fault.name: fault for fault in FAULTS}
AT_ONCE = [Pair(*both) for both in combinations(FAULTS, 2) if together(*both)]
LATER = [Pair(first, second, moment) for first in FAULTS for moment in moments(first) for second in FAULTS
         if follows(first, moment, second)]  # fmt: skip


def fault(name: str) -> Fault:
    return BY_NAME[name]


def at_once(one: str, other: str) -> bool:
    # Whichever is named first.
    found = {together(fault(one), fault(other)), together(fault(other), fault(one))}
    assert len(found) == 1
    return found.pop()


def later(first: str, fact: str, part: str, second: str) -> bool:
    return follows(fault(first), Moment(fact, part), fault(second))


def test_no_pair_takes_both_nodes_away_or_both_of_anything_else() -> None:
    assert len(AT_ONCE) > 100 and len(LATER) > 200
    for pair in [*AT_ONCE, *LATER]:
        lost = pair.first.loses | pair.second.loses
        assert not lost >= PARTS, pair.text
        if "both heartbeat cables cut" not in (pair.first.name, pair.second.name):
            assert not {"hb1", "hb2"} <= lost, pair.text
        for part in PARTS:
            if {f"{part} san1", f"{part} san2"} <= lost:
                assert f"all storage paths of the {part} lost" in (pair.first.name, pair.second.name), pair.text


def test_no_fault_alone_takes_both_nodes_away() -> None:
    assert not [one.name for one in FAULTS if one.loses >= PARTS]


@pytest.mark.parametrize(("one", "other"), [
    ("active powered off", "passive powered off"), ("active frozen", "all storage paths of the passive lost"),
    ("planned switchover", "passive frozen"), ("both heartbeat cables cut", "active powered off"),
    ("heartbeat cable hb1 cut", "heartbeat cable hb2 cut"), ("heartbeat cable hb1 cut", "packets of cable hb2 lost"),
    ("path san1 of the active lost", "path san2 of the active lost"),
])  # fmt: skip
def test_what_would_be_two_failures_at_a_time_is_refused(one: str, other: str) -> None:
    assert not at_once(one, other)


@pytest.mark.parametrize(("one", "other"), [
    ("active powered off", "heartbeat cable hb1 cut"), ("active frozen", "path san1 of the passive lost"),
    ("all storage paths of the passive lost", "server of the active killed"), ("passive frozen", "server of the active hung"),
    ("both heartbeat cables cut", "server of the active killed"), ("formula applied", "active powered off"),
    ("path san1 of the active lost", "path san2 of the passive lost"),
])  # fmt: skip
def test_two_faults_that_leave_one_of_everything_come_at_once(one: str, other: str) -> None:
    assert at_once(one, other)


def test_faults_that_have_nothing_to_strike_do_not_come() -> None:
    # The node is dead, the server is gone, the server is on the other node, the cable is cut already.
    assert not at_once("active powered off", "active without processor time")
    assert not at_once("server of the active killed", "active out of memory")
    assert not at_once("server of the passive killed", "heartbeat cable hb1 cut")
    assert not at_once("heartbeat cable hb1 cut", "packets of cable hb1 lost")
    assert not later("active powered off", MOUNT, PASSIVE, "server of the passive killed")
    assert not later("active powered off", SERVER, PASSIVE, "server of the active killed")
    assert not later("both heartbeat cables cut", FENCED, PASSIVE, "heartbeat cable hb1 cut")


def test_race_to_fence_does_not_depend_on_who_has_time() -> None:
    assert not at_once("both heartbeat cables cut", "active without processor time")
    assert not at_once("both heartbeat cables cut", "formula applied")
    races = [pair for pair in [*AT_ONCE, *LATER] if SPLITS in pair.first.traits | pair.second.traits]
    assert races and not [pair.text for pair in races if SLOWS in pair.first.traits | pair.second.traits]


def test_what_is_healed_at_once_does_not_wait_for_what_lasts() -> None:
    assert fault("all storage paths of the active lost").calm == 0
    assert not at_once("all storage paths of the active lost", "formula applied")
    assert not later("all storage paths of the active lost", MOUNT, PASSIVE, "formula applied")
    assert at_once("all storage paths of the passive lost", "formula applied")


def test_recovery_has_steps_and_what_needs_no_recovery_has_none() -> None:
    facts = [(moment.fact, moment.part) for moment in moments(fault("active powered off"))]
    assert facts == [("fenced", "active"), ("volume", "passive"), ("mount", "passive"), ("address", "passive"),
                     ("server", "passive"), ("back", "active")]  # fmt: skip
    assert moments(fault("server of the active killed")) == [Moment(SERVER, ACTIVE)]
    assert moments(fault("passive frozen")) == [Moment(FENCED, PASSIVE), Moment(BACK, PASSIVE)]
    # Nobody is fenced for a switchover; with its paths cut, or its cables, a node does not come back.
    assert not {FENCED, BACK} & {moment.fact for moment in moments(fault("planned switchover"))}
    assert BACK not in {moment.fact for name in ("all storage paths of the active lost", "both heartbeat cables cut")
                        for moment in moments(fault(name))}  # fmt: skip
    for name in ("heartbeat cable hb1 cut", "active without processor time", "formula applied", "path san1 of the active lost"):
        assert not moments(fault(name))


def test_second_fault_strikes_only_what_is_there_in_that_step() -> None:
    for pair in LATER:
        first, second, moment = pair.first, pair.second, pair.moment
        assert moment
        if moment.fact != BACK and second.at in first.loses:
            assert STAYS in first.traits, pair.text
        if STRIKES_SERVER in second.traits and moment != Moment(SERVER, second.at):
            assert second.at == ACTIVE and ACTIVE not in first.loses and STRIKES_SERVER not in first.traits, pair.text


def test_server_is_struck_in_its_start_only_where_another_node_can_start_it() -> None:
    assert later("active powered off", SERVER, PASSIVE, "server of the passive killed")
    assert later("server of the active killed", SERVER, ACTIVE, "server of the active killed")
    # The other node is on standby, or without the array, until the fault is taken back.
    assert not later("planned switchover", SERVER, PASSIVE, "server of the passive killed")
    assert not later("all storage paths of the active lost", SERVER, PASSIVE, "passive out of memory")
    # A start that hangs is given up after minutes, by design.
    assert not later("server of the active killed", SERVER, ACTIVE, "server of the active hung")
    assert not [pair.text for pair in LATER if pair.moment == Moment(SERVER, pair.second.at) and HANGS in pair.second.traits]


def test_node_that_boots_again_can_die_again() -> None:
    assert later("active powered off", BACK, ACTIVE, "active powered off")
    assert later("passive frozen", BACK, PASSIVE, "passive powered off")
    assert not later("active powered off", BACK, ACTIVE, "corosync of the active killed")
    assert not later("active powered off", BACK, ACTIVE, "passive powered off")


def test_node_on_standby_can_die_and_is_fenced() -> None:
    assert later("planned switchover", MOUNT, PASSIVE, "active powered off")
    assert not later("planned switchover", MOUNT, PASSIVE, "planned switchover")
    found = expected(Pair(fault("planned switchover"), fault("active powered off"), Moment(MOUNT, PASSIVE)))
    assert (found.fenced, found.perhaps) == ((ACTIVE,), ())


def test_budgets_add_up_and_so_does_what_is_explained() -> None:
    found = expected(Pair(fault("server of the active killed"), fault("active frozen"), Moment(SERVER, ACTIVE)))
    assert found.budget == 2 * FAILOVER
    assert (found.fenced, found.explained, found.cases) == ((ACTIVE,), ("db-server",), ("D1", "A5"))


def test_start_that_fails_on_the_only_node_may_wait_for_the_other_one_to_boot() -> None:
    pair = Pair(fault("active frozen"), fault("server of the passive killed"), Moment(SERVER, PASSIVE))
    assert expected(pair).budget == 2 * FAILOVER + COLD_START
    again = Pair(fault("server of the active killed"), fault("server of the active killed"), Moment(SERVER, ACTIVE))
    assert expected(again).budget == 2 * FAILOVER


def test_second_fault_in_a_takeover_is_a_case_of_its_own() -> None:
    pair = Pair(fault("active powered off"), fault("heartbeat cable hb1 cut"), Moment(MOUNT, PASSIVE))
    assert expected(pair).cases == ("A1", "S12", "N1", "C4")
    back = Pair(fault("active powered off"), fault("active frozen"), Moment(BACK, ACTIVE))
    assert "C4" not in expected(back).cases and "C4" not in expected(Pair(pair.first, pair.second)).cases


# What I4 makes of it

DEAD_TWICE = Pair(BY_NAME["active powered off"], BY_NAME["active frozen"], Moment(BACK, ACTIVE))
ONCE = Fencing("db1", "success", "2026-11-26 18:00:00Z")
AGAIN = Fencing("db1", "success", "2026-11-26 18:01:00Z")
PULLED = Power("db1", 1.0, "off", "operator", "on")
NODES = {ACTIVE: "db1", PASSIVE: "db2"}


def cut(node: str, at: float) -> Power:
    return Power(node, at, "off", "bmc", "on")


def judged(pair: Pair, after: list[Fencing], powers: list[Power]) -> list[str]:
    found = expected(pair)
    return invariants.expected_node_fenced(
        [NODES[part] for part in found.fenced], [], after, powers, [NODES[part] for part in found.perhaps]
    )


def test_node_that_dies_again_while_it_boots_may_be_fenced_again_or_not() -> None:
    assert expected(DEAD_TWICE).fenced == expected(DEAD_TWICE).perhaps == (ACTIVE,)
    assert judged(DEAD_TWICE, [ONCE], [PULLED]) == []
    assert judged(DEAD_TWICE, [ONCE, AGAIN], [PULLED, cut("db1", 30.0)]) == []


def test_fencing_less_than_must_be_more_than_may_be_and_of_another_is_found() -> None:
    assert len(judged(DEAD_TWICE, [], [PULLED])) == 1
    third = [cut("db1", 10.0), cut("db1", 30.0), cut("db1", 50.0)]
    (finding,) = judged(DEAD_TWICE, [ONCE, AGAIN], [PULLED, *third])
    assert finding == "I4: fenced too often: db1"
    wrong = judged(DEAD_TWICE, [ONCE, Fencing("db2", "success", "2026-11-26 18:01:00Z")], [PULLED, cut("db2", 30.0)])
    assert len(wrong) == 2 and all("db2" in finding for finding in wrong)


def test_node_that_loses_the_array_may_be_fenced_or_not_and_the_other_may_not() -> None:
    pair = Pair(fault("all storage paths of the active lost"), fault("server of the active killed"))
    lost = Pair(pair.first, fault("heartbeat cable hb1 cut"))
    assert (expected(lost).fenced, expected(lost).perhaps) == ((), (ACTIVE,))
    assert judged(lost, [], []) == judged(lost, [ONCE], [cut("db1", 3.0)]) == []
    assert judged(lost, [Fencing("db2", "success", "x")], [cut("db2", 3.0)])
    assert judged(lost, [ONCE], [cut("db1", 3.0), cut("db1", 9.0)])


def test_failed_fencing_is_found_also_where_fencing_is_allowed() -> None:
    (finding,) = judged(DEAD_TWICE, [ONCE, Fencing("db1", "failed", "x")], [PULLED])
    assert "did not succeed" in finding


def test_every_pair_says_what_it_is_in_words_of_its_own() -> None:
    texts = [pair.text for pair in [*AT_ONCE, *LATER]]
    assert len(set(texts)) == len(texts)
    pair = Pair(fault("active frozen"), fault("formula applied"), Moment(MOUNT, PASSIVE), 0.5)
    assert pair.text == "active frozen; once the passive has mounted it + 0.5 s: formula applied"
    assert RETURNS in pair.first.traits and chaos_rules.other_part(PASSIVE) == ACTIVE
