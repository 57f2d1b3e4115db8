"""The scenarios' hand on the lab: its front end for what it does to the nodes, ssh for what it asks them."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import yaml

from hadblab import power, ssh, up
from hadblab.errors import LabError
from hadblab.run import run as run_command
from hadblab.rundir import RunDir, locate, read_record
from scenario import events
from scenario.deeds import LAB, Deed
from scenario.salt_result import minions
from scenario.sample import MOUNT, SERVER, VOLUME
from scenario.status import Status, epoch, parse
from scenario.wait import until

CHECKOUT = Path(__file__).resolve().parents[2]
FRONT_END = CHECKOUT / "test/lab/lab"
PILLAR = CHECKOUT / "test/lab/pillar.sls"
DEFAULTS = CHECKOUT / "hadb/parameters/defaults.yaml"

# The array's card in the clients' network (topology.toml): it is also the third machine there.
ARRAY_CARD = "vec0"

# Seconds; two busy cores. A run from blank takes minutes, everything else far less.
UP_SECONDS = 900.0
ORCHESTRATION_SECONDS = 900.0
VERB_SECONDS = 300.0
ASK_SECONDS = 30.0
# Of a node that boots the first packets are lost, and TCP sends the next ones after 1, 2, 4 and 8 s (RFC 6298, 5.5): who asks
# again and again does better with a connection begun anew.
_IMPATIENT = ("-o", "ConnectTimeout=3")
_END_SECONDS = 20.0
_END_POLL = 0.02
# Verbs of the front end that run the formula: what fails then need not be the lab.
_FORMULA = ("salt", "salt-run")


class FrontEndError(LabError):
    """The lab's front end did not do what it was told: the lab's own trouble, whatever the cluster does."""


class Lab:
    """One lab, by the name in ``HADB_LAB``.

    deeds
        What was asked of it so far.
    ways
        ssh's options for nodes that are not reached over the management network.
    """

    def __init__(self) -> None:
        self.deeds: list[Deed] = []
        self.run: RunDir = locate()
        self.pillar: dict[str, Any] = yaml.safe_load(PILLAR.read_text(encoding="utf-8"))["hadb"]
        defaults = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))
        self.storage: dict[str, Any] = {**defaults["storage"], **self.pillar.get("storage", {})}
        self.database: dict[str, Any] = {**defaults["database"], **self.pillar["database"]}
        self.datadir: str = self.database["datadir"]
        self.corosync: dict[str, Any] = {**defaults["corosync"], **self.pillar.get("corosync", {})}
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
    def facts(self) -> list[str]:
        """What only one node may hold, as samples name it."""
        return [MOUNT, VOLUME, SERVER, *self.addresses]

    @property
    def group(self) -> list[str]:
        """The resources that are to be on one node together."""
        return ["db-lvm", "db-fs", *(f"vip-{name}" for name in self.pillar["vips"]), "db-server"]

    @property
    def fences(self) -> dict[str, str]:
        """Where each fencing device belongs: on the node that is not its target."""
        return {f"fence-{node}": self.peer(node) for node in self.nodes}

    @property
    def array(self) -> str:
        """The storage array. Raises LabError when the lab was never started."""
        record = read_record(self.run.record)
        if record is None:
            raise LabError(f"lab {self.run.name} was never started")
        return next(name for name, node in record.topology["nodes"].items() if node["role"] == "san")

    def peer(self, node: str) -> str:
        """Return the other node."""
        return next(other for other in self.nodes if other != node)

    def verb(self, *words: str, check: bool = True, timeout: float = VERB_SECONDS) -> CompletedProcess[str]:
        """Run the lab's front end.

        Raises FrontEndError when it fails while ``check`` is set; a LabError that is none when Salt takes too long.
        """
        self._note(LAB, shlex.join(words))
        try:
            return run_command([FRONT_END, *words], check=check, timeout=timeout)
        except LabError as error:
            if words[0] in _FORMULA:
                raise
            raise FrontEndError(str(error)) from error

    def background(self, *words: str, log: Path) -> subprocess.Popen[bytes]:
        """Start the lab's front end with its output in a file, and return the process."""
        self._note(LAB, shlex.join(words))
        with log.open("ab") as out:
            return subprocess.Popen([FRONT_END, *words], stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def ask(
        self, node: str, script: str, *, check: bool = True, timeout: float = ASK_SECONDS, options: Sequence[str] = ()
    ) -> CompletedProcess[str]:
        """Run a shell script on a node. Raises LabError when it fails while ``check`` is set, or takes too long.

        options
            ssh's, besides those of the node's way.
        """
        self._note(node, script)
        every = (*options, *self.ways.get(node, ()))
        return ssh.call(self.run, node, "sh", "-c", script, check=check, timeout=timeout, options=every)

    def look_over(self, network: str) -> None:
        """Reach the database nodes over another network than management's from now on; empty: over that one again."""
        self.ways = {}
        if network:
            topology = up.running(self.run)[1]
            # All ways lead through the array: one connection, made before many need it at once.
            self.ask(topology.san.name, "true")
            self.ways = {node: ssh.by_way_of(self.run, topology, node, network) for node in self.nodes}

    def power(self, node: str) -> str:
        """Return ``on``, ``off`` or ``frozen``."""
        return self.verb("power", node, "status").stdout.strip()

    def wait_end(self, node: str) -> None:
        """Wait until a node's kernel has ended by itself, and log when."""
        kernel = power.load(str(self.run.root), node)[0]
        until(lambda: power.note_end(str(self.run.root), kernel), _END_SECONDS, f"the kernel of {node} does not end", _END_POLL)

    def events(self, since: float = 0.0) -> list[dict[str, Any]]:
        """Return the lab's events from a moment of the host's monotonic clock on."""
        with self.run.events.open(encoding="utf-8") as log:
            return [event for event in events.parse(log) if event["monotonic"] >= since]

    def status(self, node: str) -> Status:
        """Return the cluster as one node sees it. Raises LabError or ValueError when that cannot be had."""
        return parse(self.ask(node, "crm_mon --one-shot --output-as=xml --fence-history=3", options=_IMPATIENT).stdout)

    def epoch(self, node: str = "") -> int:
        """Return how often the cluster's configuration was changed, as one node has it, by default the first one.

        Raises LabError or ValueError when that cannot be had.
        """
        return epoch(self.ask(node or self.nodes[0], "cibadmin --query").stdout)

    def orchestrate(self, *words: str) -> CompletedProcess[str]:
        """Run hadb.orch on the master; the result may be a failure."""
        return self.verb("salt-run", "--out=json", "state.orchestrate", "hadb.orch", *words, check=False,
                         timeout=ORCHESTRATION_SECONDS)  # fmt: skip

    def apply(self, *words: str, target: str = "*") -> CompletedProcess[str]:
        """Run ``state.apply hadb`` on nodes; the result may be a failure."""
        return self.verb("salt", "--out=json", "--static", "-t", "60", target, "state.apply", "hadb", *words, check=False,
                         timeout=ORCHESTRATION_SECONDS)  # fmt: skip

    def sls(self, node: str, *names: str) -> dict[str, Any]:
        """Apply SLS files on a node and return their states. Raises AssertionError when there are none."""
        done = self.verb("salt", "--out=json", "--static", "-t", "60", node, "state.sls", ",".join(names), check=False,
                         timeout=ORCHESTRATION_SECONDS)  # fmt: skip
        return minions(document(done))[node]

    def _note(self, where: str, words: str) -> None:
        self.deeds.append(Deed(time.monotonic(), where, words))

    def inside(self, argv: Sequence[str]) -> list[str]:
        """Return the command line that runs a program of this machine inside the lab's network."""
        return self.run.inside(*argv)

    def python(self, program: Path, *words: str) -> list[str]:
        """Return the command line that runs a Python program of ours inside the lab's network."""
        return self.inside([sys.executable, str(program), *words])


def keep() -> bool:
    """Return whether the lab and its ``converged`` snapshot are to be reused, and kept."""
    return os.environ.get("HADB_SCENARIO_KEEP") == "1"


def commit() -> str:
    """Return which version of the formula this checkout is."""
    try:
        return run_command(["git", "-C", str(CHECKOUT), "describe", "--always", "--dirty"], timeout=ASK_SECONDS).stdout.strip()
    except LabError:
        return "unknown"


def document(done: CompletedProcess[str]) -> Any:
    """Return the JSON that a command printed. Raises AssertionError with its output when there is none."""
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        raise AssertionError(f"no JSON, exit {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}") from error
