"""Faults of the storage (S in ``fault_cases.py``)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from hadblab.errors import LabError
from scenario import dm_table
from scenario.faults import CALM, LOST_ARRAY, PIDS, POLL, SEEN_SECONDS, cut_all_paths
from scenario.scenario import COLD_START, FAILOVER, Scenario
from scenario.stage import Stage, bad_paths, forget
from scenario.wait import until

_USER = "hadb-test-user"
# Seconds until both nodes have tried to start without the array: I/O fails, the active one is fenced and boots, and
# each waits a third of the start's 90 s for its paths.
_BOTH_REFUSE = 240.0
_WITHOUT_ARRAY = 300.0
# Seconds until the deep monitor of the volume has come round, its node was fenced, and has booted.
_STOLEN = 240.0
_THIEF = "thief"
# Seconds that the array stands still: iSCSI notices after 5, paths fail after 10, I/O after 20.
_HANG = 8.0
# Milliseconds that each read, write and flush takes longer, and for how many seconds. A commit is two of them, and the
# client gives one a second.
_DELAY = 150
_SLOW = 20.0
_DISK = "/var/lib/hadb-test-disk"
# A second physical volume, which the other node does not see; and away with it.
_EXTEND = f"""set -e
modprobe loop; truncate -s 64M {_DISK}
vgextend -q -y {{vg}} $(losetup --find --show {_DISK})"""
_REDUCE = f"""device=$(losetup --associated {_DISK} --noheadings --output NAME)
vgreduce -q {{vg}} $device && pvremove -q $device; code=$?
losetup --detach $device; rm -f {_DISK}; exit $code"""

_NEW_SERVER = f"""old={PIDS}; kill -9 $old
until new={PIDS} && [ "$new" != "$old" ]; do sleep 0.05; done"""


def cut_all_paths_at_start(stage: Stage) -> None:
    """The active node loses the array while it starts a killed server. That may wait for itself for ever then: what waits for it
    must not hold up the fencing."""
    stage.lab.ask(stage.active, _NEW_SERVER, timeout=SEEN_SECONDS)
    cut_all_paths(stage)


def cut_paths_of_passive(stage: Stage) -> None:
    """The passive node loses the array and sees it: the client must not notice."""
    for network in ("san1", "san2"):
        stage.lab.verb("cut", network, stage.passive)
    until(lambda: bad_paths(stage.lab, stage.passive), SEEN_SECONDS, "multipath does not see that the paths are gone", POLL)
    stage.watch(CALM)


def cut_paths_of_both(stage: Stage) -> None:
    """Both nodes lose the array: the database is stopped, nobody is fenced twice, and a cleanup starts it when it is back."""
    lab = stage.lab
    for network in ("san1", "san2"):
        lab.verb("cut", network)
    for reason in stage.wait_refused("db-lvm", lab.nodes, _BOTH_REFUSE):
        assert "cannot be read" in reason, reason
    time.sleep(CALM)
    assert not any(stage.server_runs(node) for node in lab.nodes), "a server runs without a disk"
    for network in ("san1", "san2"):
        lab.verb("heal", network)
    until(lambda: not any(bad_paths(lab, node) for node in lab.nodes), FAILOVER, "the paths do not come back", POLL)
    _clean_up(stage)


def hang_array(stage: Stage) -> None:
    """The array stands still for less than anybody gives up."""
    stage.lab.verb("freeze", stage.lab.array)
    try:
        time.sleep(_HANG)
    finally:
        stage.lab.verb("thaw", stage.lab.array)
    stage.watch(CALM)


def slow_array(stage: Stage) -> None:
    """Everything that the active node reads and writes takes longer: slow is not dead."""
    stage.lab.ask(stage.active, "modprobe dm-delay")
    table = _table(stage)
    with _instead(stage, table, dm_table.slowed(table, _DELAY)):
        stage.watch(_SLOW)
    stage.wait_served(time.monotonic())


def break_blocks(stage: Stage) -> None:
    """Some blocks of the active node's disk cannot be read or written: the filesystem's journal, and its first block.

    So the kernel stops all writing at its next commit. The server may fall first, and not start any more, or the
    filesystem's monitor sees it first, which fences the node: both lead to the other node. The first block is where the
    kernel notes that the filesystem needs a check, which this one, whole on the array, does not.
    """
    lab, table = stage.lab, _table(stage)
    device = f"/dev/{lab.storage['vg']}/{lab.storage['lv']}"
    journal = dm_table.extents(lab.ask(stage.active, f"debugfs -R 'stat <8>' {device} 2>/dev/null").stdout)
    size = int(lab.ask(stage.active, f"stat --file-system --format=%S {lab.mount}").stdout)
    with _instead(stage, table, dm_table.broken(table, dm_table.sectors([(0, 0), *journal], size))):
        stage.wait_home(stage.passive)


def hide_a_physical_volume(stage: Stage) -> None:
    """The volume group gets a second disk that the passive node does not see: it does not start on half of its disks."""
    lab, vg = stage.lab, stage.lab.storage["vg"]
    lab.ask(stage.active, _EXTEND.format(vg=vg))
    try:
        lab.ask(stage.active, f"crm node standby {stage.active}")
        (reason,) = stage.wait_refused("db-lvm", [stage.passive])
        assert "lacks 1 physical volumes" in reason, reason
        assert not stage.server_runs(stage.passive), "it was started all the same"
    finally:
        lab.ask(stage.active, f"crm node online {stage.active}")
        stage.wait_home(stage.active)
        lab.ask(stage.active, _REDUCE.format(vg=vg))


def take_volume_by_hand(stage: Stage) -> None:
    """Somebody activates and mounts the volume on the passive node: LVM refuses, it belongs to the other host."""
    lab = stage.lab
    vg, lv = lab.storage["vg"], lab.storage["lv"]
    activated = lab.ask(stage.passive, f"lvchange --activate y {vg}/{lv} 2>&1", check=False)
    assert activated.returncode != 0, activated.stdout
    mounted = lab.ask(stage.passive, f"mount /dev/{vg}/{lv} {lab.mount} 2>&1", check=False)
    assert mounted.returncode != 0, mounted.stdout
    stage.watch(CALM)


def give_group_away(stage: Stage) -> None:
    """A host outside the cluster takes the volume group while it is in use: given up, told, and not taken back by itself.

    What such a host would do is done on the passive node: LVM refuses it only where the volume is active.
    """
    lab, vg = stage.lab, stage.lab.storage["vg"]
    lab.ask(stage.passive, _taking(vg, stage.active, _THIEF))
    try:
        for reason in stage.wait_refused("db-lvm", lab.nodes, _STOLEN):
            assert f"belongs to '{_THIEF}'" in reason, reason
        assert not any(stage.server_runs(node) for node in lab.nodes), "a server writes to another host's volume"
        told = lab.verb("salt-run", "hadb.verify", check=False)
        assert told.returncode != 0 and f"belongs to {_THIEF}" in told.stdout + told.stderr, told.stdout + told.stderr
    finally:
        lab.ask(stage.passive, _taking(vg, _THIEF, stage.passive))
    _clean_up(stage)


def use_filesystem_at_stop(stage: Stage) -> None:
    """A program stands in the mounted directory and holds a file open when the node is to give it up."""
    lab = stage.lab
    lab.ask(stage.active, f"systemd-run --quiet --collect --unit={_USER} sh -c"
                          f" 'cd {lab.mount} && exec 3>hadb-test && trap \"\" TERM; while :; do sleep 1; done'")  # fmt: skip
    until(lambda: lab.ask(stage.active, f"test -e {lab.mount}/hadb-test", check=False).returncode == 0, SEEN_SECONDS,
          "the program does not start", POLL)  # fmt: skip
    lab.ask(stage.active, f"crm node standby {stage.active}")
    stage.wait_home(stage.passive)
    lab.ask(stage.passive, f"rm -f {lab.mount}/hadb-test")
    lab.ask(stage.active, f"crm node online {stage.active}")


def _clean_up(stage: Stage) -> None:
    """Make the cluster try again, as the runbook says, and wait until the client is served."""
    forget(stage.lab, stage.passive)
    stage.writer.wait_writing(time.monotonic(), COLD_START)


def _taking(vg: str, owner: str, host: str) -> str:
    """Return the command that makes a volume group another host's, wherever it is run."""
    return f"vgchange --yes --config 'local/extra_system_ids=[\"{owner}\"]' --systemid {host} {vg}"


def _table(stage: Stage) -> str:
    return stage.lab.ask(stage.active, f"dmsetup table {stage.lab.volume}").stdout


@contextmanager
def _instead(stage: Stage, whole: str, other: str) -> Iterator[None]:
    """Let the active node's volume have another table for a while, under the filesystem that is mounted from it."""
    _load(stage, other)
    try:
        yield
    finally:
        # A node that gave the volume up, or was fenced, has that table no more.
        with suppress(LabError):
            _load(stage, whole)


def _load(stage: Stage, table: str) -> None:
    # Without a sync of the filesystem: with a broken table in place there is none.
    stage.lab.ask(stage.active, f"set -e; dmsetup reload {stage.lab.volume} <<'END'\n{table}END\n"
                                f"dmsetup resume --nolockfs --noudevsync {stage.lab.volume}", timeout=SEEN_SECONDS)  # fmt: skip


SCENARIOS = (
    Scenario("array lost while the server starts", cut_all_paths_at_start, perhaps=("active",), budget=LOST_ARRAY,
             cases=("S1",), explained=("db-server",)),
    Scenario("all storage paths of the passive lost", cut_paths_of_passive, cases=("S2",)),
    Scenario("both lose the array", cut_paths_of_both, fenced=("active",), budget=_WITHOUT_ARRAY, cases=("S3",),
             explained=("db-lvm", "db-fs", "db-server")),
    Scenario("array hangs for a moment", hang_array, budget=30.0, cases=("S4",)),
    Scenario("array slow", slow_array, budget=30.0, cases=("S4",)),
    Scenario("some blocks broken", break_blocks, perhaps=("active",), budget=FAILOVER, cases=("S5",),
             explained=("db-fs", "db-server")),
    Scenario("volume group lacks a disk on the passive", hide_a_physical_volume, budget=FAILOVER, cases=("S7",),
             explained=("db-lvm",)),
    Scenario("volume taken by hand on the passive", take_volume_by_hand, cases=("S8", "S9")),
    Scenario("volume group given to another host", give_group_away, fenced=("active",), budget=_WITHOUT_ARRAY, cases=("S10",),
             explained=("db-lvm",)),
    Scenario("filesystem in use at a stop", use_filesystem_at_stop, budget=FAILOVER, cases=("S11",)),
)  # fmt: skip
