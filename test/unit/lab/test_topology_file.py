from __future__ import annotations

from typing import Any

import pytest
from topologies import default, document

from hadblab import topology_file
from hadblab.errors import LabError


def faults(doc: dict[str, Any]) -> list[str]:
    with pytest.raises(LabError) as caught:
        topology_file.parse(doc, "my.toml")
    message = str(caught.value)
    assert message.startswith("my.toml: ")
    assert "\n" not in message
    return message.removeprefix("my.toml: ").split("; ")


def test_default_topology_has_two_nodes_with_bmcs_and_one_array():
    topology = default()
    assert [node.name for node in topology.of_role("node")] == ["db1", "db2"]
    assert all(node.bmc for node in topology.of_role("node"))
    assert topology.san.name == "san"
    assert topology.management.name == "mgmt"
    assert [card.network for card in topology.nodes["db1"].interfaces] == ["mgmt", "hb1", "hb2", "san1", "san2"]


def test_lun_wwid_is_made_from_its_serial_as_lio_makes_it():
    assert default().luns[0].wwid == "36001405" + "1" + "0" * 24


def test_names_every_fault_at_once_with_its_path():
    doc = document()
    doc["nodes"]["db1"]["colour"] = "red"
    doc["nodes"]["db2"]["memory_mib"] = "much"
    doc["luns"][1]["serial"] = "xyz"
    doc["wishes"] = 3
    assert faults(doc) == [
        "nodes.db1.colour: is not known here",
        "nodes.db2.memory_mib: must be an integer, not 'much'",
        "luns[1].serial: must be 32 lower-case hex digits, not 'xyz'",
        "wishes: is not known here",
    ]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda d: d["nodes"]["db1"].pop("role"), "nodes.db1.role: is missing"),
        (lambda d: d["nodes"]["db1"].update(memory_mib=True), "nodes.db1.memory_mib: must be an integer, not True"),
        (lambda d: d["nodes"]["db1"].update(memory_mib=1), "nodes.db1.memory_mib: must be from 256 to 65536, not 1"),
        (lambda d: d["networks"]["hb1"].update(kind="hub"), "networks.hb1.kind: must be \"bridge\" or \"cable\", not 'hub'"),
        (lambda d: d["networks"]["hb1"].update(subnet="x"), "networks.hb1.subnet: must be an IPv4 network, not 'x'"),
        (lambda d: d["bmc"].update(password='a"b'), "bmc.password: must be 1-20 visible ASCII"),
        (lambda d: d["nodes"].update(Db3={}), "nodes.Db3: a name must be 1-8 lower-case letters"),
        (lambda d: d["luns"].append(7), "luns[2]: must be a table, not 7"),
    ],
)  # fmt: skip
def test_refuses_values_of_a_wrong_kind(change: Any, fault: str):
    doc = document()
    change(doc)
    assert any(found.startswith(fault) for found in faults(doc))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            lambda d: d["nodes"]["db2"]["interfaces"][0].update(address="10.20.0.11"),
            "nodes.db1.interfaces[0].address, nodes.db2.interfaces[0].address: the same address 10.20.0.11",
        ),
        (
            lambda d: d["nodes"]["db2"].update(bmc={"address": "10.20.0.101"}),
            "nodes.db1.bmc.address, nodes.db2.bmc.address: the same address 10.20.0.101",
        ),
        (
            lambda d: d["nodes"]["db1"]["interfaces"][1].update(network="nowhere"),
            "nodes.db1.interfaces[1].network: there is no network 'nowhere'",
        ),
        (lambda d: d["iscsi"]["portals"].append("san9"), "iscsi.portals[2]: there is no network 'san9'"),
        (
            lambda d: d["nodes"]["db1"]["interfaces"][3].update(address="10.99.0.1"),
            "nodes.db1.interfaces[3].address: 10.99.0.1 is outside of san1's 10.30.1.0/24",
        ),
        (lambda d: d["nodes"]["db1"]["interfaces"].pop(1), "networks.hb1: a cable has two ends, not 1"),
        (lambda d: d["networks"]["mgmt"].pop("host"), "networks: exactly one must have a host address, not 0"),
        (lambda d: d["nodes"].pop("salt"), "nodes: there must be one of role master, not 0"),
        (
            lambda d: d["luns"][1].update(serial=d["luns"][0]["serial"]),
            "luns[0].serial, luns[1].serial: the same WWID 36001405" + "1" + "0" * 24,
        ),
    ],
)  # fmt: skip
def test_refuses_values_that_do_not_fit_together(change: Any, fault: str):
    doc = document()
    change(doc)
    assert fault in faults(doc)


def test_third_node_needs_nothing_but_its_table():
    doc = document()
    doc["nodes"]["db3"] = {
        "role": "node", "memory_mib": 512, "bmc": {"address": "10.20.0.103"},
        "interfaces": [
            {"network": "mgmt", "address": "10.20.0.13"},
            {"network": "san1", "address": "10.30.1.13"},
            {"network": "san2", "address": "10.30.2.13"},
        ],
    }  # fmt: skip
    assert topology_file.parse(doc).nodes["db3"].bmc.password == doc["bmc"]["password"]


def test_node_overrides_the_shared_bmc_settings():
    doc = document()
    doc["nodes"]["db1"]["bmc"]["power_off_seconds"] = 2
    topology = topology_file.parse(doc)
    assert topology.nodes["db1"].bmc.power_off_seconds == 2
    assert topology.nodes["db2"].bmc.power_off_seconds == 0


def test_file_that_is_not_toml_is_one_line(tmp_path: Any):
    path = tmp_path / "broken.toml"
    path.write_text("= =")
    with pytest.raises(LabError, match="broken.toml"):
        topology_file.load(path)
