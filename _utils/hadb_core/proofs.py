"""The proofs: one per step of the build, each a pure function of the document and both nodes' facts.

A proof is read-only and may be asked at any time. It returns findings; none means proven.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hadb_core import reservation
from hadb_core.cib_fencing import RESERVATIONS
from hadb_core.document import peer_of
from hadb_core.findings import Finding, is_error, no_answer, unreadable

Document = Mapping[str, Any]
Facts = Mapping[str, Mapping[str, Any]]

# What each proof needs to know about the nodes.
TOPICS = {
    "volume": ("volume", "cluster"),
    "membership": ("corosync",),
    "cluster": ("cluster",),
    "fencing": ("cluster", "bmc"),
    "reservations": ("reservations", "cluster"),
    "placement": ("cluster", "volume", "system"),
    "clients": ("clients",),
}


def prove(proof: str, document: Document, facts: Facts) -> list[Finding]:
    """Return what does not hold.

    proof
        A key of :data:`TOPICS`.
    document, facts
        As in :func:`hadb_core.preflight.check`; the facts hold the proof's topics.
    """
    found: list[Finding] = []
    for node in document["nodes"]:
        for topic in TOPICS[proof]:
            value = facts.get(node, {}).get(topic)
            if value is None:
                found.append(no_answer(node, proof))
            elif is_error(value):
                found.append(unreadable(node, proof, topic, value))
    return found or list(_PROOFS[proof](document, facts))


def _volume(document: Document, facts: Facts) -> Iterator[Finding]:
    """Both nodes see the one volume group, and it is open on at most the node where Pacemaker runs it."""
    storage = document["storage"]
    label = f"{storage['vg']}/{storage['lv']}"
    volumes = {node: facts[node]["volume"] for node in document["nodes"]}
    for node, volume in volumes.items():
        if not volume["exists"]:
            yield Finding(
                node,
                "volume",
                f"to see {label}",
                "nothing",
                "check that the node has paths to every LUN (`multipath -ll`) and `vgs --foreign`",
            )
    if len({volume["vg_uuid"] for volume in volumes.values() if volume["exists"]}) > 1:
        yield Finding(
            "cluster",
            "volume",
            f"one {storage['vg']} on both nodes",
            "two volume groups of that name",
            "the nodes do not see the same LUNs; correct zoning before anything else",
        )
    for owner in sorted({volume["system_id"] for volume in volumes.values() if volume["exists"]} - set(volumes)):
        yield Finding(
            "cluster",
            "volume",
            f"{storage['vg']} to belong to {' or '.join(volumes)}",
            f"it belongs to {owner or 'nobody'}",
            "make sure that no host but the cluster's uses it, then take it back on the node that is to have it: "
            f"`vgchange {_allowing(owner)}--systemid NODE {storage['vg']}`, and `crm resource cleanup`",
        )
    active = [node for node, volume in volumes.items() if volume["exists"] and volume["active"]]
    allowed = _owner(facts)
    for node in active:
        if node != allowed:
            yield Finding(
                node,
                "volume",
                f"{label} not active here",
                "it is active",
                f"unmount it and run `vgchange -an {storage['vg']}` on {node}; only Pacemaker may activate it",
            )


def _allowing(owner: str) -> str:
    """Return the words with which LVM lets a group of that owner be changed."""
    return f"--config 'local/extra_system_ids=[\"{owner}\"]' " if owner else ""


def _owner(facts: Facts) -> str:
    """Return the node on which Pacemaker has the volume, or ``""``."""
    for known in facts.values():
        if known["cluster"]["running"] and "db-lvm" in known["cluster"]["resources"]:
            return known["cluster"]["resources"]["db-lvm"]["node"] or ""
    return ""


def _membership(document: Document, facts: Facts) -> Iterator[Finding]:
    """Corosync runs on both nodes, both see each other over every link."""
    for node in document["nodes"]:
        known, peer = facts[node]["corosync"], peer_of(document, node)
        if not known["running"]:
            yield Finding(
                node,
                "membership",
                "Corosync running",
                "it does not run",
                "`journalctl -u corosync` on the node says why",
            )
            continue
        if peer not in known["members"]:
            yield Finding(
                node,
                "membership",
                f"{peer} as a member",
                f"members {', '.join(known['members'])}",
                "check the heartbeat cables, the firewall (UDP) and that both nodes have the same authkey",
            )
        for link in known["links"]:
            if not link["peers"].get(peer, False):
                yield Finding(
                    node,
                    "membership",
                    f"link {link['id']} ({link['addr']}) connected to {peer}",
                    "no connection",
                    "check that cable; the other links carry the cluster meanwhile",
                )
        if len(known["links"]) != len(document["nodes"][node]["links"]):
            yield Finding(
                node,
                "membership",
                f"{len(document['nodes'][node]['links'])} links",
                str(len(known["links"])),
                "corosync.conf in force differs from the pillar; see `corosync-cfgtool -s`",
            )


def _cluster(document: Document, facts: Facts) -> Iterator[Finding]:
    """Pacemaker has both nodes online with quorum."""
    for node in document["nodes"]:
        cluster = facts[node]["cluster"]
        if not cluster["running"]:
            yield Finding(
                node,
                "cluster",
                "Pacemaker running",
                "it does not run",
                "`journalctl -u pacemaker` on the node says why",
            )
            continue
        if not cluster["cluster"]["with_quorum"]:
            yield Finding(
                node,
                "cluster",
                "quorum",
                "none",
                "wait_for_all waits for the other node after both were down; start it",
            )
        for member in document["nodes"]:
            if not cluster["nodes"].get(member, {}).get("online"):
                yield Finding(
                    node,
                    "cluster",
                    f"{member} online",
                    "it is not",
                    f"look at `crm_mon -1` and the journal of {member}",
                )


def _fencing(document: Document, facts: Facts) -> Iterator[Finding]:
    """Each node's fencing device runs, not on its own target, and its BMC answers to the other node."""
    for node in document["nodes"]:
        peer, cluster = peer_of(document, node), facts[node]["cluster"]
        if not cluster["running"]:
            yield Finding(node, "fencing", "Pacemaker running", "it does not run", "start it")
            continue
        device = cluster["resources"].get(f"fence-{peer}")
        if device is None or not device["active"] or device["failed"]:
            yield Finding(
                node,
                "fencing",
                f"fence-{peer} started",
                "it is not" if device else "no such device",
                f"`crm_mon -1` shows its failure; ask the BMC by hand: `salt-call ipmitool.power_status {document['nodes'][peer]['bmc']['address']}`",
            )
        elif device["node"] == peer:
            yield Finding(
                node,
                "fencing",
                f"fence-{peer} not on its own target",
                f"it runs on {peer}",
                "the location constraint is missing; run hadb.orch again",
            )
        bmc = facts[node]["bmc"]
        if bmc.get("not_installed") or bmc["power"] != "on":
            yield Finding(
                node,
                "fencing",
                f"the BMC of {peer} to say that its power is on",
                str(bmc.get("power", "ipmitool is not installed")),
                f"check hadb:nodes:{peer}:bmc and the way from {node} to it",
            )


def _reservations(document: Document, facts: Facts) -> Iterator[Finding]:
    """Every LUN is reserved for the node with the volume, which is registered on each of its paths, and nobody else is.

    The device of the second fencing level runs.
    """
    owner = _owner(facts) if reservation.wanted(document) else ""
    if not owner:
        return
    device = facts[owner]["cluster"].get("resources", {}).get(RESERVATIONS)
    if device is None or not device["active"] or device["failed"]:
        yield Finding(
            "cluster",
            "reservations",
            f"{RESERVATIONS} started",
            "it is not" if device else "no such device",
            f"`crm_mon -1` shows its failure; `crm resource cleanup {RESERVATIONS}` once it is repaired",
        )
    own = reservation.keys(document)[owner]
    for wwid, lun in facts[owner]["reservations"].items():
        held = lun["held"] or {"key": "nobody's", "type": "none"}
        if held["key"] != own or not reservation.TYPE.search(held["type"]):
            yield Finding(
                owner,
                "reservations",
                f"LUN {wwid} reserved for {owner} (key {own}, write exclusive, registrants only)",
                f"the key that holds it is {held['key']}, the type {held['type']}",
                "`crm resource restart db-lvm` reserves it anew and interrupts the database",
            )
        others = sorted(set(lun["keys"]) - {own})
        if others:
            yield Finding(
                owner,
                "reservations",
                f"only {owner} registered on LUN {wwid}",
                f"also {', '.join(others)}",
                "find out whose key that is; docs/runbook.md says how to take one away",
            )
        if lun["keys"].count(own) < lun["paths"]:
            yield Finding(
                owner,
                "reservations",
                f"{owner} registered on each of its {lun['paths']} paths to LUN {wwid}",
                f"on {lun['keys'].count(own)}",
                f"`multipathd show maps raw format '%n %r'` on {owner}; what is written over a path without registration is refused",
            )


def _placement(document: Document, facts: Facts) -> Iterator[Finding]:
    """The whole group runs on one node, the volume is mounted there and only there, and so are the VIPs."""
    mount = document["storage"]["filesystem"]["mount_point"]
    cluster = next(
        (facts[node]["cluster"] for node in document["nodes"] if facts[node]["cluster"]["running"]), None
    )
    if cluster is None:
        yield Finding(
            "cluster", "placement", "Pacemaker running", "it runs nowhere", "start it on both nodes"
        )
        return
    wanted = ["db-lvm", "db-fs", *(f"vip-{name}" for name in document["vips"]), "db-server"]
    where = {name: cluster["resources"].get(name, {"node": None})["node"] for name in wanted}
    stopped = [name for name, node in where.items() if not node]
    if stopped:
        held = "; ".join(cluster["holds"])
        yield Finding(
            "cluster",
            "placement",
            f"{', '.join(stopped)} running",
            f"stopped ({held})" if held else "stopped",
            "`crm_mon -1rf` shows failures; `crm resource start db` if an operator stopped it",
        )
        return
    if len(set(where.values())) > 1:
        yield Finding(
            "cluster",
            "placement",
            "all of the group on one node",
            str(where),
            "`crm_mon -1rf` on either node",
        )
        return
    owner = where["db-server"]
    for node in document["nodes"]:
        mounted = mount in facts[node]["volume"]["mounted_at"]
        if mounted != (node == owner):
            yield Finding(
                node,
                "placement",
                f"{mount} {'mounted' if node == owner else 'not mounted'}",
                "the opposite",
                "do not mount by hand; look at `crm_mon -1rf`",
            )
        here = {
            address.split("/")[0]
            for addresses in facts[node]["system"]["interfaces"].values()
            for address in addresses
        }
        for name, vip in document["vips"].items():
            if (vip["address"] in here) != (node == owner):
                yield Finding(
                    node,
                    "placement",
                    f"vip-{name} {'here' if node == owner else 'not here'}",
                    "the opposite",
                    "`ip addr` and `crm_mon -1rf`",
                )


def _clients(document: Document, facts: Facts) -> Iterator[Finding]:
    """Every account reaches the database through every VIP, from both nodes over TCP."""
    for node in document["nodes"]:
        for check in facts[node]["clients"]:
            if not check["ok"]:
                yield Finding(
                    node,
                    "clients",
                    f"{check['account']} to reach the database at {check['address']}:{document['database']['port']}",
                    check["error"],
                    "check the VIP, the firewall and the account's password and hosts",
                )


_PROOFS: dict[str, Callable[[Document, Facts], Iterator[Finding]]] = {
    "volume": _volume,
    "membership": _membership,
    "cluster": _cluster,
    "fencing": _fencing,
    "reservations": _reservations,
    "placement": _placement,
    "clients": _clients,
}
