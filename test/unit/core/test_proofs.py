"""Each proof holds on a whole cluster and fails, for the right reason, on a broken one."""

from __future__ import annotations

from pathlib import Path

import pytest
from core_shapes import NODES, VIPS, whole
from facts import cluster, volume

from documents import document
from hadb_core.corosync_runtime import membership, parse_cmap
from hadb_core.proofs import TOPICS, prove

COROSYNC = Path(__file__).parents[1] / "corosync/fixtures/3.1.9"


def said(proof, facts):
    return "\n".join(map(str, prove(proof, document(), facts)))


@pytest.mark.parametrize("proof", TOPICS)
def test_every_proof_holds_on_a_whole_cluster(proof):
    assert said(proof, whole()) == ""


@pytest.mark.parametrize("proof", TOPICS)
def test_no_proof_holds_without_an_answer(proof):
    facts = whole()
    del facts["db2"]
    assert "db2" in said(proof, facts)


@pytest.mark.parametrize("proof", TOPICS)
def test_no_proof_holds_on_facts_that_cannot_be_read(proof):
    facts = whole()
    facts["db2"][TOPICS[proof][0]] = {"error": "vgs failed"}
    assert "found vgs failed" in said(proof, facts)


def test_a_cut_cable_is_told_of_what_a_real_corosync_answers():
    maps = (parse_cmap((COROSYNC / f"onelink.{name}").read_text()) for name in ("icmap", "stats"))
    facts = whole()
    facts["db1"]["corosync"] = membership(*maps, quorate=True)
    assert "db1, membership: expected link 0 (172.16.1.1) connected to db2; found no connection" in said("membership", facts)


def test_volume_active_on_the_wrong_node():
    facts = whole()
    facts["db2"]["volume"] = volume(active=True)
    assert "db2, volume: expected db-vg/db-vol not active here" in said("volume", facts)


def test_volume_active_anywhere_before_there_is_a_cluster():
    facts = whole()
    for node in NODES:
        facts[node]["cluster"] = {"running": False}
    assert "db1, volume: expected db-vg/db-vol not active here" in said("volume", facts)


def test_volume_not_seen_or_another_one():
    facts = whole()
    facts["db2"]["volume"] = volume(exists=False, vg_uuid=None)
    assert "db2, volume: expected to see db-vg/db-vol" in said("volume", facts)
    facts["db2"]["volume"] = volume(vg_uuid="uuid-2")
    assert "two volume groups of that name" in said("volume", facts)


def test_volume_group_that_was_given_to_another_host_or_to_nobody():
    facts = whole()
    for node in NODES:
        facts[node]["volume"] |= {"system_id": "thief"}
    assert "cluster, volume: expected db-vg to belong to db1 or db2; found it belongs to thief" in said("volume", facts)
    for node in NODES:
        facts[node]["volume"] |= {"system_id": ""}
    assert "found it belongs to nobody" in said("volume", facts)


def test_volume_group_of_either_node_or_not_seen_at_all_was_not_given_away():
    facts = whole()
    for node in NODES:
        facts[node]["volume"] |= {"system_id": "db2"}
    assert said("volume", facts) == ""
    facts["db1"]["volume"] = volume(exists=False, vg_uuid=None, system_id="")
    assert "belongs to" not in said("volume", facts)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"running": False}, "expected Corosync running"),
        ({"members": ["db1"]}, "expected db2 as a member"),
        ({"links": [{"id": 0, "addr": "a", "peers": {"db2": True}}]}, "expected 2 links; found 1"),
    ],
)
def test_membership(change, wanted):
    facts = whole()
    facts["db1"]["corosync"] |= change
    assert wanted in said("membership", facts)


def test_membership_needs_every_link():
    facts = whole()
    facts["db1"]["corosync"]["links"][1]["peers"]["db2"] = False
    assert "expected link 1 (172.16.2.1) connected to db2" in said("membership", facts)


def test_cluster_needs_quorum_and_both_nodes():
    facts = whole()
    facts["db1"]["cluster"]["nodes"]["db2"]["online"] = False
    facts["db1"]["cluster"]["cluster"]["with_quorum"] = False
    assert "expected db2 online" in said("cluster", facts)
    assert "expected quorum" in said("cluster", facts)


def test_fencing_device_stopped_or_on_its_own_target():
    facts = whole()
    for node in NODES:
        facts[node]["cluster"]["resources"]["fence-db2"] = {"node": "db2", "active": True, "failed": False}
    assert "expected fence-db2 not on its own target" in said("fencing", facts)
    for node in NODES:
        facts[node]["cluster"]["resources"]["fence-db2"] = {"node": None, "active": False, "failed": False}
    assert "db1, fencing: expected fence-db2 started" in said("fencing", facts)


def test_fencing_needs_the_bmc_to_answer():
    facts = whole()
    facts["db2"]["bmc"] = {"power": "no answer (timeout)"}
    assert "db2, fencing: expected the BMC of db1 to say" in said("fencing", facts)


def test_placement_tells_what_is_stopped_and_who_holds_it():
    facts = whole()
    for node in NODES:
        facts[node]["cluster"] = cluster(owner=None, holds=["db: target-role=Stopped"])
    assert "stopped (db: target-role=Stopped)" in said("placement", facts)


def test_placement_finds_a_second_mount_and_a_vip_on_the_wrong_node():
    facts = whole()
    facts["db2"]["volume"]["mounted_at"] = ["/dbmnt"]
    facts["db2"]["system"]["interfaces"]["vec0"].append(VIPS[0])
    text = said("placement", facts)
    assert "db2, placement: expected /dbmnt not mounted" in text
    assert "db2, placement: expected vip-nova not here" in text


def test_clients_say_why_they_cannot_connect():
    facts = whole()
    facts["db2"]["clients"] = [
        {"account": "nova", "address": "10.20.0.50", "ok": False, "error": "Access denied"}
    ]
    assert "expected nova to reach the database at 10.20.0.50:3306; found Access denied" in said(
        "clients", facts
    )


@pytest.mark.parametrize("proof", ["cluster", "fencing"])
def test_without_pacemaker_nothing_of_it_is_proven(proof):
    facts = whole()
    facts["db1"]["cluster"] = cluster(running=False)
    assert f"db1, {proof}: expected Pacemaker running" in said(proof, facts)


def test_placement_without_pacemaker_anywhere_and_with_a_group_torn_apart():
    facts = whole()
    for node in NODES:
        facts[node]["cluster"]["resources"]["vip-nova"]["node"] = "db2"
    assert "all of the group on one node" in said("placement", facts)
    for node in NODES:
        facts[node]["cluster"]["running"] = False
    assert "it runs nowhere" in said("placement", facts)


def test_placement_needs_mount_and_addresses_where_the_database_is():
    facts = whole()
    facts["db2"]["volume"]["mounted_at"] = ["/dbmnt"]
    facts["db1"]["system"]["interfaces"]["vec0"] = ["10.20.0.11/24"]
    told = said("placement", facts)
    assert "db2, placement: expected /dbmnt not mounted" in told
    assert "db1, placement: expected vip-nova here; found the opposite" in told
