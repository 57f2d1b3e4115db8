"""Two real Corosync daemons joined by two cables, in network namespaces of this machine: no kernel of their own needed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

NODES = {"db1": ["172.16.1.1", "172.16.2.1"], "db2": ["172.16.1.2", "172.16.2.2"]}

# Every node has the same chroot, but its own /etc/corosync, /run, /dev/shm and network.
_START = """
set -e
root=$1; directory=$2; node=$3
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount --bind /tmp "$root/tmp"
for folder in dev/shm run var/lib/corosync; do mount -t tmpfs tmpfs "$root/$folder"; done
mkdir -p "$root/etc/corosync" "$root/run/corosync"
mount --bind "$directory" "$root/etc/corosync"
hostname "$node"
exec chroot "$root" corosync -f
"""


class Pair:
    """Nodes db1 and db2 with the cables 0 and 1 between them."""

    def __init__(self, root: Path, scratch: Path) -> None:
        self.root, self.scratch = root, scratch
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}
        self.namespace = {node: f"corotest-{os.getpid()}-{node}" for node in NODES}

    def wire(self) -> None:
        """Make the namespaces and the cables."""
        for namespace in self.namespace.values():
            _ip("netns", "add", namespace)
            _ip("-n", namespace, "link", "set", "lo", "up")
        one, other = self.namespace.values()
        for link in (0, 1):
            _ip(
                "link",
                "add",
                f"hb{link}",
                "netns",
                one,
                "type",
                "veth",
                "peer",
                "name",
                f"hb{link}",
                "netns",
                other,
            )
            for node, namespace in self.namespace.items():
                _ip("-n", namespace, "address", "add", f"{NODES[node][link]}/24", "dev", f"hb{link}")
                _ip("-n", namespace, "link", "set", f"hb{link}", "up")

    def unwire(self) -> None:
        """End the daemons and remove the namespaces."""
        for node in list(self.daemons):
            self.kill(node)
        for namespace in self.namespace.values():
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip("netns", "delete", namespace)

    def configure(self, node: str, text: str, key: bytes) -> None:
        """Give a node its corosync.conf and its key."""
        directory = self.scratch / node
        directory.mkdir(exist_ok=True)
        (directory / "corosync.conf").write_text(text)
        (directory / "authkey").write_bytes(key)
        (directory / "authkey").chmod(0o400)

    def start(self, node: str) -> None:
        """Start a node's Corosync."""
        self.daemons[node] = subprocess.Popen(
            ["ip", "netns", "exec", self.namespace[node], "unshare", "--mount", "--pid", "--uts", "--fork", "--kill-child",
             "sh", "-c", _START, "sh", str(self.root), str(self.scratch / node), node],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def kill(self, node: str) -> None:
        """End a node's Corosync the hard way, like a power cut."""
        daemon = self.daemons.pop(node)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(daemon.pid, signal.SIGKILL)
        daemon.wait()

    def cut(self, link: int) -> None:
        """Cut a cable as a dead media converter does: packets vanish on their way and the sender gets no error."""
        rule = f"add chain netdev cut hb{link} {{ type filter hook ingress device hb{link} priority 0; policy drop; }}"
        for namespace in self.namespace.values():
            _ip("netns", "exec", namespace, "nft", f"add table netdev cut; {rule}")

    def heal(self, link: int) -> None:
        """Mend a cable."""
        for namespace in self.namespace.values():
            _ip("netns", "exec", namespace, "nft", f"delete chain netdev cut hb{link}")

    def run_all(self, node: str) -> Callable[..., dict[str, Any]]:
        """Return a stand-in for Salt's ``cmd.run_all`` that runs the command on a node."""

        def run(argv: Sequence[str], timeout: float | None = 60, **_salt: Any) -> dict[str, Any]:
            pid = self._inner(node)
            enter = [
                "nsenter",
                f"--target={pid}",
                "--mount",
                "--net",
                "--pid",
                "--uts",
                "chroot",
                str(self.root),
            ]
            done = subprocess.run(
                [*enter, *argv], capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL
            )
            return {"retcode": done.returncode, "stdout": done.stdout, "stderr": done.stderr}

        return run

    def _inner(self, node: str) -> str:
        # `ip netns exec` becomes unshare, whose one child is Corosync.
        parent = self.daemons[node].pid
        children = Path(f"/proc/{parent}/task/{parent}/children")
        return until(lambda: children.read_text().strip(), 5)


def until(holds: Callable[[], Any], seconds: float) -> Any:
    """Return the first true answer of ``holds``, or fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        answer = holds()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"did not come true within {seconds} s"
        time.sleep(0.2)


@contextlib.contextmanager
def pair(root: Path, scratch: Path) -> Iterator[Pair]:
    """Give two wired nodes without Corosync running."""
    both = Pair(root, scratch)
    try:
        both.wire()
        yield both
    finally:
        both.unwire()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
