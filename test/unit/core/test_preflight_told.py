"""What the preflight tells the operator, word by word, and exactly where each check begins to object."""

from __future__ import annotations

from typing import Any

import pytest
from core_shapes import NODES
from facts import BMC, GIB, WWID, lun, system

from documents import changed, document
from hadb_core.document import digest
from hadb_core.findings import report
from hadb_core.preflight import check


def blank() -> dict[str, Any]:
    return {
        node: {"system": system(node), "luns": [lun()], "bmc": dict(BMC), "cipher_zero": {"refused": True}}
        for node in NODES
    }


def told(facts: dict[str, Any], settings: dict[str, Any] | None = None) -> list[str]:
    return report(check(settings or document(), facts)).splitlines()


def of_db2(change: dict[str, Any], topic: str = "system") -> list[str]:
    facts = blank()
    facts["db2"][topic] |= change
    return told(facts)


def test_of_a_silent_node_and_of_what_cannot_be_read():
    facts = {"db2": {"luns": {"error": "wipefs failed"}, "system": {"error": "no ip"}}}
    repair = "What to do: repair what the message names; nothing is guessed"
    assert told(facts) == [
        "db1, minion: expected an answer from its Salt minion; found none. "
        "What to do: look whether the node is up and salt-minion runs; both nodes are needed",
        f"db2, luns: expected luns facts that can be read; found wipefs failed. {repair}",
        f"db2, system: expected system facts that can be read; found no ip. {repair}",
    ]  # fmt: skip


def test_of_a_name_and_a_pillar():
    assert of_db2({"hostname": "db2.example.org", "digest": "0123"}) == [
        "db2, name: expected host name db2; found db2.example.org. "
        "What to do: the key under hadb:nodes must be what `uname -n` prints; rename one of the two",
        f"db2, pillar: expected the pillar that the master has (fingerprint {digest(document())}); found 0123. What to do: "
        "give both nodes and the master ('*_master' in top.sls) the same hadb pillar, then `salt '*' saltutil.refresh_pillar`",
    ]


@pytest.mark.parametrize(("version", "floor"), [
    ("3006.16", "3006.17"), ("3006", "3006.17"), ("3005.99", "3006.17"), ("2019.2.0", "3006.17"), ("unknown", "3006.17"),
    ("3007.8", "3007.9"), ("3007", "3007.9"), ("3006.17", None), ("3006.17rc1", None), ("3007.9", None), ("3008", None),
    ("4000", None),
])  # fmt: skip
def test_of_a_salt_with_known_holes(version, floor):
    assert of_db2({"salt": version}) == ([
        f"db2, salt: expected Salt {floor} or newer; found {version}. "
        "What to do: upgrade: older releases have known remote holes"] if floor else [])  # fmt: skip


def test_of_modules_that_differ():
    facts = blank()
    facts["db1"]["system"]["core"], facts["db2"]["system"]["core"] = "2", "1"
    assert told(facts) == [
        "cluster, modules: expected one version of hadb's modules on both nodes; found 1 and 2. "
        "What to do: `salt '*' saltutil.sync_all`, then restart salt-minion on both nodes"]


@pytest.mark.parametrize(("time", "skew"), [(1010.0, None), (990.0, None), (1010.6, "11 s"), (400.0, "600 s")])
def test_of_clocks(time, skew):
    assert of_db2({"time": time}) == ([
        f"cluster, clocks: expected clocks at most 10 s apart; found {skew}. "
        "What to do: make both nodes follow the same time server"] if skew else [])  # fmt: skip


def test_of_interfaces_that_the_node_does_not_have():
    assert of_db2({"interfaces": {"lo": [], "eth0": []}}) == [
        "db2, network: expected the interface vec1; found only eth0, lo. "
        "What to do: correct hadb:heartbeat:interfaces or the node's network",
        "db2, network: expected the interface vec2; found only eth0, lo. "
        "What to do: correct hadb:heartbeat:interfaces or the node's network",
        "db2, network: expected the interface vec0; found only eth0, lo. "
        "What to do: correct hadb:vips:glance:interface or the node's network",
    ]


def test_of_a_vip_outside_every_network_of_its_interface():
    outside = {"lo": [], "vec0": ["10.9.0.12/24", "fd00::2/64"], "vec1": [], "vec2": []}
    assert of_db2({"interfaces": outside}) == [
        f"db2, network: expected {address} in a network of vec0; found 10.9.0.12/24, fd00::2/64. "
        f"What to do: correct hadb:vips:{name}" for name, address in (("nova", "10.20.0.50"), ("glance", "10.20.0.51"))]


@pytest.mark.parametrize("here", [["10.9.0.12/24", "10.20.0.12/24"], ["10.20.0.12/16"], []])
def test_one_fitting_network_is_enough_and_none_at_all_is_another_check_s_matter(here):
    assert of_db2({"interfaces": {"lo": [], "vec0": here, "vec1": [], "vec2": []}}) == []


def test_of_a_vip_that_somebody_else_has():
    assert of_db2({"neighbours": {"10.20.0.51": "52:54:00:00:00:99"}}) == [
        "db2, vip: expected nobody else at 10.20.0.51; found an answer from 52:54:00:00:00:99. "
        "What to do: free the address or change hadb:vips:glance:address"]


def test_of_users_and_groups():
    ids = {"user": {"number_of_name": 110, "name_of_number": "alice"}, "group": {"number_of_name": 120, "name_of_number": "staff"}}
    remove = "set hadb:database:user to the id that both nodes can have, or remove the"
    other = "choose another id under hadb:database:user"
    assert of_db2({"ids": ids}) == [
        f"db2, user: expected user mysql with id 3306; found id 110. What to do: {remove} user where it is unused",
        f"db2, user: expected id 3306 free for user mysql; found it belongs to alice. What to do: {other}",
        f"db2, group: expected group mysql with id 3306; found id 120. What to do: {remove} group where it is unused",
        f"db2, group: expected id 3306 free for group mysql; found it belongs to staff. What to do: {other}",
    ]


def test_the_user_and_the_group_are_each_compared_with_their_own_name_and_number():
    settings = document()
    settings["database"]["user"] = {"name": "dbuser", "group": "dbgroup", "uid": 7001, "gid": 7002}
    facts = blank()
    for node in NODES:
        facts[node]["system"]["digest"] = digest(settings)
        facts[node]["system"]["ids"] = {"user": {"number_of_name": 7001, "name_of_number": "dbuser"},
                                        "group": {"number_of_name": 7002, "name_of_number": "dbgroup"}}
    assert told(facts, settings) == []


@pytest.mark.parametrize(("luns", "seen"), [([], "no SAN device"), ([lun(wwid="b"), lun(wwid="a")], "a, b")])
def test_of_a_lun_that_a_node_does_not_see(luns, seen):
    facts = blank()
    facts["db1"]["luns"] = luns
    assert told(facts) == [
        f"db1, storage: expected the LUN {WWID}; found only {seen}. "
        "What to do: check zoning and LUN masking, rescan the HBA, or correct hadb:storage:luns"]


def test_a_lun_that_one_node_does_not_see_is_looked_at_on_the_other_all_the_same():
    facts = blank()
    facts["db1"]["luns"], facts["db2"]["luns"] = [], [lun(size=2 * GIB)]
    assert [line.partition(": ")[0] for line in told(facts)] == ["db1, storage", "db2, storage"]


def test_of_sizes():
    facts = blank()
    facts["db1"]["luns"] = [lun(size=2 * GIB)]
    assert told(facts) == [
        f"db1, storage: expected {WWID} with at least 3000000000 bytes; found 2147483648 bytes. "
        "What to do: present a larger LUN or lower min_size",
        f"cluster, storage: expected one size of {WWID} on both nodes; "
        "found {'db1': 2147483648, 'db2': 3221225472}. What to do: rescan the LUN on both nodes",
    ]


@pytest.mark.parametrize("least", [3 * GIB, ...])
def test_a_lun_of_exactly_the_least_size_is_large_enough_and_without_one_any_is(least):
    settings = changed("storage:luns:0:min_size", least)
    facts = blank()
    for node in NODES:
        facts[node]["system"]["digest"] = digest(settings)
        if least is ...:
            facts[node]["luns"] = [lun(size=1)]
    assert told(facts, settings) == []


def test_a_lun_that_is_in_our_volume_group_is_as_good_as_blank():
    facts = blank()
    for node in NODES:
        facts[node]["luns"] = [lun(pv={"vg": "db-vg", "vg_uuid": "v", "uuid": "p"}, signatures=FOREIGN)]
    assert told(facts) == []


FOREIGN = [{"type": "xfs", "usage": "filesystem", "offset": 0, "device": "/dev/sda", "label": ""}]


def test_of_contents_only_those_of_our_luns():
    facts = blank()
    for node in NODES:
        facts[node]["luns"] = [lun(wwid="of-somebody-else", signatures=FOREIGN), lun(signatures=FOREIGN)]
    found = check(document(), facts)
    assert [(one.node, one.step, one.expected) for one in found] == [
        (node, "storage", f"{WWID} blank, or ours") for node in NODES]
    assert "xfs" in found[0].found and "hadb never erases anything" in found[0].remedy


@pytest.mark.parametrize("power", ["off", "no answer (timeout)"])
def test_of_a_bmc_that_does_not_say_on(power):
    assert of_db2({"power": power}, "bmc") == [
        f"db2, fencing: expected the BMC of db1 to answer 'power is on'; found {power}. What to do: "
        "check address, account and password under hadb:nodes:db1:bmc, and that IPMI over LAN is enabled"]


def test_of_a_bmc_that_lets_anyone_in():
    assert of_db2({"refused": False}, "cipher_zero") == [
        "db2, fencing: expected the BMC of db1 to refuse cipher suite 0; found it lets anyone in without a password. "
        "What to do: switch cipher suite 0 off in the BMC (`ipmitool lan set 1 cipher_privs ...`); "
        "until then anyone on its network can power the node off"]


@pytest.mark.parametrize("topic", ["system", "luns", "bmc", "cipher_zero"])
def test_a_topic_that_was_not_asked_for_is_not_looked_at_on_any_node(topic):
    facts = blank()
    facts["db2"]["bmc"] = {"power": "off"}
    for node in NODES:
        del facts[node][topic]
    assert len(told(facts)) == (0 if topic == "bmc" else 1)


def test_one_node_without_a_topic_keeps_nothing_of_the_other_from_being_told():
    facts = blank()
    del facts["db1"]["system"], facts["db1"]["luns"]
    facts["db2"]["system"]["hostname"] = "x"
    facts["db2"]["luns"] = [lun(signatures=FOREIGN)]
    assert [(one.node, one.step) for one in check(document(), facts)] == [("db2", "name"), ("db2", "storage")]


def test_everything_that_is_wrong_is_told_at_once():
    facts = blank()
    facts["db1"]["bmc"] = {"power": "off"}
    facts["db2"]["system"] |= {"hostname": "x", "time": 0.0}
    assert [(one.node, one.step) for one in check(document(), facts)] == [
        ("db2", "name"), ("cluster", "clocks"), ("db1", "fencing")]
