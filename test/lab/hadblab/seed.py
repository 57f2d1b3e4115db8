"""A node's own configuration, as the tar that its second disk is. Pure."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass

from hadblab import seed_iscsi, seed_salt
from hadblab.rundir import Record
from hadblab.seed_files import File, Files
from hadblab.topology import Node, Topology

# What the nodes find in place of a seed once it has been used: no tar at all.
USED = b"\0" * 10240
FIRST_BOOT = "etc/hadb-lab/first-boot"


@dataclass(frozen=True)
class _Part:
    """Files of one concern, and the units to start once they are there."""

    files: Files
    units: tuple[str, ...] = ()


def contents(record: Record, topology: Topology, node: Node) -> Files:
    """Return all files of one node's seed, by path without the leading slash.

    They are the site's own configuration: names, addresses, disks, Salt. Nothing of the
    stack that the formula installs, and nothing on the heartbeat links.
    """
    parts = [_Part(_identity(topology, node)), _role(record, topology, node)]
    files = {path: file for part in parts for path, file in part.files.items()}
    units = [unit for part in parts for unit in part.units]
    files[FIRST_BOOT] = File(_first_boot(units), 0o755)
    return files


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
        if card.address:
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


def _role(record: Record, topology: Topology, node: Node) -> _Part:
    if node.role == "node":
        files = {**seed_iscsi.initiator_files(topology, node), **seed_salt.minion_files(topology, node)}
        return _Part(files, (seed_iscsi.LOGIN_UNIT,))
    if node.role == "san":
        return _Part(seed_iscsi.target_files(topology))
    return _Part(seed_salt.master_files(topology))


def _first_boot(units: list[str]) -> str:
    # systemd read its units before these files were there.
    start = f"systemctl --no-block start {' '.join(units)}\n" if units else ""
    return f"#!/bin/sh -eu\nsystemctl daemon-reload\n{start}"
