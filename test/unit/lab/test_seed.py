from __future__ import annotations

import io
import json
import tarfile

import pytest
from topologies import default

from hadblab import seed
from hadblab.seed_files import File, Files


def files(name: str) -> Files:
    topology = default()
    return seed.contents(topology, topology.nodes[name])


def test_node_gets_its_site_addresses_and_none_on_heartbeat_cables():
    found = files("db1")
    assert "address 10.20.0.11/24" in found["etc/network/interfaces.d/vec0"].text
    assert not [path for path in found if path.endswith(("vec1", "vec2"))]


def test_storage_ports_belong_to_the_adapter_so_that_shutdown_leaves_them_up():
    found = files("db1")
    assert "etc/network/interfaces.d/vec3" not in found
    assert "ip address replace 10.30.1.11/24 dev vec3" in found["usr/lib/hadb-lab/iscsi-login"].text
    assert found["etc/systemd/system/open-iscsi.service"] == File("/dev/null", link=True)


def test_node_logs_in_to_every_portal_with_a_short_path_timeout():
    found = files("db1")
    assert 'wanted="10.30.1.20:3260 10.30.2.20:3260"' in found["usr/lib/hadb-lab/iscsi-login"].text
    assert "replacement_timeout' -v 5\n" in found["usr/lib/hadb-lab/iscsi-login"].text
    assert found["etc/iscsi/initiatorname.iscsi"].text == "InitiatorName=iqn.2026-11.org.lab:db1\n"


def test_array_offers_each_lun_to_each_node_on_both_portals():
    saved = json.loads(files("san")["etc/rtslib-fb-target/saveconfig.json"].text)
    group = saved["targets"][0]["tpgs"][0]
    assert [portal["ip_address"] for portal in group["portals"]] == ["10.30.1.20", "10.30.2.20"]
    assert [acl["node_wwn"] for acl in group["node_acls"]] == ["iqn.2026-11.org.lab:db1", "iqn.2026-11.org.lab:db2"]
    assert all(len(acl["mapped_luns"]) == 2 for acl in group["node_acls"])
    assert [(lun["dev"], lun["wwn"][:2]) for lun in saved["storage_objects"]] == [("/dev/ubdc", "10"), ("/dev/ubdd", "20")]


def test_array_lies_about_no_write():
    saved = json.loads(files("san")["etc/rtslib-fb-target/saveconfig.json"].text)
    assert {(lun["plugin"], lun["write_back"]) for lun in saved["storage_objects"]} == {("block", False)}


def test_pillar_reaches_the_nodes_and_the_orchestration_and_nobody_else():
    top = json.loads(files("salt")["srv/pillar/top.sls"].text)
    assert top == {"base": {"db1": ["hadb"], "db2": ["hadb"], "*_master": ["hadb"]}}


def test_minion_knows_its_master_and_never_gives_up():
    settings = json.loads(files("db2")["etc/salt/minion.d/lab.conf"].text)
    assert (settings["id"], settings["master"], settings["master_tries"]) == ("db2", "10.20.0.10", -1)
    assert settings["state_events"] is True


@pytest.mark.parametrize("name", ["db1", "san", "salt"])
def test_archive_holds_exactly_the_files(name: str):
    wanted = files(name)
    with tarfile.open(fileobj=io.BytesIO(seed.pack(wanted))) as archive:
        entries = archive.getmembers()
        assert {entry.name for entry in entries} == set(wanted)
        assert {(entry.uid, entry.gid) for entry in entries} == {(0, 0)}
        for entry in entries:
            if entry.isfile():
                content = archive.extractfile(entry)
                assert content and content.read().decode() == wanted[entry.name].text
                assert entry.mode == wanted[entry.name].mode


def test_same_files_make_the_same_archive():
    assert seed.pack(files("db1")) == seed.pack(files("db1"))


def test_used_seed_is_no_archive_and_so_overwrites_nothing():
    assert b"ustar" not in seed.USED
    with tarfile.open(fileobj=io.BytesIO(seed.USED)) as archive:
        assert archive.getnames() == []


def test_first_boot_starts_the_adapter_and_is_executable():
    script = files("db1")[seed.FIRST_BOOT]
    assert script.mode == 0o755
    assert "systemctl --no-block start hadb-lab-iscsi.service" in script.text
