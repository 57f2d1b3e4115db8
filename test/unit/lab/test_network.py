from __future__ import annotations

import ipaddress

import pytest
from topologies import default, document

from hadblab import links, network
from hadblab.errors import LabError
from hadblab.network import Part
from hadblab.topology import UnknownNameError


def lines(commands: list[list[str]]) -> list[str]:
    return [" ".join(command) for command in commands]


def test_everything_is_made_inside_the_namespace():
    commands = network.create("ns", default())
    assert commands[0] == ["ip", "netns", "add", "ns"]
    assert all(command[1:3] == ["-n", "ns"] for command in commands[1:])


def test_no_way_leads_out():
    made = lines(network.create("ns", default()))
    assert not [line for line in made if "route" in line or "veth" in line or "nat" in line]


def test_bridge_joins_each_node_and_this_machine():
    made = lines(network.create("ns", default()))
    assert "ip -n ns address add 10.20.0.1/24 dev br-mgmt" in made
    assert "ip -n ns link set db1.mgmt master br-mgmt" in made
    assert "ip -n ns address add 10.20.0.101/32 dev br-mgmt" in made


def test_cable_redirects_both_ways_and_has_no_bridge():
    made = lines(network.create("ns", default()))
    redirects = [line for line in made if "mirred" in line and "hb1" in line]
    assert [line.split()[6] + ">" + line.split()[-1] for line in redirects] == ["db1.hb1>db2.hb1", "db2.hb1>db1.hb1"]
    assert not [line for line in made if "br-hb1" in line]


def ends(link: str, node: str | None, part: Part = network.EVERYTHING) -> list[str]:
    return [found.name for found in network.ends(default(), link, node, part)]


def test_cut_of_one_path_leaves_the_other_nodes_alone():
    assert ends("san1", "db1") == ["db1"]


def test_cut_of_a_whole_network_takes_every_end():
    assert ends("san1", None) == ["san", "db1", "db2"]
    assert ends("bmc", None) == ["db1", "db2"]


@pytest.mark.parametrize("node", [None, "db1", "db2"])
def test_cable_is_cut_at_both_ends_whoever_is_named(node: str | None):
    assert ends("hb1", node) == ["db1", "db2"]


@pytest.mark.parametrize("link", ["mgmt", "hb1"])
def test_packets_of_a_cut_card_are_caught_both_ways_before_anything_else(link: str):
    topology = default()
    cut = lines(network.cut("ns", topology, link, topology.nodes["db1"]))
    assert [line.split()[5:10] for line in cut] == [
        ["dev", f"db1.{link}", way, "pref", "1"] for way in ("ingress", "egress")
    ]
    assert all(line.endswith("redirect dev br-void") for line in cut)
    assert not [line for line in cut if " down" in line]


@pytest.mark.parametrize("loss", [1, 20, 50, 99])
def test_of_random_bytes_as_many_are_lost_as_asked_and_each_packet_by_one_rule(loss: int):
    rules = [(int(value), int(mask, 16)) for _, value, mask, *_ in map(str.split, network.some(loss))]
    met = [sum(byte & mask == value for value, mask in rules) for byte in range(256)]
    assert max(met) == 1 and abs(100 * sum(met) / 256 - loss) < 0.25


def cut(link: str, part: Part) -> list[str]:
    topology = default()
    return lines(network.cut("ns", topology, link, topology.nodes["db1"], part))


def ways(commands: list[str]) -> list[str]:
    return sorted({line.split()[7] for line in commands})


def test_a_lossy_link_loses_both_ways():
    commands = cut("hb1", Part(loss=20))
    assert len(commands) == 2 * len(network.some(20)) and all(" at 28 action mirred" in line for line in commands)
    assert ways(commands) == ["egress", "ingress"]


def met(match: str, packet: bytes) -> bool:
    """Return whether tc's u32 match meets a packet, from its network header on."""
    for words in match.split(" match "):
        kind, value, mask, _, at = words.split()
        size = {"u8": 1, "u16": 2, "u32": 4}[kind]
        found = int.from_bytes(packet[int(at) : int(at) + size], "big")
        if found & int(mask, 0) != int(value, 0) & int(mask, 0):
            return False
    return True


def ipv4(length: int) -> bytes:
    return bytes([0x45, 0, *length.to_bytes(2, "big")]) + bytes(24)


@pytest.mark.parametrize("limit", [20, 999, 1000, 1023, 1024, 65534])
def test_only_packets_longer_than_the_limit_are_lost_each_by_one_rule(limit: int):
    rules = network.longer(limit)
    for length in (20, limit - 1, limit, limit + 1, 1024, 1500, 4096, 65535):
        assert sum(met(rule, ipv4(length)) for rule in rules) == (length > limit), length


def test_question_for_a_neighbour_is_not_taken_for_a_long_packet():
    # ARP has 0x0800 where IPv4 has its length.
    assert not any(met(rule, arp("10.20.0.11", "10.20.0.1")) for rule in network.longer(1000))


def arp(sender: str, target: str, operation: int = 1) -> bytes:
    mac = bytes.fromhex("525400000300")
    addresses = [ipaddress.IPv4Address(one).packed for one in (sender, target)]
    return bytes.fromhex("000108000604") + operation.to_bytes(2, "big") + mac + addresses[0] + mac + addresses[1]


@pytest.mark.parametrize("operation", [1, 2])
def test_announcement_is_lost_and_what_is_asked_and_answered_about_the_address_is_not(operation: int):
    match = network.announcement("10.20.0.50")
    assert met(match, arp("10.20.0.50", "10.20.0.50", operation))
    assert not met(match, arp("10.20.0.50", "10.20.0.1", operation))
    assert not met(match, arp("10.20.0.1", "10.20.0.50", operation))
    assert not met(match, arp("10.20.0.51", "10.20.0.51", operation))


@pytest.mark.parametrize("part", [Part(one_way=True), Part(loss=20, one_way=True), Part(longer=1000, one_way=True)])
def test_one_way_only_what_the_node_sends_is_lost(part: Part):
    assert ways(cut("hb1", part)) == ["ingress"]
    assert ends("hb1", "db2", part) == ["db2"]


@pytest.mark.parametrize("part", [network.EVERYTHING, Part(loss=20), Part(longer=1000), Part(announces="10.20.0.50"),
                                  Part(one_way=True)])  # fmt: skip
@pytest.mark.parametrize("link", ["hb1", "mgmt", "san1"])
def test_whatever_was_cut_is_seen_and_healed_without_touching_a_cables_own_redirection(link: str, part: Part):
    topology = default()
    node = topology.nodes["db1"]
    look = " ".join(network.look("ns", link, node))
    assert look.endswith(f"dev db1.{link} ingress pref 1")
    assert any(f"dev db1.{link} ingress pref 1 " in line for line in cut(link, part))
    # Without a preference every filter of a way goes; a cable's own is on the other one.
    assert [line.split()[4:] for line in lines(network.heal("ns", topology, link, node))] == [
        ["delete", "dev", f"db1.{link}", "ingress", "pref", "1"], ["delete", "dev", f"db1.{link}", "egress"],
    ]  # fmt: skip
    assert not [line for line in lines(network.create("ns", topology)) if "egress pref" in line]


@pytest.mark.parametrize(("link", "node", "part"), [
    ("bmc", "db1", Part(loss=20)), ("bmc", "db1", Part(one_way=True)), ("hb1", None, Part(one_way=True))])  # fmt: skip
def test_what_makes_no_sense_is_refused(link: str, node: str | None, part: Part):
    with pytest.raises(LabError):
        links.check(link, node, part)
    links.check(link, "db1", network.EVERYTHING)


def test_bmc_is_cut_by_taking_its_address():
    topology = default()
    node = topology.nodes["db1"]
    assert lines(network.cut("ns", topology, "bmc", node)) == ["ip -n ns address delete 10.20.0.101/32 dev br-mgmt"]
    assert lines(network.heal("ns", topology, "bmc", node)) == ["ip -n ns address add 10.20.0.101/32 dev br-mgmt"]


@pytest.mark.parametrize(
    ("link", "output", "cut"),
    [("san1", "", False), ("san1", "filter protocol all pref 1 u32\n", True), ("bmc", "", True), ("bmc", "3: br\n", False)],
)  # fmt: skip
def test_cut_is_told_from_what_is_there(link: str, output: str, cut: bool):
    assert network.is_cut(link, output) is cut


@pytest.mark.parametrize(("link", "node"), [("hb9", None), ("san1", "nobody"), ("hb1", "san"), ("bmc", "san")])
def test_refuses_links_that_do_not_exist(link: str, node: str | None):
    with pytest.raises(UnknownNameError):
        network.ends(default(), link, node)


def test_bmcs_refuse_the_cipher_without_password_unless_told_otherwise():
    from hadblab import topology_file

    assert "10.20.0.101" in network.guard(default())
    doc = document()
    doc["nodes"]["db1"]["bmc"]["cipher_zero"] = True
    rules = network.guard(topology_file.parse(doc))
    assert "10.20.0.101" not in rules
    assert "10.20.0.102" in rules
