"""hadb's resource agents, run the way Pacemaker's executor runs them: by environment and action, in a chroot.

``logger`` and ``crm_resource`` are stand-ins that write what they are called with to files of the same name. A run
that leaves a process with one of its pipes does not return: :meth:`Agents.run` reads them to their end.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from chroots import chroot

AGENTS = Path(__file__).resolve().parents[2] / "hadb/files/agents"
SUCCESS, GENERIC, UNIMPLEMENTED, INSTALLED, CONFIGURED, NOT_RUNNING = 0, 1, 3, 5, 6, 7

# The agents are at /mnt, where every account can read them.
_ENTER = """
mount --bind /tmp "$0/tmp" && mount --rbind /dev "$0/dev" && mount -t sysfs sysfs "$0/sys" &&
mount -t proc proc "$0/proc" && mount --bind "$1" "$0/mnt" || exit 99
root=$0; shift; exec chroot "$root" "$@"
"""
_RECORD = '#!/bin/sh\necho "$@" >>"{file}"\n'


class Agents:
    """The agents in a chroot of one release; ``directory``, below ``/tmp``, is the same inside and outside."""

    def __init__(self, suite: str, directory: Path, space: Space | None = None) -> None:
        self.root, self.directory, self.space = chroot(suite), directory, space
        self.bin = directory / "bin"
        self.bin.mkdir()
        self.environment = {
            "PATH": f"{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin",
            "OCF_ROOT": "/usr/lib/ocf",
            "HADB_AGENT_LIB": "/mnt/agent.sh",
            "HADB_AGENT_STATE": str(directory / "state"),
        }
        self.fake("logger", _RECORD.format(file=directory / "logger"))

    def fake(self, program: str, text: str) -> None:
        """Put a script before the real ``program``."""
        path = self.bin / program
        path.write_text(text)
        path.chmod(0o755)

    def run(
        self, argv: Sequence[str], env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside."""
        enter = ["unshare", "--mount", "sh", "-c", _ENTER, str(self.root), str(AGENTS), *argv]
        if self.space:
            enter = [*self.space.enter, *enter]
        return subprocess.run(
            enter,
            env={**self.environment, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def act(
        self, agent: str, action: str, parameters: Mapping[str, str], **meta: str | int
    ) -> subprocess.CompletedProcess[str]:
        """Run one action; ``meta`` is as in :func:`environment`."""
        return self.run([f"/mnt/{agent}", action], environment(agent, parameters, **meta))

    def tested(self, agent: str, parameters: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run ClusterLabs' ocf-tester on an agent."""
        return self.run(ocf_tester(f"/mnt/{agent}", parameters))

    def said(self, file: str = "logger") -> str:
        """Return what a stand-in was called with so far."""
        path = self.directory / file
        return path.read_text() if path.exists() else ""


class Space:
    """Namespaces that live as long as the process which holds them open; ``kinds`` as unshare(1) has them."""

    def __init__(self, *kinds: str) -> None:
        self._holder = subprocess.Popen(["unshare", *kinds, "sleep", "infinity"])
        wait_until(lambda: Path(f"/proc/{self._holder.pid}/comm").read_text() == "sleep\n")
        self.enter = ["nsenter", f"--target={self._holder.pid}", *kinds]

    def run(self, *argv: str) -> str:
        """Return what a command in it prints."""
        return subprocess.run([*self.enter, *argv], check=True, capture_output=True, text=True).stdout

    def close(self) -> None:
        self._holder.kill()
        self._holder.wait()


def environment(
    agent: str, parameters: Mapping[str, str], depth: int = 0, interval: int = 5000, timeout: int = 60000
) -> dict[str, str]:
    """Return what Pacemaker tells an agent.

    :param interval: of a monitor, in ms; 0 is a probe.
    :param timeout: of the action, in ms.
    """
    return {
        **{f"OCF_RESKEY_{name}": value for name, value in parameters.items()},
        "OCF_RESOURCE_INSTANCE": f"db-{agent}",
        "OCF_CHECK_LEVEL": str(depth),
        "OCF_RESKEY_CRM_meta_interval": str(interval),
        "OCF_RESKEY_CRM_meta_timeout": str(timeout),
        "OCF_RESKEY_CRM_meta_on_node": "db1",
    }


def ocf_tester(agent: str, parameters: Mapping[str, str]) -> list[str]:
    """Return how ocf-tester is called for the agent at a path."""
    options = [word for name, value in parameters.items() for word in ("-o", f"{name}={value}")]
    return ["ocf-tester", "-n", "db-tested", *options, agent]


def loop_device(image: Path, size: int) -> str:
    """Return the block device of a new file of ``size`` bytes."""
    with image.open("wb") as stream:
        stream.truncate(size)
    losetup = ["losetup", "--find", "--show", str(image)]
    return subprocess.run(losetup, check=True, capture_output=True, text=True).stdout.strip()


def wait_until(holds: Callable[[], object], seconds: float = 60) -> None:
    """Return as soon as ``holds`` is true."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Return whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill(pid: int, number: int) -> None:
    """Send a signal to a process that may have ended."""
    if alive(pid):
        os.kill(pid, number)
