"""What `up` has to do, given what is there. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from hadblab.errors import LabError
from hadblab.kernel import OFF
from hadblab.rundir import Record
from hadblab.topology import Topology

# Steps in the order in which they may appear in a plan.
CLEAN, NETWORK, DISKS, BMC, BOOT, WAIT = "clean", "network", "disks", "bmc", "boot", "wait"


@dataclass(frozen=True)
class Step:
    """One thing to do; ``node`` says for whom, where the step has one."""

    what: str
    node: str | None = None


@dataclass(frozen=True)
class Found:
    """What there is of a lab.

    :param record: what it was started with, None when it was never started or was taken down.
    :param namespace: whether its network namespace exists.
    :param power: each node's power, by name; nodes never started are absent.
    :param bmcs: names of the nodes whose BMC runs.
    """

    record: Record | None
    namespace: bool
    power: dict[str, str]
    bmcs: frozenset[str]

    @property
    def usable(self) -> bool:
        """Whether the lab came up whole once and something of it is still alive."""
        alive = any(state != OFF for state in self.power.values())
        return self.record is not None and self.record.phase == "up" and self.namespace and alive


def for_up(wanted: Record, topology: Topology, found: Found) -> list[Step]:
    """Return the steps that bring the wanted lab up; none when it is up already.

    A lab that died, or whose start was interrupted, is cleared away and made anew.

    :raises LabError: a lab with other parameters runs.
    """
    if not found.usable or found.record is None:
        return from_nothing(topology)
    differences = found.record.differences(wanted)
    if differences:
        raise LabError(f"the lab runs with {', '.join(differences)}: take it down first")
    missing = [
        step for step in _everything(topology)
        if (step.node not in found.bmcs if step.what == BMC else found.power.get(str(step.node), OFF) == OFF)
    ]  # fmt: skip
    return [*missing, Step(WAIT)] if missing else []


def from_nothing(topology: Topology) -> list[Step]:
    """Return the steps that clear away whatever there is and bring a lab up on its disks."""
    return [Step(CLEAN), Step(NETWORK), Step(DISKS), *_everything(topology), Step(WAIT)]


def check_snapshot(record: Record, fingerprints: dict[str, str]) -> None:
    """Make sure that a snapshot still fits the images that it was made on.

    :param fingerprints: each role's image as it is now; a missing image is absent.
    :raises LabError: an image is gone or another one.
    """
    changed = [role for role, mark in record.images.items() if fingerprints.get(role) != mark]
    if changed:
        raise LabError(f"the snapshot was made with other images than there are now ({', '.join(sorted(changed))})")


def _everything(topology: Topology) -> list[Step]:
    """Return BMCs first and the array before those that look for its LUNs."""
    order = ("san", "master", "node")
    nodes = sorted(topology.nodes.values(), key=lambda node: order.index(node.role))
    return [Step(BMC, node.name) for node in nodes if node.bmc] + [Step(BOOT, node.name) for node in nodes]
