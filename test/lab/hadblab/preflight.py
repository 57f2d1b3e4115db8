"""Can this machine run the lab? Every reason why not, before anything is started."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from hadblab.errors import LabError
from hadblab.run import run as run_command
from hadblab.rundir import RunDir
from hadblab.topology import Topology

HOST_PACKAGES = Path(__file__).resolve().parent.parent / "host-packages.txt"
_TUN = Path("/dev/net/tun")
_GIB = 1 << 30
# Images of one distribution with what they are made from, and one lab's overlays.
_DISK_BYTES = 12 * _GIB
# A node touches about half of the memory that it is given.
_TOUCHED = 0.6


def check(run: RunDir, topology: Topology) -> None:
    """Make sure that the lab can start on this machine.

    :raises PreflightError: with every reason why it cannot.
    """
    checks: tuple[Callable[[], Iterator[str]], ...] = (
        _root, _tun, lambda: _memory(topology), lambda: _disk(run.home), _packages, _namespaces, lambda: _crowd(run),
    )  # fmt: skip
    reasons = [reason for look in checks for reason in look()]
    if reasons:
        raise PreflightError(reasons)


class PreflightError(LabError):
    """This machine cannot run the lab.

    :param reasons: one line each.
    """

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


def _root() -> Iterator[str]:
    if os.geteuid() != 0:
        yield "must be run as root: it makes network namespaces"


def _tun() -> Iterator[str]:
    try:
        os.close(os.open(_TUN, os.O_RDWR))
    except OSError as error:
        yield f"{_TUN}: {error.strerror}: nodes get their network cards from it"


def _memory(topology: Topology) -> Iterator[str]:
    wanted = sum(node.memory_mib for node in topology.nodes.values()) * _TOUCHED / 1024
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    free = int(lines["MemAvailable"].split()[0]) / (1 << 20)
    if free < wanted:
        yield f"needs about {wanted:.1f} GiB of memory, {free:.1f} GiB are free"


def _disk(home: Path) -> Iterator[str]:
    existing = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < _DISK_BYTES:
        yield f"{existing}: needs {_DISK_BYTES / _GIB:.0f} GiB of disk, {free / _GIB:.1f} GiB are free"


def _packages() -> Iterator[str]:
    wanted = {word for line in HOST_PACKAGES.read_text().splitlines() for word in line.partition("#")[0].split()}
    states = run_command(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *wanted], check=False).stdout
    installed = {line.split()[0] for line in states.splitlines() if line.endswith(" installed")}
    if wanted - installed:
        yield f"not installed: {' '.join(sorted(wanted - installed))} (see {HOST_PACKAGES.name})"


def _crowd(run: RunDir) -> Iterator[str]:
    """Two cores carry one lab: with six on them a switchover took 54 s, and busy nodes were fenced for being late."""
    room = max(1, (os.cpu_count() or 1) // 2)
    others = sorted(run_dir.name for run_dir in run.root.parent.glob("*/") if run_dir.name != run.name and _alive(run_dir))
    if len(others) >= room:
        yield (
            f"this machine has cores for {room} lab(s) and these are up: {', '.join(others)}; "
            f"take one down first (HADB_LAB={others[0]} test/lab/lab down)"
        )


def _alive(run_dir: Path) -> bool:
    """Tell whether a kernel of that lab runs; what a crashed lab leaves behind takes no cores."""
    pids = (pid for file in run_dir.glob("nodes/*/pid") for pid in file.read_text().split()[:1])
    return any(b"linux.uml" in _command(pid) for pid in pids)


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _namespaces() -> Iterator[str]:
    probe = f"hadb-probe-{os.getpid()}"
    try:
        run_command(["ip", "netns", "add", probe])
        run_command(["ip", "netns", "delete", probe])
    except LabError as error:
        yield f"network namespaces do not work: {error}"
