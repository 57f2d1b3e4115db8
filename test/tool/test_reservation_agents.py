"""What ocf:hadb:lvm and fence_hadb_reservation do with an array's reservations; the array, LVM and the kernel's files are made up.

The real array of the lab is asked by the scenarios. Here is what cannot be had from it: answers that never come, strangers,
and moments between two commands.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_chroot import CONFIGURED, GENERIC, INSTALLED, NOT_RUNNING, SUCCESS, environment, wait_until
from fence_agent import result

from support import ROOT

FILES = ROOT / "hadb/files"
HOST, OWN, OTHER = os.uname().nodename, "0x6861646200000001", "0x6861646200000002"
KEYS = f"{HOST}={OWN} peer={OTHER}"
HELD = {f"{HOST} sda": OWN, f"{HOST} sdb": OWN}
_VGS = """#!/bin/sh
[ ! -e {home}/no-vgs ] || exit 5
pv=/dev/fakepv
case $* in
    *vg_missing*) echo "  $(cat {home}/owner):0:$pv" ;;
    *vg_name*) echo "  vg-db:$(cat {home}/owner):$pv" ;;
    *) echo "  $pv" ;;
esac
"""
_LVM = """#!/bin/sh
echo "${{0##*/}} $*" >>{home}/array/calls
case $* in
    *--activate?y*)
        mkdir -p {home}/block/dm-7/dm
        echo vg--db-data >{home}/block/dm-7/dm/name
        echo LVM-1 >{home}/block/dm-7/dm/uuid ;;
    *--activate?n*) rm -rf {home}/block/dm-7 ;;
    *--systemid*) echo {host} >{home}/owner ;;
esac
"""

# As the real one (test/unit/storage/test_reservation_watch.py) as long as nothing is lost.
_WATCH = """#!/bin/sh
echo "$*" >>{home}/watch
echo $$ >$3
while read -r wanted <$3 && [ "$wanted" = $$ ]; do sleep 0.1; done
"""


class Node:
    """This host with two paths to one LUN."""

    def __init__(self, home: Path) -> None:
        self.home = home
        for name in ("bin", "array", "state", "dev", "block"):
            (home / name).mkdir()
        # A partition of a map of two disks, as kpartx makes it.
        for name, below, uuid in (("dm-0", ["sda", "sdb"], "mpath-3600"), ("fakepv", ["dm-0"], "part1-mpath-3600")):
            for slave in below:
                (home / f"class/{name}/slaves/{slave}").mkdir(parents=True)
            (home / f"class/{name}/dm").mkdir()
            (home / f"class/{name}/dm/uuid").write_text(f"{uuid}\n")
            (home / f"class/{name}/dm/name").write_text("3600\n")
        for disk in ("sda", "sdb"):
            (home / f"class/{disk}/device").mkdir(parents=True)
            self.path(disk, "running")
        (home / "owner").write_text("peer\n")
        self.array({}, None)
        shutil.copy(Path(__file__).with_name("fake_array.py"), home / "bin/sg_persist")
        (home / "bin/sg_persist").chmod(0o755)
        for name in ("lvm", "fence_hadb_reservation"):
            shutil.copy(FILES / ("agents/lvm" if name == "lvm" else name), home / name)
            (home / name).chmod(0o755)
        self.program("vgs", _VGS.format(home=home))
        for name in ("vgchange", "lvchange"):
            self.program(name, _LVM.format(home=home, host=HOST))
        self.program("logger", f'#!/bin/sh\necho "$*" >>{home}/syslog\n')
        self.program("multipathd", f'#!/bin/sh\necho "$*" >>{home}/multipathd\n')
        self.program("watch", _WATCH.format(home=home))
        self.environment = {
            "PATH": f"{home}/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HADB_AGENT_LIB": str(FILES / "agents/agent.sh"),
            "HADB_RESERVATION_LIB": str(FILES / "agents/reservation.sh"), "HADB_AGENT_STATE": str(home / "state"),
            "HADB_SYS_BLOCK": str(home / "block"), "HADB_SYS_CLASS_BLOCK": str(home / "class"), "HADB_DEV": str(home / "dev"),
            "HADB_RESERVATION_WATCH": str(home / "bin/watch"), "FAKE_ARRAY": str(home / "array"), "FAKE_HOST": HOST,
            "LVM_SYSTEM_DIR": str(home),
        }  # fmt: skip
        (home / "lvmlocal.conf").write_text('system_id_source = "uname"\n')

    def program(self, name: str, text: str) -> None:
        (self.home / "bin" / name).write_text(text)
        (self.home / "bin" / name).chmod(0o755)

    def path(self, disk: str, state: str) -> None:
        (self.home / f"class/{disk}/device/state").write_text(f"{state}\n")

    def array(self, keys: dict[str, str], holder: str | None, kind: int = 5) -> None:
        """Say who is registered on the LUN and who holds it."""
        new = self.home / "array/new"
        new.write_text(json.dumps({"generation": 1, "keys": keys, "holder": holder, "type": kind}))
        new.replace(self.home / "array/state")

    @property
    def reservation(self) -> tuple[dict[str, str], str | None]:
        state = json.loads((self.home / "array/state").read_text())
        return state["keys"], state["holder"] and state["keys"][state["holder"]]

    def trouble(self, name: str) -> Path:
        (self.home / "array" / name).touch()
        return self.home / "array" / name

    def said(self, name: str) -> str:
        path = self.home / name
        return path.read_text() if path.exists() else ""

    def act(self, action: str, depth: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
        parameters = {"vgname": "vg-db", "lvname": "data", "hosts": f"{HOST} peer", "reservation_keys": KEYS} | more
        return self.run(["lvm", action], "", environment("lvm", parameters, depth=depth))

    def fence(self, action: str, **more: str) -> tuple[int, str]:
        options = {"action": action, "nodename": "peer", "vgname": "vg-db", "reservation_keys": KEYS, "settle": "0"} | more
        return result(self.run(["fence_hadb_reservation"], "".join(f"{key}={value}\n" for key, value in options.items()), {}))

    def run(self, argv: list[str], stdin: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(self.home / argv[0]), *argv[1:]], input=stdin, env={**self.environment, **env},
                              capture_output=True, text=True, timeout=60)  # fmt: skip


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    found = Node(tmp_path)
    yield found
    # A watcher that nobody wants ends at its next look.
    (tmp_path / "state/db-lvm.watcher").unlink(missing_ok=True)


def started(node: Node, **more: str) -> None:
    done = node.act("start", **more)
    assert done.returncode == SUCCESS, done.stderr


def test_start_takes_the_lun_from_its_former_owner_before_it_writes(node: Node) -> None:
    node.array({"peer sda": OTHER, "peer sdb": OTHER}, "peer sdb")
    started(node)
    assert node.reservation == (HELD, OWN)
    calls = node.said("array/calls").splitlines()
    preempted = next(index for index, call in enumerate(calls) if "--preempt-abort" in call)
    written = next(index for index, call in enumerate(calls) if call.startswith("vgchange"))
    assert preempted < written
    wait_until(lambda: node.said("multipathd") == "setprstatus map 3600\n")
    assert node.act("monitor", depth=10).returncode == SUCCESS


def test_start_reserves_a_lun_that_nobody_has_and_again_what_is_its_own_already(node: Node) -> None:
    started(node)
    assert node.reservation == (HELD, OWN)
    assert node.act("stop").returncode == SUCCESS
    assert node.reservation == ({}, None)
    node.array(HELD, f"{HOST} sdb")
    started(node)
    assert node.reservation == (HELD, OWN)


def test_without_keys_the_array_is_not_asked(node: Node) -> None:
    started(node, reservation_keys="")
    assert node.act("monitor", depth=10, reservation_keys="").returncode == SUCCESS
    assert node.act("stop", reservation_keys="").returncode == SUCCESS
    assert "--in" not in node.said("array/calls") and not (node.home / "state/db-lvm.watcher").exists()


def test_a_key_of_nobody_in_the_cluster_is_refused_and_nothing_is_written(node: Node) -> None:
    node.array({"stranger sda": "0xbad", "peer sda": OTHER}, "peer sda")
    refused = node.act("start")
    assert refused.returncode == GENERIC and "registered for the key 0xbad" in refused.stderr
    assert node.reservation == ({"stranger sda": "0xbad", "peer sda": OTHER}, OTHER)
    calls = node.said("array/calls")
    assert "--out" not in calls and "vgchange" not in calls


def test_a_host_without_a_key_and_a_patience_that_is_none_are_refused(node: Node) -> None:
    assert node.act("start", reservation_keys=f"peer={OTHER}").returncode == CONFIGURED
    assert node.act("start", reservation_patience="long").returncode == CONFIGURED
    (node.home / "bin/watch").unlink()
    assert node.act("start").returncode == INSTALLED


def test_an_owner_that_fencing_knows_nothing_of_keeps_its_reservation(node: Node) -> None:
    node.array({"peer sda": OTHER}, "peer sda")
    assert node.act("start", hosts=HOST).returncode == GENERIC
    assert node.reservation == ({"peer sda": OTHER}, OTHER)


def test_a_command_that_is_answered_with_not_ready_is_asked_again(node: Node) -> None:
    node.trouble("unready-sda")
    node.trouble("unready-sdb")
    started(node)
    assert node.reservation == (HELD, OWN)


def test_an_array_that_forgets_when_it_loses_its_power_is_reserved_all_the_same(node: Node) -> None:
    node.trouble("flat")
    started(node)
    assert node.reservation == (HELD, OWN)


def test_a_path_that_is_away_is_left_out_and_one_that_refuses_is_not(node: Node) -> None:
    node.path("sda", "transport-offline")
    started(node)
    assert node.reservation == ({f"{HOST} sdb": OWN}, OWN)
    assert node.act("stop").returncode == SUCCESS
    node.path("sda", "running")
    node.trouble("dead-sda")
    refused = node.act("start")
    assert refused.returncode == GENERIC and "cannot be registered on path sda" in refused.stderr


def test_a_lun_that_no_path_leads_to_or_that_does_not_answer_is_refused(node: Node) -> None:
    node.path("sda", "offline")
    node.path("sdb", "offline")
    assert "no path to /dev/fakepv is usable" in node.act("start").stderr
    node.path("sda", "running")
    node.trouble("dead-sda")
    assert "cannot be read" in node.act("start").stderr
    shutil.rmtree(node.home / "class/sda/device")
    assert "no SCSI disk" in node.act("start").stderr
    assert node.reservation == ({}, None)


def test_a_reservation_of_another_type_is_no_success(node: Node) -> None:
    node.array(HELD, f"{HOST} sda", kind=6)
    refused = node.act("start")
    assert refused.returncode == GENERIC and "reserved by 'other'" in refused.stderr


def watcher(node: Node, other_than: int = 0) -> int:
    """Return the process, once it has written itself down."""
    wait_until(lambda: node.said("state/db-lvm.watcher") not in ("", f"{other_than}\n"), 15)
    return int((node.home / "state/db-lvm.watcher").read_text())


def ended(pid: int) -> bool:
    return not Path(f"/proc/{pid}/stat").exists() or Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] in "ZX"


def test_a_watcher_is_told_what_to_watch_and_ends_with_the_stop(node: Node) -> None:
    started(node, reservation_patience="25")
    pid = watcher(node)
    assert node.said("watch") == f"{OWN} 25 {node.home}/state/db-lvm.watcher {node.home}/state/db-lvm.reserved\n"
    assert node.said("state/db-lvm.reserved") == "/dev/fakepv\n"
    assert node.act("monitor").returncode == SUCCESS and watcher(node) == pid
    assert node.act("stop").returncode == SUCCESS
    wait_until(lambda: ended(pid), 15)
    assert node.reservation == ({}, None)
    assert node.act("monitor").returncode == NOT_RUNNING


def test_a_dead_watcher_is_started_again_by_the_monitor(node: Node) -> None:
    started(node)
    first = watcher(node)
    os.kill(first, 9)
    wait_until(lambda: ended(first), 15)
    assert node.act("monitor").returncode == SUCCESS
    assert watcher(node, other_than=first) and "nobody watches the reservation" in node.said("syslog")


def test_a_volume_in_use_that_was_never_reserved_fails_its_monitor(node: Node) -> None:
    started(node, reservation_keys="")
    assert node.act("monitor", reservation_keys="").returncode == SUCCESS
    assert "was not reserved" in node.act("monitor").stderr


def test_a_physical_volume_that_came_later_is_reserved_by_the_deep_monitor(node: Node) -> None:
    started(node)
    (node.home / "state/db-lvm.reserved").write_text("/dev/other/pv\n")
    node.array({}, None)
    assert node.act("monitor", depth=10).returncode == SUCCESS
    assert node.reservation == (HELD, OWN)
    assert node.said("state/db-lvm.reserved") == "/dev/other/pv\n/dev/fakepv\n"


# The fence agent.

def test_off_takes_the_targets_registration_and_reads_that_back(node: Node) -> None:
    node.array({"peer sda": OTHER, "peer sdb": OTHER}, "peer sda")
    assert node.fence("status") == (0, "")
    assert node.fence("off") == (0, "")
    assert node.reservation == (HELD, OWN)
    assert node.fence("status") == (2, "")
    assert node.fence("monitor") == (0, "")


def test_off_waits_for_the_target_to_reset_itself(node: Node) -> None:
    began = time.monotonic()
    assert node.fence("reboot", settle="2") == (0, "")
    assert time.monotonic() - began >= 2
    assert "waiting 2 s" in node.said("syslog")


def test_a_target_that_takes_it_back_is_not_fenced(node: Node) -> None:
    node.array({"peer sda": OTHER}, "peer sda")
    agent = subprocess.Popen([str(node.home / "fence_hadb_reservation"), "--action=off", "--nodename=peer", "--vgname=vg-db",
                              f"--reservation-keys={KEYS}", "--settle=4"], env=node.environment, stderr=subprocess.PIPE, text=True)  # fmt: skip
    wait_until(lambda: node.reservation[1] == OWN, 15)
    node.array({**HELD, "peer sda": OTHER}, "peer sda")
    _, errors = agent.communicate(timeout=30)
    assert agent.returncode == 1 and f"{OTHER} is registered" in errors


@pytest.mark.parametrize(("more", "words"), [
    ({"nodename": HOST}, "cannot take its own registration"), ({"nodename": "db9"}, "no key of the target 'db9'"),
    ({"reservation_keys": f"peer={OTHER}"}, "no key of this host"), ({"vgname": ""}, "vgname is not given"),
    ({"settle": "soon"}, "whole number of seconds"), ({"action": "on"}, "unknown action 'on'"), ({"action": ""}, "no action is given"),
])  # fmt: skip
def test_a_wrong_call_fences_nobody(node: Node, more: dict[str, str], words: str) -> None:
    node.array({"peer sda": OTHER}, "peer sda")
    code, said = node.fence(**{"action": "off", **more})
    assert code == 1 and words in said
    assert node.reservation == ({"peer sda": OTHER}, OTHER)


def test_what_cannot_be_read_is_neither_off_nor_well(node: Node) -> None:
    for disk in ("sda", "sdb"):
        node.trouble(f"dead-{disk}")
    for action in ("off", "status", "monitor"):
        assert node.fence(action)[0] == 1
    for disk in ("sda", "sdb"):
        (node.home / f"array/dead-{disk}").unlink()
    (node.home / "no-vgs").touch()
    for action in ("off", "status", "monitor"):
        code, said = node.fence(action)
        assert code == 1 and "volume group vg-db cannot be read" in said


def test_a_strangers_key_stops_the_fencing(node: Node) -> None:
    node.array({"stranger sda": "0xbad", "peer sda": OTHER}, "peer sda")
    code, said = node.fence("off")
    assert code == 1 and "0xbad" in said and node.reservation[1] == OTHER


def test_its_metadata_names_what_it_takes(node: Node) -> None:
    root = ET.fromstring(node.run(["fence_hadb_reservation", "--action=metadata"], "", {}).stdout)
    assert {item.get("name") for item in root.iter("parameter")} == {"action", "vgname", "reservation_keys", "settle"}
    assert {"off", "reboot", "monitor", "status"} <= {item.get("name") for item in root.iter("action")}
