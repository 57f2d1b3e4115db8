"""Bad input is refused with path, reason and remedy, all faults at once."""

from __future__ import annotations

import pytest

from documents import changed, document
from hadb_core.document import complete, digest, merge, redacted
from hadb_core.document_faults import faults


@pytest.mark.parametrize("pillar", ["pillar.example", "test/lab/pillar.sls"])
def test_shipped_pillars_are_valid(pillar):
    assert faults(document(pillar)) == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("nodez", {}, "hadb:nodez: unknown key; did you mean 'nodes'?"),
        (
            "nodes:db1:bmc:adress",
            "10.20.0.9",
            "hadb:nodes:db1:bmc:adress: unknown key; did you mean 'address'?",
        ),
        ("nodes:db1:bmc", ..., "hadb:nodes:db1:bmc: is missing"),
        ("nodes:db1:bmc", "secret-password", "hadb:nodes:db1:bmc: must be a mapping, but is a text"),
        ("nodes:db2", ..., "hadb:nodes: must have exactly 2 entries, but has 1"),
        (
            "nodes:db3",
            {"address": "10.20.0.13", "links": ["172.16.1.3"], "bmc": {}},
            "must have exactly 2 entries, but has 3",
        ),
        ("bootstrap_node", "db9", "hadb:bootstrap_node: 'db9' is not one of the nodes (db1, db2)"),
        (
            "nodes:db2:address",
            "10.20.0.11",
            "hadb:nodes:db1:address and hadb:nodes:db2:address: the same address 10.20.0.11",
        ),
        ("nodes:db2:links", ["172.16.1.1", "172.16.2.2"], "the same address 172.16.1.1"),
        ("nodes:db2:links", ["172.16.9.2", "172.16.2.2"], "are not in one /24 network"),
        ("nodes:db2:links", ["172.16.1.2"], "hadb:nodes:db2:links: has 1 addresses, but 2 are needed"),
        ("nodes:db1:minion_id", "db2", "both nodes have the same minion id"),
        (
            "vips:nova:address",
            "10.99.0.50",
            "hadb:vips:nova:address: 10.99.0.50/24 is outside the network of db1",
        ),
        ("vips:nova:address", "10.20.0.255", "network or broadcast address"),
        ("vips:nova:address", "10.20.0.50/24", "is not an IP address"),
        ("vips:nova:interface", "vec1", "vec1 is a heartbeat cable"),
        ("vips:nova:interface", "vec0; reboot", "hadb:vips:nova:interface: 'vec0; reboot' is not accepted"),
        ("vips", {}, "hadb:vips: must have at least 1 entries"),
        ("storage:luns", [], "hadb:storage:luns: must have at least 1 entries"),
        ("storage:luns:0:wwid", "$(id)", "hadb:storage:luns:0:wwid: '$(id)' is not accepted"),
        (
            "storage:luns:0:min_size",
            "3G",
            "hadb:storage:luns:0:min_size: must be a whole number, but is a text",
        ),
        ("storage:vg", "db vg", "hadb:storage:vg: 'db vg' is not accepted"),
        ("storage:filesystem:mount_point", "/var", "/var belongs to the system"),
        ("storage:filesystem:mount_point", "/dbmnt\n", "is not accepted"),
        ("database:datadir", "/srv/mysql", "hadb:database:datadir: /srv/mysql is not below"),
        ("database:accounts:nova", ..., "hadb:database:accounts:nova: is missing, but the preset"),
        (
            "database:accounts:root",
            {"password": "long-enough"},
            "hadb:database:accounts:root: root is managed by hadb",
        ),
        ("database:accounts:n'ova", {"password": "long-enough"}, "cannot be used as a name here"),
        (
            "database:accounts:nova:password",
            "short",
            "hadb:database:accounts:nova:password: a value that is not shown",
        ),
        ("database:accounts:nova:password", "pässwörter", "a value that is not shown is not accepted"),
        ("database:settings:innodb_flush_log_at_trx_commit", 2, "innodb_flush_log_at_trx_commit"),
        (
            "corosync:crypto_cipher",
            "none",
            "hadb:corosync:crypto_cipher: must be one of aes256, aes192, aes128",
        ),
        ("corosync:token", True, "hadb:corosync:token: must be a whole number, but is true or false"),
        ("corosync:consensus", 50, "hadb:corosync:consensus: "),
        (
            "corosync:token_retransmits_before_loss_const",
            34,
            "hadb:corosync:token_retransmits_before_loss_const: 34 within a token of 1000 ms",
        ),
        ("pacemaker:agents", "none", "hadb:pacemaker:agents: must be one of hadb, stock"),
        ("fencing:agent", "fence_ssh", "hadb:fencing:agent: must be one of fence_hadb, fence_ipmilan"),
        ("fencing:cipher", 0, "hadb:fencing:cipher: must be one of 3, 17"),
        ("pacemaker:properties", {"stonith-enabled": False}, "hadb:pacemaker:properties:stonith-enabled: stonith-enabled is set by hadb itself"),
        ("pacemaker:properties", {"fencing-enabled": "no"}, "hadb:pacemaker:properties:fencing-enabled: stonith-enabled is set by hadb itself"),
        ("pacemaker:properties", {"startup-fencing": "off"}, "hadb:pacemaker:properties:startup-fencing: must stay true"),
        ("pacemaker:properties", {"no-such-thing": 1}, "Pacemaker has no cluster property 'no-such-thing'"),
        ("pacemaker:operations:vip:monitor", {"interval": 5}, "hadb:pacemaker:operations:vip:monitor: has no timeout"),
        ("fencing:action", "nuke", "hadb:fencing:action: must be one of reboot, off"),
        ("cluster_name", "nova`id`", "hadb:cluster_name: 'nova`id`' is not accepted"),
        ("cluster_name", "дб", "hadb:cluster_name: 'дб' is not accepted"),
    ],
)
def test_refuses_with_path_and_reason(path, value, said):
    assert said in "\n".join(faults(changed(path, value)))


def test_names_all_faults_at_once():
    broken = merge(document(), {"nodez": 1, "cluster_name": "a b", "vips": {"nova": {"address": "x"}}})
    assert len(faults(broken)) == 3


def test_an_empty_pillar_names_every_missing_part():
    said = "\n".join(faults(complete({})))
    for part in ("nodes", "heartbeat", "storage", "database", "vips"):
        assert f"hadb:{part}: is missing" in said


@pytest.mark.parametrize("path", ["nodes:db1:bmc:password", "database:accounts:nova:password"])
def test_a_wrong_secret_is_never_shown(path):
    assert "hunter2" not in "\n".join(faults(changed(path, "hunter2")))
    assert "hunter2" not in "\n".join(faults(changed(path.rsplit(":", 1)[0], "hunter2")))


def test_redacted_hides_secrets_and_only_those():
    shown = redacted(document())
    assert "lab-only" not in repr(shown)
    assert shown["nodes"]["db1"]["bmc"]["address"] == "10.20.0.101"


def test_a_master_of_another_release_has_the_same_digest():
    assert document(release="12") != document()
    assert digest(document(release="12")) == digest(document())


def test_digest_tells_documents_apart_but_not_by_their_secrets():
    assert digest(document()) != digest(changed("cluster_name", "other"))
    assert digest(document()) == digest(changed("nodes:db1:bmc:password", "another-one"))


def test_merge_replaces_lists_and_merges_mappings():
    assert merge({"a": {"b": 1, "c": [1, 2]}}, {"a": {"c": [3]}}) == {"a": {"b": 1, "c": [3]}}
