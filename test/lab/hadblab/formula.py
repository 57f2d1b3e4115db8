"""Delivers this checkout's formula and a pillar file to the lab's master, when they changed."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

from hadblab import ssh
from hadblab.rundir import RunDir, write_json
from hadblab.seed_salt import FORMULA, PILLAR
from hadblab.topology import Topology

CHECKOUT = Path(__file__).resolve().parents[3]
# Code that the master itself loads, so that it has to be synced there.
_MODULES = ("_modules", "_states", "_runners", "_utils")
_TREES = ("hadb", *_MODULES)
# Three seconds on a machine at leisure.
_SYNC_SECONDS = 300.0
_NO_PILLAR = b"{}\n"
# The new tree is complete before it takes the old one's place.
_SWAP = f"set -e; rm -rf {FORMULA}.new {FORMULA}.old; mkdir {FORMULA}.new; tar -C {FORMULA}.new -xf -; " \
        f"mv {FORMULA} {FORMULA}.old; mv {FORMULA}.new {FORMULA}; rm -rf {FORMULA}.old"  # fmt: skip


def fingerprints(checkout: Path, pillar: Path) -> dict[str, str]:
    """Return marks that change when the formula, its modules or the pillar do.

    Made from sizes and times, not from contents: a look at every ``lab salt`` must be quick.
    """
    return {
        "formula": _mark(checkout, _TREES),
        "modules": _mark(checkout, _MODULES),
        "pillar": _mark_of(pillar) if pillar.exists() else "none",
    }


def pack(checkout: Path) -> bytes:
    """Return the formula's trees as a tar archive, owned by root."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in _files(checkout, _TREES):
            archive.add(path, str(path.relative_to(checkout)), recursive=False, filter=_as_root)
    return buffer.getvalue()


def push(run: RunDir, topology: Topology, pillar: Path, progress: Callable[[str], None]) -> None:
    """Bring the master up to date; does nothing when nothing changed since the last time.

    Of several calls at the same time one pushes and the others wait for it.

    :raises LabError: the master does not answer, or refused.
    """
    with (run.root / "push.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        now = fingerprints(CHECKOUT, pillar)
        before = json.loads(run.pushed.read_text()) if run.pushed.exists() else {}
        changed = {key for key, mark in now.items() if before.get(key) != mark}
        if changed:
            _push(run, topology, pillar, changed, progress)
            # What was never pushed no minion can remember.
            if before and "pillar" in changed:
                _refresh_pillar(run, topology)
            write_json(run.pushed, now)


def _push(
    run: RunDir, topology: Topology, pillar: Path, changed: set[str], progress: Callable[[str], None]
) -> None:
    master = topology.master.name
    if "formula" in changed:
        ssh.send(run, master, pack(CHECKOUT), "sh", "-c", _SWAP)
        progress("formula pushed to the master")
    if "pillar" in changed:
        data = pillar.read_bytes() if pillar.exists() else _NO_PILLAR
        ssh.send(run, master, data, "install", "-m", "0600", "/dev/stdin", f"{PILLAR}/hadb.sls")
        progress(f"pillar {pillar if pillar.exists() else '(empty)'} pushed to the master")
    if "modules" in changed:
        ssh.call(run, master, "salt-run", "saltutil.sync_all", timeout=_SYNC_SECONDS)
        progress("modules synced on the master")


def _refresh_pillar(run: RunDir, topology: Topology) -> None:
    """Make running minions drop the old pillar; one that is away gets it when it returns."""
    names = ",".join(node.name for node in topology.of_role("node"))
    refresh = ["salt", "--out=quiet", "-t", "5", "--list", names, "saltutil.refresh_pillar", "wait=True"]
    ssh.call(run, topology.master.name, *refresh, check=False)


def _files(checkout: Path, trees: tuple[str, ...]) -> Iterator[Path]:
    for tree in trees:
        for path in sorted((checkout / tree).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def _mark(checkout: Path, trees: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(map(_mark_of, _files(checkout, trees))).encode()).hexdigest()


def _mark_of(path: Path) -> str:
    found = path.stat()
    return f"{path} {found.st_size} {found.st_mtime_ns} {found.st_mode:o}"


def _as_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry
