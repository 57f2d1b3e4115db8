"""The states: test mode changes nothing and shows exactly what the real run reports."""

from __future__ import annotations

from typing import Any

import pytest
import salt.utils.path
from storage_shapes import ONE, World, partitioned, volume

from hadb_core import reservation
from support import load

LUNS = [{"wwid": ONE}]
SETTINGS = {"polling_interval": 5, "no_path_retry": 2, "fast_io_fail_tmo": 5}


def storage(world: World, test: bool):
    """Return the states of ``halvm`` on a world whose effects act."""
    effects = {f"halvm_write.{name}": getattr(world, name)
               for name in ("partition", "pvcreate", "vgcreate", "vgextend", "lvcreate")}
    return load("_states/halvm.py", opts={"test": test}, salt={
        "halvm.luns": lambda wwids: [world.luns[wwid] for wwid in wwids if wwid in world.luns],
        "halvm.report": lambda: world.report,
        "halvm.managed_by_cluster": lambda vg, mount_point: False, **effects})


def sequence(states):
    return [states.partitioned("x", "db-vg", LUNS), states.pv_present("x", "db-vg", LUNS),
            states.vg_present("db-vg", LUNS), states.lv_present("db-vol", "db-vg", "100%FREE")]


def test_a_test_run_on_blank_luns_shows_the_changes_of_the_real_run_and_makes_none():
    world = World(ONE)
    predicted = sequence(storage(world, test=True))
    assert world.luns == World(ONE).luns
    assert {ret["result"] for ret in predicted} == {None}
    real = sequence(storage(world, test=False))
    assert {ret["result"] for ret in real} == {True}
    assert [ret["changes"] for ret in real] == [ret["changes"] for ret in predicted]
    again = sequence(storage(world, test=False))
    assert [(ret["result"], ret["changes"]) for ret in again] == [(True, {})] * 4


def test_a_refusal_fails_the_state_without_changes():
    world = World(ONE)
    world.luns[ONE] = partitioned(inside="ext4")
    for test in (True, False):
        ret = storage(world, test).partitioned("x", "db-vg", LUNS)
        assert (ret["result"], ret["changes"]) == (False, {})
        assert "ext4" in ret["comment"] and ONE in ret["comment"]


@pytest.mark.parametrize("managed", [None, True])
def test_under_pacemaker_mounted_and_released_do_nothing(managed):
    states = load("_states/halvm.py", salt={
        "halvm.volume": lambda vg, lv: volume(active=True, mounted_at=["/dbmnt"]), "halvm.occupant": lambda path: "",
        "halvm.managed_by_cluster": lambda vg, mount_point: True})
    for ret in (states.mounted("/dbmnt", "db-vg", "db-vol", "ext4", "noatime", managed_by_cluster=managed),
                states.released("/dbmnt", "db-vg", "db-vol", managed_by_cluster=managed, expect_mounted=True)):
        assert (ret["result"], ret["changes"]) == (True, {})
        assert "Pacemaker" in ret["comment"]


def test_an_unknown_argument_fails():
    with pytest.raises(TypeError):
        storage(World(ONE), test=True).partitioned("x", "db-vg", LUNS, force=True)


@pytest.fixture(autouse=True)
def programs(monkeypatch):
    """``Host.states`` says which programs there are, for all of Salt in this process; put back after each test."""
    monkeypatch.setattr(salt.utils.path, "which", salt.utils.path.which)


class Host:
    """A node for the states of ``hastorage``: its files, services, maps and initramfs images."""

    def __init__(self, luns: list[dict[str, Any]]) -> None:
        self.files: dict[str, str] = {}
        self.luns = luns
        self.images: list[str] = []
        self.multipathd = True
        self.done: list[str] = []

    def states(self, test: bool = False, installed: bool = True):
        module = load("_states/hastorage.py", opts={"test": test}, salt={
            "halvm.nodes": dict, "halvm.vgs_in_use": dict,
            "halvm.paths": lambda wwids: [lun for lun in self.luns if lun["wwid"] in wwids],
            "hastorage.text": self.files.get,
            "hastorage.outdated_initramfs": lambda path, changing: self.images if changing else [],
            "hastorage.update_initramfs": lambda images: self.done.append("initramfs"),
            "hastorage.write_lvmlocal": self._write, "hastorage.write_multipath_conf": self._write,
            "hastorage.start_multipathd": self._start, "hastorage.make_map": self._make_map,
            "service.status": lambda name: self.multipathd, "service.enabled": lambda name: self.multipathd})
        module.salt.utils.path.which = lambda program: "/sbin/multipathd" if installed else None
        return module

    def _write(self, path: str, content: str) -> None:
        self.files[path] = content
        self.done.append(path)

    def _start(self) -> None:
        self.multipathd = True
        self.done.append("multipathd")

    def _make_map(self, wwid: str) -> None:
        self.luns = [{**lun, "multipath": wwid} if lun["wwid"] == wwid else lun for lun in self.luns]
        self.done.append("map")


def test_multipath_is_configured_started_and_waited_for():
    host = Host([partitioned(multipath=None)])
    host.multipathd = False
    predicted = host.states(test=True).multipath_configured("x", LUNS, SETTINGS)
    assert host.done == []
    real = host.states().multipath_configured("x", LUNS, SETTINGS)
    assert host.done == ["/etc/multipath.conf", "multipathd", "map"]
    assert (predicted["result"], real["result"], real["changes"]) == (None, True, predicted["changes"])
    again = host.states().multipath_configured("x", LUNS, SETTINGS)
    assert (again["result"], again["changes"]) == (True, {})


def test_multipathd_learns_this_nodes_key_where_luns_are_reserved(monkeypatch):
    host = Host([])
    states = host.states()
    monkeypatch.setattr(states.socket, "gethostname", lambda: "db1")
    assert states.multipath_configured("x", LUNS, SETTINGS, cluster_name="nova-db")["result"] is True
    assert f"reservation_key {reservation.key('nova-db', 'db1')}\n" in host.files["/etc/multipath.conf"]
    states.multipath_configured("x", LUNS, SETTINGS)
    assert "reservation_key" not in host.files["/etc/multipath.conf"]


def test_a_lun_that_this_node_does_not_see_is_a_remark_so_that_the_node_can_be_kept_right_without_it():
    ret = Host([]).states().multipath_configured("x", LUNS, SETTINGS)
    assert ret["result"] and f"does not see LUN {ONE}" in ret["comment"]


def test_on_a_blank_node_the_package_starts_multipathd():
    host = Host([])
    host.multipathd = False
    ret = host.states(test=True, installed=False).multipath_configured("x", LUNS, SETTINGS)
    assert list(ret["changes"]) == ["/etc/multipath.conf"]


def test_the_initramfs_is_rebuilt_only_when_the_configuration_of_lvm_changes():
    host = Host([])
    host.images = ["/boot/initrd.img-6.12"]
    first = host.states().lvm_configured("x", "db-vg", LUNS)
    assert host.done == ["/etc/lvm/lvmlocal.conf", "initramfs"]
    assert list(first["changes"]) == ["/etc/lvm/lvmlocal.conf", "initramfs"]
    assert host.states().lvm_configured("x", "db-vg", LUNS)["changes"] == {}


def test_the_text_that_the_package_brings_is_not_shown_as_a_change_of_ours():
    host = Host([])
    host.files["/etc/lvm/lvmlocal.conf"] = "# This is a local configuration file template"
    with_package = host.states(test=True).lvm_configured("x", "db-vg", LUNS)
    assert with_package["changes"] == Host([]).states(test=True).lvm_configured("x", "db-vg", LUNS)["changes"]


def test_a_list_that_would_keep_the_host_from_booting_fails_before_anything_is_written():
    host = Host([])
    states = host.states()
    states.__salt__["halvm.vgs_in_use"] = lambda: {"root-vg": ["root"], "db-vg": ["db-vol"]}
    ret = states.lvm_configured("x", "db-vg", LUNS, auto_activation_volume_list=["data-vg"])
    assert ret["result"] is False and "root-vg" in ret["comment"]
    assert host.done == []


def test_a_group_of_the_cluster_in_use_here_need_not_be_listed():
    host = Host([])
    states = host.states()
    states.__salt__["halvm.vgs_in_use"] = lambda: {"db-vg": ["db-vol"]}
    assert states.lvm_configured("x", "db-vg", LUNS, auto_activation_volume_list=["root-vg"])["result"]


@pytest.mark.parametrize(("found", "result", "changes"), [
    ({"exists": False, "mounted": False, "entries": []}, True, ["directory /dbmnt"]),
    ({"exists": True, "mounted": False, "entries": []}, True, []),
    ({"exists": True, "mounted": True, "entries": []}, True, []),
    ({"exists": True, "mounted": False, "entries": ["ibdata1"]}, False, []),
])
def test_a_mount_point_that_hides_files_is_refused(found, result, changes):
    now = dict(found)
    states = {test: load("_states/hastorage.py", opts={"test": test}, salt={
        "hastorage.directory": lambda path: now,
        "hastorage.make_directory": lambda path: now.update(exists=True)}) for test in (True, False)}
    predicted = states[True].mount_point_present("/dbmnt")
    assert now == found and predicted["result"] is (None if changes else result)
    real = states[False].mount_point_present("/dbmnt")
    assert (real["result"], list(real["changes"])) == (result, changes) and real["changes"] == predicted["changes"]
    assert result or "ibdata1" in real["comment"]


def test_partitions_that_the_other_node_made_become_known_once():
    one = partitioned()
    one["partitions"][0]["device"] = ""

    def state(test: bool):
        return load("_states/halvm.py", opts={"test": test}, salt={
            "halvm.luns": lambda wwids: [one],
            "halvm_write.reread_partitions": lambda wwid: one["partitions"][0].update(device="/dev/mapper/x-part1"),
        }).partitions_known("x", LUNS)

    predicted = state(test=True)
    assert one["partitions"][0]["device"] == "" and predicted["result"] is None
    assert state(test=False)["changes"] == predicted["changes"]
    assert state(test=False)["changes"] == {}


def test_a_filesystem_is_made_once_and_mounted_and_released_again():
    now = volume()

    def states(test: bool):
        return load("_states/halvm.py", opts={"test": test}, salt={
            "halvm.volume": lambda vg, lv: dict(now), "halvm.occupant": lambda path: "",
            "halvm.managed_by_cluster": lambda vg, mount_point: False,
            "halvm_write.mkfs": lambda vg, lv, fstype: now.update(fs={"type": fstype, "uuid": "u", "label": ""}),
            "halvm_write.mount": lambda mount_point, **_: now.update(active=True, mounted_at=[mount_point]),
            "halvm_write.umount": lambda **_: now.update(mounted_at=[]),
            "halvm_write.deactivate": lambda **_: now.update(active=False)})

    def sequence(test: bool):
        module = states(test)
        return [module.formatted("db-vol", "db-vg", "ext4"), module.mounted("/dbmnt", "db-vg", "db-vol", "ext4", "noatime"),
                module.released("/dbmnt", "db-vg", "db-vol", expect_mounted=True)]

    before = dict(now)
    predicted = sequence(test=True)
    assert now == before and [ret["result"] for ret in predicted] == [None] * 3
    real = sequence(test=False)
    assert [ret["changes"] for ret in real] == [ret["changes"] for ret in predicted]
    assert (now["active"], now["mounted_at"], now["fs"]["type"]) == (False, [], "ext4")
