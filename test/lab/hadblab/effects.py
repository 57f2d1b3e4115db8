"""Carries out the steps of a plan: namespaces, files and processes of this machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hadblab import bmc, chassis, events, kernel, network, power, seed, ssh, uml
from hadblab.errors import LabError
from hadblab.kernel import Kernel
from hadblab.plan import Found
from hadblab.run import run as run_command
from hadblab.rundir import Record, RunDir, read_record
from hadblab.topology import Node, Topology

_END_SECONDS = 10.0
_POLL_SECONDS = 0.02
# What is left of a lab that was taken down, until the next one starts.
_OUTLIVES = ("logs", "events.log")


def observe(run: RunDir) -> Found:
    """Return what there is of the lab now.

    :raises LabError: its record cannot be read.
    """
    return Found(
        record=read_record(run.record),
        namespace=run.namespace_file.exists(),
        power={node.name: kernel.power(node) for node in known_kernels(run)},
        bmcs=frozenset(path.name for path in run.root.glob("bmc/*") if bmc_pid(run, path.name)),
    )


def known_kernels(run: RunDir) -> list[Kernel]:
    """Return the kernels that were ever started in this run directory."""
    return [power.load(str(run.root), path.parent.name)[0] for path in sorted(run.root.glob("nodes/*/boot.json"))]


def destroy(run: RunDir) -> None:
    """End every process of the lab and remove its namespace and disks; its logs stay.

    Works on whatever is left of a lab, also of none.

    :raises LabError: something could not be ended or removed.
    """
    # The BMCs first: one of them might be about to switch a node on.
    for directory in run.root.glob("bmc/*"):
        pid = bmc_pid(run, directory.name)
        if pid:
            _end([pid])
    for node in known_kernels(run):
        try:
            kernel.kill(node)
        except kernel.DeathError as error:
            raise LabError(str(error)) from error
    if run.namespace_file.exists():
        _await(lambda: not _end(_processes_inside(run)), f"processes in namespace {run.namespace} do not end")
        run_command(["ip", "netns", "delete", run.namespace])
    for path in run.root.glob("*"):
        if path.name not in _OUTLIVES:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def make_network(run: RunDir, topology: Topology) -> None:
    """Make the namespace with everything in it.

    :raises LabError: a command failed.
    """
    for command in network.create(run.namespace, topology):
        run_command(command)
    run_command(run.inside("nft", "-f", "-"), input=network.guard(topology))


def make_directories(run: RunDir, topology: Topology) -> None:
    """Make the empty run directory of a lab, and drop what an earlier one left to read."""
    for name in _OUTLIVES:
        path = run.root / name
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
    directories = [run.kernels, run.ssh_config.parent, run.root / "luns", run.root / "logs"]
    directories += [run.node(name) for name in topology.nodes]
    for directory in directories:
        directory.mkdir(parents=True)
    # ssh refuses to put its sockets where others may look.
    run.ssh_config.parent.chmod(0o700)


def describe(run: RunDir, record: Record, topology: Topology) -> None:
    """Write how to start and how to reach each node."""
    run.ssh_config.write_text(ssh.config(run, topology, record.ssh_key))
    for node in topology.nodes.values():
        delay = node.bmc.power_off_seconds if node.bmc else 0
        power.store(uml.kernel_of(run, record, topology, node), delay)


def make_disks(run: RunDir, topology: Topology) -> None:
    """Make blank disks: seeds and LUNs; each kernel makes its own overlay."""
    for node in topology.nodes.values():
        path = uml.seed(run.node(node.name))
        path.touch(mode=0o600)
        path.write_bytes(seed.pack(seed.contents(topology, node)))
    for lun in topology.luns:
        with run.lun(lun.name).open("wb") as file:
            file.truncate(lun.size_mib << 20)


def retire_seeds(run: RunDir, topology: Topology) -> None:
    """Empty the seeds once the nodes have them: at the next boot they would undo the formula's work."""
    for name in topology.nodes:
        path = uml.seed(run.node(name))
        # A running kernel keeps the old file; the next one opens the new.
        fresh = path.with_suffix(".used")
        fresh.write_bytes(seed.USED)
        fresh.replace(path)


def start_bmc(run: RunDir, node: Node) -> None:
    """Start the management controller of a node that has one."""
    if node.bmc is None:
        return
    directory = run.bmc(node.name)
    (directory / "state").mkdir(parents=True, exist_ok=True)
    for name, text in bmc.files(run, node, node.bmc).items():
        path = directory / name
        path.touch(mode=0o600)
        path.write_text(text)
    with run.bmc_log(node.name).open("ab") as log:
        process = subprocess.Popen(
            bmc.argv(run, node), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    (directory / "pid").write_text(str(process.pid))


def bmc_pid(run: RunDir, name: str) -> int | None:
    """Return the pid of a node's running BMC, or None."""
    with suppress(OSError, ValueError):
        pid = int((run.bmc(name) / "pid").read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return pid if f"{run.bmc(name)}/lan.conf".encode() in words else None
    return None


def slow_bmc(run: RunDir, name: str, seconds: float) -> None:
    """Let a node's BMC take so long to cut the power, from its next order on."""
    power.store(power.load(str(run.root), name)[0], seconds)
    events.append(run.events, "bmc", node=name, power_off_seconds=seconds)


def lying_bmc(run: RunDir, name: str, *, lies: bool) -> None:
    """Let a node's BMC answer as if it did what it is told, and do nothing; or tell the truth again."""
    node = power.load(str(run.root), name)[0]
    if lies or power.said(node):
        power.lie(node, chassis.ON if lies else "")
        events.append(run.events, "bmc", node=name, lies=lies)


def switch(run: RunDir, name: str, action: str) -> None:
    """Switch a node ``on``, ``off`` or ``reset`` at once, past its BMC.

    :raises LabError: it could not be done.
    """
    try:
        power.switch(str(run.root), power.load(str(run.root), name)[0], action, "operator")
    except (OSError, kernel.DeathError) as error:
        raise LabError(f"{name}: {error}") from error


def freeze(run: RunDir, name: str, *, frozen: bool) -> None:
    """Stop a node's kernel in its tracks, or let it go on.

    :raises LabError: the node is off.
    """
    node = power.load(str(run.root), name)[0]
    if not (kernel.freeze(node) if frozen else kernel.thaw(node)):
        raise LabError(f"{name} is off")
    events.append(run.events, "freeze" if frozen else "thaw", node=name)


def _processes_inside(run: RunDir) -> list[int]:
    pids = run_command(["ip", "netns", "pids", run.namespace]).stdout.split()
    return [int(pid) for pid in pids if int(pid) != os.getpid()]


def _end(pids: list[int]) -> list[int]:
    """Kill processes by number and return those numbers."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return pids


def _await(condition: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _END_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(otherwise)
        time.sleep(_POLL_SECONDS)
