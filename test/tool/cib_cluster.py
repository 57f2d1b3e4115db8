"""Two real nodes in namespaces: the Corosync, Pacemaker and fence agent of a release, and stand-ins below them.

Corosync, all Pacemaker daemons, crmsh, the scheduler, ``fence_ipmilan`` and ``fence_hadb`` are real; the
resource agents of the database, hadb's and the stock ones, are stand-ins that remember whether they run,
and the wrapper of ipmitool is one that remembers the power. So it shows what Pacemaker does with a
configuration, not what storage does; that is the lab's part.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from chroots import chroot
from cib_chroot import agents_layer

NODES = {"db1": "172.31.9.1", "db2": "172.31.9.2"}
# Seconds that two nodes take to elect a controller; 20 with nothing else to do, dc-deadtime among them.
JOIN_SECONDS = 120

_COROSYNC = """totem {{
  version: 2
  cluster_name: tool
  transport: knet
  token: 5000
}}
quorum {{
  provider: corosync_votequorum
  two_node: 1
}}
nodelist {{
{nodes}
}}
logging {{
  to_logfile: yes
  logfile: /var/log/corosync/corosync.log
}}
"""
_NODE = "  node {{\n    ring0_addr: {address}\n    name: {name}\n    nodeid: {number}\n  }}"

_AGENT = """#!/bin/sh
state=/run/hadb-tool-$OCF_RESOURCE_INSTANCE
case $1 in
    start)
        while [ -e "$state-held" ]; do sleep 0.2; done
        [ ! -e "$state-refused" ] || exit 1
        touch "$state"
        ;;
    stop) rm -f "$state" ;;
    monitor) [ -e "$state" ] || exit 7 ;;
    meta-data) cat "$0.meta" ;;
esac
"""
_IPMITOOL = """#!/bin/sh
[ ! -e /run/hadb-tool-no-bmc ] || exit 1
for word in "$@"; do
    [ "$before" = -H ] && off=/run/hadb-tool-off-$word
    before=$word
done
power() {
    case $1 in
        status) [ -e "$off" ] && echo "Chassis Power is off" || echo "Chassis Power is on" ;;
        off) touch "$off" && echo "Chassis Power Control: Down/Off" ;;
        on) rm -f "$off" && echo "Chassis Power Control: Up/On" ;;
    esac
}
case $word in
    /dev/stdin) while read -r _ _ word; do power "$word"; done ;;
    *) power "$word" ;;
esac
"""

# The root of a node is an overlay in memory; it goes with the namespace.
_BOOT = """set -e
mount -t tmpfs none "$HOME_DIR"
mkdir "$HOME_DIR/up" "$HOME_DIR/work" "$HOME_DIR/root"
mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$HOME_DIR/up,workdir=$HOME_DIR/work" "$HOME_DIR/root"
cd "$HOME_DIR/root"
mount --bind /dev dev
mount -t tmpfs none dev/shm
mount -t proc proc proc
mount -t tmpfs none run
mount --bind /tmp tmp
hostname "$NODE"
mkdir -p usr/lib/hadb var/log/corosync
printf %s "$COROSYNC" >etc/corosync/corosync.conf
printf %s "$IPMITOOL" >usr/lib/hadb/ipmitool
chmod 755 usr/lib/hadb/ipmitool
for name in heartbeat/LVM-activate heartbeat/Filesystem heartbeat/IPaddr2 heartbeat/mysql \
    hadb/lvm hadb/filesystem hadb/address hadb/server; do
    agent=usr/lib/ocf/resource.d/$name
    OCF_ROOT=/usr/lib/ocf chroot . /$agent meta-data >$agent.meta
    printf %s "$AGENT" >$agent
done
ip link set lo up
until ip link show hb >/dev/null 2>&1; do sleep 0.1; done
ip address add "$ADDRESS/24" dev hb
ip link set hb up
exec chroot . sh -c 'corosync && exec pacemakerd'
"""


class Cluster:
    """Two nodes that form a cluster; use as a context manager.

    :param suite: the Debian release.
    :param home: an empty directory below ``/tmp``.
    """

    def __init__(self, suite: str, home: Path) -> None:
        self._lower, self._home = f"{agents_layer(home / 'layer')}:{chroot(suite)}", home
        self._nodes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Cluster:
        for name in NODES:
            self._nodes[name] = self._boot(name)
        # Before it has left this machine's network namespace, the link would end up here.
        self.wait(
            lambda: all(
                self._network(process.pid) != self._network("self") for process in self._nodes.values()
            ),
            60,
        )
        one, two = (str(process.pid) for process in self._nodes.values())
        link = ["ip", "link", "add", "hb", "netns", one, "type", "veth", "peer", "name", "hb", "netns", two]
        subprocess.run(link, check=True)
        self.wait(self._both_online, JOIN_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._nodes:
            self.power_off(name)

    def run_all(self, node: str) -> Callable[..., dict[str, Any]]:
        """Return a stand-in for Salt's ``cmd.run_all`` that runs the command on ``node``."""

        def run(
            argv: Sequence[str],
            stdin: str | None = None,
            env: Mapping[str, str] | None = None,
            timeout: float | None = 60,
            **_salt: Any,
        ) -> dict[str, Any]:
            done = subprocess.run(
                ["nsenter", f"--target={self._init(node)}", "-m", "-p", "-n", "-i", "-u", "-r", "-w", *argv],
                input=stdin or "",
                capture_output=True,
                text=True,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **(env or {})},
                timeout=timeout,
            )
            return {"retcode": done.returncode, "stdout": done.stdout, "stderr": done.stderr}

        return run

    def transitions(self) -> int:
        """Return how many transitions with something to do the scheduler has saved, on both nodes together."""
        count = ["sh", "-c", "ls /var/lib/pacemaker/pengine | grep -c bz2"]
        return sum(int(self.run_all(node)(count)["stdout"]) for node in NODES)

    def crash(self, node: str, resource: str) -> None:
        """Let a resource stop running without telling Pacemaker."""
        self._forget(node, resource)

    def hold_start(self, node: str, resource: str) -> None:
        """Let no start of a resource come to an end."""
        self._remember(node, f"{resource}-held")

    def refuse_start(self, node: str, resource: str) -> None:
        """Let every start of a resource fail, until :meth:`allow_start`."""
        self._remember(node, f"{resource}-refused")

    def allow_start(self, node: str, resource: str) -> None:
        """Take back :meth:`refuse_start`."""
        self._forget(node, f"{resource}-refused")

    def lose_bmcs(self, node: str) -> None:
        """Let no BMC answer a node any more."""
        self._remember(node, "no-bmc")

    def power_off(self, node: str) -> None:
        """Let a node lose its power."""
        self._nodes[node].kill()
        self._nodes[node].wait()

    def _remember(self, node: str, what: str) -> None:
        assert self.run_all(node)(["touch", f"/run/hadb-tool-{what}"])["retcode"] == 0

    def _forget(self, node: str, what: str) -> None:
        assert self.run_all(node)(["rm", f"/run/hadb-tool-{what}"])["retcode"] == 0

    @staticmethod
    def wait(condition: Callable[[], Any], seconds: float) -> None:
        """Wait until ``condition`` holds.

        :raises TimeoutError: it did not within ``seconds``.
        """
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"waited {seconds} s in vain")
            time.sleep(0.5)

    def _boot(self, name: str) -> subprocess.Popen[bytes]:
        home = self._home / name
        home.mkdir()
        nodes = [
            _NODE.format(name=node, address=at, number=number)
            for number, (node, at) in enumerate(NODES.items(), 1)
        ]
        environment = {
            **os.environ,
            "LOWER": self._lower,
            "HOME_DIR": str(home),
            "NODE": name,
            "ADDRESS": NODES[name],
            "COROSYNC": _COROSYNC.format(nodes="\n".join(nodes)),
            "AGENT": _AGENT,
            "IPMITOOL": _IPMITOOL,
        }
        # Everything of a node is in its process namespace and dies with this process.
        isolated = [
            "setpriv",
            "--pdeathsig",
            "KILL",
            "unshare",
            "-m",
            "-p",
            "-n",
            "-i",
            "-u",
            "--fork",
            "--kill-child",
        ]
        with self._home.joinpath(f"{name}.log").open("wb") as log:
            return subprocess.Popen([*isolated, "sh", "-c", _BOOT], env=environment, stdout=log, stderr=log)

    def _both_online(self) -> bool:
        for name, process in self._nodes.items():
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended: {(self._home / f'{name}.log').read_text()}")
        seen = self.run_all("db1")(["crm_mon", "--one-shot", "--output-as=xml"])["stdout"]
        # The scheduler's first transition, an empty one, comes just after the second node is online.
        return seen.count('online="true"') == len(NODES) and self.transitions() > 0

    @staticmethod
    def _network(pid: int | str) -> Path:
        return Path(f"/proc/{pid}/ns/net").readlink()

    def _init(self, node: str) -> int:
        process = self._nodes[node]
        return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])
