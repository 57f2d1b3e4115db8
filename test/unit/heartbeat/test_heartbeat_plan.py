"""The direct cables: what is repaired, what is left alone, and that every interruption can be taken up again."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from hadb_core import heartbeat_ifupdown as ifupdown
from hadb_core.errors import Invalid, Refused
from hadb_core.heartbeat_plan import plan, read_links
from hadb_core.heartbeat_wanted import Interface, wanted
from hadb_core.plan import Step
from support import load

FIXTURES = Path(__file__).parent / "fixtures"
NODES = {"db1": ["172.16.1.1", "172.16.2.1"], "db2": ["172.16.1.2", "172.16.2.2"]}
LINKS = {"mode": "links", "interfaces": ["vec1", "vec2"], "prefix_length": 24}
BOND = {**LINKS, "mode": "bond", "bond": {"name": "bond1", "mode": "active-backup", "arp_interval": 200}}


def as_links() -> tuple[Interface, ...]:
    return wanted("db1", NODES, LINKS)


def as_bond(**bond: Any) -> tuple[Interface, ...]:
    return wanted("db1", NODES, {**BOND, "bond": {**BOND["bond"], **bond}})


def link(
    *addresses: str, up: bool = True, master: str | None = None, kind: str | None = None, **options: str
) -> dict[str, Any]:
    return {"up": up, "master": master, "addresses": list(addresses), "kind": kind, "options": options}


class Node:
    """A machine with ifupdown, as far as the plan can see it."""

    def __init__(self) -> None:
        self.file: str | None = None
        self.links = {
            "lo": link("127.0.0.1/8"),
            "vec0": link("10.20.0.11/24"),
            "vec1": link(up=False),
            "vec2": link(up=False),
        }
        self.declared: dict[str, str] = {"lo": "/etc/network/interfaces"}
        self.default_routes = ["vec0"]
        self.corosync_running = False

    def facts(self) -> dict[str, Any]:
        return copy.deepcopy(vars(self))

    def do(self, step: Step) -> None:
        getattr(self, step.do)(**step.args)

    def write_file(self, path: str, text: str) -> None:
        assert path == ifupdown.PATH
        self.file = text

    def stanza(self, interface: str) -> Interface:
        return {one.name: one for one in ifupdown.parse(self.file or "")}[interface]

    def up(self, interface: str) -> None:
        stanza = self.stanza(interface)
        if stanza.ports:
            self.links[interface] = link(kind="bond", **dict(stanza.options))
        self.links[interface]["addresses"] = [stanza.address]
        self.links[interface]["up"] = True
        for port in stanza.ports:
            self.links[port].update(master=interface, up=True)

    def down(self, interface: str) -> None:
        for port in self.stanza(interface).ports:
            self.links[port].update(master=None, up=False)
        if self.stanza(interface).ports:
            del self.links[interface]
        else:
            self.links[interface].update(addresses=[], up=False)

    def link_up(self, interface: str) -> None:
        self.links[interface]["up"] = True

    def enslave(self, bond: str, interface: str) -> None:
        self.links[interface].update(master=bond, up=True)

    def bond_options(self, bond: str, options: dict[str, str]) -> None:
        self.links[bond]["options"].update(options)


def converge(node: Node, want: tuple[Interface, ...]) -> list[str]:
    steps = plan(node.facts(), want).steps
    for step in steps:
        node.do(step)
    assert not plan(node.facts(), want), "a second run would change something"
    return [step.do for step in steps]


@pytest.mark.parametrize("want", [as_links(), as_bond()])
def test_a_blank_node_is_configured_once(want: tuple[Interface, ...]) -> None:
    node = Node()
    assert converge(node, want)[0] == "write_file"
    assert converge(node, want) == []
    assert node.links["vec0"] == Node().links["vec0"]


@pytest.mark.parametrize(("before", "after"), [(as_links(), as_bond()), (as_bond(), as_links())])
def test_links_become_a_bond_and_back(before: tuple[Interface, ...], after: tuple[Interface, ...]) -> None:
    node = Node()
    converge(node, before)
    assert "down" in converge(node, after)


@pytest.mark.parametrize(
    ("before", "after"), [((), as_links()), ((), as_bond()), (as_links(), as_bond()), (as_bond(), as_links())]
)
def test_every_interruption_can_be_taken_up_again(
    before: tuple[Interface, ...], after: tuple[Interface, ...]
) -> None:
    start = Node()
    if before:
        converge(start, before)
    for done in range(len(plan(start.facts(), after).steps)):
        node = copy.deepcopy(start)
        for step in plan(node.facts(), after).steps[:done]:
            node.do(step)
        converge(node, after)


def test_an_address_that_a_hand_removed_comes_back_also_while_corosync_runs() -> None:
    node = Node()
    converge(node, as_links())
    node.corosync_running = True
    node.links["vec1"]["addresses"] = []
    changes = plan(node.facts(), as_links()).changes()
    assert changes == {"interface vec1": {"old": "no address", "new": "172.16.1.1/24"}}
    assert converge(node, as_links()) == ["up"]


def test_an_interface_that_is_off_is_switched_on() -> None:
    node = Node()
    converge(node, as_links())
    node.links["vec2"]["up"] = False
    assert converge(node, as_links()) == ["link_up"]


def test_a_port_that_left_the_bond_is_put_back() -> None:
    node = Node()
    converge(node, as_bond())
    node.links["vec2"]["master"] = None
    assert converge(node, as_bond()) == ["enslave"]


def test_a_bond_option_that_drifted_is_set_again() -> None:
    node = Node()
    converge(node, as_bond())
    node.links["bond1"]["options"]["arp_interval"] = "0"
    assert converge(node, as_bond()) == ["bond_options"]


def test_an_address_is_not_changed_under_a_running_corosync() -> None:
    node = Node()
    converge(node, as_links())
    node.corosync_running = True
    other = wanted("db1", {**NODES, "db1": ["172.16.9.1", "172.16.2.1"]}, LINKS)
    with pytest.raises(Refused, match=r"would lose vec1 \(172\.16\.1\.1/24\)"):
        plan(node.facts(), other)
    node.corosync_running = False
    assert converge(node, other)[0] == "down"


def test_a_bond_in_another_mode_is_refused() -> None:
    node = Node()
    converge(node, as_bond())
    node.links["bond1"]["options"]["mode"] = "balance-rr"
    with pytest.raises(Refused, match="mode 'balance-rr' instead of 'active-backup'"):
        plan(node.facts(), as_bond())


def test_a_lacp_rate_that_drifted_is_refused_because_the_kernel_would_refuse_it() -> None:
    node = Node()
    converge(node, as_bond(mode="802.3ad"))
    node.links["bond1"]["options"]["lacp_rate"] = "0"
    with pytest.raises(Refused, match="lacp_rate"):
        plan(node.facts(), as_bond(mode="802.3ad"))


def foreign_address(node: Node) -> None:
    node.links["vec1"]["addresses"] = ["192.168.7.1/24"]


def default_route(node: Node) -> None:
    node.default_routes.append("vec1")


def other_file(node: Node) -> None:
    node.declared["vec1"] = "/etc/network/interfaces.d/storage"


def missing(node: Node) -> None:
    del node.links["vec1"]


def other_master(node: Node) -> None:
    node.links["vec1"]["master"] = "br0"


@pytest.mark.parametrize("want", [as_links(), as_bond()])
@pytest.mark.parametrize("use", [foreign_address, default_route, other_file, missing, other_master])
def test_an_interface_that_is_used_for_something_else_is_never_touched(
    use: Any, want: tuple[Interface, ...]
) -> None:
    node = Node()
    use(node)
    with pytest.raises(Refused, match="vec1"):
        plan(node.facts(), want)


def test_a_bonds_name_that_something_else_has_is_refused() -> None:
    node = Node()
    node.links["bond1"] = link()
    with pytest.raises(Refused, match="not a bond"):
        plan(node.facts(), as_bond())


@pytest.mark.parametrize(
    ("node", "settings", "fault"),
    [
        ("db3", LINKS, "not one of the nodes"),
        ("db1", {**LINKS, "interfaces": ["vec1"]}, "1 interfaces"),
        ("db1", {**LINKS, "interfaces": []}, "must name the interfaces"),
    ],
)
def test_input_that_cannot_be_right_is_refused(node: str, settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(Invalid, match=fault):
        wanted(node, NODES, settings)


def test_a_bond_over_ipv6_is_refused_because_arp_could_not_watch_it() -> None:
    with pytest.raises(Invalid, match="ARP"):
        wanted("db1", {"db1": ["fd00::1"], "db2": ["fd00::2"]}, BOND)


def test_a_bond_watches_its_peer_by_arp() -> None:
    assert dict(as_bond()[0].options) == {
        "mode": "active-backup",
        "arp_interval": "200",
        "arp_ip_target": "172.16.1.2",
    }


def test_the_seeds_mode_4_watches_the_carrier_and_lacp() -> None:
    assert dict(as_bond(mode="802.3ad")[0].options) == {"mode": "802.3ad", "miimon": "100", "lacp_rate": "1"}


@pytest.mark.parametrize(
    "want", [as_links(), as_bond(), as_bond(mode="802.3ad"), (Interface("vec1", "fd00:1::1/64"),)]
)
def test_the_file_reads_back_as_it_was_meant(want: tuple[Interface, ...]) -> None:
    assert ifupdown.parse(ifupdown.render(want)) == want


def test_ipv6_has_its_own_family_in_the_file() -> None:
    assert "iface vec1 inet6 static" in ifupdown.render((Interface("vec1", "fd00:1::1/64"),))


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("source /etc/network/interfaces.d/*\n", True),
        ("auto lo\nsource-directory /etc/network/interfaces.d\n", True),
        ("auto lo\niface lo inet loopback\n", False),
        ("# source /etc/network/interfaces.d/*\n", False),
    ],
)
def test_debians_line_for_drop_ins_is_known(text: str, reads: bool) -> None:
    assert ifupdown.reads_drop_ins(text) is reads


def test_interfaces_of_other_files_are_found() -> None:
    assert ifupdown.declared("auto vec0\niface vec0 inet static\n  address 1\niface vec0 inet6 auto\n") == {
        "vec0"
    }


def test_real_interfaces_are_read() -> None:
    links = read_links(json.loads((FIXTURES / "links.json").read_text()))
    assert links["vec1"] == link("172.16.1.1/24", kind="veth")
    assert links["vec2"]["addresses"] == ["fd00:1::1/64"]
    assert links["vec3"]["up"] is False


@pytest.mark.parametrize(("fixture", "want"), [("bond", as_bond()), ("lacp", as_bond(mode="802.3ad"))])
def test_a_real_bond_has_the_options_that_were_asked_for(fixture: str, want: tuple[Interface, ...]) -> None:
    links = [entry for entry in json.loads((FIXTURES / f"{fixture}.json").read_text()) if entry]
    found = read_links(links)["bond1"]
    assert found["kind"] == "bond"
    assert {key: found["options"][key] for key, _ in want[0].options} == dict(want[0].options)


def state(node: Node, *, test: bool = False) -> dict[str, Any]:
    functions: dict[str, Any] = {
        f"heartbeat.{verb}": getattr(node, verb)
        for verb in ("facts", "write_file", "up", "down", "link_up", "enslave", "bond_options")
    }
    return load("_states/heartbeat.py", salt=functions, opts={"test": test}).configured(
        "cables", "db1", NODES, LINKS
    )


def test_the_state_predicts_exactly_what_it_does() -> None:
    node = Node()
    predicted = state(node, test=True)
    assert (predicted["result"], node.file) == (None, None)
    done = state(node)
    assert (done["result"], done["changes"]) == (True, predicted["changes"])
    assert state(node)["changes"] == {}
