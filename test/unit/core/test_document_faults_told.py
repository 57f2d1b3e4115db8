"""What is told about parts of the document that do not fit together, word by word and up to each limit."""

from __future__ import annotations

from typing import Any

import pytest

from documents import changed, document
from hadb_core.document import merge
from hadb_core.document_faults import faults


def with_(**change: Any) -> list[str]:
    return faults(merge(document(), change))


def nodes(**of: dict[str, Any]) -> list[str]:
    return with_(nodes=of)


NOVA = {"address": "10.20.0.50", "prefix_length": 24, "interface": "vec0"}


@pytest.mark.parametrize(("path", "value", "wanted"), [
    ("bootstrap_node", "db9", [
        "hadb:bootstrap_node: 'db9' is not one of the nodes (db1, db2); name one of them or leave it out"]),
    ("nodes:db2:address", "10.20.0.11", [
        "hadb:nodes:db1:address and hadb:nodes:db2:address: the same address 10.20.0.11; give each its own"]),
    ("nodes:db1:bmc:address", "10.20.0.102", [
        "hadb:nodes:db1:bmc:address and hadb:nodes:db2:bmc:address: the same address 10.20.0.102; give each its own"]),
    ("vips:glance:address", "10.20.0.50", [
        "hadb:vips:nova:address and hadb:vips:glance:address: the same address 10.20.0.50; give each its own"]),
    ("vips:nova:address", "10.20.0.101", [
        "hadb:nodes:db1:bmc:address and hadb:vips:nova:address: the same address 10.20.0.101; give each its own"]),
    ("nodes:db2:links:1", "172.16.2.1", [
        "hadb:nodes:db1:links:1 and hadb:nodes:db2:links:1: the same address 172.16.2.1; give each its own"]),
    ("nodes:db1:minion_id", "db2", [
        "hadb:nodes:*:minion_id: both nodes have the same minion id; give each its own"]),
    ("nodes:db2:links", ["172.16.1.2"], [
        "hadb:nodes:db2:links: has 1 addresses, but 2 are needed (one for each heartbeat interface)"]),
    ("nodes:db2:links:1", "172.16.9.2", [
        "hadb:nodes:*:links:1: 172.16.2.1 and 172.16.9.2 are not in one /24 network; the two ends of a link must be"]),
    ("vips:nova:address", "10.99.0.50", [
        f"hadb:vips:nova:address: 10.99.0.50/24 is outside the network of {node} ({address}); "
        "choose an address in the nodes' network" for node, address in (("db1", "10.20.0.11"), ("db2", "10.20.0.12"))]),
    ("vips:nova:address", "10.20.0.255", [
        "hadb:vips:nova:address: 10.20.0.255 is the network or broadcast address of 10.20.0.0/24; choose another"]),
    ("vips:nova:address", "10.20.0.0", [
        "hadb:vips:nova:address: 10.20.0.0 is the network or broadcast address of 10.20.0.0/24; choose another"]),
    ("vips:nova:interface", "vec2", [
        "hadb:vips:nova:interface: vec2 is a heartbeat cable; clients cannot reach it there"]),
    ("database:datadir", "/srv/mysql", [
        "hadb:database:datadir: /srv/mysql is not below hadb:storage:filesystem:mount_point (/dbmnt); "
        "the data must be on the shared volume, for instance /dbmnt/mysql"]),
    # Beside the mount point is not below it, and the mount point itself is no datadir (lost+found).
    ("database:datadir", "/dbmnt2/mysql", [
        "hadb:database:datadir: /dbmnt2/mysql is not below hadb:storage:filesystem:mount_point (/dbmnt); "
        "the data must be on the shared volume, for instance /dbmnt/mysql"]),
    ("database:datadir", "/dbmnt", [
        "hadb:database:datadir: /dbmnt is not below hadb:storage:filesystem:mount_point (/dbmnt); "
        "the data must be on the shared volume, for instance /dbmnt/mysql"]),
    ("database:accounts:root", {"password": "long-enough"}, [
        "hadb:database:accounts:root: root is managed by hadb (local socket only); remove it here"]),
])  # fmt: skip
def test_of_parts_that_do_not_fit(path, value, wanted):
    assert faults(changed(path, value)) == wanted


def test_one_address_in_two_notations_is_the_same():
    def bmc(address):
        return {"bmc": {"address": address}}

    assert nodes(db1=bmc("fd00::1"), db2=bmc("fd00:0::0001")) == [
        "hadb:nodes:db1:bmc:address and hadb:nodes:db2:bmc:address: the same address fd00::1; give each its own"]


def test_a_minion_id_may_be_another_node_s_name_when_that_has_one_too():
    assert nodes(db1={"minion_id": "db2"}, db2={"minion_id": "db1"}) == []


def test_two_links_of_a_node_in_one_network():
    assert nodes(db1={"links": ["172.16.1.1", "172.16.1.3"]}, db2={"links": ["172.16.1.2", "172.16.1.4"]}) == [
        "hadb:nodes:*:links: two links share one network; give each cable its own, or losing one looks like losing both"]


def test_a_bond_has_one_link_however_many_cables_it_has():
    bond = {"mode": "bond"}
    one = {"db1": {"links": ["172.16.1.1"]}, "db2": {"links": ["172.16.1.2"]}}
    assert with_(heartbeat=bond, nodes=one) == []
    assert with_(heartbeat=bond) == [
        f"hadb:nodes:{node}:links: has 2 addresses, but 1 are needed (one, for the bond)" for node in ("db1", "db2")]


@pytest.mark.parametrize(("prefix", "fits"), [(24, True), (30, True), (31, False)])
def test_both_ends_of_a_link_share_the_network_that_the_prefix_says(prefix, fits):
    found = with_(heartbeat={"prefix_length": prefix})
    assert found == ([] if fits else [
        f"hadb:nodes:*:links:{index}: 172.16.{index + 1}.1 and 172.16.{index + 1}.2 are not in one /31 network; "
        "the two ends of a link must be" for index in (0, 1)])  # fmt: skip


def test_links_may_be_of_ipv6_with_the_prefix_of_theirs():
    def end(last):
        return {"links": [f"fd00:0:0:1::{last}", f"fd00:0:0:2::{last}"]}

    assert with_(heartbeat={"prefix_length": 64}, nodes={"db1": end(1), "db2": end(2)}) == []


@pytest.mark.parametrize(("address", "prefix", "objects"), [
    ("10.20.0.12", 30, True), ("10.20.0.15", 29, True), ("10.20.0.8", 29, True), ("10.20.0.14", 29, False)])
def test_first_and_last_address_of_a_small_network_are_not_for_a_vip(address, prefix, objects):
    found = with_(vips={"nova": {**NOVA, "address": address, "prefix_length": prefix}})
    assert any("network or broadcast address" in fault for fault in found) is objects


def test_a_network_of_two_addresses_has_neither():
    two = {"db1": {"address": "10.30.0.1"}, "db2": {"address": "10.30.0.3"}}
    found = with_(nodes=two, vips={"nova": {**NOVA, "address": "10.30.0.0", "prefix_length": 31}})
    assert not [fault for fault in found if "network or broadcast" in fault]


@pytest.mark.parametrize("times", [2, 3])
def test_a_lun_is_listed_once(times):
    one = {"wwid": "360014051000000000000000000000001"}
    luns = document()["storage"]["luns"]
    assert faults(changed("storage:luns", [*luns, one])) == []
    assert faults(changed("storage:luns", [*([one] * times), *luns])) == [
        "hadb:storage:luns: 360014051000000000000000000000001 is listed more than once; list each LUN once"]


@pytest.mark.parametrize("mount", ["/", "/etc", "/usr", "/var", "/boot", "/home", "/root", "/run", "/tmp", "/var/lib"])
def test_the_system_s_directories_are_no_mount_point(mount):
    found = with_(storage={"filesystem": {"mount_point": mount}}, database={"datadir": f"{mount.rstrip('/')}/mysql"})
    assert [fault for fault in found if "mount_point" in fault][-1].startswith("hadb:storage:filesystem:mount_point: ")
    if mount != "/":
        assert found == [
            f"hadb:storage:filesystem:mount_point: {mount} belongs to the system; choose a directory of its own such as /dbmnt"]


@pytest.mark.parametrize("mount", ["/srv/db", "/var/lib/db", "/dbmnt"])
def test_any_other_directory_is_one(mount):
    assert with_(storage={"filesystem": {"mount_point": mount}}, database={"datadir": f"{mount}/deep/mysql"}) == []


def test_the_preset_s_account_is_asked_for():
    assert faults(changed("database:accounts:nova", ...))[0] == (
        "hadb:database:accounts:nova: is missing, but the preset openstack_nova needs it; add it with a password")


def test_without_the_preset_nova_may_be_missing():
    without = changed("database:accounts:nova", ...)
    without["database"]["presets"] = []
    assert faults(without) == []


def test_faults_of_every_part_come_together():
    broken = merge(document(), {
        "bootstrap_node": "db9", "corosync": {"token_retransmits_before_loss_const": 34}, "vips": {"nova": {"interface": "vec1"}},
        "database": {"datadir": "/srv", "accounts": {"root": {"password": "long-enough"}}, "settings": {"datadir": "/x"}}})
    assert [fault.partition(": ")[0] for fault in faults(broken)][:5] == [
        "hadb:bootstrap_node", "hadb:corosync:token_retransmits_before_loss_const", "hadb:vips:nova:interface", "hadb:database:datadir",
        "hadb:database:accounts:root"]
    assert len(faults(broken)) == 6
