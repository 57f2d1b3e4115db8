"""The cluster on stage: who plays which part, what may be done to it, and when it is whole again."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from functools import partial

from hadblab.errors import LabError
from scenario import events, invariants
from scenario.at_once import of_each
from scenario.lab import ARRAY_CARD, ASK_SECONDS, Lab
from scenario.sample import Sample
from scenario.sampler import Sampler
from scenario.status import Status
from scenario.wait import until
from scenario.writer import Writer

# Seconds until a node that lost its power is back with everything, on two busy cores.
WHOLE_SECONDS = 240.0
# Seconds within which a client must be served again; three times what was ever measured with these settings.
TAKEOVER_SECONDS = 90.0
_FENCED_SECONDS = 60.0
_POLL_SECONDS = 1.0
_CLEAN_SECONDS = 60.0
# Seconds until nothing is under way any more, where that comes to an end.
_REST_SECONDS = 20
# Each answer of `hadb.status` takes as long as the master waits for a node that is away; a booted one's minion connects first.
_TOLD_SECONDS = 180.0
_MARK = "hadb-test"
# One line per map: "NAME: 0 LENGTH multipath ... 8:0 A 0 0 1 ... 8:16 F 3 0 1".
_PATHS = "dmsetup status --target multipath"


class Stage:
    """A running cluster with a client that writes and a sampler that looks on.

    before
        The cluster when the scenario began.
    active, passive
        The nodes by what they were then.
    """

    def __init__(self, lab: Lab, writer: Writer, before: Status, sampler: Sampler | None = None) -> None:
        self.lab = lab
        self.writer = writer
        self.before = before
        self._sampler = sampler
        self.active = before.home("db-server") or lab.nodes[0]
        self.passive = lab.peer(self.active)

    def node(self, part: str) -> str:
        """Return the name of ``active`` or ``passive``."""
        return {"active": self.active, "passive": self.passive}[part]

    def seen(self, node: str, since: float = 0.0) -> list[Sample]:
        """Return what the sampler saw of a node after a moment, in the order of arrival, at the node's own time.

        Raises ValueError on a stage at which no sampler looks.
        """
        if self._sampler is None:
            raise ValueError("no sampler looks on")
        return self._sampler.seen(node, since)

    def wait_fenced(self, node: str, seconds: float = _FENCED_SECONDS) -> None:
        """Wait until the other node knows that this one was fenced since the scenario began."""
        def known() -> bool:
            view = self.view(self.lab.peer(node))
            new = [event for event in view.fencing if event not in self.before.fencing] if view else []
            return any(event.target == node and event.status == "success" for event in new)

        until(known, seconds, f"{node} is not fenced", _POLL_SECONDS)

    def named(self, parts: Iterable[str]) -> list[str]:
        """Return the names of parts."""
        return [self.node(part) for part in parts]

    def wait_served(self, since: float) -> None:
        """Wait until the client is acknowledged again, by a new connection made after ``since``."""
        self.writer.wait_writing(since, TAKEOVER_SECONDS)

    def wait_home(self, node: str, seconds: float = TAKEOVER_SECONDS) -> None:
        """Wait until the database runs on a node and the client is served."""
        until(lambda: self.home(node) == node, seconds, f"the database does not come to {node}", _POLL_SECONDS)
        self.wait_served(time.monotonic())

    def watch(self, seconds: float) -> None:
        """Let time go by in which nothing is supposed to happen, and make sure that the client is served at its end."""
        time.sleep(seconds)
        self.wait_served(time.monotonic())

    def server(self, node: str) -> str:
        """Return the process of a node's database server, whoever started it, or nothing; a restarted one is another."""
        return self.lab.ask(node, "pidof mariadbd mysqld", check=False).stdout.strip()

    def server_runs(self, node: str) -> bool:
        """Return whether a database server runs on a node."""
        return bool(self.server(node))

    def wait_refused(self, resource: str, nodes: Collection[str], seconds: float = TAKEOVER_SECONDS) -> list[str]:
        """Wait until a resource could not be started on these nodes, as the passive one sees it, and return the reasons."""
        def refused() -> dict[str, str]:
            view = self.view(self.passive)
            failures = view.failures if view else ()
            return {one.node: one.reason for one in failures if (one.resource, one.task) == (resource, "start")}

        until(lambda: refused().keys() >= set(nodes), seconds,
              lambda: f"{resource} was not refused on {', '.join(nodes)}: {refused()}", _POLL_SECONDS)  # fmt: skip
        return list(refused().values())

    def wait_told(self, words: str) -> None:
        """Wait until ``hadb.status`` tells the operator something."""
        def told() -> bool:
            return words in self.lab.verb("salt-run", "--out=json", "hadb.status", check=False).stdout

        until(told, _TOLD_SECONDS, f"hadb.status does not say: {words}", poll=1.0)

    def mark(self, value: str) -> None:
        """Change the cluster's configuration so that nobody minds: an attribute of the active node, set on the other one."""
        self.lab.ask(self.passive, f"crm_attribute --node {self.active} --name {_MARK} --update {value}")

    def marked(self, node: str) -> str:
        """Return what :meth:`mark` set, as one node's copy of the configuration has it; empty when it has nothing."""
        return self.lab.ask(node, f"crm_attribute --node {self.active} --name {_MARK} --query --quiet", check=False).stdout.strip()

    def unmark(self) -> None:
        """Take back :meth:`mark`."""
        self.lab.ask(self.passive, f"crm_attribute --node {self.active} --name {_MARK} --delete")

    def pid(self, node: str, program: str) -> str:
        """Return the process id of a daemon on a node; empty when it does not run, or the node does not answer."""
        try:
            return self.lab.ask(node, f"pidof {program}", check=False).stdout.strip()
        except LabError:
            return ""

    def cut_by_bmc(self, node: str, since: float) -> bool:
        """Return whether a BMC has cut a node's power since a moment of the host's monotonic clock."""
        happened = events.powers(self.lab.events(since))
        return any(one.node == node and one.source == events.BMC and one.cut for one in happened)

    def failed(self, resource: str, node: str, asked: str = "") -> bool:
        """Return whether the cluster remembers a failed action of a resource on a node; ``asked`` is by default the other one."""
        view = self.view(asked or self.lab.peer(node))
        return bool(view) and any((one.resource, one.node) == (resource, node) for one in view.failures)

    def view(self, node: str) -> Status | None:
        """Return the cluster as one node sees it, or None while that node cannot say."""
        try:
            return self.lab.status(node)
        except (LabError, ValueError):
            return None

    def home(self, node: str) -> str | None:
        """Return where the database runs, as one node sees it."""
        view = self.view(node)
        return view.home("db-server") if view else None


def faults(lab: Lab) -> list[str]:
    """Return what keeps the cluster from being whole, as both nodes see it, asked at the same time."""
    return [fault for found in of_each(lab.nodes, partial(_faults_at, lab)).values() for fault in found]


def _faults_at(lab: Lab, node: str) -> list[str]:
    found = []
    try:
        found += invariants.whole(lab.status(node), lab.nodes, lab.group, lab.fences)
        found += [f"I5: a path to the LUNs is {path}" for path in bad_paths(lab, node)]
    except (LabError, ValueError) as error:
        found.append(f"I5: {error}")
    return [f"{node}: {fault}" for fault in found]


def wait_whole(lab: Lab, seconds: float = WHOLE_SECONDS) -> Status:
    """Wait until the cluster is whole and return it. Raises TooLateError with what is missing."""
    until(lambda: not faults(lab), seconds, lambda: "; ".join(faults(lab)) or "only now whole", _POLL_SECONDS)
    return lab.status(lab.nodes[0])


def wait_paths(lab: Lab, seconds: float) -> None:
    """Wait until every path to the array is there. Raises TooLateError, or LabError when a node does not answer."""
    until(lambda: not any(bad_paths(lab, node) for node in lab.nodes), seconds, "I5: a path to the LUNs does not return", _POLL_SECONDS)


def heal(lab: Lab) -> None:
    """Undo everything that a scenario may have done to the hardware."""
    lab.verb("mend")
    free_addresses(lab)


def switch_on(lab: Lab) -> None:
    """Switch those nodes on that are off."""
    for node in lab.nodes:
        if lab.power(node) == "off":
            lab.verb("power", node, "on")


def free_addresses(lab: Lab) -> None:
    """Take the virtual addresses from the array, if it has taken them."""
    gone = (f"ip address delete {address}/32 dev {ARRAY_CARD} 2>/dev/null;" for address in lab.addresses)
    lab.ask(lab.array, f"{' '.join(gone)} true")


def clean_up(lab: Lab, resources: Iterable[str]) -> None:
    """Make the cluster forget failed actions of resources, as the runbook tells an operator to."""
    for resource in sorted(resources):
        until(lambda name=resource: _forgotten(lab, name), _CLEAN_SECONDS, f"the failure of {resource} is not forgotten", _POLL_SECONDS)


def _forgotten(lab: Lab, resource: str) -> bool:
    # Each time anew: what an action that was under way has met may come after it.
    node = _member(lab)
    forget(lab, node, resource)
    return all(failure.resource != resource for failure in lab.status(node).failures)


def forget(lab: Lab, node: str, resource: str = "") -> None:
    """Clean up a resource, or all, as the runbook says: when Pacemaker has nothing left to do. Where that does not come, all the same."""
    words = f" --resource {resource}" if resource else ""
    lab.ask(node, f"crm_resource --wait --timeout={_REST_SECONDS}; crm_resource --cleanup{words}", timeout=_REST_SECONDS + ASK_SECONDS)


def _member(lab: Lab) -> str:
    """Return a node that is in the cluster: the other one may be booting. The first one where none is, to say what is wrong."""
    for node in lab.nodes:
        with suppress(LabError, ValueError):
            if lab.status(node).dc:
                return node
    return lab.nodes[0]


def filesystem(lab: Lab, node: str) -> tuple[int, bool]:
    """Return how many errors a node's mounted filesystem counts, and whether it is mounted writable."""
    mounts = [line.split() for line in lab.ask(node, "cat /proc/mounts").stdout.splitlines()]
    options = next((fields[3].split(",") for fields in mounts if fields[1] == lab.mount), [])
    # ext4 counts errors in its superblock and shows them here; the lab's other filesystem is the root.
    counts = lab.ask(node, f"cat /sys/fs/ext4/$(basename $(readlink -f /dev/mapper/{lab.volume}))/errors_count").stdout
    return int(counts), "rw" in options


def bad_paths(lab: Lab, node: str) -> list[str]:
    """Return what is wrong with a node's paths to the array. Raises LabError when the node does not answer."""
    states = re.findall(r" \d+:\d+ ([AF]) ", lab.ask(node, _PATHS).stdout)
    found = ["failed"] * states.count("F")
    # Two storage networks, so two paths to every LUN that is in use.
    return found if len(states) >= 2 * len(lab.storage["luns"]) else [*found, "missing"]
