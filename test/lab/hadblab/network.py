"""The commands that make, cut and heal the lab's networks. Pure: lists of command lines."""

from __future__ import annotations

import ipaddress

from hadblab.addresses import bridge, tap
from hadblab.topology import Network, Node, Topology, UnknownNameError

Commands = list[list[str]]
# Where the packets of a cut link go: a bridge that nobody is connected to.
_VOID = "br-void"
# A cut card's packets are caught before a cable's own redirection sees them.
_CUT_PREFERENCE, _CABLE_PREFERENCE = "1", "2"
_WAYS = ("ingress", "egress")
_ANY = "u32 0 0"
# Bytes of an IPv4 header without options and of a UDP header.
_PAYLOAD = 20 + 8
# The word for "the link of a BMC" in cut and heal, beside the networks' names.
BMC = "bmc"


def create(namespace: str, topology: Topology) -> Commands:
    """Return the commands that build the namespace with all networks, nothing cut.

    The namespace has no way out: no route, no address translation, no card of this machine.
    """
    ip = ["ip", "-n", namespace]
    commands = [["ip", "netns", "add", namespace], [*ip, "link", "set", "lo", "up"]]
    commands += [[*ip, "link", "add", _VOID, "type", "bridge"], [*ip, "link", "set", _VOID, "up"]]
    for network in topology.networks.values():
        commands += _bridge(ip, network) if network.kind == "bridge" else []
        for node in topology.on_network(network.name):
            commands += _tap(namespace, network, node)
        commands += _cable(namespace, topology, network) if network.kind == "cable" else []
    for node in topology.nodes.values():
        commands += _bmc(ip, topology, node, "add")
    return commands


def guard(topology: Topology) -> str:
    """Return the packet filter rules that make a BMC refuse cipher suite 0, as nft's input.

    The simulator itself accepts that suite, and with it any password.
    """
    guarded = [node.bmc.address for node in topology.nodes.values() if node.bmc and not node.bmc.cipher_zero]
    # Of the UDP datagram (8 bytes of header): payload type 0x10 is an open-session
    # request, and its byte 28 is the authentication algorithm, 0 being none.
    rules = "".join(
        f"    ip daddr {address} udp dport 623 @th,104,8 0x10 @th,288,8 0x00 reject\n" for address in guarded
    )
    return f"table ip bmc {{\n  chain input {{\n    type filter hook input priority 0;\n{rules}  }}\n}}\n"


def ends(topology: Topology, link: str, node: str | None) -> list[Node]:
    """Return the nodes at whose end a link is cut: one, or all that have it.

    :param link: a network's name, or ``bmc``. A cable is cut at both ends in any case.
    :raises UnknownNameError: no such link or node, or the node has no such link.
    """
    if link != BMC and link not in topology.networks:
        raise UnknownNameError(f"no link named {link}; there are {', '.join([*topology.networks, BMC])}")
    members = [n for n in topology.nodes.values() if n.bmc] if link == BMC else topology.on_network(link)
    if node is None:
        return list(members)
    chosen = topology.node(node)
    if chosen not in members:
        raise UnknownNameError(f"{node} has no link {link}; these have: {', '.join(n.name for n in members)}")
    is_cable = link != BMC and topology.networks[link].kind == "cable"
    return list(members) if is_cable else [chosen]


def cut(namespace: str, topology: Topology, link: str, node: Node, loss: int | None = None) -> Commands:
    """Return the commands that cut a link at one end that is whole; packets are lost both ways.

    :param loss: lose only so many per cent of the packets. Not of a BMC: its address is there or not.
    """
    if link == BMC:
        return _bmc(["ip", "-n", namespace], topology, node, "delete")
    # Taking the card down instead would break it for good: the node's driver does not
    # recover from the error that it gets then.
    card, matches = tap(node.name, link), [_ANY] if loss is None else some(loss)
    return [_redirect(namespace, card, way, _CUT_PREFERENCE, _VOID, match) for way in _WAYS for match in matches]


def some(loss: int) -> list[str]:
    """Return tc's u32 matches that together meet so many per cent of the packets, each packet the same at every card.

    The kernel here has no `netem` and no action that draws lots. Corosync's packets are encrypted, so the first byte after
    IPv4 and UDP is as good as a die: one bit pattern meets a half of them, one a quarter, and so on, and none meets another's.
    """
    wanted = round(loss * 256 / 100)
    return [f"u8 {2 ** (bits - 1) - 1} {2**bits - 1:#x} at {_PAYLOAD}" for bits in range(1, 9) if wanted & 256 >> bits]


def heal(namespace: str, topology: Topology, link: str, node: Node) -> Commands:
    """Return the commands that undo :func:`cut` at one end."""
    if link == BMC:
        return _bmc(["ip", "-n", namespace], topology, node, "add")
    tc = ["tc", "-n", namespace, "filter", "delete", "dev", tap(node.name, link)]
    return [[*tc, way, "pref", _CUT_PREFERENCE] for way in _WAYS]


def look(namespace: str, link: str, node: Node) -> list[str]:
    """Return the command whose output tells :func:`is_cut` how one end of a link is."""
    if link == BMC and node.bmc:
        return ["ip", "-n", namespace, "address", "show", "to", node.bmc.address]
    return ["tc", "-n", namespace, "filter", "show", "dev", tap(node.name, link), "egress"]


def is_cut(link: str, output: str) -> bool:
    """Tell from the output of :func:`look`: a BMC's address is gone, a card has a filter."""
    return (link == BMC) != bool(output.strip())


def _bridge(ip: list[str], network: Network) -> Commands:
    name = bridge(network.name)
    commands = [
        # Forward from the first packet on, and multicast like a plain switch.
        [*ip, "link", "add", name, "type", "bridge", "forward_delay", "0", "mcast_snooping", "0"],
        [*ip, "link", "set", name, "up"],
    ]
    if network.host:
        commands.append([*ip, "address", "add", f"{network.host}/{network.prefix}", "dev", name])
    return commands


def _tap(namespace: str, network: Network, node: Node) -> Commands:
    ip, name = ["ip", "-n", namespace], tap(node.name, network.name)
    member = [[*ip, "link", "set", name, "master", bridge(network.name)]] if network.kind == "bridge" else []
    return [[*ip, "tuntap", "add", "mode", "tap", "name", name], *member, [*ip, "link", "set", name, "up"],
            ["tc", "-n", namespace, "qdisc", "add", "dev", name, "clsact"]]  # fmt: skip


def _cable(namespace: str, topology: Topology, network: Network) -> Commands:
    one, other = (tap(node.name, network.name) for node in topology.on_network(network.name))
    return [_redirect(namespace, *ends) for ends in (
        (one, "ingress", _CABLE_PREFERENCE, other), (other, "ingress", _CABLE_PREFERENCE, one),
    )]  # fmt: skip


def _redirect(namespace: str, card: str, way: str, preference: str, target: str, match: str = _ANY) -> list[str]:
    return ["tc", "-n", namespace, "filter", "add", "dev", card, way, "pref", preference, "protocol", "all",
            "u32", "match", *match.split(), "action", "mirred", "egress", "redirect", "dev", target]  # fmt: skip


def _bmc(ip: list[str], topology: Topology, node: Node, verb: str) -> Commands:
    if node.bmc is None:
        return []
    address = f"{ipaddress.IPv4Address(node.bmc.address)}/32"
    return [[*ip, "address", verb, address, "dev", bridge(topology.management.name)]]
