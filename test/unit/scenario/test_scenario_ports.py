"""What listens: a port too many, one on the wrong address, and one that is missing are findings.

The text is what ``ss -lntupH`` of iproute2 6.1 printed for sockets of these kinds in a network namespace.
"""

from __future__ import annotations

import pytest
from scenario import ports
from scenario.ports import Listener

from documents import document

TOLD = """\
udp UNCONN 0      0      172.16.1.1:5405 0.0.0.0:* users:(("corosync",pid=26699,fd=3))
udp UNCONN 0      0      172.16.2.1:5406 0.0.0.0:* users:(("corosync",pid=26700,fd=3))
tcp LISTEN 0      128       0.0.0.0:22   0.0.0.0:* users:(("sshd",pid=26697,fd=3))
tcp LISTEN 0      128       0.0.0.0:3306 0.0.0.0:* users:(("mariadbd",pid=26701,fd=3))
tcp LISTEN 0      128          [::]:22      [::]:* users:(("sshd",pid=26698,fd=3))
"""
CHRONY = 'udp UNCONN 0      0           [::1]:323     [::]:* users:(("chronyd",pid=26702,fd=3)) \n'
STRANGER = 'tcp LISTEN 0      128             *:8080       *:* users:(("stranger",pid=26703,fd=3))\n'
VXLAN = "udp UNCONN 0      0           0.0.0.0:4789 0.0.0.0:*\n"
LINK_LOCAL = 'udp UNCONN 0      0      [fe80::1]%lo:546     [::]:* users:(("python3",pid=32394,fd=3))\n'
SITE = document()


def judged(text: str, *, active: bool = True, node: str = "db1") -> list[str]:
    allowed = ports.on_node(SITE["nodes"][node], SITE["corosync"], SITE["database"], active=active)
    return ports.findings(node, ports.parse(text), allowed)


def without(words: str) -> str:
    return "".join(line for line in TOLD.splitlines(keepends=True) if words not in line)


def test_every_line_is_read() -> None:
    assert ports.parse(TOLD + CHRONY + STRANGER) == [
        Listener("udp", "172.16.1.1", 5405, "corosync"), Listener("udp", "172.16.2.1", 5406, "corosync"),
        Listener("tcp", "0.0.0.0", 22, "sshd"), Listener("tcp", "0.0.0.0", 3306, "mariadbd"), Listener("tcp", "::", 22, "sshd"),
        Listener("udp", "::1", 323, "chronyd"), Listener("tcp", "*", 8080, "stranger"),
    ]  # fmt: skip


def test_a_socket_of_the_kernel_and_one_on_a_card_are_read() -> None:
    assert ports.parse(VXLAN + LINK_LOCAL) == [Listener("udp", "0.0.0.0", 4789, ""), Listener("udp", "fe80::1", 546, "python3")]
    with pytest.raises(ValueError):
        ports.parse("no such thing\n")


def test_what_a_node_needs_is_all_that_listens() -> None:
    assert judged(TOLD) == []
    assert judged(without("mariadbd"), active=False) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TOLD + STRANGER, "db1: stranger at tcp * port 8080 listens"),
        (TOLD + CHRONY, "db1: chronyd at udp ::1 port 323 listens"),
        (TOLD + VXLAN, "db1: the kernel at udp 0.0.0.0 port 4789 listens"),
        # Corosync where clients are, beside its links; another program on a port that is expected.
        (TOLD.replace("172.16.1.1:5405", "10.20.0.11:5405") + TOLD, "db1: corosync at udp 10.20.0.11 port 5405 listens"),
        (TOLD.replace('"sshd",pid=26698', '"nc",pid=26698'), "db1: nc at tcp :: port 22 listens"),
        (without("5406"), "db1: corosync at udp 172.16.2.1 port 5406 does not listen"),
        (without("mariadbd"), "db1: mariadbd or mysqld at tcp 0.0.0.0 port 3306 does not listen"),
        (without("sshd"), "db1: sshd or systemd at tcp * port 22 does not listen"),
    ],
)
def test_what_listens_and_may_not_and_what_does_not_and_has_to_are_findings(text: str, said: str) -> None:
    assert judged(text) == [said]


def test_a_server_on_the_standby_node_and_corosync_on_the_others_address_are_findings() -> None:
    assert judged(TOLD, active=False) == ["db1: mariadbd at tcp 0.0.0.0 port 3306 listens"]
    assert len(judged(TOLD, node="db2")) == 4


def test_the_master_has_salts_ports_and_no_other() -> None:
    salt = [Listener("tcp", "0.0.0.0", port, "salt-master") for port in (4505, 4506)]
    ssh = Listener("tcp", "0.0.0.0", 22, "sshd")
    assert ports.findings("salt", [ssh, *salt], ports.on_master()) == []
    assert ports.findings("salt", [ssh, salt[0], Listener("tcp", "0.0.0.0", 8000, "salt-api")], ports.on_master()) == [
        "salt: salt-api at tcp 0.0.0.0 port 8000 listens", "salt: * at tcp * port 4506 does not listen",
    ]  # fmt: skip
