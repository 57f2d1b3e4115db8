"""The command line of one node's kernel."""

from __future__ import annotations

from pathlib import Path

from hadblab.addresses import mac, machine_id, tap
from hadblab.kernel import Kernel
from hadblab.rundir import Record, RunDir
from hadblab.topology import Node, Topology


def kernel_of(run: RunDir, record: Record, topology: Topology, node: Node) -> Kernel:
    """Return how one node is started."""
    argv = [
        record.kernel,
        f"umid={node.name}",
        f"uml_dir={run.kernels}",
        f"mem={node.memory_mib}M",
        # A quarter faster than ptrace.
        "seccomp=on",
        *_disks(run, record, topology, node),
        "root=/dev/ubda", "rw", "quiet", "panic=1",
        "con=null", "con0=null,fd:1", "ssl=null",
        f"systemd.hostname={node.name}",
        f"systemd.machine_id={machine_id(node)}",
        "lsm=apparmor", "apparmor=1",
        *(_card(node, position, card.network) for position, card in enumerate(node.interfaces)),
    ]  # fmt: skip
    return Kernel(
        node.name, str(run.node(node.name)), str(run.kernels), str(run.console(node.name)), tuple(run.inside(*argv))
    )


def overlay(directory: Path) -> Path:
    """Return the file with what a node has written over its image."""
    return directory / "root.cow"


def seed(directory: Path) -> Path:
    """Return the file with a node's own configuration."""
    return directory / "seed.tar"


def lun_device(position: int) -> str:
    """Return the array's own name of the LUN at a position; LUNs count from 0."""
    return f"/dev/ubd{chr(ord('c') + position)}"


def _disks(run: RunDir, record: Record, topology: Topology, node: Node) -> list[str]:
    directory = run.node(node.name)
    disks = [f"ubd0={overlay(directory)},{record.bases[node.role]}", f"ubd1r={seed(directory)}"]
    if node.role == "san":
        disks += [f"ubd{position + 2}={run.lun(lun.name)}" for position, lun in enumerate(topology.luns)]
    return disks


def _card(node: Node, position: int, network: str) -> str:
    # Without gro=1 large frames are dropped, and iSCSI stalls for ever.
    return f"vec{position}:transport=tap,ifname={tap(node.name, network)},gro=1,mac={mac(node, position)}"
