"""The part of LVM's configuration that hadb owns: ``lvmlocal.conf``, and who must never be locked out."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from hadb_core.block_devices import Node, holders
from hadb_core.errors import Invalid, Refused
from hadb_core.lvm_report import split_dm_name

# multipath's WWIDs: a type digit and hex for NAA, vendor text for T10; all of it safe inside a regex and quotes.
_WWID = re.compile(r"[A-Za-z0-9._:-]+")
_HEAD = """\
# Managed by Salt (hadb); changes by hand are overwritten.
# LVM reads this file after lvm.conf and it wins, so that lvm.conf stays the distribution's own.
"""


def render(wwids: Sequence[str], auto_activation_volume_list: Sequence[str]) -> str:
    """Return the text of ``/etc/lvm/lvmlocal.conf``.

    wwids
        The shared LUNs. Their single paths are rejected, their multipath maps accepted, and no other
        device is touched: whatever the root filesystem lies on stays visible. Empty: no filter.
    auto_activation_volume_list
        Volume groups that may be activated at boot; empty leaves the setting out.
    """
    bad = [wwid for wwid in wwids if not _WWID.fullmatch(wwid)]
    if bad:
        raise Invalid([f"hadb:storage:luns: {wwid!r} is not a WWID; take it from `salt-call halvm.luns`" for wwid in bad])
    plain = [wwid.replace(".", "[.]") for wwid in sorted(wwids)]
    patterns = [f"a|^/dev/mapper/{wwid}(-part[0-9]+)?$|" for wwid in plain]
    patterns += [f"r|^/dev/disk/by-id/[a-z]+-{wwid}(-part[0-9]+)?$|" for wwid in plain]
    lines = [
        _HEAD,
        "global {",
        "\t# A volume group belongs to one host; the others refuse to touch it (lvmsystemid(7)).",
        '\tsystem_id_source = "uname"',
        "\tuse_lvmlockd = 0",
        "}",
        "devices {",
        "\t# The filter below would be ignored with a devices file.",
        "\tuse_devicesfile = 0",
    ]
    if patterns:
        lines += [
            "\t# Of the shared LUNs only the multipath map, never a single path.",
            f"\tglobal_filter = {_list(patterns)}",
        ]
    lines.append("}")
    if auto_activation_volume_list:
        lines += [
            "activation {",
            f"\tauto_activation_volume_list = {_list(auto_activation_volume_list)}",
            "}",
        ]
    return "\n".join(lines) + "\n"


def _list(values: Iterable[str]) -> str:
    return "[ " + ", ".join(json.dumps(value) for value in values) + " ]"


def vgs_in_use(nodes: Mapping[str, Node], mounts: Collection[str], swaps: Collection[str]) -> dict[str, list[str]]:
    """Return the volume groups that mounted filesystems and swap need: ``{vg: [volume, ...]}``.

    nodes
        All block devices by kernel name.
    mounts, swaps
        Device numbers (``"253:0"``) that are mounted or swap.
    """
    needed: dict[str, list[str]] = {}
    for node in nodes.values():
        if node.dm_uuid.startswith("LVM-"):
            above = [node, *holders([node], nodes)]
            if any(one.dev in mounts or one.dev in swaps for one in above):
                vg, lv = split_dm_name(node.dm_name)
                needed.setdefault(vg, []).append(lv)
    return needed


def check_lists(
    volume_list: Sequence[str], auto_activation_volume_list: Sequence[str], needed: Collection[str], vg: str
) -> None:
    """Refuse lists that would keep this host from booting or the cluster from starting.

    needed
        The volume groups in use on this host now, without the cluster's.
    """
    if volume_list:
        raise Refused(
            f"activation/volume_list = {list(volume_list)} keeps the cluster from starting: ocf:heartbeat:LVM-activate "
            "with system IDs exits with \"Both system_id_source & volume_list cannot be defined!\"",
            "use hadb:storage:lvm:auto_activation_volume_list, which keeps volumes inactive at boot as the seed wanted",
        )
    if not auto_activation_volume_list:
        return
    left_out = sorted(set(needed) - {name.partition("/")[0] for name in auto_activation_volume_list})
    if left_out:
        raise Refused(
            f"hadb:storage:lvm:auto_activation_volume_list leaves out {', '.join(left_out)}, which this host uses now: "
            "it would not boot",
            f"add {', '.join(left_out)} to the list",
        )
    if vg in auto_activation_volume_list:
        raise Refused(
            f"hadb:storage:lvm:auto_activation_volume_list contains {vg}: a booting node would activate the cluster's "
            "volume",
            f"take {vg} off the list; Pacemaker activates it",
        )
