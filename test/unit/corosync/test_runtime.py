"""What real Corosync daemons answered, read. The fixtures are of two daemons joined by two cables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hadb_core.corosync_conf import parse
from hadb_core.corosync_runtime import effective, membership, parse_cmap, pending
from hadb_core.errors import Unreadable

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(params=["3.1.7", "3.1.9"])
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
    text = "\n".join(
        f"{section} {{\n{lines}\n}}"
        for section, lines in {
            "totem": "version: 2\ncluster_name: nova-db\ntransport: knet\ncrypto_cipher: aes256\ncrypto_hash: sha256\n"
            "token: 5000\ntoken_retransmits_before_loss_const: 10\n"
            "interface {\nlinknumber: 0\nmcastport: 5405\n}\ninterface {\nlinknumber: 1\nmcastport: 5406\n}",
            "nodelist": "node {\nname: db1\nnodeid: 1\nring0_addr: 172.16.1.1\nring1_addr: 172.16.2.1\n}\n"
            "node {\nname: db2\nnodeid: 2\nring0_addr: 172.16.1.2\nring1_addr: 172.16.2.2\n}",
            "quorum": "provider: corosync_votequorum\ntwo_node: 1\nwait_for_all: 1",
            "logging": "to_stderr: no\nto_logfile: no\nto_syslog: yes\nsyslog_facility: daemon\ntimestamp: on",
        }.items()
    )
    (change,) = pending(icmap, parse(text))
    assert (change.path, change.old, change.new, change.impact) == ("totem.token", "3000", "5000", "reload")


@pytest.mark.parametrize("text", ["", "Failed to initialize the cmap API\n", "totem.token = 3000\n"])
def test_an_answer_that_is_no_map_is_never_an_empty_cluster(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_cmap(text)


def test_a_map_without_quorum_is_never_an_empty_cluster() -> None:
    with pytest.raises(Unreadable, match=r"this_node_id"):
        membership({"totem.token": 1}, {}, quorate=True)
