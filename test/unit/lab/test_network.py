from __future__ import annotations

import pytest
from topologies import default, document

from hadblab import network
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


def ends(link: str, node: str | None) -> list[str]:
    return [found.name for found in network.ends(default(), link, node)]


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


def test_a_lossy_link_loses_both_ways_and_is_healed_as_a_cut_one():
    topology = default()
    node = topology.nodes["db1"]
    cut = lines(network.cut("ns", topology, "hb1", node, 20))
    assert len(cut) == 2 * len(network.some(20)) and all(" at 28 action mirred" in line for line in cut)
    assert {tuple(line.split()[5:10]) for line in cut} == {
        tuple(line.split()[5:10]) for line in lines(network.heal("ns", topology, "hb1", node))}


def test_heal_takes_away_exactly_what_cut_put_there():
    topology = default()
    node = topology.nodes["db1"]
    cut = [line.split()[5:10] for line in lines(network.cut("ns", topology, "san1", node))]
    heal = [line.split()[5:10] for line in lines(network.heal("ns", topology, "san1", node))]
    assert cut == heal


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
