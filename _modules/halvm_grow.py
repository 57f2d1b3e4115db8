"""Enlarge physical volumes, the logical volume and its filesystem while the database runs; ``halvm_write`` makes them.

Nothing here ever shrinks anything. Each function reads again right before it writes and raises
:class:`~hadb_core.errors.Refused` when that is not what the plan was made from.
"""

from hadb_core import lvm_report, storage_grow
from hadb_core.block_lun import Stage, stage
from hadb_core.errors import Refused
from hadb_core.process import run

__virtualname__ = "halvm_grow"

# s: resize2fs writes the inode tables of what is new, which is many GiB on a large volume.
_RESIZE_TIMEOUT = 3600


def __virtual__():
    return __virtualname__


def filesystem_size(vg, lv, fstype):
    """
    Return the size of the filesystem on a logical volume, None when the volume is not active on this node.

    vg, lv
        The volume.
    fstype
        ``ext4``.

    Returns bytes. Raises ``CommandFailed`` when the volume holds no such filesystem or cannot be read.

    CLI Example:

    .. code-block:: bash

        salt db1 halvm_grow.filesystem_size db-vg db-vol ext4
    """
    have = __salt__["halvm.volume"](vg, lv)
    if not have["active"]:
        return None
    _known(fstype)
    return storage_grow.parse_ext4_size(_run("dumpe2fs", "-h", have["device"]).out)


def pvresize(wwid, vg):
    """
    Let the physical volume of a LUN use all of its partition.

    wwid
        The LUN.
    vg
        The volume group that it belongs to.

    Raises ``Refused`` when the LUN is not a member of the group.

    CLI Example:

    .. code-block:: bash

        salt db1 halvm_grow.pvresize 36001405aabbccdd00000000000000001 db-vg
    """
    found = __salt__["halvm.luns"]([wwid])
    # A member is in use by its own volume, which stage() accepts.
    if not found or stage(found[0], vg) is not Stage.MEMBER or not found[0]["partitions"][0]["device"]:
        raise Refused(f"LUN {wwid} is not a physical volume of {vg} here", "run this again")
    _lvm("pvresize", found[0]["partitions"][0]["device"])


def lvextend(vg, lv, size):
    """
    Enlarge a logical volume that is active on this node. The filesystem on it is not touched.

    vg, lv
        The volume; its group has to belong to this node.
    size
        ``100%FREE``, a share such as ``80%VG``, ``800G``, ``16T`` or bytes; the size it shall have afterwards.

    Raises ``Refused`` when the volume is not active here, has that size already, or the group has too little space.

    CLI Example:

    .. code-block:: bash

        salt db1 halvm_grow.lvextend db-vg db-vol 100%FREE
    """
    have = _active(vg, lv)
    group = lvm_report.find_vg(__salt__["halvm.report"](), vg)
    wanted = storage_grow.target(group, have["size"], size)
    if wanted <= have["size"]:
        raise Refused(f"{vg}/{lv} has {have['size']} bytes already", "run this again")
    _lvm("lvextend", "--extents", str(wanted // group["extent_size"]), f"{vg}/{lv}")


def resizefs(vg, lv, fstype):
    """
    Let a mounted filesystem use all of its logical volume.

    vg, lv
        The volume; it has to be mounted on this node.
    fstype
        ``ext4``.

    Raises ``Refused`` when the volume is not mounted here or holds something else.

    CLI Example:

    .. code-block:: bash

        salt db1 halvm_grow.resizefs db-vg db-vol ext4
    """
    have = _active(vg, lv)
    if not have["mounted_at"] or not have["fs"] or have["fs"]["type"] != fstype:
        raise Refused(f"{vg}/{lv} is not a mounted {fstype}: {have['fs']}, mounted at {have['mounted_at']}",
                      "run this on the node with the database")
    _run(*_known(fstype), have["device"], timeout=_RESIZE_TIMEOUT)


def _active(vg, lv):
    have = __salt__["halvm.volume"](vg, lv)
    if not (have["local"] and have["active"]):
        raise Refused(f"{vg}/{lv} is not active on this node (its group belongs to {have['system_id'] or 'nobody'})",
                      "run this on the node with the database")
    return have


def _known(fstype):
    if fstype not in storage_grow.RESIZE:
        raise Refused(f"a filesystem {fstype!r} is not grown here", f"one of {', '.join(storage_grow.RESIZE)}")
    return storage_grow.RESIZE[fstype]


def _lvm(*argv):
    return _run(*argv, env=lvm_report.ENV)


def _run(*argv, **how):
    return run(__salt__["cmd.run_all"], argv, **how)
