"""Cuts, heals and looks at the links of a running lab."""

from __future__ import annotations

from dataclasses import asdict

from hadblab import events, network
from hadblab.errors import LabError
from hadblab.network import EVERYTHING, Part
from hadblab.run import run as run_command
from hadblab.rundir import RunDir
from hadblab.topology import Node, Topology, UnknownNameError


def cut(run: RunDir, topology: Topology, link: str, node: str | None, part: Part = EVERYTHING) -> None:
    """Cut a link, of one node or of all its nodes, wherever it is not cut yet.

    :param part: which packets are lost.
    :raises UnknownNameError: there is no such link, or nobody is named whose packets are to be lost one way.
    :raises LabError: a command failed, or a BMC is to lose only some.
    """
    check(link, node, part)
    for end in network.ends(topology, link, node, part):
        if not is_cut(run, link, end):
            _carry_out(network.cut(run.namespace, topology, link, end, part))
    events.append(run.events, "cut", link=link, node=node, **asdict(part))


def check(link: str, node: str | None, part: Part) -> None:
    """Make sure that a link can be cut in this way.

    :raises UnknownNameError: one way, and no node is named.
    :raises LabError: a BMC is to lose only some of its packets.
    """
    if link == network.BMC and part != EVERYTHING:
        raise LabError("a bmc cannot lose some of its packets; cut it, or the management network")
    if part.one_way and node is None:
        raise UnknownNameError("one way: name the node whose packets are to be lost")


def heal(run: RunDir, topology: Topology, link: str, node: str | None) -> None:
    """Undo :func:`cut` wherever the link is cut, with the same arguments and errors."""
    for end in network.ends(topology, link, node):
        if is_cut(run, link, end):
            _carry_out(network.heal(run.namespace, topology, link, end))
    events.append(run.events, "heal", link=link, node=node)


def is_cut(run: RunDir, link: str, node: Node) -> bool:
    """Tell whether a link is cut at one node's end; without the namespace everything is."""
    return network.is_cut(link, run_command(network.look(run.namespace, link, node), check=False).stdout)


def _carry_out(commands: network.Commands) -> None:
    for command in commands:
        run_command(command)
