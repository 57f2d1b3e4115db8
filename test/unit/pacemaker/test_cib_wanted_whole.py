"""What hadb wants in the CIB, element by element: ids as crmsh gives them, and every parameter of every agent."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from cib_document import captured

from hadb_core.cib_facts import facts
from hadb_core.cib_primitive import primitive, text
from hadb_core.cib_wanted import wanted
from hadb_core.errors import Invalid


def test_a_primitive_has_the_ids_that_crmsh_gives() -> None:
    operations = {"start": {"timeout": 9}, "monitor-deep": {"timeout": 8, "interval": 5, "depth": 10, "on_fail": "fence"}}
    found = primitive("p", ("ocf", "hadb", "x"), {"a": "1", "b": "2"}, operations)
    assert ET.tostring(found, encoding="unicode") == (
        '<primitive id="p" class="ocf" provider="hadb" type="x"><instance_attributes id="p-instance_attributes">'
        '<nvpair id="p-instance_attributes-a" name="a" value="1" /><nvpair id="p-instance_attributes-b" name="b" value="2" />'
        '</instance_attributes><operations><op id="p-start-0s" name="start" interval="0s" timeout="9s" />'
        '<op id="p-monitor-5s" name="monitor" interval="5s" timeout="8s" on-fail="fence">'
        '<instance_attributes id="p-monitor-5s-instance_attributes">'
        '<nvpair id="p-monitor-5s-instance_attributes-OCF_CHECK_LEVEL" name="OCF_CHECK_LEVEL" value="10" />'
        "</instance_attributes></op></operations></primitive>"
    )


@pytest.mark.parametrize(("value", "spelled"), [(True, "true"), (False, "false"), (17, "17"), ("As Is", "As Is")])
def test_a_value_of_the_pillar_is_spelled_as_pacemaker_does(value: object, spelled: str) -> None:
    assert text(value) == spelled


def test_a_fence_device_has_every_parameter() -> None:
    device = facts(wanted(captured()).resources[0])
    assert device == {
        "agent": "stonith:fence_ipmilan", "param ip": "10.20.0.101", "param username": "hadb", "param lanplus": "1",
        "param cipher": "17", "param privlvl": "operator", "param ipmitool_path": "/usr/lib/hadb/ipmitool",
        "param pcmk_host_list": "db1", "param pcmk_host_check": "static-list", "param pcmk_reboot_timeout": "120s",
        "param pcmk_off_timeout": "60s", "param pcmk_monitor_timeout": "60s", "param pcmk_status_timeout": "60s",
        "op start timeout": "60s", "op stop timeout": "60s", "op monitor 60s timeout": "60s",
    }  # fmt: skip


def parameters(**changes: object) -> dict[str, dict[str, str]]:
    found = wanted(captured(**changes)).resources
    assert [item.tag for item in found[-1]] == ["meta_attributes"] + ["primitive"] * 3
    return {
        item.get("id", ""): {name[6:]: value for name, value in facts(item).items() if name.startswith("param ")}
        for item in (*found[2:-1], *found[-1].findall("primitive"))
    }


def test_what_serves_clients_has_every_parameter() -> None:
    assert parameters() == {
        "db-lvm": {"vgname": "db-vg", "vg_access_mode": "system_id"},
        "db-fs": {"device": "/dev/db-vg/db-vol", "directory": "/dbmnt", "fstype": "ext4", "options": "noatime"},
        "vip-glance": {"ip": "10.20.0.51", "cidr_netmask": "24", "nic": "vec0"},
        "vip-nova": {"ip": "10.20.0.50", "cidr_netmask": "24", "nic": "vec0"},
        "db-server": {
            "binary": "/usr/sbin/mysqld", "config": "/etc/hadb/my.cnf", "datadir": "/dbmnt/mysql", "pid": "/run/mysqld/mysqld.pid",
            "socket": "/run/mysqld/mysqld.sock", "log": "/var/log/mysql/error.log", "user": "mysql", "group": "mysql",
        },
    }  # fmt: skip


def test_a_filesystem_without_options_has_none() -> None:
    assert "options" not in parameters(storage={"filesystem": {"options": ""}})["db-fs"]


def test_properties_defaults_bans_and_what_only_the_pillar_asked_for() -> None:
    found = wanted(captured(pacemaker={"properties": {"enable-acl": True, "batch-limit": 7}}))
    assert found.properties == {
        "batch-limit": "7", "enable-acl": "true", "stonith-enabled": "true", "stonith-timeout": "120s", "priority-fencing-delay": "3s",
        "no-quorum-policy": "stop", "cluster-recheck-interval": "300s",
    }  # fmt: skip
    assert (found.extras, found.nodes) == (("batch-limit", "enable-acl"), ("db1", "db2"))
    assert found.defaults == {"resource-stickiness": "1000", "migration-threshold": "3", "failure-timeout": "600s"}
    assert [ET.tostring(item, encoding="unicode") for item in found.constraints] == [
        *(f'<rsc_location id="loc-fence-{node}" rsc="fence-{node}" node="{node}" score="-INFINITY" />' for node in ("db1", "db2")),
        *(text for name in ("vip-glance", "vip-nova") for text in (
            f'<rsc_colocation id="col-{name}" rsc="{name}" with-rsc="db" score="INFINITY" />',
            f'<rsc_order id="ord-{name}" first="{name}" then="db-server" kind="Mandatory" />',
        )),
    ]  # fmt: skip
    given = captured()
    given["pacemaker"] = {key: value for key, value in given["pacemaker"].items() if key != "properties"}
    assert wanted(given).extras == ()


def test_every_fault_of_properties_and_operations_is_told() -> None:
    operations = {"vip": {"start": {}, "monitor": {"timeout": 5, "interval": 3}, "monitor-x": {"timeout": 5, "interval": 3, "b": 1, "a": 1},
                          "stop": {"timeout": 1}, "stop-0": {"timeout": 1, "interval": 0}}}  # fmt: skip
    properties = {"stonith-enabled": "true", "my-password": "x"}
    with pytest.raises(Invalid) as error:
        wanted(captured(pacemaker={"properties": properties, "operations": operations}))
    vip, interval = "hadb:pacemaker:operations:vip", "Pacemaker tells operations apart by name and interval, so choose another"
    assert error.value.faults == (
        "hadb:pacemaker:properties:stonith-enabled: stonith-enabled is set by hadb itself from other keys",
        "hadb:pacemaker:properties:my-password: Pacemaker has no cluster property 'my-password' and would silently ignore it; "
        "check the spelling",
        f"{vip}:monitor-x:a: no such field; there are depth, interval, on_fail, timeout",
        f"{vip}:monitor-x:b: no such field; there are depth, interval, on_fail, timeout",
        f"{vip}:monitor-x: has the interval of monitor; {interval}",
        f"{vip}:stop-0: has the interval of stop; {interval}",
    )
