import xml.etree.ElementTree as ET

import pytest
from cib_document import AGENT_SETS, captured, document

from hadb_core.cib_facts import facts
from hadb_core.cib_wanted import wanted
from hadb_core.errors import Invalid


@pytest.fixture(params=AGENT_SETS)
def chosen(request):
    """A maker of documents with one set of agents, as the pillar chooses it."""
    return lambda **changes: document(AGENT_SETS[request.param], **changes)


def by_id(found, name):
    return next(
        item
        for top in (*found.resources, *found.constraints)
        for item in top.iter()
        if item.get("id") == name
    )


def params(found, name):
    """Return the parameters of a primitive by name."""
    told = facts(by_id(found, name)).items()
    return {fact.removeprefix("param "): value for fact, value in told if fact.startswith("param ")}


def agent(found, name):
    return facts(by_id(found, name))["agent"]


def test_the_group_starts_volume_filesystem_server_in_this_order(chosen):
    assert wanted(chosen()).members() == ("db-lvm", "db-fs", "db-server")


def test_an_address_waits_for_no_volume_but_is_where_the_group_is_and_there_before_the_server(chosen):
    found = wanted(chosen())
    assert found.service() == ("db-lvm", "db-fs", "db-server", "vip-glance", "vip-nova")
    for name in ("vip-glance", "vip-nova"):
        together, before = facts(by_id(found, f"col-{name}")), facts(by_id(found, f"ord-{name}"))
        assert together == {"rsc": name, "with-rsc": "db", "score": "INFINITY"}
        assert before == {"first": name, "then": "db-server", "kind": "Mandatory"}
    orders = [item for item in found.constraints if item.tag == "rsc_order"]
    assert {item.get("first") for item in orders} == {"vip-glance", "vip-nova"}


def test_hadbs_agents_are_the_default_and_stock_ones_are_a_choice():
    names = ("db-lvm", "db-fs", "vip-nova", "db-server", "fence-db1")
    ours, stock = wanted(document()), wanted(document(AGENT_SETS["stock"]))
    assert [agent(ours, name) for name in names] == [
        "ocf:hadb:lvm", "ocf:hadb:filesystem", "ocf:hadb:address", "ocf:hadb:server", "stonith:fence_hadb",
    ]  # fmt: skip
    assert [agent(stock, name) for name in names] == [
        "ocf:heartbeat:LVM-activate", "ocf:heartbeat:Filesystem", "ocf:heartbeat:IPaddr2", "ocf:heartbeat:mysql",
        "stonith:fence_ipmilan",
    ]  # fmt: skip


def test_resource_and_fence_agents_are_chosen_apart():
    found = wanted(document(fencing={"agent": "fence_ipmilan"}))
    assert (agent(found, "db-lvm"), agent(found, "fence-db1")) == ("ocf:hadb:lvm", "stonith:fence_ipmilan")


def test_the_stock_agents_get_what_they_always_got():
    found = wanted(document(AGENT_SETS["stock"]))
    assert params(found, "db-lvm") == {"vgname": "db-vg", "vg_access_mode": "system_id"}
    # What the clusters of the fixtures were configured with is what an upgrade meets.
    before = wanted(captured())
    for name in ("db-lvm", "db-fs", "vip-nova", "db-server", "fence-db1"):
        assert params(found, name) == params(before, name)
    assert found.properties.items() >= {"stonith-timeout": "120s", "priority-fencing-delay": "5s"}.items()


def test_hadbs_agents_are_told_the_same_place_as_the_stock_ones():
    ours, stock = wanted(document()), wanted(document(AGENT_SETS["stock"]))
    assert params(ours, "db-lvm") == {"vgname": "db-vg", "lvname": "db-vol", "hosts": "db1 db2"}
    for name in ("db-fs", "vip-nova", "vip-glance", "db-server"):
        assert params(ours, name) == params(stock, name)


def test_each_fencing_device_is_banned_from_its_own_target(chosen):
    found = wanted(chosen())
    for node in ("db1", "db2"):
        ban = by_id(found, f"loc-fence-{node}")
        assert (ban.get("rsc"), ban.get("node"), ban.get("score")) == (f"fence-{node}", node, "-INFINITY")
        assert params(found, f"fence-{node}")["pcmk_host_list"] == node


def test_no_password_is_wanted_anywhere(chosen):
    given = chosen()
    for node in given["nodes"].values():
        node["bmc"]["password"] = "canary-bmc-secret"
    given["database"]["accounts"] = {"nova": {"password": "canary-nova-secret"}}
    found = wanted(given)
    text = "".join(ET.tostring(item, encoding="unicode") for item in found.resources)
    assert "canary" not in text
    assert "passw" not in text
    assert params(found, "fence-db1")["ipmitool_path"] == "/usr/lib/hadb/ipmitool"


def test_fencing_by_off_leaves_the_node_down(chosen):
    assert "pcmk_reboot_action" not in params(wanted(chosen()), "fence-db1")
    off = params(wanted(chosen(fencing={"action": "off"})), "fence-db1")
    assert off["pcmk_reboot_action"] == "off"


def test_an_off_of_fence_ipmilan_has_half_the_time_of_its_reboot():
    for action, reboot in (("reboot", "120s"), ("off", "60s")):
        found = wanted(document(AGENT_SETS["stock"], fencing={"action": action}))
        told = params(found, "fence-db1")
        assert (told["pcmk_reboot_timeout"], told["pcmk_off_timeout"]) == (reboot, "60s")
        assert found.properties["stonith-timeout"] == reboot


@pytest.mark.parametrize("action", ["reboot", "off"])
@pytest.mark.parametrize(("fencing", "limit"), [({}, 40), ({"delay": 30}, 65), ({"timeout": 90}, 110)])
def test_fence_hadb_has_time_for_the_question_the_head_start_and_the_command(action, fencing, limit):
    found = wanted(document(fencing={"action": action, **fencing}))
    told = params(found, "fence-db1")
    assert told["pcmk_reboot_timeout"] == told["pcmk_off_timeout"] == f"{limit}s"
    assert found.properties["stonith-timeout"] == f"{limit}s"
    assert limit == 15 + int(told["head_start"]) + int(told["power_timeout"])


def test_a_monitor_of_a_bmc_is_patient_with_either_agent(chosen):
    found = wanted(chosen())
    assert params(found, "fence-db1")["pcmk_monitor_timeout"] == "60s"
    assert facts(by_id(found, "fence-db1"))["op monitor 60s timeout"] == "60s"


@pytest.mark.parametrize("resource", ["db-lvm", "db-fs"])
def test_storage_that_cannot_be_released_or_read_fences_the_node(chosen, resource):
    found = facts(by_id(wanted(chosen()), resource))
    failures = {fact: value for fact, value in found.items() if fact.endswith("on-fail")}
    assert set(failures.values()) == {"fence"}
    assert any("stop" in fact for fact in failures) and any("monitor" in fact for fact in failures)


def test_the_volumes_monitor_asks_whose_the_group_is(chosen):
    assert facts(by_id(wanted(chosen()), "db-lvm"))["op monitor 30s OCF_CHECK_LEVEL"] == "10"


@pytest.mark.parametrize(("resource", "depth"), [("db-fs", "20"), ("db-server", "10")])
def test_the_one_monitor_writes_to_the_disk_and_queries_the_server(chosen, resource, depth):
    found = facts(by_id(wanted(chosen()), resource))
    assert found["op monitor 5s OCF_CHECK_LEVEL"] == depth
    assert {fact.split()[2] for fact in found if fact.startswith("op monitor")} == {"5s"}


def test_a_cheap_monitor_beside_a_rare_query_can_be_had():
    operations = {"monitor": {"depth": 0}, "monitor-query": {"interval": 30, "timeout": 60, "depth": 10}}
    found = facts(by_id(wanted(document(pacemaker={"operations": {"server": operations}})), "db-server"))
    assert "op monitor 5s OCF_CHECK_LEVEL" not in found
    assert found["op monitor 30s OCF_CHECK_LEVEL"] == "10"


def test_quorum_and_fencing_are_not_negotiable(chosen):
    properties = wanted(chosen()).properties
    assert properties["stonith-enabled"] == "true"
    assert properties["no-quorum-policy"] == "stop"


def test_with_fence_ipmilan_pacemaker_gives_the_node_with_the_database_a_head_start():
    found = wanted(document(AGENT_SETS["stock"], fencing={"delay": 7}))
    assert found.properties["priority-fencing-delay"] == "7s"
    assert int(facts(by_id(found, "db"))["meta priority"]) > 0
    assert "head_start" not in params(found, "fence-db1")


def test_with_fence_hadb_the_agent_gives_it_and_knows_how_to_tell_who_is_alive():
    found = wanted(document(fencing={"delay": 7}, storage={"filesystem": {"mount_point": "/data"}}))
    assert found.properties["priority-fencing-delay"] == "0s"
    for node, address in (("db1", "10.20.0.11"), ("db2", "10.20.0.12")):
        told = params(found, f"fence-{node}")
        assert (told["head_start"], told["database_mount"], told["target_address"]) == ("7", "/data", address)
        assert told["preload"] == document()["database"]["binary"]


def test_an_ipv6_address_skips_duplicate_address_detection():
    vips = {"six": {"address": "2001:db8::50", "prefix_length": 64, "interface": "vec0"}}
    assert params(wanted(document(AGENT_SETS["stock"], vips=vips)), "vip-six")["nodad"] == "true"
    # hadb's agent never does it.
    assert "nodad" not in params(wanted(document(vips=vips)), "vip-six")


def test_a_property_that_says_what_hadb_needs_anyway_is_taken():
    assert wanted(document(pacemaker={"properties": {"startup-fencing": "yes"}})).properties["startup-fencing"] == "yes"


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({"properties": {"stonith-enable": True}}, "no cluster property"),
        ({"properties": {"stonith-enabled": False}}, "set by hadb itself"),
        ({"properties": {"fencing-enabled": False}}, "stonith-enabled is set by hadb itself"),
        ({"properties": {"startup-fencing": False}}, "startup-fencing: must stay true"),
        ({"properties": {"priority-fencing-delay": "5s"}}, "set by hadb itself"),
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
