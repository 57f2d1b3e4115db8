"""A BMC on the loopback network: OpenIPMI's ipmi_sim with a power switch that is a file."""

from __future__ import annotations

import contextlib
import select
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

USER, PASSWORD = "hadb", "tool-test-bmc-16"  # noqa: S105

_SWITCH = """#!/bin/sh
# SWITCH FILE get|set|check power|... VALUE: what ipmi_sim asks of the chassis.
file=$1
case $2 in
    get) [ "$3" = power ] && echo "power:$(cat "$file")" || echo "$3:0" ;;
    set) case $3 in power) echo "$4" > "$file" ;; reset) echo 1 > "$file" ;; esac ;;
esac
"""

_COMMANDS = """mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
sel_enable 0x20 1000 0x0a
mc_enable 0x20
"""


class Simulator:
    """One BMC.

    address
        Where it listens, UDP port 623.
    privilege
        Of the account: ``operator`` or ``admin``.
    """

    def __init__(self, address: str, scratch: Path, privilege: str = "operator") -> None:
        self.address, self.scratch, self.privilege = address, scratch, privilege

    @property
    def power(self) -> str:
        """``on`` or ``off``."""
        return "on" if (self.scratch / "power").read_text().strip() == "1" else "off"

    def configure(self) -> None:
        """Write its files."""
        switch = self.scratch / "switch"
        switch.write_text(_SWITCH)
        switch.chmod(0o755)
        (self.scratch / "power").write_text("1\n")
        (self.scratch / "commands").write_text(_COMMANDS)
        auths = "".join(f"allowed_auths_{level} md5\n" for level in ("callback", "user", "operator", "admin"))
        (self.scratch / "lan.conf").write_text(
            f'name "tool"\nset_working_mc 0x20\nstartlan 1\naddr {self.address} 623\npriv_limit admin\n{auths}'
            f'guid 0102030405060708090a0b0c0d0e0f10\nendlan\nchassis_control "{switch} {self.scratch}/power"\n'
            f'user 2 true "{USER}" "{PASSWORD}" {self.privilege} 10 md5\n'
        )


@contextlib.contextmanager
def simulator(address: str, scratch: Path, privilege: str = "operator") -> Iterator[Simulator]:
    """Give a running BMC."""
    bmc = Simulator(address, scratch, privilege)
    bmc.configure()
    argv = ["ipmi_sim", "-n", "-c", "lan.conf", "-f", "commands", "-s", "state"]
    process = subprocess.Popen(
        argv, cwd=scratch, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        time.sleep(0.5)
        assert process.poll() is None, "ipmi_sim did not start"
        yield bmc
    finally:
        process.kill()
        process.wait()


class Guard(threading.Thread):
    """Stands in front of a BMC and swallows open-session requests for cipher suite 0, as careful BMCs do.

    address, behind
        Where it listens, and where the BMC is.
    """

    def __init__(self, address: str, behind: str) -> None:
        super().__init__(daemon=True)
        self.swallowed, self.deaf = 0, False
        self._front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._front.bind((address, 623))
        self._back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._back.connect((behind, 623))

    def run(self) -> None:
        client = None
        while True:
            for ready in select.select([self._front, self._back], [], [])[0]:
                if ready is self._back:
                    self._front.sendto(self._back.recv(4096), client)
                    continue
                packet, client = self._front.recvfrom(4096)
                # IPMI 2.0, 13.6 and 13.17: byte 5 is the payload type, 0x10 an open-session request, whose
                # authentication algorithm is byte 28 of the packet; 0 is none.
                if packet[5] & 0x3F == 0x10 and packet[4] == 6 and packet[28] == 0:
                    self.swallowed += 1
                elif not (self.deaf and self.swallowed):
                    self._back.send(packet)
