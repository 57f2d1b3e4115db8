"""Shared LUNs, their volume group and its filesystem: what is there. Changes nothing; ``halvm_write`` does.

Every reader returns data or raises: what cannot be read is never reported as absent.
"""

import os
from pathlib import Path

import salt.utils.path

from hadb_core import block_devices, block_lun, lvm_config, lvm_report, storage_volume
from hadb_core.errors import Refused, Unreadable
from hadb_core.process import naming_version, run

__virtualname__ = "halvm"

_CIB_FILE = "/var/lib/pacemaker/cib/cib.xml"
# Bytes: signatures lie within the first 128 KiB (btrfs: 64 KiB, UFS: 256 KiB; libblkid superblocks/*.c).
_SIGNATURES = 2**20


def __virtual__():
    return __virtualname__


def _run(*argv, **how):
    return run(__salt__["cmd.run_all"], argv, **how)


def _lvm(*argv):
    return _run(*argv, env=lvm_report.ENV)


def _text(path):
    """Return a file's text, None when there is no such file; any other trouble raises."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None


def _stripped(path):
    return (_text(path) or "").strip()


def nodes():
    """
    Return all block devices by kernel name: ``{name, dev, size, partition, parent, holders, dm_name, dm_uuid}``.

    A device that goes away meanwhile is not there.

    CLI Example:

    .. code-block:: bash

        salt '*' halvm.nodes
    """
    found = {}
    for entry in sorted(Path("/sys/class/block").iterdir()):
        size, dev, number = _stripped(entry / "size"), _stripped(entry / "dev"), _stripped(entry / "partition")
        if not (size and dev):
            continue
        holders = entry / "holders"
        found[entry.name] = block_devices.Node(
            name=entry.name, dev=dev, size=int(size) * 512, partition=int(number or 0),
            parent=entry.resolve().parent.name if number else "",
            holders=tuple(sorted(one.name for one in holders.iterdir())) if holders.is_dir() else (),
            dm_name=_stripped(entry / "dm/name"), dm_uuid=_stripped(entry / "dm/uuid"),
        )
    return found


def _mounts():
    return block_devices.parse_mountinfo(Path("/proc/self/mountinfo").read_text(encoding="utf-8"))


def _swaps():
    lines = (_text("/proc/swaps") or "").splitlines()[1:]
    numbers = [Path(line.split()[0]).stat().st_rdev for line in lines if line.startswith("/dev/")]
    return {f"{os.major(number)}:{os.minor(number)}" for number in numbers}


def luns(wwids=None):
    """
    Return the shared LUNs that this node sees and what is on each; one entry however many paths.

    wwids
        Only these WWIDs; all disks that could be on a SAN by default. One that is not seen is left out.

    Each is ``{wwid, size (bytes), paths: [sda, ...], multipath: name or None, device, signatures: [{type, offset,
    device, uuid, label}], partitions: [{number, name, start, size, uuid, type, device}], holders: [...],
    mounts: [...], pv: {vg, vg_uuid, uuid} or None}``. A partition that the kernel does not know has the device
    ``""``; ``pv["vg"]`` is ``""`` without a group and None where lvm2 is not installed to tell.
    Works without lvm2 and multipath-tools. Raises when something cannot be read.

    CLI Example:

    .. code-block:: bash

        salt '*' halvm.luns
    """
    with naming_version(__salt__["cmd.run_all"]):
        known = nodes()
        found = [_lun(shape, known) for shape in _shapes(known, wwids)]
        if any(one["type"] == "LVM2_member" for lun in found for one in lun["signatures"]):
            groups = report()
            return [{**lun, "pv": lvm_report.pv_of(groups, lun)} for lun in found]
        return found


def paths(wwids=None):
    """
    Return through which devices this node sees the shared LUNs, without reading from any of them.

    Each is ``{wwid, size (bytes), paths: [sda, ...], multipath: name or None, device}``; arguments as for ``luns``.
    Answers also when the storage does not.

    wwids
        Only these; all disks that could be on a SAN by default.

    CLI Example:

    .. code-block:: bash

        salt '*' halvm.paths
    """
    with naming_version(__salt__["cmd.run_all"]):
        return [_identity(shape) for shape in _shapes(nodes(), wwids)]


def _shapes(known, wwids):
    disks = block_devices.disks(known)
    # Not --export-db: it tells of every terminal and network card too, 2.6 s in the lab where this takes 0.1 s. 1: a disk is gone.
    told = _run("udevadm", "info", "--query=all", *(f"/sys/class/block/{name}" for name in disks), answers=(0, 1))
    udev = block_devices.parse_udev(told.out)
    silent = [name for name in disks if name not in udev and Path("/sys/class/block", name).exists()]
    if silent:
        raise Unreadable("udevadm", f"it does not tell of {', '.join(silent)}: {told.err}")
    # On the command line a WWID of digits arrives as a number.
    return block_devices.group(known, udev, None if wwids is None else [str(wwid) for wwid in wwids])


def _identity(shape):
    return {
        "wwid": shape.wwid, "size": shape.head.size, "paths": [path.name for path in shape.paths],
        "multipath": shape.map.dm_name if shape.map else None, "device": shape.head.path,
    }


def _lun(shape, known):
    above = block_devices.holders(shape.family, known)
    mounts = block_devices.used_by([*shape.family, *above], _mounts(), _swaps())
    device = shape.head.path
    if not mounts:
        # The other node may have written; drop what this kernel remembers of the device.
        _run("blockdev", "--flushbufs", device, *(node.kernel_path for node in shape.partitions.values()))
    signatures = _signatures(shape.head)
    partitions = []
    if any(one["type"] in ("gpt", "dos") for one in signatures):
        partitions = block_lun.parse_partx(_run("partx", "--bytes", "--pairs", "--output",
                                                "NR,NAME,START,SIZE,UUID,TYPE", device).out)
    for part in partitions:
        node = shape.partitions.get(part["number"])
        part["device"] = node.path if node else ""
        # What is in a partition counts, whether this kernel has noticed the partition or not.
        signatures += _signatures(node) if node else _unnoticed(device, part)
    return {
        **_identity(shape), "devs": sorted(node.dev for node in shape.family),
        "signatures": signatures, "partitions": partitions,
        "holders": [node.dm_name or node.name for node in above], "mounts": mounts, "pv": None,
    }


def _signatures(node):
    _readable(node.kernel_path, 0, node.size)
    return block_lun.parse_wipefs(_run("wipefs", "--json", "--no-act", node.kernel_path).out, node.path)


def _unnoticed(device, part):
    found = _probe(device, part["start"], part["size"])
    where = f"{device} partition {part['number']}"
    return [{**found, "offset": part["start"], "device": where}] if found else []


def reservations(wwid):
    """
    Return the SCSI-3 persistent reservations of a LUN: ``{"keys": ["0x123abc"], "held": {"key", "type"} or None}``.

    The cluster makes them where ``hadb:fencing:reservations`` is on, and needs none where it is not; somebody who has one can
    keep it from writing.

    wwid
        The LUN; it needs a multipath map.

    Raises ``Refused`` when this node has no map for it or no ``mpathpersist`` (multipath-tools), ``CommandFailed``
    when the array does not answer or knows no reservations.

    CLI Example:

    .. code-block:: bash

        salt db1 halvm.reservations 36001405aabbccdd00000000000000001
    """
    seen = [lun for lun in paths([wwid]) if lun["multipath"]]
    if not seen or salt.utils.path.which("mpathpersist") is None:
        raise Refused(f"this node has no multipath map of LUN {wwid}, or no mpathpersist to ask with",
                      "apply hadb.storage.multipath first")
    words = ("mpathpersist", "--in")
    return block_lun.parse_reservations(_run(*words, "--read-keys", seen[0]["device"]).out,
                                        _run(*words, "--read-reservation", seen[0]["device"]).out)


def partitions_known(lun):
    """
    Return the numbers of the partitions that this node's kernel has a device file for, without reading the disk.

    lun
        One of ``paths()``.

    CLI Example:

    .. code-block:: bash

        salt db1 halvm.partitions_known '{wwid: 36001405aabbccdd00000000000000001, paths: [sda], multipath: null}'
    """
    known = block_devices.partitions_of(nodes(), lun)
    return sorted(number for number, node in known.items() if Path(node.path).exists())


def report():
    """
    Return LVM's volume groups with LVs and PVs, also those of other hosts, and this host's system ID.

    ``{installed, system_id, vgs: [{name, uuid, system_id, size, free, extent_size, missing, autoactivation,
    exported, pvs, lvs}], orphans}``, sizes in bytes; ``installed`` is False (and all empty) without lvm2.

    CLI Example:

    .. code-block:: bash

        salt '*' halvm.report
    """
    with naming_version(__salt__["cmd.run_all"]):
        if salt.utils.path.which("lvm") is None:
            return dict(lvm_report.NOTHING)
        system_id = lvm_report.parse_system_id(_lvm("lvm", "systemid").out)
        text = _lvm("lvm", "fullreport", "--foreign", "--reportformat", "json", "--units", "b", "--nosuffix").out
        return lvm_report.parse_report(text, system_id)


def volume(vg, lv):
    """
    Return the state of a logical volume on this node.

    ``{vg, lv, vg_uuid, exists, size (bytes), system_id, local, active, device, mounted_at, fs}``: ``local`` is whether the group
    belongs to this node, ``fs`` is ``{type, uuid, label}`` or None, read without activating the volume.

    vg, lv
        The volume group and the logical volume.

    CLI Example:

    .. code-block:: bash

        salt '*' halvm.volume db-vg db-vol
    """
    with naming_version(__salt__["cmd.run_all"]):
        known = report()
        group, have = lvm_report.find_vg(known, vg), lvm_report.find_lv(known, vg, lv)
        node = next((one for one in nodes().values() if one.dm_name == lvm_report.dm_name(vg, lv)), None)
        system_id = group["system_id"] if group else ""
        return {
            "vg": vg, "lv": lv, "vg_uuid": group["uuid"] if group else None, "exists": have is not None,
            "size": have["size"] if have else 0, "system_id": system_id,
            "local": bool(system_id) and system_id == known["system_id"], "active": node is not None,
            "device": f"/dev/{vg}/{lv}", "mounted_at": block_devices.used_by([node], _mounts(), ()) if node else [],
            "fs": _filesystem(group, have, node) if have else None,
        }


def _filesystem(group, lv, node):
    if node:
        return _probe(node.path, 0, lv["size"])
    place = lv["begins"]
    if place is None:
        raise Unreadable("lvm fullreport", f"it does not say where {group['name']}/{lv['name']} begins")
    pv = next(one for one in group["pvs"] if one["name"] == place["pv"])
    _run("blockdev", "--flushbufs", pv["name"])
    return _probe(pv["name"], pv["pe_start"] + place["extent"] * group["extent_size"], lv["size"])


def _probe(device, offset, size):
    """Return the filesystem in a range of a device, None for none."""
    _readable(device, offset, size)
    return lvm_report.filesystem(_run("blkid", "--probe", "--output", "export", "--offset", str(offset),
                                      "--size", str(size), device, answers=(0, 2)))


def _readable(device, offset, size):
    """Raise when both ends of a range of a device, where signatures lie, cannot be read.

    blkid and wipefs answer the same way for "nothing there" and for an I/O error.
    """
    length = min(size, _SIGNATURES)
    try:
        with Path(device).open("rb") as stream:
            for start in (offset, offset + size - length):
                stream.seek(start)
                if len(stream.read(length)) < length:
                    raise Unreadable(device, f"it ends before byte {start + length}")
    except OSError as error:
        raise Unreadable(device, f"{error.strerror} within {length} bytes of either end of the range") from error


def occupant(mount_point):
    """
    Return the device number of what is mounted at a directory, ``""`` for nothing.

    mount_point
        The directory.

    CLI Example:

    .. code-block:: bash

        salt '*' halvm.occupant /dbmnt
    """
    return next((dev for dev, points in _mounts().items() if mount_point in points), "")


def managed_by_cluster(vg, mount_point):
    """
    Return whether Pacemaker's configuration on this node owns the volume group or the mount point.

    Reads the CIB's file, so the answer is the same whether Pacemaker runs or not.

    vg, mount_point
        What could be in a resource's parameters.

    CLI Example:

    .. code-block:: bash

        salt '*' halvm.managed_by_cluster db-vg /dbmnt
    """
    cib = _text(_CIB_FILE)
    return cib is not None and storage_volume.in_cib(cib, vg, mount_point)


def vgs_in_use():
    """
    Return the volume groups that mounted filesystems and swap of this node lie on: ``{vg: [volume, ...]}``.

    CLI Example:

    .. code-block:: bash

        salt '*' halvm.vgs_in_use
    """
    return lvm_config.vgs_in_use(nodes(), _mounts(), _swaps())
