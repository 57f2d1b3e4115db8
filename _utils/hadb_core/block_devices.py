"""Which block devices are one and the same LUN, from what the kernel and udev say.

No program beyond util-linux and udev is needed for any of it, so it works on a blank node:
udev's ``ID_SERIAL`` is the WWID that multipath uses later (its ``uid_attribute``), and a
multipath map carries the WWID in its device-mapper uuid (``mpath-<wwid>``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from hadb_core.errors import Unreadable

# Disks that cannot be on a SAN are left out when nobody asks for certain WWIDs.
_LOCAL_BUSES = frozenset({"usb", "ata"})
_DISK = re.compile(r"sd[a-z]+|nvme\d+n\d+")
_MAP = re.compile(r"mpath-(?P<wwid>.+)")
_MAP_PARTITION = re.compile(r"part(?P<number>\d+)-mpath-(?P<wwid>.+)")
_OCTAL = re.compile(r"\\([0-7]{3})")


class Node(NamedTuple):
    """One entry of ``/sys/class/block``: ``size`` in bytes, ``partition`` its number or 0."""

    name: str
    dev: str
    size: int
    partition: int = 0
    parent: str = ""
    holders: tuple[str, ...] = ()
    dm_name: str = ""
    dm_uuid: str = ""

    @property
    def path(self) -> str:
        """The device file: ``/dev/mapper/NAME`` for device-mapper, ``/dev/NAME`` otherwise."""
        return f"/dev/mapper/{self.dm_name}" if self.dm_name else self.kernel_path

    @property
    def kernel_path(self) -> str:
        """The device file under the kernel's name, which a map keeps when it is renamed: the one to read from."""
        return f"/dev/{self.name}"


class LunNodes(NamedTuple):
    """The devices through which one LUN is seen; ``head`` is the one to use."""

    wwid: str
    paths: tuple[Node, ...]
    map: Node | None
    partitions: Mapping[int, Node]
    family: tuple[Node, ...]

    @property
    def head(self) -> Node:
        return self.map or self.paths[0]


def parse_udev(text: str) -> dict[str, dict[str, str]]:
    """Return the udev properties of each block device by kernel name.

    text
        What ``udevadm info --query=all`` printed: paragraphs of ``P:``, ``N:`` and ``E: KEY=VALUE`` lines.
    """
    devices: dict[str, dict[str, str]] = {}
    for paragraph in text.split("\n\n"):
        properties: dict[str, str] = {}
        for line in paragraph.splitlines():
            if line.startswith("E: ") and "=" in line:
                key, _, value = line[3:].partition("=")
                properties[key] = value
        if properties.get("SUBSYSTEM") == "block" and "DEVPATH" in properties:
            # Not DEVNAME, which has slashes where the kernel's name has none (cciss!c0d0).
            devices[properties["DEVPATH"].rpartition("/")[2]] = properties
    if not devices:
        raise Unreadable("udevadm", "it names no block device")
    return devices


def disks(nodes: Mapping[str, Node]) -> list[str]:
    """Return the kernel names of the whole disks, not of their partitions or what device-mapper builds on them."""
    return [node.name for node in nodes.values() if not node.partition and not node.dm_uuid and node.size]


def parse_mountinfo(text: str) -> dict[str, list[str]]:
    """Return the mount points by device number (``"253:0"``) from ``/proc/self/mountinfo`` (proc(5))."""
    mounts: dict[str, list[str]] = {}
    for line in text.splitlines():
        fields = line.split(" ")
        if len(fields) < 6 or " - " not in line:
            raise Unreadable("/proc/self/mountinfo", "a line has too few fields", line)
        point = _OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[4])
        mounts.setdefault(fields[2], []).append(point)
    return mounts


def group(
    nodes: Mapping[str, Node],
    udev: Mapping[str, Mapping[str, str]],
    wwids: Collection[str] | None,
) -> list[LunNodes]:
    """Return one entry per LUN, however many paths it has, ordered by WWID.

    nodes
        All of ``/sys/class/block`` by kernel name.
    udev
        What :func:`parse_udev` returned.
    wwids
        Only these; ``None`` for all disks that could be on a SAN. A WWID that no device has is left out.
    """
    paths: dict[str, list[Node]] = {}
    maps: dict[str, Node] = {}
    map_partitions: dict[str, dict[int, Node]] = {}
    whole_disks = disks(nodes)
    for node in nodes.values():
        properties = udev.get(node.name, {})
        whole, part = _MAP.fullmatch(node.dm_uuid), _MAP_PARTITION.fullmatch(node.dm_uuid)
        if whole:
            maps[whole["wwid"]] = node
        elif part:
            map_partitions.setdefault(part["wwid"], {})[int(part["number"])] = node
        elif node.name in whole_disks and _could_be_shared(node, properties, asked=wwids is not None):
            paths.setdefault(wwid_of(node.name, properties), []).append(node)
    known = (set(paths) | set(maps)) - {""}
    return [
        _lun_nodes(wwid, tuple(paths.get(wwid, ())), maps.get(wwid), map_partitions.get(wwid, {}), nodes)
        for wwid in sorted(known if wwids is None else known & set(wwids))
    ]


def wwid_of(name: str, properties: Mapping[str, str]) -> str:
    """Return the WWID as multipath sees it (its default ``uid_attrs``), or ``""``."""
    return properties.get("ID_WWN" if name.startswith("nvme") else "ID_SERIAL", "")


def _could_be_shared(node: Node, properties: Mapping[str, str], *, asked: bool) -> bool:
    return asked or (bool(_DISK.fullmatch(node.name)) and properties.get("ID_BUS") not in _LOCAL_BUSES)


def _lun_nodes(
    wwid: str,
    paths: tuple[Node, ...],
    map_node: Node | None,
    map_partitions: Mapping[int, Node],
    nodes: Mapping[str, Node],
) -> LunNodes:
    names = {path.name for path in paths}
    path_partitions = [node for node in nodes.values() if node.partition and node.parent in names]
    if map_node:
        partitions = dict(sorted(map_partitions.items()))
    else:
        partitions = {node.partition: node for node in path_partitions if node.parent == paths[0].name}
    family = (*paths, *path_partitions, *([map_node] if map_node else []), *map_partitions.values())
    return LunNodes(wwid, paths, map_node, partitions, family)


def partitions_of(nodes: Mapping[str, Node], lun: Mapping[str, Any]) -> dict[int, Node]:
    """Return the partitions by number that the kernel knows of a LUN (``halvm.paths``), through its map if it has one.

    A map counts under its final name only: parted makes it as ``WWIDp1``, and udev's kpartx rule renames that.
    """
    if lun["multipath"]:
        found = ((_MAP_PARTITION.fullmatch(node.dm_uuid), node) for node in nodes.values())
        ours = {int(part["number"]): node for part, node in found if part and part["wwid"] == lun["wwid"]}
        return {number: node for number, node in ours.items() if node.dm_name == f"{lun['multipath']}-part{number}"}
    return {node.partition: node for node in nodes.values() if node.partition and node.parent == lun["paths"][0]}


def holders(family: Iterable[Node], nodes: Mapping[str, Node]) -> list[Node]:
    """Return all that is built on the given devices, in any depth, without themselves."""
    own = {node.name for node in family}
    found: dict[str, Node] = {}
    queue = [name for name in own if name in nodes]
    while queue:
        for name in nodes[queue.pop()].holders:
            if name in nodes and name not in own and name not in found:
                found[name] = nodes[name]
                queue.append(name)
    return sorted(found.values(), key=lambda node: node.name)


def used_by(devices: Sequence[Node], mounts: Mapping[str, list[str]], swaps: Collection[str]) -> list[str]:
    """Return where the devices are mounted; an active swap area counts as ``"[SWAP]"``."""
    points = [point for node in devices for point in mounts.get(node.dev, [])]
    points += ["[SWAP]" for node in devices if node.dev in swaps]
    return sorted(set(points))
