"""Two real Corosync daemons with hadb's own file: membership, cut cables, reload, a wrong key."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import chroots
import pytest
from corosync_pair import NODES, Pair, pair, until
from joined_module import corosync as joined

from hadb_core import corosync_conf, corosync_wanted
from hadb_core.errors import CommandFailed, Refused

pytestmark = pytest.mark.skipif(
    not shutil.which("mmdebstrap") or os.geteuid() != 0,
    reason="needs root, mmdebstrap and network namespaces",
)

SETTINGS = {"port": 5405, "token": 1000, "crypto_cipher": "aes256", "crypto_hash": "sha256"}
KEY = bytes(range(256))


def wanted(**settings: object) -> str:
    return corosync_conf.render(corosync_wanted.wanted("nova-db", NODES, {**SETTINGS, **settings}))


@pytest.fixture(params=chroots.SUITES)
def nodes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    with pair(chroots.chroot(request.param), tmp_path) as both:
        for node in NODES:
            both.configure(node, wanted(), KEY)
        yield both


@pytest.fixture
def corosync(nodes: Pair) -> SimpleNamespace:
    module = joined(nodes.run_all("db1"))
    module.salt["corosync.configuration"] = lambda: (nodes.scratch / "db1/corosync.conf").read_text()
    return module


def formed(nodes: Pair, corosync: SimpleNamespace) -> None:
    for node in NODES:
        nodes.start(node)
    until(lambda: members(corosync) == ["db1", "db2"] and all(peers(corosync)), 30)


def members(corosync: SimpleNamespace) -> list[str]:
    try:
        return corosync.membership().get("members", [])
    except CommandFailed:
        return []  # it is starting and does not answer yet


def peers(corosync: SimpleNamespace) -> list[bool]:
    return [link["peers"]["db2"] for link in corosync.membership()["links"]]


def test_two_nodes_form_a_quorate_membership_over_both_links(nodes: Pair, corosync: SimpleNamespace) -> None:
    formed(nodes, corosync)
    assert corosync.membership() == {
        "running": True, "node_id": 1, "name": "db1", "members": ["db1", "db2"], "quorate": True,
        "two_node": True, "wait_for_all": True, "waiting_for_all": False,
        "links": [
            {"id": 0, "addr": "172.16.1.1", "peers": {"db2": True}},
            {"id": 1, "addr": "172.16.2.1", "peers": {"db2": True}},
        ],
    }  # fmt: skip
    assert corosync.pending()["changes"] == {}


def test_the_status_tells_ring_votes_and_what_the_links_are_like(nodes: Pair, corosync: SimpleNamespace) -> None:
    formed(nodes, corosync)
    found = corosync.status()
    assert found["votes"] == {"expected": 2, "highest_expected": 2, "total": 2, "quorum": 1}
    assert {"2Node", "Quorate", "WaitForAll"} <= set(found["flags"])
    assert found["ring_id"].startswith("1.") and found["version"].startswith("3.1.")
    for link in found["links"]:
        assert link["peers"]["db2"]["connected"] and link["peers"]["db2"]["mtu"] > 400


def test_a_cut_cable_shows_its_link_down_and_costs_no_member(nodes: Pair, corosync: SimpleNamespace) -> None:
    formed(nodes, corosync)
    rounds = corosync._cmap("stats")["stats.srp.gather_entered"]
    # At once: libknet is slowest to give up a link that has just come up.
    nodes.cut(0)
    until(lambda: peers(corosync) == [False, True], 15)
    assert corosync.membership()["members"] == ["db1", "db2"]
    nodes.heal(0)
    until(lambda: peers(corosync) == [True, True], 10)
    assert corosync._cmap("stats")["stats.srp.gather_entered"] == rounds, "the token was lost"


def test_a_node_alone_after_boot_waits_for_the_other(nodes: Pair, corosync: SimpleNamespace) -> None:
    nodes.start("db1")
    until(lambda: members(corosync) == ["db1"], 30)
    alone = corosync.membership()
    assert (alone["quorate"], alone["waiting_for_all"]) == (False, True)


def test_a_node_whose_peer_died_goes_on_with_quorum(nodes: Pair, corosync: SimpleNamespace) -> None:
    formed(nodes, corosync)
    nodes.kill("db2")
    until(lambda: members(corosync) == ["db1"], 10)
    assert corosync.membership()["quorate"] is True


def test_a_node_with_another_key_is_not_let_in(nodes: Pair, corosync: SimpleNamespace) -> None:
    nodes.configure("db2", wanted(), bytes(256))
    nodes.start("db1")
    nodes.start("db2")
    until(lambda: members(corosync) == ["db1"], 30)
    with pytest.raises(AssertionError):
        until(lambda: members(corosync) == ["db1", "db2"], 5)


def test_a_token_change_waits_for_a_reload_which_reaches_both_nodes(
    nodes: Pair, corosync: SimpleNamespace
) -> None:
    formed(nodes, corosync)
    for node in NODES:
        nodes.configure(node, wanted(token=2000), KEY)
    assert corosync.pending()["changes"] == {"totem.token": {"old": "1000", "new": "2000"}}
    corosync.reload()
    until(lambda: corosync.pending()["changes"] == {}, 5)
    other = joined(nodes.run_all("db2"))
    assert other._cmap("icmap")["runtime.config.totem.token"] == 2000
    assert members(corosync) == ["db1", "db2"]


def test_a_cipher_change_is_taken_by_a_reload_without_losing_a_member(
    nodes: Pair, corosync: SimpleNamespace
) -> None:
    formed(nodes, corosync)
    for node in NODES:
        nodes.configure(node, wanted(crypto_cipher="aes128", crypto_hash="sha512"), KEY)
    corosync.reload()
    until(lambda: corosync.pending()["changes"] == {}, 5)
    assert members(corosync) == ["db1", "db2"]


def test_a_port_change_is_refused_as_a_reload(nodes: Pair, corosync: SimpleNamespace) -> None:
    formed(nodes, corosync)
    for node in NODES:
        nodes.configure(node, wanted(port=6000), KEY)
    assert corosync.pending()["impact"] == "restart"
    with pytest.raises(Refused, match=r"mcastport"):
        corosync.reload()
