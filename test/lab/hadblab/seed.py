"""A node's own configuration, as the tar that its second disk is. Pure."""

from __future__ import annotations

import io
import tarfile

from hadblab import seed_iscsi, seed_salt
from hadblab.seed_files import File, Files
from hadblab.topology import Node, Topology

# What the nodes find in place of a seed once it has been used: no tar at all.
USED = b"\0" * 10240
FIRST_BOOT = "etc/hadb-lab/first-boot"


def contents(topology: Topology, node: Node) -> Files:
    """Return all files of one node's seed, by path without the leading slash.

    They are the site's own configuration: names, addresses, disks, Salt. Nothing of the
    stack that the formula installs, and nothing on the heartbeat links.
    """
    files = _identity(topology, node)
    units = []
    if node.role == "node":
        files |= seed_iscsi.initiator_files(topology, node) | seed_salt.minion_files(topology, node)
        units.append(seed_iscsi.LOGIN_UNIT)
    elif node.role == "san":
        files |= seed_iscsi.target_files(topology)
    else:
        files |= seed_salt.master_files(topology)
    return files | {FIRST_BOOT: File(_first_boot(units), 0o755)}


def pack(files: Files) -> bytes:
    """Return the files as a tar archive, owned by root, the same bytes for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, file in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.mode = file.mode
            if file.link:
                entry.type, entry.linkname = tarfile.SYMTYPE, file.text
                archive.addfile(entry)
            else:
                data = file.text.encode()
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _identity(topology: Topology, node: Node) -> Files:
    files = {"etc/hostname": File(f"{node.name}\n"), "etc/hosts": File(_hosts(topology))}
    for position, card in enumerate(node.interfaces):
        # A node's storage ports belong to its adapter: ifupdown would take them down
        # at shutdown, under disks that are still in use.
        is_adapter = node.role == "node" and card.network in topology.iscsi.portals
        if card.address and not is_adapter:
            prefix = topology.networks[card.network].prefix
            text = f"auto vec{position}\niface vec{position} inet static\n    address {card.address}/{prefix}\n"
            files[f"etc/network/interfaces.d/vec{position}"] = File(text)
    return files


def _hosts(topology: Topology) -> str:
    management = topology.management.name
    lines = ["127.0.0.1 localhost"]
    for node in topology.nodes.values():
        lines.append(f"{node.address(management)} {node.name}")
        if node.bmc:
            lines.append(f"{node.bmc.address} {node.name}-bmc")
    return "\n".join(lines) + "\n"


def _first_boot(units: list[str]) -> str:
    # systemd read its units before these files were there.
    start = f"systemctl --no-block start {' '.join(units)}\n" if units else ""
    return f"#!/bin/sh -eu\nsystemctl daemon-reload\n{start}"
