"""The corosync.conf that hadb wants, made from the pillar's document."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from hadb_core.corosync_conf import Comment, Entry, Section
from hadb_core.errors import Invalid

HEADER = "# Managed by Salt (hadb, state corosync.configured). Changes made here are overwritten."

# Keys under hadb:corosync that go into the totem section under their own name.
_TOTEM = ("crypto_cipher", "crypto_hash", "token", "consensus", "token_retransmits_before_loss_const")

# ms. Corosync's own bounds (exec/totemconfig.c): its join timeout, and the shortest time between two retransmits.
_JOIN, _RETRANSMIT = 50, 30

# knet can have eight links, numbered 0 to 7 (corosync.conf(5), "linknumber").
MAX_LINKS = 8


def wanted(cluster_name: str, nodes: Mapping[str, Sequence[str]], settings: Mapping[str, Any]) -> Section:
    """Return the whole file.

    cluster_name
        The cluster's name.
    nodes
        The addresses of each node, one per link in the order of the links:
        ``{"db1": ["172.16.1.1", "172.16.2.1"], "db2": [...]}``.
    settings
        ``hadb:corosync`` of the pillar without the key: ``port`` (UDP port of link 0, each
        further link takes the next), ``token`` and ``consensus`` (ms),
        ``token_retransmits_before_loss_const``, ``crypto_cipher``, ``crypto_hash``.

    Node ids follow the sorted names, so that both nodes write the same file. Several links are
    all used at once (``active``): knet needs up to ten seconds to give up a link that has just
    come up, so with Corosync's default (``passive``) a cable cut then costs the token and with
    it the membership; see docs/decisions/0031. The ping times stay Corosync's own.

    Raises :class:`~hadb_core.errors.Invalid` with every fault of the input.
    """
    faults = _faults(nodes, settings)
    if faults:
        raise Invalid(faults)
    links = len(next(iter(nodes.values())))
    totem = [
        Entry("version", "2"),
        Entry("cluster_name", cluster_name),
        Entry("transport", "knet"),
        *([Entry("link_mode", "active")] if links > 1 else []),
        *(Entry(key, str(settings[key])) for key in _TOTEM if key in settings),
        *(_interface(link, settings["port"]) for link in range(links)),
    ]
    quorum = (Entry("provider", "corosync_votequorum"), Entry("two_node", "1"), Entry("wait_for_all", "1"))
    # The journal is syslog on Debian; a log file of its own would be a second place to look.
    logging = (
        Entry("to_stderr", "no"), Entry("to_logfile", "no"), Entry("to_syslog", "yes"),
        Entry("syslog_facility", "daemon"), Entry("debug", "off"),
    )  # fmt: skip
    return Section("", (
        Comment(HEADER),
        Section("totem", tuple(totem)),
        Section("nodelist", tuple(_node(name, nodes[name], number) for number, name in enumerate(sorted(nodes), 1))),
        Section("quorum", quorum),
        Section("logging", logging),
    ))  # fmt: skip


def timing_faults(settings: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with token, consensus and retransmits of ``hadb:corosync``, as sentences.

    A consensus below the token is right for two nodes (corosync.conf(5)); below the join timeout none is.
    """
    faults = []
    token, count = settings["token"], settings.get("token_retransmits_before_loss_const", 4)
    if token / (count + 0.2) < _RETRANSMIT:
        faults.append(
            f"hadb:corosync:token_retransmits_before_loss_const: {count} within a token of {token} ms are less than "
            f"{_RETRANSMIT} ms apart, which Corosync refuses; at most {int(token / _RETRANSMIT - 0.2)} fit"
        )
    if "consensus" in settings and settings["consensus"] <= _JOIN:
        faults.append(
            f"hadb:corosync:consensus: {settings['consensus']} ms is not more than the join timeout of {_JOIN} ms"
        )
    return faults


def _interface(link: int, port: int) -> Section:
    return Section("interface", (Entry("linknumber", str(link)), Entry("mcastport", str(port + link))))


def _node(name: str, addresses: Sequence[str], number: int) -> Section:
    rings = (Entry(f"ring{link}_addr", address) for link, address in enumerate(addresses))
    return Section("node", (Entry("name", name), Entry("nodeid", str(number)), *rings))


def _faults(nodes: Mapping[str, Sequence[str]], settings: Mapping[str, Any]) -> list[str]:
    faults = []
    if len(nodes) != 2:
        faults.append(f"hadb:nodes: two_node quorum needs exactly two nodes, but there are {len(nodes)}")
    if len({len(addresses) for addresses in nodes.values()}) > 1:
        faults.append("hadb:nodes: every node needs the same number of links")
    for name, addresses in nodes.items():
        if not 1 <= len(addresses) <= MAX_LINKS:
            faults.append(
                f"hadb:nodes:{name}:links: must have 1 to {MAX_LINKS} addresses, but has {len(addresses)}"
            )
        faults += [
            f"hadb:nodes:{name}:links: {address!r} is not an IP address"
            for address in addresses
            if not _is_ip(address)
        ]
    used = [address for addresses in nodes.values() for address in addresses]
    faults += [
        f"hadb:nodes: {twice} is the address of two links" for twice in {a for a in used if used.count(a) > 1}
    ]
    if "none" in (settings.get("crypto_cipher", "none"), settings.get("crypto_hash", "none")):
        faults.append(
            "hadb:corosync: crypto_cipher and crypto_hash must both be set and not `none`; without them anyone who can "
            "send UDP to a link can take the cluster over"
        )
    faults += [
        f"hadb:corosync:{key}: must be a number"
        for key, left_out in (("port", None), ("token", None), ("consensus", 0), ("token_retransmits_before_loss_const", 0))
        if not isinstance(settings.get(key, left_out), int)
    ]
    return faults or timing_faults(settings)


def _is_ip(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True
