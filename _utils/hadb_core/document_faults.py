"""What a schema cannot say: how the parts of the document have to fit together.

Runs only on a document that the schema accepts, so keys and types can be relied on.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from hadb_core import cib_wanted, corosync_wanted, db_config, db_content, reservation
from hadb_core.schema import SCHEMA
from hadb_core.validate import faults as schema_faults

Document = Mapping[str, Any]


def faults(document: Document) -> list[str]:
    """Return all faults of a merged document: first the schema's, then how the parts fit.

    The second kind is looked for only when the first kind is absent, because it has to rely on
    keys and types being right.
    """
    found = schema_faults(document, SCHEMA)
    if found:
        return found
    checks = (_bootstrap, _addresses, _links, _timing, _vips, _luns, _paths, _accounts, _settings,
              _reservations, cib_wanted.faults)
    return [fault for check in checks for fault in check(document)]


def _bootstrap(document: Document) -> Iterator[str]:
    if document["bootstrap_node"] not in document["nodes"]:
        yield (
            f"hadb:bootstrap_node: {document['bootstrap_node']!r} is not one of the nodes "
            f"({', '.join(document['nodes'])}); name one of them or leave it out"
        )


def _addresses(document: Document) -> Iterator[str]:
    used: dict[str, list[str]] = defaultdict(list)
    for name, node in document["nodes"].items():
        used[_ip(node["address"])].append(f"hadb:nodes:{name}:address")
        used[_ip(node["bmc"]["address"])].append(f"hadb:nodes:{name}:bmc:address")
        for index, link in enumerate(node["links"]):
            used[_ip(link)].append(f"hadb:nodes:{name}:links:{index}")
    for name, vip in document["vips"].items():
        used[_ip(vip["address"])].append(f"hadb:vips:{name}:address")
    for address, paths in used.items():
        if len(paths) > 1:
            yield f"{' and '.join(paths)}: the same address {address}; give each its own"
    ids = [node.get("minion_id", name) for name, node in document["nodes"].items()]
    if len(set(ids)) != len(ids):
        yield "hadb:nodes:*:minion_id: both nodes have the same minion id; give each its own"


def _links(document: Document) -> Iterator[str]:
    heartbeat, prefix = document["heartbeat"], document["heartbeat"]["prefix_length"]
    wanted = len(heartbeat["interfaces"]) if heartbeat["mode"] == "links" else 1
    why = "one for each heartbeat interface" if heartbeat["mode"] == "links" else "one, for the bond"
    for name, node in document["nodes"].items():
        if len(node["links"]) != wanted:
            yield f"hadb:nodes:{name}:links: has {len(node['links'])} addresses, but {wanted} are needed ({why})"
    for index, pair in enumerate(zip(*(node["links"] for node in document["nodes"].values()), strict=False)):
        networks = {_network(address, prefix) for address in pair}
        if len(networks) > 1:
            yield (
                f"hadb:nodes:*:links:{index}: {' and '.join(pair)} are not in one /{prefix} network; "
                "the two ends of a link must be"
            )
    networks = [_network(link, prefix) for link in next(iter(document["nodes"].values()))["links"]]
    if len(set(networks)) != len(networks):
        yield "hadb:nodes:*:links: two links share one network; give each cable its own, or losing one looks like losing both"


def _timing(document: Document) -> Iterator[str]:
    yield from corosync_wanted.timing_faults(document["corosync"])


def _vips(document: Document) -> Iterator[str]:
    for name, vip in document["vips"].items():
        network = _network(vip["address"], vip["prefix_length"])
        for node, settings in document["nodes"].items():
            if ipaddress.ip_address(settings["address"]) not in network:
                yield (
                    f"hadb:vips:{name}:address: {vip['address']}/{vip['prefix_length']} is outside the network of "
                    f"{node} ({settings['address']}); choose an address in the nodes' network"
                )
        if network.num_addresses > 2 and ipaddress.ip_address(vip["address"]) in (
            network.network_address,
            network.broadcast_address,
        ):
            yield f"hadb:vips:{name}:address: {vip['address']} is the network or broadcast address of {network}; choose another"
        if vip["interface"] in document["heartbeat"]["interfaces"]:
            yield f"hadb:vips:{name}:interface: {vip['interface']} is a heartbeat cable; clients cannot reach it there"


def _luns(document: Document) -> Iterator[str]:
    wwids = [lun["wwid"] for lun in document["storage"]["luns"]]
    for wwid in sorted({wwid for wwid in wwids if wwids.count(wwid) > 1}):
        yield f"hadb:storage:luns: {wwid} is listed more than once; list each LUN once"


def _paths(document: Document) -> Iterator[str]:
    mount, datadir = document["storage"]["filesystem"]["mount_point"], document["database"]["datadir"]
    if PurePosixPath(mount) not in PurePosixPath(datadir).parents:
        yield (
            f"hadb:database:datadir: {datadir} is not below hadb:storage:filesystem:mount_point ({mount}); "
            f"the data must be on the shared volume, for instance {mount}/mysql"
        )
    if mount in ("/etc", "/usr", "/var", "/boot", "/home", "/root", "/run", "/tmp", "/var/lib"):
        yield f"hadb:storage:filesystem:mount_point: {mount} belongs to the system; choose a directory of its own such as /dbmnt"


def _accounts(document: Document) -> Iterator[str]:
    if "openstack_nova" in document["database"]["presets"] and "nova" not in document["database"]["accounts"]:
        yield "hadb:database:accounts:nova: is missing, but the preset openstack_nova needs it; add it with a password"
    if "root" in document["database"]["accounts"]:
        yield "hadb:database:accounts:root: root is managed by hadb (local socket only); remove it here"


def _settings(document: Document) -> Iterator[str]:
    yield from db_config.faults(document["database"]["settings"])
    yield from db_content.faults(document["database"])


def _reservations(document: Document) -> Iterator[str]:
    if not reservation.wanted(document):
        return
    if document["pacemaker"]["agents"] != "hadb":
        yield "hadb:fencing:reservations: needs hadb:pacemaker:agents: hadb; the stock agents reserve nothing"
    if not document["storage"]["multipath"]["manage"]:
        yield (
            "hadb:fencing:reservations: needs hadb:storage:multipath:manage: true; multipathd has to know the key, or what is "
            "written over a path that comes back is refused"
        )
    if len(set(reservation.keys(document).values())) != len(document["nodes"]):
        yield "hadb:cluster_name: gives both nodes the same reservation key; choose another name"


def _ip(address: str) -> str:
    return str(ipaddress.ip_address(address))


def _network(address: str, prefix: int) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    limit = ipaddress.ip_address(address).max_prefixlen
    return ipaddress.ip_network(f"{address}/{min(prefix, limit)}", strict=False)
