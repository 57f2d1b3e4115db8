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


def test_cut_of_one_path_leaves_the_other_nodes_alone():
    assert lines(network.cut("ns", default(), "san1", "db1")) == ["ip -n ns link set db1.san1 down"]


def test_cut_of_a_whole_network_takes_every_end():
    assert lines(network.cut("ns", default(), "san1", None)) == [
        "ip -n ns link set san.san1 down", "ip -n ns link set db1.san1 down", "ip -n ns link set db2.san1 down",
    ]  # fmt: skip


@pytest.mark.parametrize("node", [None, "db1", "db2"])
def test_cable_is_cut_at_both_ends_whoever_is_named(node: str | None):
    assert lines(network.cut("ns", default(), "hb1", node)) == [
        "ip -n ns link set db1.hb1 down", "ip -n ns link set db2.hb1 down",
    ]  # fmt: skip


def test_bmc_is_cut_by_taking_its_address():
    assert lines(network.cut("ns", default(), "bmc", "db1")) == ["ip -n ns address del 10.20.0.101/32 dev br-mgmt"]
    assert lines(network.heal("ns", default(), "bmc", "db1")) == [
        "ip -n ns address replace 10.20.0.101/32 dev br-mgmt"
    ]


@pytest.mark.parametrize("link", ["mgmt", "hb1", "san2"])
def test_heal_undoes_exactly_what_cut_did(link: str):
    cut, heal = network.cut("ns", default(), link, None), network.heal("ns", default(), link, None)
    assert [[*command[:-1], "up"] for command in cut] == heal


@pytest.mark.parametrize(("link", "node"), [("hb9", None), ("san1", "nobody"), ("hb1", "san"), ("bmc", "san")])
def test_refuses_links_that_do_not_exist(link: str, node: str | None):
    with pytest.raises(UnknownNameError):
        network.cut("ns", default(), link, node)


def test_bmcs_refuse_the_cipher_without_password_unless_told_otherwise():
    from hadblab import topology_file

    assert "10.20.0.101" in network.guard(default())
    doc = document()
    doc["nodes"]["db1"]["bmc"]["cipher_zero"] = True
    rules = network.guard(topology_file.parse(doc))
    assert "10.20.0.101" not in rules
    assert "10.20.0.102" in rules
