"""The commands that make, cut and heal the lab's networks. Pure: lists of command lines."""

from __future__ import annotations

import ipaddress

from hadblab.addresses import bridge, tap
from hadblab.topology import Network, Node, Topology, UnknownNameError

Commands = list[list[str]]
# The word for "the link of a BMC" in cut and heal, beside the networks' names.
BMC = "bmc"


def create(namespace: str, topology: Topology) -> Commands:
    """Return the commands that build the namespace with all networks, nothing cut.

    The namespace has no way out: no route, no address translation, no card of this machine.
    """
    ip = ["ip", "-n", namespace]
    commands = [["ip", "netns", "add", namespace], [*ip, "link", "set", "lo", "up"]]
    for network in topology.networks.values():
        commands += _bridge(ip, network) if network.kind == "bridge" else []
        for node in topology.on_network(network.name):
            commands += _tap(ip, network, node)
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


def cut(namespace: str, topology: Topology, link: str, node: str | None) -> Commands:
    """Return the commands that cut a link: of one node, or of all its nodes.

    :param link: a network's name, or ``bmc``. A cable is cut at both ends in any case.
    :raises UnknownNameError: no such link or node, or the node has no such link.
    """
    return _switch(namespace, topology, link, node, up=False)


def heal(namespace: str, topology: Topology, link: str, node: str | None) -> Commands:
    """Return the commands that undo :func:`cut`, with the same arguments and errors."""
    return _switch(namespace, topology, link, node, up=True)


def _switch(namespace: str, topology: Topology, link: str, node: str | None, *, up: bool) -> Commands:
    ip = ["ip", "-n", namespace]
    ends = _ends(topology, link, node)
    if link == BMC:
        # "replace" also when it is there; a missing address cannot be taken away twice.
        return [line for end in ends for line in _bmc(ip, topology, end, "replace" if up else "del")]
    return [[*ip, "link", "set", tap(end.name, link), "up" if up else "down"] for end in ends]


def _ends(topology: Topology, link: str, node: str | None) -> list[Node]:
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


def _tap(ip: list[str], network: Network, node: Node) -> Commands:
    name = tap(node.name, network.name)
    member = [[*ip, "link", "set", name, "master", bridge(network.name)]] if network.kind == "bridge" else []
    return [[*ip, "tuntap", "add", "mode", "tap", "name", name], *member, [*ip, "link", "set", name, "up"]]


def _cable(namespace: str, topology: Topology, network: Network) -> Commands:
    one, other = (tap(node.name, network.name) for node in topology.on_network(network.name))
    commands = []
    for source, target in ((one, other), (other, one)):
        tc = ["tc", "-n", namespace]
        commands += [
            [*tc, "qdisc", "add", "dev", source, "ingress"],
            [*tc, "filter", "add", "dev", source, "parent", "ffff:", "protocol", "all", "u32",
             "match", "u32", "0", "0", "action", "mirred", "egress", "redirect", "dev", target],
        ]  # fmt: skip
    return commands


def _bmc(ip: list[str], topology: Topology, node: Node, verb: str) -> Commands:
    if node.bmc is None:
        return []
    address = f"{ipaddress.IPv4Address(node.bmc.address)}/32"
    return [[*ip, "address", verb, address, "dev", bridge(topology.management.name)]]
