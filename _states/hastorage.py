"""How each node sees the shared storage. Scope: node; safe on any node at any time.

Nothing here writes to a LUN, activates a volume, or takes a map from somebody who uses it.
"""

import socket

import salt.utils.path

from hadb_core import lvm_config, multipath_config, reservation, storage_volume
from hadb_core.outcome import carry_out, converge
from hadb_core.plan import Plan, Step

__virtualname__ = "hastorage"

_LVMLOCAL = "/etc/lvm/lvmlocal.conf"
_MULTIPATH_CONF = "/etc/multipath.conf"
# Only with multipath-tools-boot is multipath.conf part of the initramfs.
_MULTIPATH_HOOK = "/usr/share/initramfs-tools/hooks/multipath"


def __virtual__():
    return __virtualname__


def multipath_configured(name, luns, settings, cluster_name=""):
    """
    Ensure that exactly the shared LUNs have a multipath map, named by WWID, with errors in bounded time.

    Writes multipath.conf, keeps multipathd running and enabled, and waits for the maps. A LUN that this node does
    not see now is a remark, not a failure: the node may be the one whose storage is broken.

    name
        The state's name.
    luns
        ``hadb:storage:luns``.
    settings
        ``hadb:storage:multipath``: ``polling_interval``, ``no_path_retry``, ``fast_io_fail_tmo``, ``extra_wwids``.
    cluster_name
        ``hadb:cluster_name`` where the LUNs are reserved (``hadb:fencing:reservations``): multipathd then registers this
        node's key on a path that comes back, before the path is used.

    .. code-block:: yaml

        hadb multipath is configured:
          hastorage.multipath_configured:
            - luns: [{wwid: 36001405aabbccdd00000000000000001}]
            - settings: {polling_interval: 5, no_path_retry: 2, fast_io_fail_tmo: 5}
    """
    shared = [lun["wwid"] for lun in luns]
    wwids = [*shared, *settings.get("extra_wwids", [])]
    key = reservation.key(cluster_name, socket.gethostname()) if cluster_name else ""

    def plan():
        multipath_config.check_used_maps(__salt__["halvm.nodes"](), wwids)
        steps = _file_steps(_MULTIPATH_CONF, multipath_config.render(wwids, settings, key), "write_multipath_conf",
                            initramfs=__salt__["hastorage.text"](_MULTIPATH_HOOK) is not None)
        # On a blank node the package starts and enables it.
        if salt.utils.path.which("multipathd") and not (
            __salt__["service.status"]("multipathd") and __salt__["service.enabled"]("multipathd")
        ):
            steps.append(Step("start_multipathd", "service multipathd", "stopped or disabled", "running and enabled"))
        seen = __salt__["halvm.paths"](shared)
        steps += [
            Step("make_map", f"LUN {lun['wwid']} multipath map", None, f"/dev/mapper/{lun['wwid']}",
                 {"wwid": lun["wwid"]})
            for lun in seen if not lun["multipath"]
        ]
        unseen = sorted(set(shared) - {lun["wwid"] for lun in seen})
        return Plan(tuple(steps), tuple(f"this node does not see LUN {wwid}" for wwid in unseen))

    return _converge(name, plan, "The shared LUNs have their multipath maps")


def lvm_configured(name, vg, luns, multipath=True, auto_activation_volume_list=(), volume_list=()):
    """
    Ensure that LVM knows this host's system ID, sees the shared LUNs only through multipath, and that the
    initramfs knows it too.

    name
        The state's name.
    vg
        The cluster's volume group.
    luns
        ``hadb:storage:luns``.
    multipath
        Single paths of the shared LUNs are hidden from LVM; False where the operator has no multipath.
    auto_activation_volume_list
        Volume groups that may be activated at boot; refused when one that this host uses now is left out.
    volume_list
        Always refused when not empty: LVM-activate does not start then.

    .. code-block:: yaml

        hadb LVM is configured:
          hastorage.lvm_configured:
            - vg: db-vg
            - luns: [{wwid: 36001405aabbccdd00000000000000001}]
    """

    def plan():
        in_use = {other: lvs for other, lvs in __salt__["halvm.vgs_in_use"]().items() if other != vg}
        lvm_config.check_lists(volume_list, auto_activation_volume_list, in_use, vg)
        content = lvm_config.render([lun["wwid"] for lun in luns] if multipath else [], auto_activation_volume_list)
        return Plan(tuple(_file_steps(_LVMLOCAL, content, "write_lvmlocal", initramfs=True)))

    return _converge(name, plan, "LVM knows its host and sees shared LUNs only through multipath")


def mount_point_present(name):
    """
    Ensure that there is a directory to mount the volume at, and that it is empty while nothing is mounted.

    Refuses when files lie there: they are on the local disk, the volume would hide them, and who wrote them believes
    that they are on the volume.

    name
        The mount point.

    .. code-block:: yaml

        /dbmnt:
          hastorage.mount_point_present: []
    """
    return _converge(name, lambda: storage_volume.plan_mount_point(name, __salt__["hastorage.directory"](name)),
                     f"{name} can take the volume")


def _file_steps(path, content, do, *, initramfs):
    """Return the steps for a file that hadb owns and, where it is copied there, for the initramfs."""
    have = __salt__["hastorage.text"](path)
    steps = []
    if have != content:
        # The distribution's own text says nothing; on a blank node it is not there yet.
        ours = have if (have or "").startswith("# Managed by Salt (hadb)") else "not managed by hadb"
        steps.append(Step(do, path, ours, content, {"path": path, "content": content}))
    images = __salt__["hastorage.outdated_initramfs"](path, changing=bool(steps)) if initramfs else []
    if images:
        steps.append(Step("update_initramfs", "initramfs", f"older than {path}", f"holds {path}", {"images": images}))
    return steps


def _converge(name, plan, done):
    return converge(name, plan=plan, apply=lambda found: carry_out(__salt__, "hastorage", found),
                    test=__opts__["test"], done=done)
