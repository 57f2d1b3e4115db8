"""What a failed proof tells the operator, word by word: it is what they act on at night."""

from __future__ import annotations

from typing import Any

import pytest
from core_shapes import NODES, VIPS, whole
from facts import cluster, volume

from documents import document
from hadb_core.findings import report
from hadb_core.proofs import prove


def broken(path: str, value: Any) -> dict[str, Any]:
    """Return the whole cluster's facts with ``value`` at ``path`` (colons) of each node that it names (``db1``, ``both``)."""
    facts = whole()
    first, *parents, last = path.split(":")
    for node in NODES if first == "both" else (first,):
        place = facts[node]
        for key in parents:
            place = place[int(key) if isinstance(place, list) else key]
        place[last] = value
    return facts


def told(proof: str, facts: dict[str, Any]) -> list[str]:
    return report(prove(proof, document(), facts)).splitlines()


@pytest.mark.parametrize(("path", "value", "wanted"), [
    ("db2:volume", volume(exists=False, vg_uuid=None), [
        "db2, volume: expected to see db-vg/db-vol; found nothing. What to do: check that the node has paths to every LUN "
        "(`multipath -ll`) and `vgs --foreign`"]),
    ("db2:volume", volume(vg_uuid="uuid-2"), [
        "cluster, volume: expected one db-vg on both nodes; found two volume groups of that name. "
        "What to do: the nodes do not see the same LUNs; correct zoning before anything else"]),
    ("db2:volume", volume(active=True), [
        "db2, volume: expected db-vg/db-vol not active here; found it is active. What to do: unmount it and run "
        "`vgchange -an db-vg` on db2; only Pacemaker may activate it"]),
    ("both:volume", volume(system_id="thief"), [
        "cluster, volume: expected db-vg to belong to db1 or db2; found it belongs to thief. What to do: make sure that no host "
        "but the cluster's uses it, then take it back on the node that is to have it: `vgchange --config "
        "'local/extra_system_ids=[\"thief\"]' --systemid NODE db-vg`, and `crm resource cleanup`"]),
    ("both:volume", volume(system_id=""), [
        "cluster, volume: expected db-vg to belong to db1 or db2; found it belongs to nobody. What to do: make sure that no host "
        "but the cluster's uses it, then take it back on the node that is to have it: `vgchange --systemid NODE db-vg`, and "
        "`crm resource cleanup`"]),
    # Stopped by Pacemaker, and still active: no node is the one that may have it.
    ("both:cluster", cluster(owner=None), [
        "db1, volume: expected db-vg/db-vol not active here; found it is active. What to do: unmount it and run "
        "`vgchange -an db-vg` on db1; only Pacemaker may activate it"]),
])  # fmt: skip
def test_of_the_volume(path, value, wanted):
    assert told("volume", broken(path, value)) == wanted


@pytest.mark.parametrize(("path", "value"), [("both:cluster:resources", {}), ("both:cluster:running", False)])
def test_without_the_resource_or_pacemaker_no_node_may_have_the_volume(path, value):
    found = prove("volume", document(), broken(path, value))
    assert [(one.node, one.found) for one in found] == [("db1", "it is active")]


@pytest.mark.parametrize(("path", "value", "wanted"), [
    ("both:corosync:running", False, [
        f"{node}, membership: expected Corosync running; found it does not run. "
        "What to do: `journalctl -u corosync` on the node says why" for node in NODES]),
    ("db2:corosync:members", ["db2", "db3"], [
        "db2, membership: expected db1 as a member; found members db2, db3. What to do: "
        "check the heartbeat cables, the firewall (UDP) and that both nodes have the same authkey"]),
    # A peer that Corosync does not list for a link is not connected over it.
    ("db1:corosync:links", [{"id": 0, "addr": "172.16.1.1", "peers": {}}], [
        "db1, membership: expected link 0 (172.16.1.1) connected to db2; found no connection. "
        "What to do: check that cable; the other links carry the cluster meanwhile",
        "db1, membership: expected 2 links; found 1. "
        "What to do: corosync.conf in force differs from the pillar; see `corosync-cfgtool -s`"]),
])  # fmt: skip
def test_of_the_membership(path, value, wanted):
    assert told("membership", broken(path, value)) == wanted


@pytest.mark.parametrize(("path", "value", "wanted"), [
    ("both:cluster:running", False, [
        f"{node}, cluster: expected Pacemaker running; found it does not run. "
        "What to do: `journalctl -u pacemaker` on the node says why" for node in NODES]),
    ("db1:cluster:cluster:with_quorum", False, [
        "db1, cluster: expected quorum; found none. "
        "What to do: wait_for_all waits for the other node after both were down; start it"]),
    # A node that Pacemaker has never heard of is as little online as one that is down.
    ("db1:cluster:nodes", {"db1": {"online": True}}, [
        "db1, cluster: expected db2 online; found it is not. What to do: look at `crm_mon -1` and the journal of db2"]),
    ("db2:cluster:nodes:db1", {"online": False}, [
        "db2, cluster: expected db1 online; found it is not. What to do: look at `crm_mon -1` and the journal of db1"]),
])  # fmt: skip
def test_of_the_cluster(path, value, wanted):
    assert told("cluster", broken(path, value)) == wanted


BY_HAND = "`crm_mon -1` shows its failure; ask the BMC by hand: `salt-call ipmitool.power_status 10.20.0.102`"
BMC_OF_DB1 = "What to do: check hadb:nodes:db1:bmc and the way from db2 to it"


@pytest.mark.parametrize(("path", "value", "wanted"), [
    ("both:cluster:running", False, [
        f"{node}, fencing: expected Pacemaker running; found it does not run. What to do: start it" for node in NODES]),
    ("db1:cluster:resources:fence-db2", {"node": None, "active": False, "failed": False}, [
        f"db1, fencing: expected fence-db2 started; found it is not. What to do: {BY_HAND}"]),
    ("db1:cluster:resources:fence-db2", {"node": "db1", "active": True, "failed": True}, [
        f"db1, fencing: expected fence-db2 started; found it is not. What to do: {BY_HAND}"]),
    ("db1:cluster:resources", {}, [
        f"db1, fencing: expected fence-db2 started; found no such device. What to do: {BY_HAND}"]),
    ("both:cluster:resources:fence-db2", {"node": "db2", "active": True, "failed": False}, [
        "db1, fencing: expected fence-db2 not on its own target; found it runs on db2. "
        "What to do: the location constraint is missing; run hadb.orch again"]),
    ("db2:bmc", {"power": "off"}, [
        f"db2, fencing: expected the BMC of db1 to say that its power is on; found off. {BMC_OF_DB1}"]),
    ("db2:bmc", {"not_installed": True}, [
        "db2, fencing: expected the BMC of db1 to say that its power is on; found ipmitool is not installed. "
        f"{BMC_OF_DB1}"]),
])  # fmt: skip
def test_of_fencing(path, value, wanted):
    assert told("fencing", broken(path, value)) == wanted


FAILURES = "What to do: `crm_mon -1rf` shows failures; `crm resource start db` if an operator stopped it"
DO_NOT_MOUNT = "found the opposite. What to do: do not mount by hand; look at `crm_mon -1rf`"
LOOK = "found the opposite. What to do: `ip addr` and `crm_mon -1rf`"


@pytest.mark.parametrize(("path", "value", "wanted"), [
    ("both:cluster:running", False, [
        "cluster, placement: expected Pacemaker running; found it runs nowhere. What to do: start it on both nodes"]),
    ("both:cluster", cluster(owner=None, holds=["db: stopped", "db2: standby"]), [
        "cluster, placement: expected db-lvm, db-fs, vip-nova, vip-glance, db-server running; "
        f"found stopped (db: stopped; db2: standby). {FAILURES}"]),
    ("both:cluster:resources:vip-glance:node", None, [
        f"cluster, placement: expected vip-glance running; found stopped. {FAILURES}"]),
    # Not yet in the CIB is not running either.
    ("both:cluster:resources", {}, [
        "cluster, placement: expected db-lvm, db-fs, vip-nova, vip-glance, db-server running; "
        f"found stopped. {FAILURES}"]),
    ("both:cluster:resources:vip-nova:node", "db2", [
        "cluster, placement: expected all of the group on one node; found {'db-lvm': 'db1', 'db-fs': 'db1', "
        "'vip-nova': 'db2', 'vip-glance': 'db1', 'db-server': 'db1'}. What to do: `crm_mon -1rf` on either node"]),
    ("both:volume:mounted_at", [], [f"db1, placement: expected /dbmnt mounted; {DO_NOT_MOUNT}"]),
    ("both:volume:mounted_at", ["/mnt", "/dbmnt"], [f"db2, placement: expected /dbmnt not mounted; {DO_NOT_MOUNT}"]),
    ("db1:system:interfaces", {"lo": [], "vec0": ["10.20.0.11/24", VIPS[0]]}, [
        f"db1, placement: expected vip-glance here; {LOOK}"]),
    ("db2:system:interfaces", {"lo": ["10.20.0.51/32"], "vec0": []}, [
        f"db2, placement: expected vip-glance not here; {LOOK}"]),
])  # fmt: skip
def test_of_the_placement(path, value, wanted):
    assert told("placement", broken(path, value)) == wanted


def test_the_placement_is_asked_of_the_node_whose_pacemaker_runs():
    assert told("placement", broken("db1:cluster:running", False)) == []


def test_of_the_clients_each_account_at_each_address():
    refused = {"account": "glance", "address": "10.20.0.51", "ok": False, "error": "Access denied"}
    facts = broken("db2:clients", [{"account": "nova", "address": "10.20.0.50", "ok": True}, refused, refused])
    assert told("clients", facts) == 2 * [
        "db2, clients: expected glance to reach the database at 10.20.0.51:3306; found Access denied. "
        "What to do: check the VIP, the firewall and the account's password and hosts"]  # fmt: skip


def test_of_every_topic_that_is_missing_or_cannot_be_read():
    facts = whole()
    facts["db2"] = {"cluster": {"error": "crm_mon failed"}, "volume": volume()}
    assert told("placement", facts) == [
        "db2, placement: expected cluster facts that can be read; found crm_mon failed. "
        "What to do: repair what the message names; nothing is guessed",
        "db2, placement: expected an answer from its Salt minion; found none. "
        "What to do: look whether the node is up and salt-minion runs; both nodes are needed",
    ]
