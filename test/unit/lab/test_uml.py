from __future__ import annotations

from topologies import RUN, default, record

from hadblab import addresses, ssh, uml


def argv(name: str) -> list[str]:
    topology = default()
    return list(uml.kernel_of(RUN, record(), topology, topology.nodes[name]).argv)


def test_kernel_runs_inside_the_namespace():
    assert argv("db1")[:3] == ["nsenter", "--net=/run/netns/hadb-lab", "--"]


def test_image_is_never_written():
    assert "ubd0=/var/tmp/hadb-lab/run/lab/nodes/db1/root.cow,/n.img" in argv("db1")
    assert "ubd1r=/var/tmp/hadb-lab/run/lab/nodes/db1/seed.tar" in argv("db1")


def test_only_the_array_has_the_luns_in_the_order_of_its_configuration():
    assert [word.split("/")[-1] for word in argv("san") if word.startswith(("ubd2", "ubd3"))] == ["lun0.img", "lun1.img"]
    assert not [word for word in argv("db1") if word.startswith("ubd2")]
    assert [uml.lun_device(i) for i in (0, 1)] == ["/dev/ubdc", "/dev/ubdd"]


def test_cards_come_in_the_order_of_the_topology_and_take_large_frames():
    cards = [word for word in argv("db1") if word.startswith("vec")]
    assert [card.split("ifname=")[1].split(",")[0] for card in cards] == [
        "db1.mgmt", "db1.hb1", "db1.hb2", "db1.san1", "db1.san2",
    ]  # fmt: skip
    assert all("gro=1" in card for card in cards)


def test_no_two_cards_share_a_hardware_address():
    nodes = default().nodes.values()
    macs = [addresses.mac(node, card) for node in nodes for card in range(len(node.interfaces))]
    assert len(set(macs)) == len(macs)
    assert len({addresses.machine_id(node) for node in nodes}) == len(nodes)


def test_card_names_fit_into_linux_interface_names():
    assert max(len(addresses.tap("a" * 8, "b" * 6)), len(addresses.bridge("b" * 6))) <= 15


def test_remote_arguments_arrive_as_given():
    words = ssh.argv(RUN, "db1", ["sh", "-c", 'a "b  c"'])
    assert words[-1] == """sh -c 'a "b  c"'"""
    assert words[-3:-1] == ["db1", "--"]


def test_every_node_is_reached_by_name():
    text = ssh.config(RUN, default(), "/k/key")
    assert "Host db2\n    HostName 10.20.0.12\n" in text
    assert "ControlPath /var/tmp/hadb-lab/run/lab/ssh/%n" in text
