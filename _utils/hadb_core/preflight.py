"""What must hold before anything is changed: a pure function of the document and both nodes' facts.

The facts are what ``hadb.facts`` returns on each node. A topic that could not be read is
``{"error": text}`` there and becomes a finding: unknown is never taken for absent.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hadb_core import reservation
from hadb_core.block_lun import stage
from hadb_core.document import digest, peer_of
from hadb_core.errors import Refused
from hadb_core.findings import Finding, is_error, no_answer, unreadable

Document = Mapping[str, Any]
Facts = Mapping[str, Mapping[str, Any]]

# Clock skew that confuses nobody reading two logs side by side; the clocks are read within about a second.
MAX_SKEW = 10.0
# First releases with the fixes for the 2025 master and minion holes (CVE-2025-22236 and others,
# CVE-2025-62349); the 3007 line is no longer maintained since 2026-07-31.
SALT_FLOOR = {3006: (3006, 17), 3007: (3007, 9)}


def check(document: Document, facts: Facts) -> list[Finding]:
    """Return everything that speaks against going on; empty means go.

    document
        The merged document, already valid.
    facts
        ``{node: {topic: ...}}`` with the topics ``system``, ``luns``, ``bmc``, ``cipher_zero`` and ``reservations`` (any may be missing,
        then it is not looked at); a node that did not answer is missing.
    """
    found = [no_answer(node, "minion") for node in document["nodes"] if node not in facts]
    found += [unreadable(node, topic, topic, value) for node, known in facts.items()
              for topic, value in known.items() if is_error(value)]
    usable = {
        node: {topic: value for topic, value in known.items() if not is_error(value)}
        for node, known in facts.items()
    }
    checks: tuple[Callable[[Document, Facts], Iterator[Finding]], ...] = (
        _identity,
        _versions,
        _clocks,
        _interfaces,
        _vips_free,
        _ids,
        _same_luns,
        _lun_contents,
        _bmcs,
        _reserved,
    )
    return found + [finding for one in checks for finding in one(document, usable)]


def _systems(facts: Facts) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for node, known in facts.items():
        if "system" in known:
            yield node, known["system"]


def _identity(document: Document, facts: Facts) -> Iterator[Finding]:
    wanted = digest(document)
    for node, system in _systems(facts):
        if system["hostname"] != node:
            yield Finding(
                node,
                "name",
                f"host name {node}",
                system["hostname"],
                "the key under hadb:nodes must be what `uname -n` prints; rename one of the two",
            )
        if system["digest"] != wanted:
            yield Finding(
                node,
                "pillar",
                f"the pillar that the master has (fingerprint {wanted})",
                system["digest"],
                "give both nodes and the master ('*_master' in top.sls) the same hadb pillar, then `salt '*' saltutil.refresh_pillar`",
            )


def _versions(document: Document, facts: Facts) -> Iterator[Finding]:
    for node, system in _systems(facts):
        version = tuple(int(part) for part in re.findall(r"\d+", system["salt"])[:2]) or (0,)
        floor = SALT_FLOOR.get(version[0], (3006, 17))
        if version < floor:
            yield Finding(
                node,
                "salt",
                f"Salt {'.'.join(map(str, floor))} or newer",
                system["salt"],
                "upgrade: older releases have known remote holes",
            )
    cores = {system["core"] for _, system in _systems(facts)}
    if len(cores) > 1:
        yield Finding(
            "cluster",
            "modules",
            "one version of hadb's modules on both nodes",
            " and ".join(sorted(cores)),
            "`salt '*' saltutil.sync_all`, then restart salt-minion on both nodes",
        )


def _clocks(document: Document, facts: Facts) -> Iterator[Finding]:
    times = {node: system["time"] for node, system in _systems(facts)}
    if times and max(times.values()) - min(times.values()) > MAX_SKEW:
        yield Finding(
            "cluster",
            "clocks",
            f"clocks at most {MAX_SKEW:.0f} s apart",
            f"{max(times.values()) - min(times.values()):.0f} s",
            "make both nodes follow the same time server",
        )


def _interfaces(document: Document, facts: Facts) -> Iterator[Finding]:
    for node, system in _systems(facts):
        known = system["interfaces"]
        needed = dict.fromkeys(document["heartbeat"]["interfaces"], "hadb:heartbeat:interfaces")
        needed |= {vip["interface"]: f"hadb:vips:{name}:interface" for name, vip in document["vips"].items()}
        for interface, path in needed.items():
            if interface not in known:
                yield Finding(
                    node,
                    "network",
                    f"the interface {interface}",
                    f"only {', '.join(sorted(known))}",
                    f"correct {path} or the node's network",
                )
        for name, vip in document["vips"].items():
            address, here = ipaddress.ip_address(vip["address"]), known.get(vip["interface"], [])
            if here and not any(address in ipaddress.ip_interface(one).network for one in here):
                yield Finding(
                    node,
                    "network",
                    f"{vip['address']} in a network of {vip['interface']}",
                    ", ".join(here),
                    f"correct hadb:vips:{name}",
                )


def _vips_free(document: Document, facts: Facts) -> Iterator[Finding]:
    """A VIP may be on one of the nodes, or be remembered from when it was; anybody else at it is foreign."""
    ours = {hardware for _, system in _systems(facts) for hardware in system["hardware"]}
    for node, system in _systems(facts):
        for name, vip in document["vips"].items():
            hardware = system["neighbours"].get(vip["address"])
            if hardware and hardware not in ours:
                yield Finding(
                    node,
                    "vip",
                    f"nobody else at {vip['address']}",
                    f"an answer from {hardware}",
                    f"free the address or change hadb:vips:{name}:address",
                )


def _ids(document: Document, facts: Facts) -> Iterator[Finding]:
    user = document["database"]["user"]
    for node, system in _systems(facts):
        for kind, name, number in (
            ("user", user["name"], user["uid"]),
            ("group", user["group"], user["gid"]),
        ):
            seen = system["ids"][kind]
            if seen["number_of_name"] not in (None, number):
                yield Finding(
                    node,
                    kind,
                    f"{kind} {name} with id {number}",
                    f"id {seen['number_of_name']}",
                    f"set hadb:database:user to the id that both nodes can have, or remove the {kind} where it is unused",
                )
            if seen["name_of_number"] not in (None, name):
                yield Finding(
                    node,
                    kind,
                    f"id {number} free for {kind} {name}",
                    f"it belongs to {seen['name_of_number']}",
                    "choose another id under hadb:database:user",
                )


def _same_luns(document: Document, facts: Facts) -> Iterator[Finding]:
    seen = {
        node: {lun["wwid"]: lun for lun in known["luns"]} for node, known in facts.items() if "luns" in known
    }
    for wanted in document["storage"]["luns"]:
        wwid, sizes = wanted["wwid"], {}
        for node, luns in seen.items():
            if wwid not in luns:
                yield Finding(
                    node,
                    "storage",
                    f"the LUN {wwid}",
                    f"only {', '.join(sorted(luns)) or 'no SAN device'}",
                    "check zoning and LUN masking, rescan the HBA, or correct hadb:storage:luns",
                )
                continue
            sizes[node] = luns[wwid]["size"]
            if sizes[node] < wanted.get("min_size", 0):
                yield Finding(
                    node,
                    "storage",
                    f"{wwid} with at least {wanted['min_size']} bytes",
                    f"{sizes[node]} bytes",
                    "present a larger LUN or lower min_size",
                )
        if len(set(sizes.values())) > 1:
            yield Finding(
                "cluster",
                "storage",
                f"one size of {wwid} on both nodes",
                str(sizes),
                "rescan the LUN on both nodes",
            )


def _lun_contents(document: Document, facts: Facts) -> Iterator[Finding]:
    wanted = [lun["wwid"] for lun in document["storage"]["luns"]]
    for node, known in facts.items():
        if "luns" not in known:
            continue
        for lun in known["luns"]:
            if lun["wwid"] in wanted:
                try:
                    stage(lun, document["storage"]["vg"])
                except Refused as refused:
                    yield Finding(
                        node, "storage", f"{lun['wwid']} blank, or ours", refused.reason, refused.remedy
                    )


def _bmcs(document: Document, facts: Facts) -> Iterator[Finding]:
    for node, known in facts.items():
        bmc, peer = known.get("bmc", {}), peer_of(document, node)
        path = f"hadb:nodes:{peer}:bmc"
        if bmc.get("power", "on") != "on":
            yield Finding(
                node,
                "fencing",
                f"the BMC of {peer} to answer 'power is on'",
                bmc["power"],
                f"check address, account and password under {path}, and that IPMI over LAN is enabled",
            )
        if known.get("cipher_zero", {}).get("refused") is False:
            yield Finding(
                node,
                "fencing",
                f"the BMC of {peer} to refuse cipher suite 0",
                "it lets anyone in without a password",
                "switch cipher suite 0 off in the BMC (`ipmitool lan set 1 cipher_privs ...`); until then anyone on its network can power the node off",
            )


def _reserved(document: Document, facts: Facts) -> Iterator[Finding]:
    for node, known in facts.items():
        for wwid, lun in known.get("reservations", {}).items():
            others = reservation.foreign(lun["keys"], document)
            if others:
                yield Finding(
                    node,
                    "reservations",
                    f"nobody but this cluster's nodes registered on LUN {wwid}",
                    ", ".join(others),
                    "somebody else reserves this LUN: make sure who, before it is taken away (docs/runbook.md)",
                )
