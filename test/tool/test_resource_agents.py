"""hadb's resource agents: metadata of all, lvm and address with what they work on.

This machine's kernel has no device-mapper: what LVM would activate is a made-up ``/sys/block``, written by a stand-in
for the activating commands. Reading a volume group and changing its system ID is real LVM on loop devices.
"""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_chroot import (
    AGENTS,
    CONFIGURED,
    GENERIC,
    NOT_RUNNING,
    SUCCESS,
    UNIMPLEMENTED,
    Agents,
    Space,
    alive,
    loop_device,
    wait_until,
)

ALL = ("lvm", "filesystem", "address", "server")
SUITES = ("bookworm", "trixie")
HOST = os.uname().nodename


@pytest.fixture(params=SUITES)
def agents(request: pytest.FixtureRequest, tmp_path: Path) -> Agents:
    return Agents(request.param, tmp_path)


@pytest.mark.parametrize("agent", ALL)
def test_the_metadata_is_valid_and_complete(agents: Agents, agent: str) -> None:
    said = agents.act(agent, "meta-data", {})
    assert said.returncode == SUCCESS
    (agents.directory / "metadata").write_text(said.stdout)
    schema = "/usr/share/resource-agents/ra-api-1.dtd"
    checked = agents.run(["xmllint", "--noout", "--dtdvalid", schema, str(agents.directory / "metadata")])
    assert checked.returncode == 0, checked.stderr
    root = ET.fromstring(said.stdout)
    assert root.get("name") == agent
    actions = {action.get("name") for action in root.iter("action")}
    assert actions == {"start", "stop", "monitor", "validate-all", "meta-data"}
    required = {item.get("name") for item in root.iter("parameter") if item.get("required") == "1"}
    source = (AGENTS / agent).read_text()
    (line,) = (line for line in source.splitlines() if line.startswith("required="))
    assert required == set(line.partition("=")[2].strip("'").split())


@pytest.mark.parametrize("agent", ALL)
def test_an_unknown_action_and_a_missing_parameter_are_told_apart(agents: Agents, agent: str) -> None:
    assert agents.act(agent, "promote", {}).returncode == UNIMPLEMENTED
    assert agents.act(agent, "start", {}).returncode == CONFIGURED


VOLUME = {"vgname": "vg-db", "lvname": "data"}

# Activation as the kernel would show it; a group of another host is refused, as LVM does.
_ACTIVATE = """#!/bin/sh
echo "${{0##*/}} $*" >>{directory}/lvm
case $* in
    *--activate?y*)
        /sbin/vgs vg-db >/dev/null 2>&1 || exit 5
        mkdir -p {directory}/block/dm-7/dm
        echo vg--db-data >{directory}/block/dm-7/dm/name
        echo LVM-1111 >{directory}/block/dm-7/dm/uuid ;;
    *--activate?n*) [ -e {directory}/busy ] || rm -rf {directory}/block/dm-7 ;;
    *) exec /sbin/${{0##*/}} "$@" ;;
esac
"""


class Volumes(Agents):
    """A volume group on a loop device, which belonged to the host ``db2`` last."""

    def __init__(self, suite: str, directory: Path) -> None:
        super().__init__(suite, directory)
        self.devices = [loop_device(directory / name, 2**26) for name in ("disk1", "disk2")]
        self.environment |= {
            "LVM_SYSTEM_DIR": str(directory / "etc"),
            "DM_DISABLE_UDEV": "1",
            "HADB_SYS_BLOCK": str(directory / "block"),
        }
        (directory / "etc").mkdir()
        (directory / "etc/lvm.conf").write_text("")
        self.host("db2")
        assert self.run(["vgcreate", "vg-db", *self.devices]).returncode == 0
        self.host("")
        for program in ("lvchange", "vgchange"):
            self.fake(program, _ACTIVATE.format(directory=directory))

    def host(self, name: str, disks: int = 2) -> None:
        """Configure LVM as hadb does, or with a system ID of its own; it sees so many of the disks."""
        seen = [f'"a|^{device}|"' for device in self.devices[:disks]]
        source = f'"lvmlocal"\n}}\nlocal {{\n\tsystem_id = "{name}"' if name else '"uname"'
        (self.directory / "etc/lvmlocal.conf").write_text(
            f"global {{\n\tsystem_id_source = {source}\n}}\n"
            f'devices {{ use_devicesfile = 0\nglobal_filter = [ {", ".join(seen)}, "r|.*|" ] }}\n'
        )

    def owner(self) -> str:
        done = self.run(["vgs", "--noheadings", "--foreign", "-o", "vg_systemid", "vg-db"])
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(params=SUITES)
def volumes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Volumes]:
    made = Volumes(request.param, tmp_path)
    yield made
    subprocess.run(["losetup", "--detach", *made.devices], check=True)


@pytest.mark.parametrize("name", ["", "db1.example-net"])
def test_a_volume_group_of_another_host_is_taken_over_and_activated(volumes: Volumes, name: str) -> None:
    volumes.host(name)
    assert volumes.owner() == "db2"
    assert volumes.act("lvm", "monitor", VOLUME, interval=0).returncode == NOT_RUNNING
    started = volumes.act("lvm", "start", VOLUME)
    assert started.returncode == SUCCESS, started.stderr
    assert volumes.owner() == (name or HOST)
    assert volumes.act("lvm", "monitor", VOLUME).returncode == SUCCESS
    calls = volumes.said("lvm").splitlines()
    assert [call.split()[0] for call in calls] == ["vgchange", "lvchange"]
    assert volumes.act("lvm", "start", VOLUME).returncode == SUCCESS
    assert "--systemid" not in "".join(volumes.said("lvm").splitlines()[2:])
    assert volumes.act("lvm", "stop", VOLUME).returncode == SUCCESS
    assert volumes.act("lvm", "monitor", VOLUME).returncode == NOT_RUNNING


def test_ocf_tester_passes_lvm(volumes: Volumes) -> None:
    tested = volumes.tested("lvm", VOLUME)
    assert tested.returncode == 0, tested.stdout


def test_stopping_what_is_not_active_asks_lvm_nothing(volumes: Volumes) -> None:
    assert volumes.act("lvm", "stop", VOLUME).returncode == SUCCESS
    assert volumes.said("lvm") == ""


def test_a_volume_that_stays_active_is_not_stopped(volumes: Volumes) -> None:
    assert volumes.act("lvm", "start", VOLUME).returncode == SUCCESS
    (volumes.directory / "busy").touch()
    assert volumes.act("lvm", "stop", VOLUME).returncode == GENERIC


def test_a_missing_physical_volume_is_refused(volumes: Volumes) -> None:
    volumes.host("", disks=1)
    refused = volumes.act("lvm", "start", VOLUME)
    assert refused.returncode == GENERIC and "lacks 1 physical volumes" in refused.stderr
    assert volumes.said("lvm") == ""


@pytest.mark.parametrize("hosts", ["db1 db3", "db"])
def test_a_group_of_a_host_that_fencing_knows_nothing_of_is_not_taken_over(volumes: Volumes, hosts: str) -> None:
    refused = volumes.act("lvm", "start", {**VOLUME, "hosts": hosts})
    assert refused.returncode == GENERIC and f"'db2', which is none of {hosts}" in refused.stderr
    assert volumes.owner() == "db2" and volumes.said("lvm") == ""
    assert volumes.act("lvm", "start", {**VOLUME, "hosts": "db1 db2"}).returncode == SUCCESS
    assert volumes.owner() == HOST


def test_a_group_that_was_given_away_while_it_is_in_use_fails_its_deep_monitor(volumes: Volumes) -> None:
    known = {**VOLUME, "hosts": f"{HOST} db2"}
    assert volumes.act("lvm", "start", known).returncode == SUCCESS
    assert volumes.act("lvm", "monitor", known, depth=10).returncode == SUCCESS
    # As another host would do it, from which the volume is not active.
    volumes.host("db2")
    assert volumes.run(["vgchange", "--yes", "--config", f'local/extra_system_ids=["{HOST}"]', "--systemid", "thief", "vg-db"]).returncode == 0
    volumes.host("")
    assert volumes.act("lvm", "monitor", known).returncode == SUCCESS
    seen = volumes.act("lvm", "monitor", known, depth=10)
    assert seen.returncode == GENERIC and "belongs to 'thief' now" in seen.stderr


def test_a_group_that_cannot_be_read_was_not_given_away(volumes: Volumes) -> None:
    assert volumes.act("lvm", "start", VOLUME).returncode == SUCCESS
    volumes.fake("vgs", "#!/bin/sh\nexit 5\n")
    assert volumes.act("lvm", "monitor", VOLUME, depth=10).returncode == SUCCESS


def test_a_group_that_is_not_there_fails_a_start_only(volumes: Volumes) -> None:
    away = {"vgname": "elsewhere", "lvname": "data"}
    assert volumes.act("lvm", "start", away, timeout=3000).returncode == GENERIC
    assert volumes.act("lvm", "stop", away).returncode == SUCCESS
    assert volumes.act("lvm", "monitor", away, interval=0).returncode == NOT_RUNNING


@pytest.mark.parametrize(
    "vg, lv, name, uuid, code",
    [
        ("a-b", "c", "a--b-c", "LVM-1", SUCCESS),
        ("a", "b-c", "a--b-c", "LVM-1", NOT_RUNNING),
        ("a", "b-c", "a-b--c", "LVM-1", SUCCESS),
        ("a", "c", "a-c", "mpath-3600", NOT_RUNNING),
    ],
)
def test_devices_are_told_by_their_kernel_names(
    tmp_path: Path, vg: str, lv: str, name: str, uuid: str, code: int
) -> None:
    agents = Agents("trixie", tmp_path)
    device = tmp_path / "block/dm-0/dm"
    device.mkdir(parents=True)
    (device / "name").write_text(f"{name}\n")
    (device / "uuid").write_text(f"{uuid}\n")
    agents.environment["HADB_SYS_BLOCK"] = str(tmp_path / "block")
    assert agents.act("lvm", "monitor", {"vgname": vg, "lvname": lv}).returncode == code


_LISTEN = """
import socket, sys
listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
listener.bind(("peer0", 0))
print("listening", flush=True)
while True:
    frame = listener.recv(2048)
    if bytes.fromhex(sys.argv[1]) in frame[14:] and frame[12:14].hex() in ("0806", "86dd"):
        print(frame[12:14].hex(), flush=True)
"""


@pytest.fixture(params=SUITES)
def network(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Agents]:
    """A network namespace with ``nic0``, whose cable ends at ``peer0``."""
    space = Space("--net")
    space.run("ip", "link", "add", "nic0", "type", "veth", "peer", "name", "peer0")
    for link in ("nic0", "peer0"):
        space.run("ip", "link", "set", link, "up")
    yield Agents(request.param, tmp_path, space)
    space.close()


ADDRESSES = pytest.mark.parametrize(
    "ip, bits, number", [("192.0.2.7", "24", "c0000207"), ("2001:db8::7", "64", "20010db8" + "0" * 23 + "7")]
)


@ADDRESSES
def test_an_address_is_added_announced_and_removed(network: Agents, ip: str, bits: str, number: str) -> None:
    parameters = {"ip": ip, "cidr_netmask": bits, "nic": "nic0"}
    assert network.space
    listener = subprocess.Popen(
        [*network.space.enter, sys.executable, "-c", _LISTEN, number], stdout=subprocess.PIPE, text=True
    )
    try:
        assert listener.stdout and listener.stdout.readline() == "listening\n"
        assert network.act("address", "monitor", parameters, interval=0).returncode == NOT_RUNNING
        started = network.act("address", "start", parameters)
        assert started.returncode == SUCCESS, started.stderr
        assert [listener.stdout.readline() for _ in range(2)] == [{"24": "0806\n", "64": "86dd\n"}[bits]] * 2
    finally:
        listener.kill()
        listener.wait()
    shown = network.space.run("ip", "-o", "address", "show", "dev", "nic0")
    assert f" {ip}/{bits} " in shown and f"{ip}/{bits} scope global tentative" not in shown
    assert network.act("address", "start", parameters).returncode == SUCCESS
    assert network.act("address", "monitor", parameters).returncode == SUCCESS
    for _ in range(2):
        assert network.act("address", "stop", parameters).returncode == SUCCESS
    assert ip not in network.space.run("ip", "-o", "address", "show", "dev", "nic0")
    assert network.act("address", "monitor", parameters).returncode == NOT_RUNNING


def test_ocf_tester_passes_address(network: Agents) -> None:
    tested = network.tested("address", {"ip": "192.0.2.7", "cidr_netmask": "24", "nic": "nic0"})
    assert tested.returncode == 0, tested.stdout


def test_a_stop_ends_the_announcements(network: Agents) -> None:
    parameters = {"ip": "192.0.2.7", "cidr_netmask": "24", "nic": "nic0"}
    assert network.act("address", "start", parameters).returncode == SUCCESS
    announcer = int(network.said("state/db-address.announcer"))
    assert alive(announcer)
    assert network.act("address", "stop", parameters).returncode == SUCCESS
    wait_until(lambda: not alive(announcer))


@ADDRESSES
def test_the_same_address_with_another_prefix_is_removed_too(
    network: Agents, ip: str, bits: str, number: str
) -> None:
    assert network.space
    network.space.run("ip", "address", "add", f"{ip}/{int(bits) - 8}", "dev", "nic0")
    assert (
        network.act("address", "stop", {"ip": ip, "cidr_netmask": bits, "nic": "nic0"}).returncode == SUCCESS
    )
    assert ip not in network.space.run("ip", "-o", "address", "show", "dev", "nic0")


def test_an_interface_without_a_link_keeps_its_address(network: Agents) -> None:
    assert network.space
    parameters = {"ip": "192.0.2.7", "cidr_netmask": "24", "nic": "nic0"}
    assert network.act("address", "start", parameters).returncode == SUCCESS
    network.space.run("ip", "link", "set", "peer0", "down")
    assert network.act("address", "monitor", parameters).returncode == SUCCESS
    assert network.act("address", "stop", parameters).returncode == SUCCESS
    assert network.act("address", "start", parameters).returncode == SUCCESS


def test_an_interface_that_is_not_there_is_no_error_of_probe_and_stop(network: Agents) -> None:
    parameters = {"ip": "192.0.2.7", "cidr_netmask": "24", "nic": "bond7"}
    assert network.act("address", "monitor", parameters, interval=0).returncode == NOT_RUNNING
    assert network.act("address", "stop", parameters).returncode == SUCCESS
    assert network.act("address", "start", parameters).returncode == GENERIC
