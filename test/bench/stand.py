"""The bench's own lab: up with slow BMCs, built once by hadb.orch, and how to get it back to that."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

from scenario.lab import CHECKOUT, Lab, commit
from scenario.session import down, up

from bench.configuration import is_ours, of

# Seconds; a server's BMC emulates somebody who holds the button.
_POWER_OFF = 2.0
_TOPOLOGY = CHECKOUT / "test/lab/topology.toml"
_LINE = "power_off_seconds = 0.0"


def topology(text: str) -> str:
    """Return the lab's topology with BMCs that need their time. Raises ValueError when it does not say theirs."""
    if text.count(_LINE) != 1:
        raise ValueError(f"{_TOPOLOGY} does not have one line with {_LINE!r}: bench/stand.py must follow it")
    return text.replace(_LINE, f"power_off_seconds = {_POWER_OFF}")


class Stand:
    """The lab while it is measured."""

    def __init__(self, directory: Path) -> None:
        self.lab = Lab()
        path = directory / "topology.toml"
        directory.mkdir(parents=True, exist_ok=True)
        path.write_text(topology(_TOPOLOGY.read_text(encoding="utf-8")), encoding="utf-8")
        self._session = up(self.lab, "--topology", str(path))

    def converged(self) -> None:
        """See that the cluster is whole and has our configuration. Raises AssertionError when that cannot be had."""
        self._session.converged()
        if not is_ours(of(self.lab.ask(self.lab.nodes[0], "cibadmin --query").stdout)):
            # A bench that was kept and interrupted left the seed's.
            self.back()

    def back(self) -> None:
        """Go back to the cluster as it was built, whatever became of it."""
        self._session.touched()
        self._session.converged()

    def close(self) -> None:
        """Take the lab down, unless it is to be kept."""
        down(self.lab)


def machine(lab: Lab) -> dict[str, str]:
    """Return what the figures come from: this machine, the nodes' software, the moment."""
    versions = "pacemakerd --version | head -1; corosync -v | head -1; mysqld --version; . /etc/os-release; echo $PRETTY_NAME"
    said = [line.strip() for line in lab.ask(lab.nodes[0], versions, check=False).stdout.splitlines() if line.strip()]
    return {
        "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, load {os.getloadavg()[0]:.1f}",
        "nodes": "; ".join(said),
        "salt": os.environ.get("SALT", "3008.3"),
        "commit": commit(),
    }
