"""All that hadb ever writes to a LUN or does to a volume; ``halvm`` reads, the states of ``halvm`` decide.

Every function that writes to a LUN names it by WWID, reads again what is on it right before, and raises
:class:`~hadb_core.errors.Refused` when that is not what the plan was made from.
"""

import time
from pathlib import Path

from hadb_core import block_lun, lvm_report, storage_size, storage_volume
from hadb_core.block_lun import Stage
from hadb_core.errors import Refused
from hadb_core.process import run

__virtualname__ = "halvm_write"

# s until udev has made the device file of a new partition.
_NODE_TIMEOUT = 30
# s that udev's own rule gets before the kernel is told by hand; both at once would collide.
_NODE_PATIENCE = 2
# s for mkfs: discarding and writing the inode tables of many TiB takes longer than the 120 s of other commands.
_MKFS_TIMEOUT = 3600


def __virtual__():
    return __virtualname__


def _run(*argv, **how):
    return run(__salt__["cmd.run_all"], argv, **how)


def _lvm(*argv):
    return _run(*argv, env=lvm_report.ENV)


def _lun(wwid):
    found = __salt__["halvm.luns"]([wwid])
    if not found:
        raise Refused(f"this node does not see LUN {wwid}", "check zoning or the iSCSI login of this node")
    return found[0]


def _at(wwid, vg, *stages, multipath=True):
    """Return the LUN as it is right now, when it is at one of the stages; refuse otherwise."""
    lun = _lun(wwid)
    if multipath and not lun["multipath"]:
        raise Refused(f"LUN {wwid} has no multipath map, only {', '.join(lun['paths'])}",
                      "check `multipath -v3 -d`, or set hadb:storage:multipath:manage to false for a single path")
    reached = block_lun.stage(lun, vg)
    if reached not in stages:
        raise Refused(f"{lun['device']} (WWID {wwid}) has changed: it is {reached.name} now", "run this again")
    return lun


def _partition_device(wwid, vg, *stages, multipath=True):
    lun = _at(wwid, vg, *stages, multipath=multipath)
    if not lun["partitions"][0]["device"]:
        reread_partitions(wwid)
        lun = _at(wwid, vg, *stages, multipath=multipath)
    return lun["partitions"][0]["device"]


def partition(wwid, vg, multipath=True):
    """
    Write a GPT with one aligned partition for LVM to a blank LUN. Refuses when anything is on it.

    wwid
        The LUN.
    vg
        The volume group it is for; the partition is named after it.
    multipath
        Refuse while the LUN has no multipath map.

    CLI Example:

    .. code-block:: bash

        salt db1 halvm_write.partition 36001405aabbccdd00000000000000001 db-vg
    """
    lun = _at(wwid, vg, Stage.BLANK, Stage.LABELLED, multipath=multipath)
    label = [] if lun["signatures"] else ["mklabel", "gpt"]
    _run("parted", "--script", "--align", "optimal", lun["device"], *label,
         "mkpart", block_lun.partition_name(vg), "1MiB", "100%", "set", "1", "lvm", "on")
    reread_partitions(wwid)


def reread_partitions(wwid):
    """
    Tell this node's kernel about the partitions that are on a LUN; changes nothing on it.

    wwid
        The LUN. ``Refused`` when its partitions have no device files 30 s later.

    CLI Example:

    .. code-block:: bash

        salt db2 halvm_write.reread_partitions 36001405aabbccdd00000000000000001
    """
    lun = _lun(wwid)
    missing = {part["number"] for part in lun["partitions"]}
    if not missing:
        raise Refused(f"LUN {wwid} has no partition", "run this again")
    started, told = time.monotonic(), False
    # The device files that are waited for, not `udevadm settle`: that waits for every event of the machine, also of
    # multipath checking other paths, and fails when they never cease.
    while not missing <= set(__salt__["halvm.partitions_known"](lun)):
        waited = time.monotonic() - started
        if waited > _NODE_TIMEOUT:
            raise Refused(f"the kernel does not show the partitions of LUN {wwid}", "look at `dmesg`")
        if waited > _NODE_PATIENCE and not told:
            _tell_kernel(lun)
            told = True
        time.sleep(0.1)


def _tell_kernel(lun):
    if lun["multipath"]:
        # As Debian's 60-kpartx.rules does it, so that the names are the same as after a reboot.
        _run("kpartx", "-u", "-n", "-p", "-part", lun["device"])
    else:
        _run("partx", "--update", lun["device"])


def pvcreate(wwid, vg, multipath=True):
    """
    Make the partition of a LUN a physical volume. Refuses when anything is on the partition.

    wwid, vg, multipath
        As in :func:`partition`.

    CLI Example:

    .. code-block:: bash

        salt db1 halvm_write.pvcreate 36001405aabbccdd00000000000000001 db-vg
    """
    _lvm("pvcreate", _partition_device(wwid, vg, Stage.PARTITIONED, multipath=multipath))


def vgcreate(vg, wwids, multipath=True):
    """
    Create a volume group that belongs to this node on the physical volumes of LUNs, never activated at boot.

    vg
        The new group's name.
    wwids
        The LUNs.
    multipath
        As in :func:`partition`.

    CLI Example:

    .. code-block:: bash

        salt db1 halvm_write.vgcreate db-vg '[36001405aabbccdd00000000000000001]'
    """
    known = __salt__["halvm.report"]()
    if lvm_report.find_vg(known, vg):
        raise Refused(f"there is a volume group {vg} already", "run this again")
    if not known["system_id"]:
        raise Refused("this node has no system ID, so nothing would keep the other node from using the group",
                      "apply hadb.storage.lvm first (global/system_id_source)")
    devices = [_partition_device(wwid, vg, Stage.PV, multipath=multipath) for wwid in wwids]
    _lvm("vgcreate", *_no_autoactivation(), vg, *devices)


def _no_autoactivation():
    if lvm_report.knows_autoactivation(_lvm("lvm", "version").out):
        return ["--setautoactivation", "n"]
    return []


def vgextend(vg, wwids, multipath=True):
    """
    Add the physical volumes of further LUNs to the volume group.

    vg, wwids, multipath
        As in :func:`vgcreate`.

    CLI Example:

    .. code-block:: bash

        salt db1 halvm_write.vgextend db-vg '[36001405aabbccdd00000000000000002]'
    """
    _lvm("vgextend", vg, *[_partition_device(wwid, vg, Stage.PV, multipath=multipath) for wwid in wwids])


def no_autoactivation(vg):
    """
    Keep the volumes of a group from being activated at boot (LVM 2.03.12 or newer).

    vg
        The group.

    CLI Example:

    .. code-block:: bash

        salt db1 halvm_write.no_autoactivation db-vg
    """
    _lvm("vgchange", "--setautoactivation", "n", vg)


def lvcreate(vg, lv, size):
    """
    Create a logical volume and leave it inactive. What was in the group's free space is not overwritten: when
    something is found there, the volume is given up again and Refused raised.

    vg, lv
        The group, and the new volume's name.
    size
        ``100%FREE``, ``800G``, ``16T`` or bytes.

    CLI Example:

    .. code-block:: bash

        salt db1 halvm_write.lvcreate db-vg db-vol 100%FREE
    """
    _lvm("lvcreate", "--activate", "n", "--zero", "n", "--wipesignatures", "n", "--name", lv,
         *storage_size.lvcreate_size(size), vg)
    found = __salt__["halvm.volume"](vg, lv)["fs"]
    if found:
        _lvm("lvremove", "--yes", f"{vg}/{lv}")
        raise Refused(
            f"the free space of {vg} begins with {found['type']} (uuid {found['uuid']}), perhaps a removed volume",
            f"`vgcfgrestore --list {vg}` shows removed volumes; if nobody needs it, make and wipe a volume there by hand",
        )


def mkfs(vg, lv, fstype):
    """
    Make a filesystem on a logical volume that holds nothing; it is active only meanwhile.

    vg, lv
        The volume.
    fstype
        ``ext4``.

    CLI Example:

    .. code-block:: bash

        salt db1 halvm_write.mkfs db-vg db-vol ext4
    """
    before = __salt__["halvm.volume"](vg, lv)
    plan = storage_volume.plan_format(before, fstype)
    if not plan or not before["exists"]:
        raise Refused(f"{vg}/{lv} cannot be formatted: {before}", "run this again")
    activate(vg, lv)
    try:
        if __salt__["halvm.volume"](vg, lv)["fs"]:
            raise Refused(f"{vg}/{lv} is not blank any more", "run this again")
        _run(*storage_volume.MKFS[fstype], before["device"], timeout=_MKFS_TIMEOUT)
    finally:
        if not before["active"]:
            deactivate(vg, lv)


def activate(vg, lv):
    """
    Activate a volume of a group that belongs to this node. Refuses when the group belongs to another one.

    vg, lv
        The volume.

    CLI Example:

    .. code-block:: bash

        salt db1 halvm_write.activate db-vg db-vol
    """
    have = __salt__["halvm.volume"](vg, lv)
    if not have["local"]:
        raise Refused(f"volume group {vg} belongs to {have['system_id'] or 'nobody'}, not to this node", "")
    _lvm("lvchange", "--activate", "y", f"{vg}/{lv}")


def deactivate(vg, lv):
    """
    Deactivate a volume.

    vg, lv
        The volume.

    CLI Example:

    .. code-block:: bash

        salt db1 halvm_write.deactivate db-vg db-vol
    """
    # udev looks into a volume that was just closed; lvchange itself retries for 5 s, so a timeout here (1) is no failure.
    _run("udevadm", "settle", "--timeout", str(_NODE_TIMEOUT), answers=(0, 1))
    _lvm("lvchange", "--activate", "n", f"{vg}/{lv}")


def mount(vg, lv, mount_point, fstype, options):
    """
    Activate a volume of this node and mount it; the mount point is made when it is missing.

    Refuses when Pacemaker is configured to own it.

    vg, lv
        The volume.
    mount_point
        The directory.
    fstype, options
        ``ext4``, and mount options separated by commas; ``""`` for the defaults.

    CLI Example:

    .. code-block:: bash

        salt db1 halvm_write.mount db-vg db-vol /dbmnt ext4 noatime
    """
    _not_managed(vg, mount_point)
    activate(vg, lv)
    Path(mount_point).mkdir(parents=True, exist_ok=True)
    _run("mount", "--types", fstype, "--options", options or "defaults", f"/dev/{vg}/{lv}", mount_point)


def umount(vg, lv, mount_point):
    """
    Unmount a volume. Refuses when Pacemaker is configured to own it.

    vg, lv, mount_point
        The volume and where it is mounted; nothing happens when it is not.

    CLI Example:

    .. code-block:: bash

        salt db1 halvm_write.umount db-vg db-vol /dbmnt
    """
    _not_managed(vg, mount_point)
    if mount_point in __salt__["halvm.volume"](vg, lv)["mounted_at"]:
        _run("umount", mount_point)


def _not_managed(vg, mount_point):
    if __salt__["halvm.managed_by_cluster"](vg, mount_point):
        raise Refused(f"Pacemaker is configured to own {vg} and {mount_point}", "use `crm resource` on the group")
