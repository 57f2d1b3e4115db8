"""What real Corosync daemons answered, read. The fixtures are of two daemons joined by two cables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hadb_core.corosync_conf import parse
from hadb_core.corosync_runtime import effective, membership, parse_cmap, pending, status
from hadb_core.errors import Unreadable

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(params=["3.1.7", "3.1.9", "3.1.10"])
def version(request: pytest.FixtureRequest) -> str:
    return request.param


def read(version: str, case: str, *, quorate: bool = True) -> dict[str, Any]:
    maps = (parse_cmap((FIXTURES / version / f"{case}.{name}").read_text()) for name in ("icmap", "stats"))
    return membership(*maps, quorate=quorate)


def test_a_healthy_pair(version: str) -> None:
    assert read(version, "healthy") == {
        "running": True, "node_id": 1, "name": "db1", "members": ["db1", "db2"], "quorate": True, "two_node": True,
        "wait_for_all": True, "waiting_for_all": False,
        "links": [
            {"id": 0, "addr": "172.16.1.1", "peers": {"db2": True}},
            {"id": 1, "addr": "172.16.2.1", "peers": {"db2": True}},
        ],
    }  # fmt: skip


def test_one_cable_cut(version: str) -> None:
    found = read(version, "onelink")
    assert found["members"] == ["db1", "db2"]
    assert [link["peers"]["db2"] for link in found["links"]] == [False, True]


def test_the_peer_is_gone(version: str) -> None:
    found = read(version, "alone")
    assert found["members"] == ["db1"]
    assert [link["peers"]["db2"] for link in found["links"]] == [False, False]


def test_alone_since_the_start_it_waits(version: str) -> None:
    found = read(version, "waiting", quorate=False)
    assert (found["members"], found["quorate"], found["waiting_for_all"]) == (["db1"], False, True)


def test_the_running_configuration_reads_like_a_file(version: str) -> None:
    found = effective(parse_cmap((FIXTURES / version / "healthy.icmap").read_text()))
    assert found["totem.token"] == "3000"
    assert found["nodelist.node[db2].ring1_addr"] == "172.16.2.2"
    assert found["totem.interface[1].mcastport"] == "5406"
    assert not any("bindnetaddr" in path or "local_node_pos" in path for path in found)


def test_a_file_that_differs_from_the_running_one_is_pending(version: str) -> None:
    icmap = parse_cmap((FIXTURES / version / "healthy.icmap").read_text())
    text = (FIXTURES / version / "pair.conf").read_text()
    assert pending(icmap, parse(text)) == []
    text = text.replace("token: 3000", "token: 5000")
    (change,) = pending(icmap, parse(text))
    assert (change.path, change.old, change.new, change.impact) == ("totem.token", "3000", "5000", "reload")


def test_an_operators_order_to_start_alone_is_no_setting_that_waits() -> None:
    told = (FIXTURES / "3.1.9/healthy.icmap").read_text() + "quorum.cancel_wait_for_all (u8) = 1\n"
    icmap = parse_cmap(told)
    assert icmap["quorum.cancel_wait_for_all"] == 1
    assert pending(icmap, parse((FIXTURES / "3.1.9/pair.conf").read_text())) == []


@pytest.mark.parametrize("text", ["", "Failed to initialize the cmap API\n", "totem.token = 3000\n"])
def test_an_answer_that_is_no_map_is_never_an_empty_cluster(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_cmap(text)


def test_a_map_without_quorum_is_never_an_empty_cluster() -> None:
    with pytest.raises(Unreadable, match=r"this_node_id"):
        membership({"totem.token": 1}, {}, quorate=True)


def all_of(version: str, case: str) -> dict[str, Any]:
    icmap, stats, told = ((FIXTURES / version / f"{case}.{kind}").read_text() for kind in ("icmap", "stats", "quorum"))
    return status(parse_cmap(icmap), parse_cmap(stats), told)


def test_the_status_is_the_membership_with_ring_votes_and_links(version: str) -> None:
    found = all_of(version, "healthy")
    assert found["votes"] == {"expected": 2, "highest_expected": 2, "total": 2, "quorum": 1}
    assert (found["quorate"], found["flags"]) == (True, ["2Node", "Quorate", "WaitForAll"])
    assert found["ring_id"].partition(".")[0] == "1" and found["token_lost"] == 0
    peer = found["links"][1]["peers"]["db2"]
    assert peer["connected"] and peer["mtu"] > 400 and peer["latency"] > 0
    same = read(version, "healthy")
    assert {key: found[key] for key in same if key != "links"} == {key: same[key] for key in same if key != "links"}


def test_the_status_tells_which_link_is_down(version: str) -> None:
    found = all_of(version, "onelink")
    assert [link["peers"]["db2"]["connected"] for link in found["links"]] == [False, True]


def test_the_status_of_a_node_that_waits_for_the_other(version: str) -> None:
    found = all_of(version, "waiting")
    assert (found["quorate"], found["waiting_for_all"], found["votes"]["total"]) == (False, True, 1)


@pytest.mark.parametrize(("old", "new"), [("Ring ID:", "Rong:"), ("Total votes:      2", "Total votes:      many"), ("Flags:", "F")])
def test_a_quorum_that_is_not_told_is_not_taken_for_none(version: str, old: str, new: str) -> None:
    icmap, stats = (parse_cmap((FIXTURES / version / f"healthy.{name}").read_text()) for name in ("icmap", "stats"))
    told = (FIXTURES / version / "healthy.quorum").read_text()
    with pytest.raises(Unreadable, match="corosync-quorumtool"):
        status(icmap, stats, told.replace(old, new))


def test_a_line_that_is_no_number_is_shown(version: str) -> None:
    told = (FIXTURES / version / "healthy.quorum").read_text().replace("votes:      2", "votes:      many")
    with pytest.raises(Unreadable) as error:
        status({}, {}, told)
    assert "many" in error.value.line
