"""The scenarios' hand on the lab: its front end for what it does to the nodes, ssh for what it asks them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import yaml

from hadblab import ssh, up
from hadblab.run import run as run_command
from hadblab.rundir import RunDir, locate
from scenario import events
from scenario.status import Status, parse

CHECKOUT = Path(__file__).resolve().parents[2]
FRONT_END = CHECKOUT / "test/lab/lab"
PILLAR = CHECKOUT / "test/lab/pillar.sls"
DEFAULTS = CHECKOUT / "hadb/parameters/defaults.yaml"

# A machine beside the database nodes, and its card in the clients' network (topology.toml).
THIRD, THIRD_CARD = "san", "vec0"

# Seconds; two busy cores. A run from blank takes minutes, everything else far less.
UP_SECONDS = 900.0
ORCHESTRATION_SECONDS = 900.0
VERB_SECONDS = 300.0
ASK_SECONDS = 30.0


class Lab:
    """One lab, by the name in ``HADB_LAB``."""

    def __init__(self) -> None:
        self.run: RunDir = locate()
        self.pillar: dict[str, Any] = yaml.safe_load(PILLAR.read_text(encoding="utf-8"))["hadb"]
        defaults = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))
        self.storage: dict[str, Any] = {**defaults["storage"], **self.pillar.get("storage", {})}
        self.datadir: str = defaults["database"]["datadir"]
        self.nodes: tuple[str, ...] = tuple(self.pillar["nodes"])
        self.ways: dict[str, list[str]] = {}

    @property
    def mount(self) -> str:
        """Where the volume is mounted."""
        return str(self.storage["filesystem"]["mount_point"])

    @property
    def volume(self) -> str:
        """The volume's name in device-mapper, which doubles the hyphens of both names."""
        return "-".join(self.storage[key].replace("-", "--") for key in ("vg", "lv"))

    @property
    def vip(self) -> dict[str, Any]:
        """The virtual address that the scenarios' client uses, as the pillar has it."""
        return dict(self.pillar["vips"]["nova"])

    @property
    def addresses(self) -> list[str]:
        """The virtual addresses."""
        return [vip["address"] for vip in self.pillar["vips"].values()]

    @property
    def group(self) -> list[str]:
        """The resources that are to be on one node together."""
        return ["db-lvm", "db-fs", *(f"vip-{name}" for name in self.pillar["vips"]), "db-server"]

    @property
    def fences(self) -> dict[str, str]:
        """Where each fencing device belongs: on the node that is not its target."""
        return {f"fence-{node}": self.peer(node) for node in self.nodes}

    def peer(self, node: str) -> str:
        """Return the other node."""
        return next(other for other in self.nodes if other != node)

    def verb(self, *words: str, check: bool = True, timeout: float = VERB_SECONDS) -> CompletedProcess[str]:
        """Run the lab's front end. Raises LabError when it fails while ``check`` is set."""
        return run_command([FRONT_END, *words], check=check, timeout=timeout)

    def background(self, *words: str, log: Path) -> subprocess.Popen[bytes]:
        """Start the lab's front end with its output in a file, and return the process."""
        with log.open("ab") as out:
            return subprocess.Popen([FRONT_END, *words], stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def ask(self, node: str, script: str, *, check: bool = True, timeout: float = ASK_SECONDS) -> CompletedProcess[str]:
        """Run a shell script on a node. Raises LabError when it fails while ``check`` is set, or takes too long."""
        return ssh.call(self.run, node, "sh", "-c", script, check=check, timeout=timeout, options=self.ways.get(node, ()))

    def look_over(self, network: str) -> None:
        """Reach the database nodes over another network than management's from now on; empty: over that one again."""
        topology = up.running(self.run)[1]
        self.ways = {node: ssh.by_way_of(self.run, topology, node, network) for node in self.nodes} if network else {}
        if network:
            # All ways lead through it: one connection, made before many need it at once.
            self.ask(topology.san.name, "true")

    def power(self, node: str) -> str:
        """Return ``on``, ``off`` or ``frozen``."""
        return self.verb("power", node, "status").stdout.strip()

    def events(self, since: float = 0.0) -> list[dict[str, Any]]:
        """Return the lab's events from a moment of the host's monotonic clock on."""
        with self.run.events.open(encoding="utf-8") as log:
            return [event for event in events.parse(log) if event["monotonic"] >= since]

    def status(self, node: str) -> Status:
        """Return the cluster as one node sees it. Raises LabError or ValueError when that cannot be had."""
        return parse(self.ask(node, "crm_mon --one-shot --output-as=xml --fence-history=3").stdout)

    def orchestrate(self, *words: str) -> CompletedProcess[str]:
        """Run hadb.orch on the master; the result may be a failure."""
        return self.verb("salt-run", "--out=json", "state.orchestrate", "hadb.orch", *words, check=False,
                         timeout=ORCHESTRATION_SECONDS)  # fmt: skip

    def apply(self, *words: str, target: str = "*") -> CompletedProcess[str]:
        """Run ``state.apply hadb`` on nodes; the result may be a failure."""
        return self.verb("salt", "--out=json", "--static", "-t", "60", target, "state.apply", "hadb", *words, check=False,
                         timeout=ORCHESTRATION_SECONDS)  # fmt: skip

    def inside(self, argv: Sequence[str]) -> list[str]:
        """Return the command line that runs a program of this machine inside the lab's network."""
        return self.run.inside(*argv)

    def python(self, program: Path, *words: str) -> list[str]:
        """Return the command line that runs a Python program of ours inside the lab's network."""
        return self.inside([sys.executable, str(program), *words])


def keep() -> bool:
    """Return whether the lab and its ``converged`` snapshot are to be reused, and kept."""
    return os.environ.get("HADB_SCENARIO_KEEP") == "1"


def document(done: CompletedProcess[str]) -> Any:
    """Return the JSON that a command printed. Raises AssertionError with its output when there is none."""
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        raise AssertionError(f"no JSON, exit {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}") from error
