"""What a running Corosync says, compared whole, and what is said when it says something else."""

from __future__ import annotations

from typing import Any

import pytest

from hadb_core.corosync_conf import parse
from hadb_core.corosync_runtime import effective, membership, parse_cmap, pending, status
from hadb_core.errors import Unreadable

# Three nodes, so that an order that two would hide is seen; db3 has no name, node 9 is not in the file.
ICMAP: dict[str, Any] = {
    "nodelist.local_node_pos": 1,
    "nodelist.node.2.nodeid": 3, "nodelist.node.2.ring0_addr": "172.16.1.3",
    "nodelist.node.0.name": "db1", "nodelist.node.0.nodeid": 1, "nodelist.node.0.ring0_addr": "172.16.1.1",
    "nodelist.node.1.name": "db2", "nodelist.node.1.nodeid": 2,
    "nodelist.node.1.ring1_addr": "172.16.2.2", "nodelist.node.1.ring0_addr": "172.16.1.2",
    "runtime.votequorum.this_node_id": 2, "runtime.votequorum.two_node": 1, "quorum.wait_for_all": 1,
    "runtime.votequorum.wait_for_all_status": 1,
    "runtime.members.2.status": "joined", "runtime.members.1.status": "left", "runtime.members.9.status": "joined",
    "quorum.provider": "corosync_votequorum",
    "totem.nodeid": 2, "totem.token": 3000, "totem.interface.1.mcastport": 5406, "totem.interface.1.bindnetaddr": "172.16.2.2",
    "logging.debug": "off", "logging.logger_subsys.TOTEM.debug": "on", "resources.watchdog_timeout": 6,
}  # fmt: skip
STATS: dict[str, Any] = {
    "stats.knet.node1.link0.connected": 1, "stats.knet.node1.link1.connected": 0, "stats.knet.node2.link0.connected": 1,
    "stats.knet.node9.link0.connected": 1, "stats.knet.node1.link7.connected": 1, "stats.knet.node3.link0.connected": 0,
    "stats.knet.node1.link0.mtu": 1397, "stats.knet.node1.link0.latency_ave": 243, "stats.knet.node1.link0.down_count": 2,
    "stats.knet.node3.link0.mtu": 469, "stats.knet.node9.link0.mtu": 470, "stats.srp.operational_token_lost": 4,
}  # fmt: skip
QUORUM = """Quorum information
Ring ID: 2.1c
Quorate: Yes
Expected votes:   3
Highest expected: 4
Total votes:      2
Quorum:           1 Activity blocked
Flags:            2Node Quorate
"""
NEVER = {"connected": False, "mtu": 0, "latency": 0, "down_count": 0}


def test_the_membership_is_told_whole() -> None:
    assert membership(ICMAP, STATS, quorate=False) == {
        "running": True, "node_id": 2, "name": "db2", "members": ["9", "db2"], "quorate": False, "two_node": True,
        "wait_for_all": True, "waiting_for_all": True,
        "links": [
            {"id": 0, "addr": "172.16.1.2", "peers": {"db1": True, "9": True, "3": False}},
            {"id": 1, "addr": "172.16.2.2", "peers": {"db1": False}},
        ],
    }  # fmt: skip


def test_what_is_not_set_is_off() -> None:
    assert membership({"runtime.votequorum.this_node_id": 7, "nodelist.node.0.name": "db1"}, {}, quorate=True) == {
        "running": True, "node_id": 7, "name": "7", "members": [], "quorate": True, "two_node": False,
        "wait_for_all": False, "waiting_for_all": False, "links": [],
    }  # fmt: skip


def test_the_status_is_told_whole() -> None:
    assert status(ICMAP, STATS, QUORUM) == membership(ICMAP, STATS, quorate=True) | {
        "ring_id": "2.1c", "votes": {"expected": 3, "highest_expected": 4, "total": 2, "quorum": 1},
        "flags": ["2Node", "Quorate"], "token_lost": 4,
        "links": [
            {"id": 0, "addr": "172.16.1.2", "peers": {
                "db1": {"connected": True, "mtu": 1397, "latency": 243, "down_count": 2},
                "3": NEVER | {"mtu": 469},
                "9": NEVER | {"connected": True, "mtu": 470},
            }},
            {"id": 1, "addr": "172.16.2.2", "peers": {"db1": NEVER}},
        ],
    }  # fmt: skip


def test_no_count_of_lost_tokens_is_none_lost_and_no_quorum_is_told() -> None:
    found = status(ICMAP, {}, QUORUM.replace("Quorate: Yes", "Quorate: No"))
    assert (found["token_lost"], found["quorate"]) == (0, False)


def test_the_map_is_read_by_its_types() -> None:
    text = "a.b (u8) = 1\nc (i32) = -2\nd (flt) = 0.5\ne (dbl) = 1.5\nf (str) = 10\ng (str) =\nh (str) = a = b (c)\n"
    found = parse_cmap(text)
    assert found == {"a.b": 1, "c": -2, "d": 0.5, "e": 1.5, "f": "10", "g": "", "h": "a = b (c)"}
    assert [type(value) for value in found.values()] == [int, int, float, float, str, str, str]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot read the output of corosync-cmapctl: it printed nothing"),
        ("a (u8) = 1\nno map", "cannot read the output of corosync-cmapctl: a line is not `KEY (TYPE) = VALUE` (line: 'no map')"),
    ],
)  # fmt: skip
def test_what_is_no_map_is_shown(text: str, words: str) -> None:
    with pytest.raises(Unreadable) as error:
        parse_cmap(text)
    assert str(error.value) == words


def test_a_map_without_this_node_says_so() -> None:
    with pytest.raises(Unreadable) as error:
        membership({}, {}, quorate=True)
    assert str(error.value) == (
        "cannot read the output of corosync-cmapctl: 'runtime.votequorum.this_node_id' is missing"
    )


@pytest.mark.parametrize(
    ("old", "new", "name", "line"),
    [
        ("Ring ID: ", "Ring-ID: ", "Ring ID", ""),
        ("Quorate: Yes", "Quorate Yes", "Quorate", "Quorate Yes"),
        ("Flags: ", "Flag: ", "Flags", ""),
        ("Expected votes:   3", "Expected votes:   -", "Expected votes", "Expected votes:   -"),
        ("Highest expected: 4", "Highest expected:", "Highest expected", "Highest expected:"),
        ("Total votes:      2", "Total votes:      2b", "Total votes", "Total votes:      2b"),
        ("Quorum:           1 ", "Quorum:           one ", "Quorum", "Quorum information"),
    ],
)
def test_the_fact_that_quorumtool_does_not_tell_is_named(old: str, new: str, name: str, line: str) -> None:
    with pytest.raises(Unreadable) as error:
        status(ICMAP, STATS, QUORUM.replace(old, new))
    told = f" (line: {line!r})" if line else ""
    assert str(error.value) == f"cannot read the output of corosync-quorumtool: it does not tell {name!r}{told}"
    assert error.value.line == line


def test_the_configuration_in_force_is_what_a_file_can_set_and_nothing_else() -> None:
    assert effective(ICMAP) == {
        "nodelist.node[db1].name": "db1", "nodelist.node[db1].nodeid": "1", "nodelist.node[db1].ring0_addr": "172.16.1.1",
        "nodelist.node[db2].name": "db2", "nodelist.node[db2].nodeid": "2",
        "nodelist.node[db2].ring0_addr": "172.16.1.2", "nodelist.node[db2].ring1_addr": "172.16.2.2",
        "nodelist.node[3].nodeid": "3", "nodelist.node[3].ring0_addr": "172.16.1.3",
        "quorum.wait_for_all": "1", "quorum.provider": "corosync_votequorum",
        "totem.token": "3000", "totem.interface[1].mcastport": "5406", "logging.debug": "off",
    }  # fmt: skip


def test_a_links_number_is_in_the_file_only_and_never_pending() -> None:
    file = parse("totem {\ntoken: 3000\ninterface {\nlinknumber: 1\nmcastport: 5406\n}\n}\n")
    icmap = {"totem.token": 3000, "totem.interface.1.mcastport": 5406}
    assert pending(icmap, file) == []
    (change,) = pending(icmap | {"totem.netmtu": 1500}, file)
    assert (change.path, change.old, change.new, change.impact) == ("totem.netmtu", "1500", None, "restart")
