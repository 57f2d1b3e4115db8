"""What the network scenarios demand, and that each demand can fail."""

from __future__ import annotations

import re

import pytest
from fake_stage import FakeLab, play
from scenario import announce
from scenario import faults_network as faults
from scenario.wait import TooLateError


def cuts(lab: FakeLab) -> list[str]:
    return [done for done in lab.done if done.startswith(("cut ", "heal "))]


def test_one_way_cut_is_of_what_the_active_node_says(lab: FakeLab) -> None:
    lab.answers = [("cut hb2", lambda lab: lab.fenced("db2"))]
    play(lab, faults.cut_one_way)
    assert cuts(lab) == ["cut hb1 db1 --one-way", "cut hb2 db1 --one-way"]


def test_one_way_cut_after_which_nobody_or_the_wrong_node_is_fenced_is_found(lab: FakeLab) -> None:
    with pytest.raises(TooLateError, match="db2 is not fenced"):
        play(lab, faults.cut_one_way)
    lab.answers = [("cut hb2", lambda lab: lab.fenced("db1"))]
    with pytest.raises(TooLateError, match="db2 is not fenced"):
        play(lab, faults.cut_one_way)


def tells(lab: FakeLab) -> None:
    lab.remembers("fence-db2", "db1")


def forgets(lab: FakeLab) -> None:
    lab.has(failures=())


def test_lost_clients_are_told_by_the_device_that_fences_the_peer_and_repaired_as_the_runbook_says(lab: FakeLab) -> None:
    lab.answers = [("cut mgmt", tells), ("crm_resource --cleanup --resource fence-db2", forgets)]
    play(lab, faults.lose_clients)
    assert cuts(lab) == ["cut mgmt db1", "heal mgmt"]


def test_lost_clients_that_nobody_tells_or_that_move_the_database_are_found(lab: FakeLab) -> None:
    with pytest.raises(TooLateError, match="nobody tells"):
        play(lab, faults.lose_clients)

    def moves(lab: FakeLab) -> None:
        tells(lab)
        lab.moves_to("db2")

    lab.answers = [("cut mgmt", moves)]
    with pytest.raises(AssertionError, match="the database moved"):
        play(lab, faults.lose_clients)


def test_clients_network_is_cut_at_the_nodes_only_as_their_eyes_go_through_the_array(lab: FakeLab) -> None:
    play(lab, faults.lose_all_clients)
    assert cuts(lab) == ["cut mgmt db1", "cut mgmt db2", "heal mgmt"]
    lab.answers = [("cut mgmt db2", lambda lab: lab.moves_to("db2"))]
    with pytest.raises(AssertionError, match="the database moved"):
        play(lab, faults.lose_all_clients)
    assert {one.eyes for one in faults.SCENARIOS if set(one.cases) & {"N5", "N6"}} == {"san1"}


def test_stolen_address_is_announced_told_and_given_back(lab: FakeLab) -> None:
    told = "db2, vip: expected nobody else at 10.20.0.50, found an answer from 52:54:00:00:02:00"
    for untold in ((0, told), (1, "db2, vip: expected nobody else at 10.20.0.51"), (1, "")):
        lab.answers = [("salt-run hadb.check", untold)]
        with pytest.raises(AssertionError):
            play(lab, faults.take_address)
    lab.answers = [("salt-run hadb.check", (1, told))]
    lab.done.clear()
    play(lab, faults.take_address)
    order = [re.search(pattern, "\n".join(lab.done)).start() for pattern in (  # type: ignore[union-attr]
        "db2: ping .* 10.20.0.50", "san: ip address add 10.20.0.50/32 dev vec0 && python3", "salt-run hadb.check",
        "san: ip address delete 10.20.0.50/32 dev vec0", "db1: .*send_arp .* vec0 10.20.0.50 auto")]  # fmt: skip
    assert order == sorted(order)


def test_announcement_is_a_broadcast_question_of_an_address_for_itself() -> None:
    mac = bytes.fromhex("525400000200")
    frame = announce.frame(mac, "10.20.0.50")
    assert (frame[:6], frame[6:12], frame[12:14]) == (b"\xff" * 6, mac, b"\x08\x06")
    assert frame[14:22] == bytes.fromhex("0001080006040001")
    assert frame[22:28] == mac and frame[28:32] == frame[38:42] == bytes([10, 20, 0, 50])
    script = faults.announcing("vec0", "10.20.0.50")
    assert script.startswith("python3 -c ") and script.endswith(" vec0 10.20.0.50")


def get_through(lab: FakeLab) -> str:
    """Answer as one node's configuration does that has what was last set on the other."""
    return next(done for done in reversed(lab.done) if "--update" in done).rpartition(" ")[2]


# A cable that loses what is long.
LOSSY = ("ping .* -s 1000 192.168.1.2", (1, ""))


def test_long_packets_are_lost_and_all_messages_get_through(lab: FakeLab) -> None:
    lab.answers = [LOSSY, ("--query", get_through)]
    play(lab, faults.lose_long_packets)
    assert "cut hb1 --longer 1000" in lab.done
    assert sum("--update" in done for done in lab.done) == 5
    assert lab.done[-1] == "db2: crm_attribute --node db1 --name hadb-test --delete"


def test_message_that_is_lost_is_found_and_the_attribute_is_taken_back(lab: FakeLab) -> None:
    lab.answers = [LOSSY]
    with pytest.raises(TooLateError, match="does not get through"):
        play(lab, faults.lose_long_packets)
    assert "--delete" in lab.done[-1]


@pytest.mark.parametrize("answer", [("-s 1000 ", ""), ("-s ", (1, ""))], ids=["loses nothing", "loses everything"])
def test_cable_that_does_not_lose_what_it_should_shows_nothing(lab: FakeLab, answer) -> None:
    lab.answers = [answer, ("--query", get_through)]
    with pytest.raises(AssertionError, match="does not lose what is long"):
        play(lab, faults.lose_long_packets)


def test_lost_announcement_is_that_of_the_node_that_takes_over(lab: FakeLab) -> None:
    lab.answers = [("crm node standby db1", lambda lab: lab.moves_to("db2"))]
    play(lab, faults.lose_announcement)
    assert cuts(lab) == ["cut mgmt db2 --announces 10.20.0.50"]
    assert lab.done[-1] == "db1: crm node online db1"
