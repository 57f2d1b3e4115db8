"""What a running Corosync says about itself, from ``corosync-cmapctl`` (its key-value map)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hadb_core.corosync_conf import Section, flatten
from hadb_core.corosync_plan import Change, compare
from hadb_core.errors import Unreadable

# "runtime.votequorum.two_node (u8) = 1"; keys never hold a space (icmap.c allows [a-zA-Z0-9._-/:]).
_LINE = re.compile(r"^(\S+) \(([a-z]+[0-9]*)\) =(?: (.*))?$")
_LINK = re.compile(r"stats\.knet\.node(\d+)\.link(\d+)\.connected")
_STATUS = re.compile(r"runtime\.members\.(\d+)\.status")
_NODE = re.compile(r"nodelist\.node\.(\d+)\.([a-z0-9_]+)")

# Never in our file: set by Corosync itself while it runs, and what an operator orders it to do once, which it then keeps
# in its map (votequorum(5), docs/runbook.md).
_RUNTIME_ONLY = (".bindnetaddr", "nodelist.local_node_pos", "totem.nodeid", "quorum.cancel_wait_for_all")
# Names of sections in the file that the map has in its key instead.
_FILE_ONLY = (".linknumber",)

# What quorumtool prints as numbers, and what libknet counts for each link to each node.
_VOTES = ("Expected votes", "Highest expected", "Total votes", "Quorum")
_DETAILS = {"mtu": "mtu", "latency": "latency_ave", "down_count": "down_count"}

Cmap = dict[str, Any]


def parse_cmap(text: str) -> Cmap:
    """Return the map as ``{key: value}``; numbers as int or float, everything else as text.

    Raises :class:`~hadb_core.errors.Unreadable` for a line that is not understood, and for an
    empty map, which a running Corosync never has.
    """
    found: Cmap = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if not match:
            raise Unreadable("corosync-cmapctl", "a line is not `KEY (TYPE) = VALUE`", line)
        key, kind, value = match.group(1), match.group(2), match.group(3) or ""
        found[key] = int(value) if kind[0] in "ui" else float(value) if kind in ("flt", "dbl") else value
    if not found:
        raise Unreadable("corosync-cmapctl", "it printed nothing")
    return found


def membership(icmap: Mapping[str, Any], stats: Mapping[str, Any], *, quorate: bool) -> dict[str, Any]:
    """Return who is in the cluster and over which links, as seen by this node.

    icmap, stats
        Corosync's two maps, from :func:`parse_cmap`.
    quorate
        What ``corosync-quorumtool -s`` answered; it is not in the maps.

    ``{"running": True, "node_id": 1, "name": "db1", "members": ["db1", "db2"], "quorate": True,
    "two_node": True, "wait_for_all": True, "waiting_for_all": False, "links": [{"id": 0,
    "addr": "172.16.1.1", "peers": {"db2": True}}]}``. A node that the file does not name is
    shown by its id.

    Raises :class:`~hadb_core.errors.Unreadable` when the maps lack what every running Corosync has.
    """
    try:
        me = icmap["runtime.votequorum.this_node_id"]
    except KeyError as missing:
        raise Unreadable("corosync-cmapctl", f"{missing} is missing") from None
    nodes = _nodes(icmap)
    names = {int(node["nodeid"]): str(node.get("name", node["nodeid"])) for node in nodes if "nodeid" in node}
    mine = next((node for node in nodes if node.get("nodeid") == me), {})
    joined = [
        int(m.group(1)) for key, value in icmap.items() if (m := _STATUS.fullmatch(key)) and value == "joined"
    ]
    return {
        "running": True,
        "node_id": me,
        "name": names.get(me, str(me)),
        "members": sorted(names.get(node, str(node)) for node in joined),
        "quorate": quorate,
        "two_node": icmap.get("runtime.votequorum.two_node") == 1,
        "wait_for_all": icmap.get("quorum.wait_for_all") == 1,
        "waiting_for_all": icmap.get("runtime.votequorum.wait_for_all_status") == 1,
        "links": _links(mine, stats, me, names),
    }


def status(icmap: Mapping[str, Any], stats: Mapping[str, Any], told: str) -> dict[str, Any]:
    """Return everything that Corosync knows about itself: links, ring and quorum.

    icmap, stats
        Corosync's two maps, from :func:`parse_cmap`.
    told
        What ``corosync-quorumtool -s`` printed.

    As :func:`membership`, and ``"ring_id": "1.8"``, ``"votes": {"expected": 2, "highest_expected": 2, "total": 2,
    "quorum": 1}``, ``"flags": ["2Node", "Quorate", "WaitForAll"]``, ``"token_lost"`` (how often since the
    start), and in each link's ``"peers"`` instead of a boolean ``{"connected": True, "mtu": bytes,
    "latency": microseconds, "down_count": n}``.
    """
    facts = _quorum(told)
    found = membership(icmap, stats, quorate=facts["Quorate"] == "Yes")
    numbers = {int(node["nodeid"]): str(node.get("name", node["nodeid"])) for node in _nodes(icmap) if "nodeid" in node}
    ids = {name: number for number, name in numbers.items()}
    for link in found["links"]:
        link["peers"] = {
            peer: {"connected": up, **_link_details(stats, ids.get(peer, peer), link["id"])}
            for peer, up in link["peers"].items()
        }
    return found | {
        "ring_id": facts["Ring ID"],
        "votes": {name.lower().replace(" votes", "").replace(" ", "_"): int(facts[name].split()[0]) for name in _VOTES},
        "flags": facts["Flags"].split(),
        "token_lost": stats.get("stats.srp.operational_token_lost", 0),
    }


def _link_details(stats: Mapping[str, Any], node: int | str, link: int) -> dict[str, Any]:
    base = f"stats.knet.node{node}.link{link}"
    return {name: stats.get(f"{base}.{key}", 0) for name, key in _DETAILS.items()}


def _quorum(told: str) -> dict[str, str]:
    """Return the ``NAME: VALUE`` lines of quorumtool; raises Unreadable when one that it always prints is missing."""
    pairs = (line.partition(":") for line in told.splitlines())
    facts = {name.strip(): value.strip() for name, colon, value in pairs if colon}
    for name in ("Ring ID", "Quorate", "Flags", *_VOTES):
        # "1 Activity blocked" is a number with a remark.
        if name not in facts or (name in _VOTES and not facts[name].partition(" ")[0].isdigit()):
            line = next((line for line in told.splitlines() if line.startswith(name)), "")
            raise Unreadable("corosync-quorumtool", f"it does not tell {name!r}", line)
    return facts


def _nodes(icmap: Mapping[str, Any]) -> list[dict[str, Any]]:
    nodes: dict[int, dict[str, Any]] = {}
    for key, value in icmap.items():
        match = _NODE.fullmatch(key)
        if match:
            nodes.setdefault(int(match.group(1)), {})[match.group(2)] = value
    return [nodes[position] for position in sorted(nodes)]


def _links(
    mine: Mapping[str, Any], stats: Mapping[str, Any], me: int, names: Mapping[int, str]
) -> list[dict[str, Any]]:
    addresses = {int(k[4:-5]): v for k, v in mine.items() if re.fullmatch(r"ring\d_addr", k)}
    links = [{"id": link, "addr": addresses[link], "peers": {}} for link in sorted(addresses)]
    for key, value in stats.items():
        match = _LINK.fullmatch(key)
        if match and int(match.group(1)) != me:
            for link in links:
                if link["id"] == int(match.group(2)):
                    link["peers"][names.get(int(match.group(1)), match.group(1))] = value == 1
    return links


def effective(icmap: Mapping[str, Any]) -> dict[str, str]:
    """Return the configuration that the running Corosync has, flattened like a file's.

    Only what a file can set: the sections totem, nodelist, quorum and logging.
    """
    names = {
        position: str(node.get("name", node.get("nodeid"))) for position, node in enumerate(_nodes(icmap))
    }
    flat: dict[str, str] = {}
    for key, value in icmap.items():
        section, _, rest = key.partition(".")
        node = _NODE.fullmatch(key)
        if key.endswith(_RUNTIME_ONLY):
            continue
        if node:
            flat[f"nodelist.node[{names[int(node.group(1))]}].{node.group(2)}"] = str(value)
        elif section in ("totem", "quorum"):
            flat[re.sub(r"^totem\.interface\.(\d+)\.", r"totem.interface[\1].", key)] = str(value)
        elif section == "logging" and not rest.startswith("logger_subsys."):
            flat[key] = str(value)
    return flat


def pending(icmap: Mapping[str, Any], file: Section) -> list[Change]:
    """Return the settings in which the running Corosync differs from its file.

    icmap
        Corosync's map, from :func:`parse_cmap`.
    file
        The parsed file.
    """
    wanted = {path: value for path, value in flatten(file).items() if not path.endswith(_FILE_ONLY)}
    return compare(effective(icmap), wanted)
