"""The commands that make, cut and heal the lab's networks. Pure: lists of command lines."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from hadblab.addresses import bridge, tap
from hadblab.topology import Network, Node, Topology, UnknownNameError

Commands = list[list[str]]
# Where the packets of a cut link go: a bridge that nobody is connected to.
_VOID = "br-void"
# A cut card's packets are caught before a cable's own redirection sees them.
_CUT_PREFERENCE, _CABLE_PREFERENCE = "1", "2"
# What a node sends comes in here; what it gets goes out.
_WAYS = ("ingress", "egress")
_ANY = "u32 0 0"
# Bytes of an IPv4 header without options and of a UDP header.
_PAYLOAD = 20 + 8
# The word for "the link of a BMC" in cut and heal, beside the networks' names.
BMC = "bmc"


@dataclass(frozen=True)
class Part:
    """Which packets of a link are lost; by default all of them, both ways. At most one of the first three is given.

    :param loss: so many per cent.
    :param longer: IPv4 packets of more than so many bytes, their header included.
    :param announces: what tells everybody by ARP where this IPv4 address is.
    :param one_way: only what the node sends.
    """

    loss: int | None = None
    longer: int | None = None
    announces: str | None = None
    one_way: bool = False


EVERYTHING = Part()


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


def ends(topology: Topology, link: str, node: str | None, part: Part = EVERYTHING) -> list[Node]:
    """Return the nodes at whose end a link is cut: one, or all that have it.

    :param link: a network's name, or ``bmc``. A cable is cut at both ends, unless it is cut one way.
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
    return list(members) if is_cable and not part.one_way else [chosen]


def cut(namespace: str, topology: Topology, link: str, node: Node, part: Part = EVERYTHING) -> Commands:
    """Return the commands that cut a link at one end that is whole.

    :param part: which packets are lost. A BMC is cut whole: its address is there or not.
    """
    if link == BMC:
        return _bmc(["ip", "-n", namespace], topology, node, "delete")
    # Taking the card down instead would break it for good: the node's driver does not
    # recover from the error that it gets then.
    card, ways = tap(node.name, link), _WAYS[:1] if part.one_way else _WAYS
    return [_redirect(namespace, card, way, _CUT_PREFERENCE, _VOID, match) for way in ways for match in matches(part)]


def matches(part: Part) -> list[str]:
    """Return tc's u32 matches that meet the packets to lose, each packet by one of them."""
    if part.loss is not None:
        return some(part.loss)
    if part.longer is not None:
        return longer(part.longer)
    return [_ANY] if part.announces is None else [announcement(part.announces)]


def longer(size: int) -> list[str]:
    """Return tc's u32 matches that together meet the IPv4 packets of more than so many bytes, and nothing else.

    A longer one has, at some bit that the limit has not, a 1, and above it the limit's own bits.
    """
    free = [bit for bit in range(16) if not size >> bit & 1]
    return [f"u8 0x45 0xff at 0 match u16 {(size >> bit | 1) << bit:#x} {0xFFFF << bit & 0xFFFF:#x} at 2" for bit in free]


def announcement(address: str) -> str:
    """Return tc's u32 match for gratuitous ARP: an address asks for itself, or answers itself.

    Ordinary questions and answers about it are not met: the one who asks and the one who is asked for are two there.
    """
    number = int(ipaddress.IPv4Address(address))
    # Ethernet and IPv4; the sender's address lies across two words, and is the target's too.
    sender = f"u16 {number >> 16:#x} 0xffff at 14 match u16 {number & 0xFFFF:#x} 0xffff at 16"
    return f"u32 0x10800 0xffffffff at 0 match {sender} match u32 {number:#x} 0xffffffff at 24"


def some(loss: int) -> list[str]:
    """Return tc's u32 matches that together meet so many per cent of the packets, each packet the same at every card.

    The kernel here has no `netem` and no action that draws lots. Corosync's packets are encrypted, so the first byte after
    IPv4 and UDP is as good as a die: one bit pattern meets a half of them, one a quarter, and so on, and none meets another's.
    """
    wanted = round(loss * 256 / 100)
    return [f"u8 {2 ** (bits - 1) - 1} {2**bits - 1:#x} at {_PAYLOAD}" for bits in range(1, 9) if wanted & 256 >> bits]


def heal(namespace: str, topology: Topology, link: str, node: Node) -> Commands:
    """Return the commands that undo :func:`cut` at one end, whichever part of it was cut."""
    if link == BMC:
        return _bmc(["ip", "-n", namespace], topology, node, "add")
    tc = ["tc", "-n", namespace, "filter", "delete", "dev", tap(node.name, link)]
    # Only a cut filters what leaves; without a preference tc does not mind when it was one-way and there is nothing.
    return [[*tc, _WAYS[0], "pref", _CUT_PREFERENCE], [*tc, _WAYS[1]]]


def look(namespace: str, link: str, node: Node) -> list[str]:
    """Return the command whose output tells :func:`is_cut` how one end of a link is."""
    if link == BMC and node.bmc:
        return ["ip", "-n", namespace, "address", "show", "to", node.bmc.address]
    # Every cut, also a one-way one, is there; the preference tells it from a cable's own redirection.
    return ["tc", "-n", namespace, "filter", "show", "dev", tap(node.name, link), _WAYS[0], "pref", _CUT_PREFERENCE]


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
