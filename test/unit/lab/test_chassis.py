from __future__ import annotations

import pytest
from topologies import RUN, default

from hadblab import bmc, chassis


@pytest.mark.parametrize(
    ("words", "asked", "actions"),
    [
        (["get", "power"], ["power"], []),
        (["set", "power", "1"], [], ["on"]),
        (["set", "power", "0"], [], ["off"]),
        (["set", "reset", "1"], [], ["reset"]),
        (["set", "boot", "default", "power", "1"], [], ["on"]),
        (["set", "identify", "1"], [], []),
        (["check", "power"], [], []),
    ],
)
def test_request_is_understood(words: list[str], asked: list[str], actions: list[str]):
    assert chassis.parse(words) == (asked, actions)


@pytest.mark.parametrize(
    "words",
    [[], ["get"], ["get", "weather"], ["set", "power"], ["set", "power", "2"], ["set", "shutdown", "1"],
     ["check", "wheels"], ["burn", "power"]],
)  # fmt: skip
def test_refuses_what_it_cannot_do(words: list[str]):
    with pytest.raises(chassis.UnsupportedError):
        chassis.parse(words)


@pytest.mark.parametrize(("power", "line"), [("on", "power:1"), ("frozen", "power:1"), ("off", "power:0")])
def test_frozen_machine_has_power(power: str, line: str):
    assert chassis.answer("power", power) == line


def test_password_is_in_files_only():
    node = default().nodes["db1"]
    assert node.bmc
    assert node.bmc.password not in " ".join(bmc.argv(RUN, node))
    assert node.bmc.password in bmc.files(RUN, node, node.bmc)["lan.conf"]


def test_controller_listens_at_its_own_address_and_calls_the_switch_of_its_node():
    node = default().nodes["db2"]
    assert node.bmc
    text = bmc.files(RUN, node, node.bmc)["lan.conf"]
    assert "addr 10.20.0.102 623" in text
    assert f'chassis_control "{bmc.CHASSIS} /var/tmp/hadb-lab/run/lab db2"' in text
