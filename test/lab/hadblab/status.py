"""What there is of the lab, for people and for programs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hadblab import effects, kernel, links, network, ssh
from hadblab.errors import LabError
from hadblab.kernel import ON
from hadblab.rundir import Record, RunDir
from hadblab.topology import Node, Topology

_SSH_SECONDS = 3.0


def collect(run: RunDir, record: Record, topology: Topology) -> dict[str, Any]:
    """Return the lab's state as one document (what ``lab status --json`` prints)."""
    kernels = {node.name: node for node in effects.known_kernels(run)}
    with ThreadPoolExecutor(len(topology.nodes)) as pool:
        nodes = pool.map(lambda node: _node(run, node, kernels.get(node.name)), topology.nodes.values())
        return {
            "lab": run.name,
            "phase": record.phase,
            "distro": record.distro,
            "salt": record.salt,
            "namespace": run.namespace,
            "directory": str(run.root),
            "nodes": dict(zip(topology.nodes, nodes, strict=True)),
            "bmcs": {node.name: _bmc(run, node) for node in topology.nodes.values() if node.bmc},
            "luns": {lun.name: _lun(run, lun.name, lun.size_mib, lun.wwid) for lun in topology.luns},
            "networks": {name: _network(run, topology, name) for name in topology.networks},
        }


def render(state: dict[str, Any]) -> str:
    """Return a state as lines for a terminal."""
    lines = [f"lab {state['lab']} ({state['phase']}): database nodes {state['distro']}, Salt {state['salt']}"]
    for name, node in state["nodes"].items():
        addresses = " ".join(f"{card}={address or '-'}" for card, address in node["addresses"].items())
        reachable = "ssh" if node["ssh"] else "no ssh"
        lines.append(f"node {name:8} {node['role']:6} {node['power']:6} pid {node['pid'] or '-'} {reachable} {addresses}")
    for name, bmc in state["bmcs"].items():
        lines.append(f"bmc  {name:8} {bmc['address']} {'runs' if bmc['pid'] else 'dead'} {_word(bmc['cut'])}")
    for name, lun in state["luns"].items():
        lines.append(f"lun  {name:8} {lun['wwid']} {lun['size_mib']} MiB, {lun['allocated_mib']} MiB allocated")
    for name, found in state["networks"].items():
        ends = " ".join(f"{node}:{_word(cut)}" for node, cut in found["cut"].items())
        lines.append(f"net  {name:8} {found['kind']:6} {found['subnet'] or '-'} {ends}")
    return "\n".join(lines)


def _word(cut: bool) -> str:
    return "cut" if cut else "ok"


def _node(run: RunDir, node: Node, started: kernel.Kernel | None) -> dict[str, Any]:
    power = kernel.power(started) if started else kernel.OFF
    return {
        "role": node.role,
        "power": power,
        "pid": kernel.pid_of(started) if started else None,
        "ssh": power == ON and _answers(run, node.name),
        "memory_mib": node.memory_mib,
        "addresses": {f"vec{i}/{card.network}": card.address for i, card in enumerate(node.interfaces)},
    }


def _answers(run: RunDir, name: str) -> bool:
    try:
        return ssh.call(run, name, "true", check=False, timeout=_SSH_SECONDS).returncode == 0
    except LabError:
        return False


def _bmc(run: RunDir, node: Node) -> dict[str, Any]:
    address = node.bmc.address if node.bmc else None
    cut = links.is_cut(run, network.BMC, node)
    return {"address": address, "pid": effects.bmc_pid(run, node.name), "cut": cut}


def _lun(run: RunDir, name: str, size_mib: int, wwid: str) -> dict[str, Any]:
    path = run.lun(name)
    allocated = path.stat().st_blocks * 512 >> 20 if path.exists() else 0
    return {"size_mib": size_mib, "allocated_mib": allocated, "wwid": wwid, "file": str(path)}


def _network(run: RunDir, topology: Topology, name: str) -> dict[str, Any]:
    found = topology.networks[name]
    cut = {node.name: links.is_cut(run, name, node) for node in topology.on_network(name)}
    return {"kind": found.kind, "subnet": found.subnet, "cut": cut}
