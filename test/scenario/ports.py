"""What listens on a machine, and what may: from ``ss -lntupH`` to findings. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

# TCP sockets that listen and UDP sockets that take from anybody, with their programs; only root is told those.
COMMAND = "ss -lntupH"
_PROGRAM = re.compile(r'users:\(\("([^"]*)"')
_SERVERS = ("mariadbd", "mysqld")


@dataclass(frozen=True)
class Listener:
    """A socket that takes from anybody; ``program`` is empty for one of the kernel's own."""

    protocol: str
    address: str
    port: int
    program: str

    def __str__(self) -> str:
        return f"{self.program or 'the kernel'} at {self.protocol} {self.address} port {self.port}"


@dataclass(frozen=True)
class Allowed:
    """What may listen, and has to; the address and the programs' names are patterns."""

    protocol: str
    address: str
    port: int
    programs: tuple[str, ...]

    def covers(self, listener: Listener) -> bool:
        """Return whether a socket is this one."""
        fits = (listener.protocol, listener.port) == (self.protocol, self.port) and fnmatchcase(listener.address, self.address)
        return fits and any(fnmatchcase(listener.program, program) for program in self.programs)

    def __str__(self) -> str:
        return f"{' or '.join(self.programs)} at {self.protocol} {self.address} port {self.port}"


# Whatever reaches a machine at all; systemd where it starts sshd for each connection.
SSH = Allowed("tcp", "*", 22, ("sshd", "systemd"))


def parse(text: str) -> list[Listener]:
    """Return what ``ss`` printed. Raises ValueError for a line that is none of its own."""
    found = []
    for line in text.splitlines():
        protocol, _state, _received, _sent, local, *_ = line.split()
        address, _, port = local.rpartition(":")
        program = _PROGRAM.search(line)
        # An address of IPv6 is in brackets, one that counts on one card only has that card's name behind it.
        found.append(Listener(protocol, address.partition("%")[0].strip("[]"), int(port), program[1] if program else ""))
    return found


def on_node(
    node: Mapping[str, Any], corosync: Mapping[str, Any], database: Mapping[str, Any], *, active: bool
) -> list[Allowed]:
    """Return what may listen on a database node: ssh, Corosync on its links, the server where it runs. Salt's minion calls out.

    node
        ``hadb:nodes:NAME`` of the pillar.
    corosync, database
        The settings in force.
    """
    found = [SSH]
    found += [Allowed("udp", link, corosync["port"] + number, ("corosync",)) for number, link in enumerate(node["links"])]
    if active:
        found.append(Allowed("tcp", database["bind_address"], database["port"], _SERVERS))
    return found


def on_master() -> list[Allowed]:
    """Return what may listen on the master: ssh and Salt's two ports."""
    return [SSH, *(Allowed("tcp", "*", port, ("*",)) for port in (4505, 4506))]


def findings(machine: str, found: Sequence[Listener], allowed: Sequence[Allowed]) -> list[str]:
    """Return what listens and may not, and what does not and has to."""
    return [
        *(f"{machine}: {one} listens" for one in found if not any(rule.covers(one) for rule in allowed)),
        *(f"{machine}: {rule} does not listen" for rule in allowed if not any(rule.covers(one) for one in found)),
    ]
