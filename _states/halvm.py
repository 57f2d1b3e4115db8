"""From blank LUNs to a mounted filesystem, and back to a volume that only Pacemaker touches.

Scope: once per cluster, on the node whose duty it is (``mounted`` and ``released`` with it). The exception is
``partitions_known``, which is for every node. Whatever was interrupted is continued; whatever is not blank and
not ours is refused.
"""

from hadb_core import storage_grow, storage_plan, storage_volume
from hadb_core.outcome import carry_out, converge

__virtualname__ = "halvm"


def __virtual__():
    return __virtualname__


def _converge(name, plan, done, effects="halvm_write"):
    return converge(name, plan=plan, apply=lambda found: carry_out(__salt__, effects, found),
                    test=__opts__["test"], done=done)


def _luns(luns):
    return __salt__["halvm.luns"]([lun["wwid"] for lun in luns])


def partitioned(name, vg, luns, multipath=True):
    """
    Ensure that every shared LUN has a GPT with one aligned partition for LVM.

    Refuses a LUN on which anything else is or was: nothing is ever erased.

    name
        The state's name.
    vg
        The volume group that the LUNs are for.
    luns
        ``hadb:storage:luns``: ``[{wwid, min_size (bytes, optional)}]``.
    multipath
        Refuse to write to a LUN that has no multipath map.

    .. code-block:: yaml

        hadb LUNs are partitioned:
          halvm.partitioned:
            - vg: db-vg
            - luns: [{wwid: 36001405aabbccdd00000000000000001, min_size: 1099511627776}]
    """
    return _converge(
        name, lambda: storage_plan.plan_partitions(_luns(luns), __salt__["halvm.report"](), luns, vg, multipath),
        "Every shared LUN has its partition")


def partitions_known(name, luns, multipath=True):
    """
    Ensure that this node's kernel knows the partitions which the other node made on the shared LUNs. Scope: node.

    luns, multipath
        As for ``partitioned``.

    .. code-block:: yaml

        hadb partitions of the shared LUNs are known:
          halvm.partitions_known:
            - luns: [{wwid: 36001405aabbccdd00000000000000001}]
    """
    return _converge(name, lambda: storage_plan.plan_unknown_partitions(_luns(luns), luns, multipath),
                     "The kernel knows every partition of the shared LUNs")


def pv_present(name, vg, luns, multipath=True):
    """
    Ensure that the partition of every shared LUN is a physical volume.

    vg, luns, multipath
        As for ``partitioned``.

    .. code-block:: yaml

        hadb physical volumes are present:
          halvm.pv_present:
            - vg: db-vg
            - luns: [{wwid: 36001405aabbccdd00000000000000001}]
    """
    return _converge(
        name, lambda: storage_plan.plan_pvs(_luns(luns), __salt__["halvm.report"](), luns, vg, multipath),
        "Every shared LUN is a physical volume")


def vg_present(name, luns, multipath=True):
    """
    Ensure that the volume group lies on exactly the shared LUNs, belongs to one node and is never activated at boot.

    name
        The volume group.
    luns, multipath
        As for ``partitioned``. LUNs that were added to the pillar extend the group.

    .. code-block:: yaml

        db-vg:
          halvm.vg_present:
            - luns: [{wwid: 36001405aabbccdd00000000000000001}]
    """
    return _converge(
        name, lambda: storage_plan.plan_vg(_luns(luns), __salt__["halvm.report"](), luns, name, multipath),
        f"Volume group {name} is present")


def lv_present(name, vg, size):
    """
    Ensure that a logical volume exists; an existing one is neither shrunk nor grown.

    name
        The logical volume.
    vg
        Its volume group.
    size
        ``100%FREE``, ``800G``, ``16T``; a unit is a power of 1024.

    .. code-block:: yaml

        db-vol:
          halvm.lv_present:
            - vg: db-vg
            - size: 100%FREE
    """
    return _converge(name, lambda: storage_plan.plan_lv(__salt__["halvm.report"](), vg, name, size),
                     f"Logical volume {vg}/{name} is present")


def formatted(name, vg, fstype):
    """
    Ensure that the logical volume ``name`` of ``vg`` holds a filesystem; anything else on it is refused.

    vg
        The volume group.
    fstype
        ``ext4``.

    .. code-block:: yaml

        db-vol:
          halvm.formatted:
            - vg: db-vg
            - fstype: ext4
    """
    return _converge(name, lambda: storage_volume.plan_format(__salt__["halvm.volume"](vg, name), fstype),
                     f"{vg}/{name} holds {fstype}")


def grown(name, vg, luns, size, fstype, mount_point):
    """
    Ensure that the volume and its filesystem are as large as the pillar wants and the LUNs allow, while it is in use.

    Nothing is ever shrunk, and no partition table in use is rewritten. Refused where the volume is not mounted.

    name
        The logical volume.
    vg
        Its volume group.
    luns
        As for ``partitioned``.
    size
        ``100%FREE``, a share of the group such as ``80%VG``, ``800G``, ``16T``; a unit is a power of 1024.
    fstype
        ``ext4``.
    mount_point
        Where it is mounted.

    .. code-block:: yaml

        db-vol:
          halvm.grown:
            - vg: db-vg
            - luns: [{wwid: 36001405aabbccdd00000000000000001}, {wwid: 36001405aabbccdd00000000000000002}]
            - size: 100%FREE
            - fstype: ext4
            - mount_point: /dbmnt
    """
    return _converge(
        name,
        lambda: storage_grow.plan_grow(
            _luns(luns), __salt__["halvm.report"](), luns, __salt__["halvm.volume"](vg, name), size, fstype=fstype,
            fs_size=__salt__["halvm_grow.filesystem_size"](vg, name, fstype), mount_point=mount_point),
        f"{vg}/{name} and its filesystem have the size that is wanted", effects="halvm_grow")


def mounted(name, vg, lv, fstype, options="", managed_by_cluster=None):
    """
    Ensure that the volume is active and mounted on this node, for the steps that make the database.

    Does nothing when Pacemaker is configured to own it.

    name
        The mount point.
    vg, lv
        The volume.
    fstype, options
        ``ext4``, and mount options separated by commas.
    managed_by_cluster
        Whether Pacemaker owns the volume; looked up in this node's CIB by default.

    .. code-block:: yaml

        /dbmnt:
          halvm.mounted:
            - vg: db-vg
            - lv: db-vol
            - fstype: ext4
            - options: noatime
    """
    return _converge(
        name,
        lambda: storage_volume.plan_mount(
            __salt__["halvm.volume"](vg, lv), name, fstype, options, occupant=__salt__["halvm.occupant"](name),
            managed=_managed(managed_by_cluster, vg, name)),
        f"{vg}/{lv} is in place at {name}")


def released(name, vg, lv, managed_by_cluster=None, expect_mounted=False):
    """
    Ensure that the volume is unmounted and inactive, so that only Pacemaker brings it back.

    Does nothing when Pacemaker is configured to own it.

    name
        The mount point.
    vg, lv
        The volume.
    managed_by_cluster
        As for ``mounted``.
    expect_mounted
        The same run mounts the volume earlier: a test run, which did not, reports the release nevertheless.

    .. code-block:: yaml

        /dbmnt:
          halvm.released:
            - vg: db-vg
            - lv: db-vol
            - expect_mounted: True
    """
    return _converge(
        name,
        lambda: storage_volume.plan_release(
            __salt__["halvm.volume"](vg, lv), name, managed=_managed(managed_by_cluster, vg, name),
            expect_mounted=expect_mounted and __opts__["test"]),
        f"{vg}/{lv} is left to Pacemaker")


def _managed(managed_by_cluster, vg, mount_point):
    if managed_by_cluster is None:
        return __salt__["halvm.managed_by_cluster"](vg, mount_point)
    return managed_by_cluster
