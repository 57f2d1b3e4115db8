"""Changes the cluster from one configuration to the other in place, in seconds, with the database stopped."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree.ElementTree import Element

from scenario.lab import Lab
from scenario.stage import wait_whole
from scenario.wait import until

from bench import configuration
from bench.cases import OURS, SEED
from documents import document
from hadblab import ssh
from hadblab.errors import LabError

_CONF = "/etc/corosync/corosync.conf"
_STOPPED_SECONDS = 120.0
_RELOADED_SECONDS = 20.0
_WHOLE_SECONDS = 180.0
_NEEDED = ("/usr/sbin/fence_ipmilan", "/usr/lib/hadb/ipmitool", "/usr/sbin/mysqld",
           *(f"/usr/lib/ocf/resource.d/heartbeat/{name}" for name in ("LVM-activate", "Filesystem", "IPaddr2", "mysql")))  # fmt: skip


class Switch:
    """The two configurations, and which one the cluster has.

    Made while the cluster has ours, which is remembered as hadb built it.
    """

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.now = OURS
        self._cib: dict[str, Element] = {OURS: self._live(), SEED: configuration.seed(document())}
        conf = lab.ask(lab.nodes[0], f"cat {_CONF}").stdout
        self._conf = {OURS: conf, SEED: configuration.with_totem(conf, configuration.SEED_TOTEM)}

    def check(self) -> None:
        """Raises LabError naming what the seed's configuration needs and a node does not have."""
        for node in self.lab.nodes:
            script = f"for file in {' '.join(_NEEDED)}; do [ -x $file ] || echo $file; done"
            missing = self.lab.ask(node, script).stdout.split()
            if missing:
                raise LabError(f"{node} lacks what the seed's configuration needs: {', '.join(missing)}")

    def restored(self) -> None:
        """Say that the cluster is as it was built."""
        self.now = OURS

    def use(self, name: str, *, again: bool = False) -> None:
        """Give the cluster a configuration, and wait until it is whole with it.

        again
            Also if it has that one: everything is stopped and started.

        Raises TooLateError or LabError when that does not happen; the lab is then best restored.
        """
        if name == self.now and not again:
            return
        self.now = "neither"
        self._stop()
        # Agents of another type by the same name: first those that were must be gone, with their history.
        self._replace(configuration.without_resources)
        until(lambda: not self._status_ids(), _STOPPED_SECONDS, "the old resources are not gone")
        self._totem(name)
        self._replace(lambda live: configuration.onto(live, self._cib[name]))
        wait_whole(self.lab, _WHOLE_SECONDS)
        self.now = name

    def _stop(self) -> None:
        # After a change that got stuck half way there may be nothing left to stop.
        if self._live().find("resources/group[@id='db']") is not None:
            words = "crm_resource --resource db --meta --set-parameter target-role --parameter-value Stopped"
            self.lab.ask(self.lab.nodes[0], words)
        until(lambda: not self._running(), _STOPPED_SECONDS, lambda: f"still running: {', '.join(self._running())}")

    def _running(self) -> list[str]:
        found = self.lab.status(self.lab.nodes[0]).resources
        return [name for name in self.lab.group if name in found and found[name].nodes]

    def _status_ids(self) -> list[str]:
        return list(self.lab.status(self.lab.nodes[0]).resources)

    def _live(self) -> Element:
        return configuration.of(self.lab.ask(self.lab.nodes[0], "cibadmin --query").stdout)

    def _replace(self, change: Callable[[Element], Element]) -> None:
        data = configuration.text(change(self._live()))
        ssh.send(self.lab.run, self.lab.nodes[0], data, "cibadmin", "--replace", "--scope", "configuration", "--xml-pipe")

    def _totem(self, name: str) -> None:
        """Write corosync.conf on both nodes, reload it, and see that both use it."""
        for node in self.lab.nodes:
            words = ("install", "-m", "0644", "/dev/stdin", _CONF)
            ssh.send(self.lab.run, node, self._conf[name].encode(), *words)
        self.lab.ask(self.lab.nodes[0], "corosync-cfgtool -R")
        wanted = configuration.totem(self._conf[name])
        for node in self.lab.nodes:
            until(lambda node=node: self._uses(node, wanted), _RELOADED_SECONDS,
                  f"Corosync on {node} does not use {wanted} after corosync-cfgtool -R")  # fmt: skip

    def _uses(self, node: str, wanted: dict[str, int]) -> bool:
        said = self.lab.ask(node, "corosync-cmapctl", check=False).stdout
        found = {key: re.search(rf"^runtime\.config\.totem\.{key} \(u32\) = (\d+)$", said, re.MULTILINE) for key in wanted}
        return all(match and int(match[1]) == wanted[key] for key, match in found.items())
