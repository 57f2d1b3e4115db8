"""Saves and brings back the disks of all nodes and the array."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from hadblab import effects, events, kernel, plan, seed, ssh, uml
from hadblab.kernel import Kernel
from hadblab.run import run as run_command
from hadblab.rundir import Record, RunDir, read_record, write_json
from hadblab.topology import Topology, UnknownNameError

_SYNC_SECONDS = 30.0
_COPY_SECONDS = 600.0


def fingerprint(image: str) -> str:
    """Return a mark that an image's overlays fit only while it stays the same."""
    try:
        found = Path(image).stat()
    except OSError:
        return "gone"
    return f"{image} {found.st_size} {found.st_mtime_ns}"


def save(run: RunDir, record: Record, topology: Topology, name: str) -> None:
    """Save all disks as they are at one moment; running nodes stop for as long as it takes.

    A snapshot of the same name is replaced once the new one is complete.

    :raises LabError: a running node could not write its caches out, or the disk is full.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
        raise UnknownNameError(f"a snapshot's name is made of letters, digits, '_', '.' and '-', not {name!r}")
    partial = run.snapshots / f".{name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    running = [node for node in effects.known_kernels(run) if kernel.power(node) == kernel.ON]
    with ThreadPoolExecutor(len(running) or 1) as pool:
        list(pool.map(lambda node: ssh.call(run, node.name, "sync", timeout=_SYNC_SECONDS), running))
    with _stopped(running):
        _copy([(disk, partial / disk.relative_to(run.root)) for disk in _disks(run, topology)])
    write_json(partial / run.record.name, asdict(record))
    if run.pushed.exists():
        shutil.copy2(run.pushed, partial / run.pushed.name)
    shutil.rmtree(run.snapshots / name, ignore_errors=True)
    partial.rename(run.snapshots / name)
    events.append(run.events, "snapshot", name=name)


def read(run: RunDir, name: str) -> Record:
    """Return what a snapshot's lab was started with.

    :raises UnknownNameError: there is no such snapshot.
    :raises LabError: it does not fit the images that there are now.
    """
    record = read_record(run.snapshots / name / run.record.name)
    if record is None:
        known = sorted(path.name for path in run.snapshots.glob("[!.]*")) or ["none"]
        raise UnknownNameError(f"no snapshot named {name}; there are: {', '.join(known)}")
    plan.check_snapshot(record, {role: fingerprint(base) for role, base in record.bases.items()})
    return record


def bring_back(run: RunDir, topology: Topology, name: str) -> None:
    """Put a snapshot's disks in the place of a fresh lab's.

    :raises LabError: a file could not be copied.
    """
    source = run.snapshots / name
    _copy([(source / disk.relative_to(run.root), disk) for disk in _disks(run, topology)])
    for node in topology.nodes:
        uml.seed(run.node(node)).write_bytes(seed.USED)
    if (source / run.pushed.name).exists():
        shutil.copy2(source / run.pushed.name, run.pushed)
    events.append(run.events, "restore", name=name)


def _disks(run: RunDir, topology: Topology) -> list[Path]:
    overlays = [uml.overlay(run.node(name)) for name in topology.nodes]
    return overlays + [run.lun(lun.name) for lun in topology.luns]


@contextmanager
def _stopped(nodes: list[Kernel]) -> Iterator[None]:
    """Hold kernels still, all of them before any file is read."""
    try:
        for node in nodes:
            kernel.freeze(node)
        yield
    finally:
        for node in nodes:
            kernel.thaw(node)


def _copy(pairs: list[tuple[Path, Path]]) -> None:
    """Copy sparse files, two at a time: there are two processors."""

    def copy(pair: tuple[Path, Path]) -> None:
        source, target = pair
        target.parent.mkdir(parents=True, exist_ok=True)
        run_command(["cp", "--reflink=auto", "--sparse=always", "--", source, target], timeout=_COPY_SECONDS)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(copy, pairs))
