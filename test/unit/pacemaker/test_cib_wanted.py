import xml.etree.ElementTree as ET

import pytest
from cib_document import document

from hadb_core.cib_facts import facts
from hadb_core.cib_wanted import wanted
from hadb_core.errors import Invalid


def by_id(found, name):
    return next(
        item
        for top in (*found.resources, *found.constraints)
        for item in top.iter()
        if item.get("id") == name
    )


def test_the_group_starts_volume_filesystem_addresses_server_in_this_order():
    assert wanted(document()).members() == ("db-lvm", "db-fs", "vip-glance", "vip-nova", "db-server")


def test_each_fencing_device_is_banned_from_its_own_target():
    found = wanted(document())
    for node in ("db1", "db2"):
        ban = by_id(found, f"loc-fence-{node}")
        assert (ban.get("rsc"), ban.get("node"), ban.get("score")) == (f"fence-{node}", node, "-INFINITY")
        assert facts(by_id(found, f"fence-{node}"))["param pcmk_host_list"] == node


def test_no_password_is_wanted_anywhere():
    given = document()
    for node in given["nodes"].values():
        node["bmc"]["password"] = "canary-bmc-secret"
    given["database"]["accounts"] = {"nova": {"password": "canary-nova-secret"}}
    found = wanted(given)
    text = "".join(ET.tostring(item, encoding="unicode") for item in found.resources)
    assert "canary" not in text
    assert "passw" not in text
    assert facts(by_id(found, "fence-db1"))["param ipmitool_path"] == "/usr/lib/hadb/ipmitool"


def test_fencing_by_off_leaves_the_node_down():
    assert "param pcmk_reboot_action" not in facts(by_id(wanted(document()), "fence-db1"))
    off = facts(by_id(wanted(document(fencing={"action": "off"})), "fence-db1"))
    assert off["param pcmk_reboot_action"] == "off"
    assert off["param pcmk_reboot_timeout"] == "60s"


@pytest.mark.parametrize("resource", ["db-lvm", "db-fs"])
def test_storage_that_cannot_be_released_or_read_fences_the_node(resource):
    found = facts(by_id(wanted(document()), resource))
    failures = {fact: value for fact, value in found.items() if fact.endswith("on-fail")}
    assert set(failures.values()) == {"fence"}
    assert any("stop" in fact for fact in failures) and any("monitor" in fact for fact in failures)


def test_the_filesystem_monitor_writes_to_the_disk():
    assert facts(by_id(wanted(document()), "db-fs"))["op monitor 20s OCF_CHECK_LEVEL"] == "20"


def test_quorum_and_fencing_are_not_negotiable():
    properties = wanted(document()).properties
    assert properties["stonith-enabled"] == "true"
    assert properties["no-quorum-policy"] == "stop"


def test_the_node_with_the_database_has_the_head_start():
    found = wanted(document(fencing={"delay": 7}))
    assert found.properties["priority-fencing-delay"] == "7s"
    assert int(facts(by_id(found, "db"))["meta priority"]) > 0


def test_an_ipv6_address_skips_duplicate_address_detection():
    vip = {"address": "2001:db8::50", "prefix_length": 64, "interface": "vec0"}
    assert facts(by_id(wanted(document(vips={"six": vip})), "vip-six"))["param nodad"] == "true"


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({"properties": {"stonith-enable": True}}, "no cluster property"),
        ({"properties": {"stonith-enabled": False}}, "set by hadb itself"),
        ({"operations": {"vip": {"monitor": {"timout": 3}}}}, "no such field"),
        ({"operations": {"server": {"monitor-query": {"interval": 5}}}}, "has the interval of monitor"),
        ({"operations": {"vip": {"promote": {"interval": 1}}}}, "has no timeout"),
    ],
)
def test_refuses_policies_that_pacemaker_would_misread(policy, words):
    with pytest.raises(Invalid, match=words):
        wanted(document(pacemaker=policy))


def test_all_faults_are_named_at_once():
    policy = {"properties": {"stonith-enable": True, "batch-limit": "many"}}
    with pytest.raises(Invalid) as caught:
        wanted(document(pacemaker=policy))
    assert len(caught.value.faults) == 2
