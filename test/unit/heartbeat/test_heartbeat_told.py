"""What a plan for the direct cables says: each refusal whole, each change as an operator reads it."""

from __future__ import annotations

from typing import Any

import pytest

from hadb_core import heartbeat_ifupdown as ifupdown
from hadb_core.errors import Invalid, Refused
from hadb_core.heartbeat_plan import plan, read_links
from hadb_core.heartbeat_wanted import Interface, wanted
from hadb_core.plan import Step

ONE, TWO = Interface("vec1", "172.16.1.1/24"), Interface("vec2", "172.16.2.1/24")
BOND = Interface("bond1", "172.16.1.1/24", ("vec1", "vec2"), (("mode", "active-backup"), ("miimon", "100")))
BY_HAND = "configure it by hand and set hadb:heartbeat:manage to false, or give hadb another interface"


def link(*addresses: str, **changed: Any) -> dict[str, Any]:
    return {"up": True, "master": None, "addresses": [*addresses], "kind": None, "options": {}} | changed


def facts(*ours: Interface, running: bool = False, **links: Any) -> dict[str, Any]:
    return {
        "file": ifupdown.render(ours) if ours else None,
        "links": {"lo": link("127.0.0.1/8"), "vec0": link("10.20.0.11/24"), "vec1": link(), "vec2": link()} | links,
        "default_routes": ["vec0"], "declared": {"vec0": "/etc/network/interfaces"}, "corosync_running": running,
    }  # fmt: skip


def refusal(found: dict[str, Any], *want: Interface) -> str:
    with pytest.raises(Refused) as error:
        plan(found, want)
    return str(error.value)


@pytest.mark.parametrize(
    ("links", "want", "words"),
    [
        ({}, Interface("vec9", "172.16.9.1/24"),
         "interface vec9 does not exist (there are vec0, vec1, vec2). What to do: correct hadb:heartbeat:interfaces, or look at the network card"),
        ({}, Interface("vec0", "172.16.9.1/24"),
         "vec0 is configured in /etc/network/interfaces. What to do: remove it there, or " + BY_HAND),
        ({"bond1": link()}, BOND,
         "bond1 exists and is not a bond. What to do: choose another name in hadb:heartbeat:bond:name"),
        ({"vec1": link("192.168.7.1/24", "192.168.8.1/24")}, ONE,
         "vec1 has the address 192.168.7.1/24, 192.168.8.1/24, which is not hadb's. What to do: " + BY_HAND),
        ({"vec1": link(master="br0")}, ONE, "vec1 is part of br0. What to do: " + BY_HAND),
    ],
)  # fmt: skip
def test_why_an_interface_is_not_touched_is_told(links: dict[str, Any], want: Interface, words: str) -> None:
    assert refusal(facts(**links), want) == words


def test_the_default_route_is_told() -> None:
    found = facts() | {"default_routes": ["vec1"]}
    assert refusal(found, ONE) == (
        f"the default route goes over vec1, so it is no direct cable. What to do: {BY_HAND}"
    )


def test_every_address_that_a_running_corosync_would_lose_is_told() -> None:
    found = facts(ONE, TWO, running=True, vec1=link(ONE.address), vec2=link(TWO.address))
    assert refusal(found, BOND) == (
        "Corosync runs and would lose vec1 (172.16.1.1/24), vec2 (172.16.2.1/24). What to do: stop pacemaker and "
        "corosync on this node first (`crm cluster stop`), apply again, start them"
    )


def test_a_bond_is_live_by_its_ports_even_without_its_address() -> None:
    found = facts(BOND, running=True, bond1=link(kind="bond"))
    assert refusal(found, ONE).startswith("Corosync runs and would lose bond1 (172.16.1.1/24). ")


def test_each_fixed_option_of_a_bond_that_is_otherwise_is_told() -> None:
    want = Interface("bond1", "172.16.1.1/24", ("vec1",), (("mode", "802.3ad"), ("lacp_rate", "1")))
    bond = link(want.address, kind="bond", options={"mode": "balance-rr"})
    assert refusal(facts(want, bond1=bond, vec1=link(master="bond1")), want) == (
        "bond1 is a bond with mode 'balance-rr' instead of '802.3ad' and lacp_rate None instead of '1', which cannot be "
        "changed while it is up. What to do: with pacemaker and corosync stopped on this node: `ifdown --force bond1`, "
        "then apply again"
    )


def test_two_links_on_a_blank_node_are_written_and_raised() -> None:
    text = ifupdown.render((ONE, TWO))
    assert plan(facts(vec1=link()) | {"file": None}, (ONE, TWO)).steps == (
        Step("write_file", ifupdown.PATH, None, {"vec1": "172.16.1.1/24", "vec2": "172.16.2.1/24"},
             {"path": ifupdown.PATH, "text": text}),
        Step("up", "interface vec1", "no address", "172.16.1.1/24", {"interface": "vec1"}),
        Step("up", "interface vec2", "no address", "172.16.2.1/24", {"interface": "vec2"}),
    )  # fmt: skip


def test_links_that_become_a_bond_are_taken_down_first() -> None:
    found = facts(ONE, TWO, vec1=link(ONE.address), vec2=link(TWO.address))
    assert plan(found, (BOND,)).steps == (
        Step("down", "interface vec1", "172.16.1.1/24", None, {"interface": "vec1"}),
        Step("down", "interface vec2", "172.16.2.1/24", None, {"interface": "vec2"}),
        Step("write_file", ifupdown.PATH, {"vec1": "172.16.1.1/24", "vec2": "172.16.2.1/24"},
             {"bond1": "172.16.1.1/24 over vec1 and vec2"}, {"path": ifupdown.PATH, "text": ifupdown.render((BOND,))}),
        Step("up", "interface bond1", None, "172.16.1.1/24 over vec1 and vec2", {"interface": "bond1"}),
    )  # fmt: skip


def test_a_link_whose_address_changes_is_taken_down_and_raised_again() -> None:
    other = Interface("vec1", "172.16.9.1/24")
    steps = plan(facts(ONE, vec1=link(ONE.address)), (other,)).steps
    assert [(step.do, step.old, step.new) for step in steps] == [
        ("down", "172.16.1.1/24", None),
        ("write_file", {"vec1": "172.16.1.1/24"}, {"vec1": "172.16.9.1/24"}),
        ("up", None, "172.16.9.1/24"),
    ]


def test_the_addresses_of_ours_that_are_on_the_wrong_link_are_shown_before_the_new_one() -> None:
    third = Interface("vec3", "172.16.3.1/24")
    found = facts(ONE, TWO, third, vec1=link(TWO.address, third.address), vec2=link(TWO.address), vec3=link(third.address))
    assert plan(found, (ONE, TWO, third)).steps == (
        Step("up", "interface vec1", "172.16.2.1/24, 172.16.3.1/24", "172.16.1.1/24", {"interface": "vec1"}),
    )


def test_what_drifted_on_a_bond_is_put_right_piece_by_piece() -> None:
    bond = link("172.16.1.1/24", kind="bond", up=False, options={"mode": "active-backup", "miimon": "0"})
    found = facts(BOND, bond1=bond, vec1=link(master="bond1"))
    assert plan(found, (BOND,)).steps == (
        Step("link_up", "interface bond1", "down", "up", {"interface": "bond1"}),
        Step("enslave", "interface bond1 port vec2", None, "bond1", {"bond": "bond1", "interface": "vec2"}),
        Step("bond_options", "interface bond1 options", {"miimon": "0"}, {"miimon": "100"},
             {"bond": "bond1", "options": {"miimon": "100"}}),
    )  # fmt: skip


def test_an_option_that_is_wanted_empty_and_not_there_is_no_drift() -> None:
    want = Interface("bond1", "172.16.1.1/24", ("vec1",), (("mode", "802.3ad"), ("primary", "")))
    bond = link(want.address, kind="bond", options={"mode": "802.3ad"})
    assert not plan(facts(want, bond1=bond, vec1=link(master="bond1")), (want,))


def test_a_port_that_another_bond_of_ours_has_is_moved_and_its_old_master_shown() -> None:
    want = Interface("bond2", "172.16.1.1/24", ("vec1",))
    found = facts(BOND, bond2=link(want.address, kind="bond"), vec1=link(master="bond1"))
    (step,) = (step for step in plan(found, (want,)).steps if step.do == "enslave")
    assert (step.old, step.new) == ("bond1", "bond2")


def test_a_link_is_read_whole() -> None:
    data = {"mode": "802.3ad", "ad_lacp_rate": "fast", "arp_ip_target": ["172.16.1.2", "172.16.1.3"], "miimon": 100}
    assert read_links([
        {
            "ifname": "bond1", "flags": ["UP"], "master": "br0", "linkinfo": {"info_kind": "bond", "info_data": data},
            "addr_info": [
                {"local": "172.16.1.1", "prefixlen": 24, "scope": "global"}, {"local": "fe80::1", "prefixlen": 64, "scope": "link"},
                {"prefixlen": 24},
            ],
        },
        {"ifname": "vlan1", "linkinfo": {"info_kind": "vlan", "info_data": {"id": 7}}},
        {"ifname": "bond2", "linkinfo": {"info_kind": "bond"}},
        {"ifname": "lo"},
    ]) == {
        "bond1": {
            "up": True, "master": "br0", "addresses": ["172.16.1.1/24"], "kind": "bond",
            "options": {
                "mode": "802.3ad", "ad_lacp_rate": "fast", "lacp_rate": "1", "arp_ip_target": "172.16.1.2,172.16.1.3",
                "miimon": "100",
            },
        },
        "vlan1": link(up=False, kind="vlan"),
        "bond2": link(up=False, kind="bond"),
        "lo": link(up=False),
    }  # fmt: skip


def test_the_whole_drop_in_file_and_what_is_read_back_from_it() -> None:
    bond = Interface("bond1", "fd00:1::1/64", ("vec2", "vec3"), (("lacp_rate", "1"), ("arp_ip_target", "10.0.0.1,10.0.0.2")))
    text = ifupdown.render((ONE, bond))
    assert text == """\
# Managed by Salt (hadb, state heartbeat.configured). Changes made here are overwritten.

auto vec1
iface vec1 inet static
    address 172.16.1.1/24

auto bond1
iface bond1 inet6 static
    address fd00:1::1/64
    bond-slaves vec2 vec3
    bond-lacp-rate 1
    bond-arp-ip-target 10.0.0.1 10.0.0.2
"""
    assert ifupdown.parse(text) == (ONE, bond)


def test_a_drop_in_that_was_edited_by_hand_is_read_as_it_stands() -> None:
    assert ifupdown.parse("auto vec1\niface vec1 inet manual\n\nauto vec2\niface vec2 inet static\n address 10.0.0.1 /24\n") == (
        Interface("vec1", ""), Interface("vec2", "10.0.0.1 /24"))  # fmt: skip


NODES = {"db2": ("172.16.1.2", "fd00:2::2"), "db1": ("172.16.1.1", "fd00:2::1"), "db3": ("172.16.1.3", "fd00:2::3")}
SETTINGS = {"mode": "bond", "interfaces": ["vec1", "vec2"], "prefix_length": 24,
            "bond": {"name": "bond1", "mode": "active-backup", "arp_interval": 200}}  # fmt: skip


def test_a_bond_has_the_first_address_and_watches_all_other_nodes() -> None:
    assert wanted("db1", NODES, SETTINGS) == (Interface("bond1", "172.16.1.1/24", ("vec1", "vec2"), (
        ("mode", "active-backup"), ("arp_interval", "200"), ("arp_ip_target", "172.16.1.2,172.16.1.3"),
    )),)  # fmt: skip


@pytest.mark.parametrize(
    ("node", "nodes", "changed", "faults"),
    [
        ("db9", NODES, {}, ["hadb:nodes: 'db9' is not one of the nodes (db1, db2, db3)"]),
        ("db1", {"db1": ["fd00::1"]}, {"interfaces": []}, [
            "hadb:heartbeat:mode: a bond watches its path by ARP, which needs IPv4 addresses in hadb:nodes:*:links",
            "hadb:heartbeat:interfaces: must name the interfaces that the cables are in"]),
        ("db1", NODES, {"mode": "links", "interfaces": ["vec1"]}, [
            "hadb:heartbeat:interfaces: 1 interfaces, but hadb:nodes:db1:links has 2 addresses"]),
    ],
)  # fmt: skip
def test_every_fault_of_the_settings_is_told(node: str, nodes: Any, changed: dict[str, Any], faults: list[str]) -> None:
    with pytest.raises(Invalid) as error:
        wanted(node, nodes, SETTINGS | changed)
    assert error.value.faults == tuple(faults)
