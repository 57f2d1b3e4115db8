"""Files, services, maps and initramfs images of a node: what is read, what is run, what a wait ends with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from hadb_core.errors import CommandFailed, Refused
from support import load

WWID = "360014051000000000000000000000000"


@pytest.fixture
def node(monkeypatch, tmp_path):
    """Return the module; ``ran`` holds commands, ``codes`` the exit codes of those that do not succeed."""
    ran: list[list[str]] = []
    codes: dict[str, int] = {}

    def run_all(argv, **how):
        ran.append(argv)
        environment.update(how.get("env", {}))
        if argv[0] == "lvmconfig":
            seen.update({path.name: path.read_text() for path in Path(how["env"]["LVM_SYSTEM_DIR"]).iterdir()})
        return {"retcode": codes.get(argv[0], 0), "stdout": "", "stderr": ""}

    environment: dict[str, str] = {}
    seen: dict[str, str] = {}
    services: list[tuple[str, str]] = []
    salt: dict[str, Any] = {
        "cmd.run_all": run_all, "service.status": lambda name: True,
        "service.enable": lambda name: services.append(("enable", name)),
        "service.start": lambda name: services.append(("start", name)),
        "halvm.paths": lambda wwids: [{"wwid": WWID, "multipath": None}],
    }
    module = load("_modules/hastorage.py", salt=salt)
    monkeypatch.setattr(module, "_BOOT", str(tmp_path))
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    module.ran, module.codes, module.seen, module.services = ran, codes, seen, services
    return module


def test_a_file_that_is_not_there_has_no_text(node, tmp_path):
    assert node.text(str(tmp_path / "none")) is None
    (tmp_path / "file").write_text("x")
    assert node.text(str(tmp_path / "file")) == "x"


def test_images_older_than_the_file_are_outdated(node, tmp_path, monkeypatch):
    monkeypatch.setattr(node.salt.utils.path, "which", lambda program: "/usr/sbin/update-initramfs")
    for name, age in (("initrd.img-6.1", 100), ("initrd.img-6.12", 300), ("file", 200)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (age, age))
    old = str(tmp_path / "initrd.img-6.1")
    assert node.outdated_initramfs(str(tmp_path / "file")) == [old]
    assert node.outdated_initramfs(str(tmp_path / "none"), changing=True) == [old, str(tmp_path / "initrd.img-6.12")]
    node.update_initramfs([old])
    assert node.ran == [["update-initramfs", "-u", "-k", "6.1"]]


def test_without_initramfs_tools_nothing_is_outdated(node, monkeypatch, tmp_path):
    monkeypatch.setattr(node.salt.utils.path, "which", lambda program: None)
    assert node.outdated_initramfs(str(tmp_path / "none")) == []


def test_lvm_reads_a_configuration_before_it_is_in_force(node, tmp_path):
    (tmp_path / "lvm.conf").write_text("of the distribution")
    file = tmp_path / "lvmlocal.conf"
    node.write_lvmlocal(str(file), "new")
    assert node.seen == {"lvm.conf": "of the distribution", "lvmlocal.conf": "new"}
    assert (file.read_text(), oct(file.stat().st_mode & 0o777)) == ("new", "0o644")
    node.codes["lvmconfig"] = 1
    with pytest.raises(CommandFailed):
        node.write_lvmlocal(str(file), "broken")
    assert file.read_text() == "new"


@pytest.mark.parametrize("running", [True, False])
def test_a_running_multipathd_reads_its_new_configuration(node, tmp_path, running):
    node.__salt__["service.status"] = lambda name: running
    node.write_multipath_conf(str(tmp_path / "multipath.conf"), "defaults {}")
    assert (tmp_path / "multipath.conf").read_text() == "defaults {}"
    assert node.ran == ([["multipathd", "reconfigure"]] if running else [])


def test_multipathd_runs_now_and_at_boot(node):
    node.start_multipathd()
    assert node.services == [("enable", "multipathd"), ("start", "multipathd")]


def map_after(node, looks):
    """Let the map appear at the given look."""
    seen = iter(range(looks))
    node.__salt__["halvm.paths"] = lambda wwids: [{"wwid": WWID, "multipath": WWID if next(seen, None) is None else None}]


def test_a_map_is_waited_for_and_its_file(node):
    map_after(node, 3)
    node.make_map(WWID)
    assert node.ran == [["udevadm", "settle", "--timeout", "30", f"--exit-if-exists=/dev/mapper/{WWID}"]]


def test_multipathd_is_asked_once_for_a_map_that_does_not_come(node, monkeypatch):
    monkeypatch.setattr(node, "_MAP_PATIENCE", -1)
    map_after(node, 3)
    node.make_map(WWID)
    assert [argv[0] for argv in node.ran] == ["multipathd", "udevadm"]


def test_the_wait_for_a_map_ends(node, monkeypatch):
    monkeypatch.setattr(node, "_MAP_TIMEOUT", -1)
    with pytest.raises(Refused, match="makes no map"):
        node.make_map(WWID)


def test_a_map_without_its_file_is_an_error(node):
    node.codes["udevadm"] = 1
    map_after(node, 0)
    with pytest.raises(Refused, match="udev makes no"):
        node.make_map(WWID)


def test_a_directory_is_told_with_what_it_hides(node, tmp_path):
    place = tmp_path / "a/b"
    assert node.directory(str(place)) == {"exists": False, "mounted": False, "entries": []}
    node.make_directory(str(place))
    (place / "file").touch()
    assert node.directory(str(place)) == {"exists": True, "mounted": False, "entries": ["file"]}
    assert node.directory("/proc") == {"exists": True, "mounted": True, "entries": []}
