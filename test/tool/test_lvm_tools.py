"""From a blank disk to a volume group with the real parted, wipefs, blkid and LVM of Debian 12 and 13.

Works on a loop device of this machine (LVM sees no other). Its kernel has no device-mapper, so logical volumes are
the lab's to test; the udev database is the one thing that is made up, because a loop device has no WWID.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chroots import SUITES, chroot
from cib_chroot import run_all

from hadb_core import lvm_config, multipath_config
from hadb_core.block_lun import Stage, stage
from support import load

WWID = "36001405000000000000000000000001"
LUNS = [{"wwid": WWID, "min_size": 2**26}]
SIZE = 2**28
HOST = os.uname().nodename


class Disk:
    """A loop device, the storage modules on it, and one release's tools."""

    def __init__(self, suite: str, directory: Path) -> None:
        self.root, self.directory = chroot(suite), directory
        image = directory / "disk"
        with image.open("wb") as stream:
            stream.truncate(SIZE)
        self.device = self._losetup("--find", "--show", "--partscan", str(image))
        self._run_all = run_all(self.root)
        (directory / "lvm.conf").write_text("")
        self.configure("")
        salt: dict[str, Callable[..., Any]] = {"cmd.run_all": self.run_all}
        self.halvm = load("_modules/halvm.py", salt=salt)
        self.halvm.salt.utils.path.which = lambda program: f"/sbin/{program}"
        names = ("luns", "report", "volume", "partitions_known")
        salt |= {f"halvm.{name}": getattr(self.halvm, name) for name in names}
        self.grow = load("_modules/halvm_grow.py", salt=salt)
        self.write = load("_modules/halvm_write.py", salt=salt)
        names = ("partition", "pvcreate", "vgcreate", "vgextend", "no_autoactivation", "reread_partitions")
        salt |= {f"halvm_write.{name}": getattr(self.write, name) for name in names}
        self.salt = salt

    @staticmethod
    def _losetup(*argv: str) -> str:
        return subprocess.run(["losetup", *argv], check=True, capture_output=True, text=True).stdout.strip()

    def configure(self, system_id: str) -> None:
        """Let LVM see this disk only; with ``system_id`` it is another host than this one."""
        own = f'local {{ system_id = "{system_id}" }}\nglobal {{ system_id_source = "lvmlocal" }}\n'
        (self.directory / "lvmlocal.conf").write_text(
            f'devices {{ use_devicesfile = 0\nglobal_filter = [ "a|^{self.device}|", "r|.*|" ] }}\n'
            + (own if system_id else 'global { system_id_source = "uname" }\n')
        )

    def run_all(self, argv: list[str], env: dict[str, str] | None = None, **how: Any) -> dict[str, Any]:
        if argv[:2] == ["udevadm", "info"]:
            names = [Path(path).name for path in argv[3:]]
            serial = {self.device.removeprefix("/dev/"): WWID}
            told = [f"E: DEVPATH=/devices/{name}\nE: SUBSYSTEM=block\nE: ID_SERIAL={serial.get(name, '')}\n" for name in names]
            return {"retcode": 0, "stdout": "\n".join(told), "stderr": ""}
        if argv[0] == "udevadm":
            return {"retcode": 0, "stdout": "", "stderr": ""}
        inside = {**(env or {}), "LVM_SYSTEM_DIR": str(self.directory), "DM_DISABLE_UDEV": "1"}
        return self._run_all(argv, env=inside, **how)

    def tool(self, *argv: str) -> None:
        """Run a command that is not hadb's, as whoever used the disk before did."""
        done = self.run_all(list(argv))
        assert done["retcode"] == 0, done

    def lun(self) -> dict[str, Any]:
        return self.halvm.luns([WWID])[0]

    def states(self, test: bool) -> list[dict[str, Any]]:
        module = load("_states/halvm.py", salt=self.salt, opts={"test": test})
        return [module.partitioned("x", "db-vg", LUNS, multipath=False),
                module.pv_present("x", "db-vg", LUNS, multipath=False),
                module.vg_present("db-vg", LUNS, multipath=False)]  # fmt: skip

    def close(self) -> None:
        self._losetup("--detach", self.device)


@pytest.fixture(params=SUITES)
def disk(request: pytest.FixtureRequest) -> Iterator[Disk]:
    with tempfile.TemporaryDirectory(prefix="hadb-lvm-") as directory:
        made = Disk(request.param, Path(directory))
        yield made
        made.close()


def test_a_blank_disk_becomes_a_group_of_this_host_as_the_test_run_said(disk: Disk) -> None:
    assert stage(disk.lun(), "db-vg") is Stage.BLANK
    predicted = disk.states(test=True)
    assert stage(disk.lun(), "db-vg") is Stage.BLANK
    real = disk.states(test=False)
    assert [ret["result"] for ret in real] == [True] * 3, real
    assert [ret["changes"] for ret in real] == [ret["changes"] for ret in predicted]
    assert [(ret["result"], ret["changes"]) for ret in disk.states(test=False)] == [(True, {})] * 3
    group = disk.halvm.report()["vgs"][0]
    assert (group["name"], group["system_id"], group["autoactivation"]) == ("db-vg", HOST, False)
    lun = disk.lun()
    assert (stage(lun, "db-vg"), lun["pv"]["vg"]) == (Stage.MEMBER, "db-vg")
    assert lun["partitions"][0]["start"] == 2**20
    # The other node sees the group and whose it is.
    disk.configure("db2")
    assert disk.halvm.report()["system_id"] == "db2"
    assert [ret["changes"] for ret in disk.states(test=False)] == [{}] * 3
    assert disk.halvm.volume("db-vg", "db-vol")["local"] is False


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_an_interrupted_run_is_continued(disk: Disk, steps: int) -> None:
    for effect, arguments in [("partition", (WWID, "db-vg")), ("pvcreate", (WWID, "db-vg")),
                              ("vgcreate", ("db-vg", [WWID]))][:steps]:  # fmt: skip
        getattr(disk.write, effect)(*arguments, multipath=False)
    done = disk.states(test=False)
    assert [ret["result"] for ret in done] == [True] * 3, done
    assert [bool(ret["changes"]) for ret in done] == [index >= steps for index in range(3)]


FOREIGN = {
    "ext4": [("mkfs.ext4", "-q", "{}")],
    "swap": [("mkswap", "{}")],
    "dos": [("parted", "--script", "{}", "mklabel", "msdos")],
    "a GPT with partitions that hadb did not make": [
        ("parted", "--script", "{}", "mklabel", "gpt", "mkpart", "data", "1MiB", "100%")],
    "volume group 'finance'": [("pvcreate", "{}"), ("vgcreate", "finance", "{}")],
    "LVM2_member at byte 536": [("pvcreate", "{}")],
}  # fmt: skip


@pytest.mark.parametrize("found", list(FOREIGN))
def test_a_disk_with_anything_on_it_is_refused_and_keeps_every_byte(disk: Disk, found: str) -> None:
    for command in FOREIGN[found]:
        disk.tool(*(word.format(disk.device) for word in command))
    before = Path(disk.device).read_bytes()
    for test in (True, False):
        first = disk.states(test=test)[0]
        assert first["result"] is False
        assert found in first["comment"] and WWID in first["comment"]
    assert Path(disk.device).read_bytes() == before


def test_lvm_reads_the_configuration_that_hadb_writes(disk: Disk) -> None:
    (disk.directory / "lvmlocal.conf").write_text(lvm_config.render([WWID], ["root-vg"]))
    disk.tool("lvmconfig", "--validate")
    found = disk.run_all(["lvmconfig", "global/system_id_source", "devices/global_filter"])["stdout"]
    assert 'system_id_source="uname"' in found and f"a|^/dev/mapper/{WWID}(-part[0-9]+)?$|" in found


def test_multipath_reads_the_configuration_that_hadb_writes(disk: Disk) -> None:
    settings = {"polling_interval": 5, "no_path_retry": 2, "fast_io_fail_tmo": 5}
    (disk.root / "etc/multipath.conf").write_text(multipath_config.render([WWID], settings))
    done = disk.run_all(["multipath", "-t"])
    words = " ".join(done["stdout"].replace('"', "").split())
    for setting in ("no_path_retry 2", "fast_io_fail_tmo 5", f"wwid ^{WWID}$", "user_friendly_names no"):
        assert setting in words, done
    assert "invalid keyword" not in done["stdout"] + done["stderr"]


def test_a_physical_volume_takes_the_room_that_its_partition_was_given(disk: Disk) -> None:
    disk.states(test=False)
    before = disk.halvm.report()["vgs"][0]
    with (disk.directory / "disk").open("r+b") as stream:
        stream.truncate(2 * SIZE)
    disk._losetup("--set-capacity", disk.device)
    # What docs/modules/halvm.md tells the operator to do; a partition in use is nothing that hadb rewrites.
    disk.tool("parted", "--script", "--fix", disk.device, "resizepart", "1", "100%")
    disk.write.reread_partitions(WWID)
    disk.grow.pvresize(WWID, "db-vg")
    after = disk.halvm.report()["vgs"][0]
    assert after["size"] - before["size"] == SIZE
    assert after["free"] - before["free"] == SIZE


def test_a_filesystem_is_measured_and_grown(disk: Disk) -> None:
    # Growing a mounted one needs CAP_SYS_RESOURCE, which machines of CI do not have: the lab does that.
    disk.tool("mkfs.ext4", "-q", disk.device, "65536k")
    have = {"local": True, "active": True, "device": disk.device, "mounted_at": ["/x"], "fs": {"type": "ext4"}}
    disk.salt["halvm.volume"] = lambda vg, lv: have
    assert disk.grow.filesystem_size("db-vg", "db-vol", "ext4") == 2**26
    disk.grow.resizefs("db-vg", "db-vol", "ext4")
    assert disk.grow.filesystem_size("db-vg", "db-vol", "ext4") == SIZE
