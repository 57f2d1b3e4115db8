"""Real calls of every function of ``halvm``, ``halvm_write``, ``halvm_grow`` and ``hastorage``.

What writes to a LUN writes to the lab's spare one, on the passive node: it becomes a volume group of its own, from its
multipath map to a filesystem that grows, and then nothing again.
"""

from __future__ import annotations

from hadb_core import lvm_config, multipath_config
from scenario.function_call import ACTIVE, LV, MOUNT, PASSIVE, SCRATCH, SPARE, VG, Call, Known, State

_LVMLOCAL, _MULTIPATH = "/etc/lvm/lvmlocal.conf", "/etc/multipath.conf"
_VOLUME = {"vg": VG, "lv": LV}
_MIB = 2**20
# Shell: a volume group without the spare LUN, which is then added to it; both its names are free again.
_OTHER_GROUP = """set -e
vgchange -q -ay $VG >/dev/null; wipefs -q -a /dev/$VG/$LV; vgremove -q -ff -y $VG >/dev/null
modprobe loop; truncate -s 64M $SCRATCH/disk
vgcreate -q $VG $(losetup --find --show $SCRATCH/disk) >/dev/null"""
# Shell: the spare LUN holds nothing again, and no trace of it is left on the node.
_CLEAN = """umount $MNT; rmdir $MNT
vgchange -q -ay $VG; wipefs -q -a /dev/$VG/*; vgremove -q -ff -y $VG
losetup --detach-all; rm -f $SCRATCH/disk
wipefs -q -a $PART; dmsetup remove --retry $SPARE-part1; wipefs -q -a $LUN; sync
rm -f /etc/lvm/archive/${VG}_* /etc/lvm/backup/$VG; true"""


def _multipath(k: Known, *wwids: str) -> dict[str, str]:
    return {"path": _MULTIPATH, "content": multipath_config.render([k.wwid, *wwids], k.lab.storage["multipath"])}


def _lvmlocal(k: Known, *wwids: str) -> dict[str, str]:
    return {"path": _LVMLOCAL, "content": lvm_config.render([k.wwid, *wwids], [])}


def _lun(found: list, wwid: str) -> dict:
    return next(lun for lun in found if lun["wwid"] == wwid)


READ = (
    Call("halvm.nodes", PASSIVE, {}, lambda a, k: any(k.wwid in node for node in a.values())),
    Call("halvm.luns", PASSIVE, {}, lambda a, k: _lun(a, k.wwid)["pv"]["vg"] == k.vg
         and _lun(a, k.wwid)["multipath"] == k.wwid and _lun(a, SPARE)["signatures"] == []),
    Call("halvm.paths", PASSIVE, {}, lambda a, k: [len(_lun(a, wwid)["paths"]) for wwid in (k.wwid, SPARE)] == [2, 2]),
    Call("halvm.partitions_known", PASSIVE, lambda k: {"lun": _lun(k.answers["halvm.paths"], k.wwid)},
         lambda a, k: a == [1]),
    Call("halvm.reservations", PASSIVE, lambda k: {"wwid": k.wwid}, lambda a, k: a == {"keys": [], "held": None}),
    Call("halvm.report", PASSIVE, {}, lambda a, k: a["system_id"] == k.passive
         and [(vg["name"], vg["system_id"], vg["autoactivation"]) for vg in a["vgs"]] == [(k.vg, k.active, False)]),
    Call("halvm.managed_by_cluster", PASSIVE, lambda k: {"vg": k.vg, "mount_point": k.lab.mount}, lambda a, k: a is True),
    Call("hastorage.text", PASSIVE, {"path": _MULTIPATH}, lambda a, k: a == _multipath(k)["content"]),
    Call("hastorage.directory", PASSIVE, lambda k: {"path": k.lab.mount},
         lambda a, k: a == {"exists": True, "mounted": False, "entries": []}),
    Call("hastorage.outdated_initramfs", PASSIVE, {"path": _LVMLOCAL}, lambda a, k: a == []),
    Call("halvm.volume", ACTIVE, lambda k: {"vg": k.vg, "lv": k.lv}, lambda a, k: a["active"] and a["local"]
         and k.lab.mount in a["mounted_at"] and a["fs"]["type"] == "ext4"),
    Call("halvm.occupant", ACTIVE, lambda k: {"mount_point": k.lab.mount}, lambda a, k: ":" in a),
    Call("halvm.vgs_in_use", ACTIVE, {}, lambda a, k: a == {k.vg: [k.lv]}),
    Call("halvm_grow.filesystem_size", ACTIVE, lambda k: {"vg": k.vg, "lv": k.lv, "fstype": "ext4"},
         lambda a, k: 0 <= k.answers["halvm.volume"]["size"] - a < 4 * _MIB),
)  # fmt: skip

WRITE = (
    Call("hastorage.make_directory", PASSIVE, {"path": f"{SCRATCH}/a/b"}, lambda a, k: a is None,
         shows="[ -d $SCRATCH/a/b ]"),
    # Its socket listens meanwhile, as when the daemon dies.
    Call("hastorage.start_multipathd", PASSIVE, {}, lambda a, k: a is None,
         before="systemctl -q disable multipathd.service; systemctl -q stop multipathd.service 2>/dev/null",
         shows="systemctl -q is-active multipathd.service && systemctl -q is-enabled multipathd.service"),
    Call("hastorage.write_multipath_conf", PASSIVE, lambda k: _multipath(k, SPARE), lambda a, k: a is None,
         shows="grep -q $SPARE /etc/multipath.conf"),
    Call("hastorage.make_map", PASSIVE, {"wwid": SPARE}, lambda a, k: a is None, shows="[ -b $LUN ]"),
    Call("hastorage.write_lvmlocal", PASSIVE, lambda k: _lvmlocal(k, SPARE), lambda a, k: a is None,
         shows="lvmconfig devices/global_filter | grep -q $SPARE"),
    Call("hastorage.outdated_initramfs", PASSIVE, {"path": _LVMLOCAL}, lambda a, k: len(a) == 1),
    Call("halvm_write.partition", PASSIVE, {"wwid": SPARE, "vg": VG}, lambda a, k: a is None,
         shows="blkid -p -o value -s PART_ENTRY_NAME $PART | grep -qx hadb-$VG"),
    # As on the node that did not write the partition table.
    Call("halvm_write.reread_partitions", PASSIVE, {"wwid": SPARE}, lambda a, k: a is None,
         before="dmsetup remove --retry $SPARE-part1", shows="[ -b $PART ]"),
    Call("halvm_write.pvcreate", PASSIVE, {"wwid": SPARE, "vg": VG}, lambda a, k: a is None, shows="pvs $PART >/dev/null"),
    Call("halvm_write.vgcreate", PASSIVE, {"vg": VG, "wwids": [SPARE]}, lambda a, k: a is None,
         shows="[ $(vgs --noheadings -o vg_systemid $VG) = $PASSIVE ]"),
    Call("halvm_write.no_autoactivation", PASSIVE, {"vg": VG}, lambda a, k: a is None,
         before="vgchange -q --setautoactivation y $VG", shows='[ -z "$(vgs --noheadings -o vg_autoactivation $VG | xargs)" ]'),
    Call("halvm_write.lvcreate", PASSIVE, {**_VOLUME, "size": "256M"}, lambda a, k: a is None,
         shows="[ $(lvs --noheadings --nosuffix --units b -o lv_size $VG/$LV) = 268435456 ] && [ ! -e /dev/$VG/$LV ]"),
    Call("halvm_write.mkfs", PASSIVE, {**_VOLUME, "fstype": "ext4"}, lambda a, k: a is None, shows="[ ! -e /dev/$VG/$LV ]"),
    # A second filesystem on top of the first is refused.
    Call("halvm_write.mkfs", PASSIVE, {**_VOLUME, "fstype": "ext4"}, lambda a, k: False, raises="cannot be formatted"),
    Call("halvm_write.activate", PASSIVE, _VOLUME, lambda a, k: a is None, shows="[ $(blkid -o value -s TYPE /dev/$VG/$LV) = ext4 ]"),
    Call("halvm_write.mount", PASSIVE, {**_VOLUME, "mount_point": MOUNT, "fstype": "ext4", "options": "noatime"},
         lambda a, k: a is None, shows=f"grep -q ' {MOUNT} ext4 .*noatime' /proc/mounts"),
    Call("halvm_grow.pvresize", PASSIVE, {"wwid": SPARE, "vg": VG}, lambda a, k: a is None,
         before="pvresize -q -y --setphysicalvolumesize 512M $PART",
         shows="[ $(pvs --noheadings --nosuffix --units b -o pv_size $PART) -gt 900000000 ]"),
    Call("halvm_grow.lvextend", PASSIVE, {**_VOLUME, "size": "300M"}, lambda a, k: a is None,
         shows="[ $(lvs --noheadings --nosuffix --units b -o lv_size $VG/$LV) = 314572800 ]"),
    Call("halvm_grow.resizefs", PASSIVE, {**_VOLUME, "fstype": "ext4"}, lambda a, k: a is None,
         shows="[ $(dumpe2fs -h /dev/$VG/$LV 2>/dev/null | awk '/^Block count/ {n=$3} /^Block size/ {print n*$3}') = 314572800 ]"),
    State("halvm.grown", PASSIVE, {"name": LV, "vg": VG, "luns": [{"wwid": SPARE}], "size": "100%FREE", "fstype": "ext4",
                                   "mount_point": MOUNT},
          lambda a, k: a["result"] is True and {f"lv {VG}/{LV}", f"filesystem on {VG}/{LV}"} == set(a["changes"]),
          shows="[ $(vgs --noheadings --nosuffix --units b -o vg_free $VG) = 0 ]"),
    Call("halvm_write.umount", PASSIVE, {**_VOLUME, "mount_point": MOUNT}, lambda a, k: a is None,
         shows=f"! grep -q ' {MOUNT} ' /proc/mounts"),
    Call("halvm_write.deactivate", PASSIVE, _VOLUME, lambda a, k: a is None, shows="[ ! -e /dev/$VG/$LV ]"),
    Call("halvm_write.vgextend", PASSIVE, {"vg": VG, "wwids": [SPARE]}, lambda a, k: a is None, before=_OTHER_GROUP,
         shows="[ $(vgs --noheadings -o pv_count $VG) = 2 ]", undo=_CLEAN),
    Call("hastorage.write_lvmlocal", PASSIVE, lambda k: _lvmlocal(k), lambda a, k: a is None),
    Call("hastorage.write_multipath_conf", PASSIVE, lambda k: _multipath(k), lambda a, k: a is None,
         shows='wait_for "[ ! -e $LUN ]"', undo="multipath -f $SPARE; multipath -w $SPARE; true"),
    Call("hastorage.update_initramfs", PASSIVE, lambda k: {"images": k.answers["hastorage.outdated_initramfs"]},
         lambda a, k: a is None, shows="[ -z \"$(find /boot -name 'initrd.img-*' ! -newer /etc/lvm/lvmlocal.conf)\" ]"),
)  # fmt: skip
