"""Brings a lab up: blank, or from a snapshot."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from hadblab import chassis, effects, formula, images, plan, preflight, ready, snapshots, topology_file
from hadblab.errors import LabError
from hadblab.plan import Step
from hadblab.rundir import Record, RunDir, read_record, write_record
from hadblab.topology import Topology

Progress = Callable[[str], None]


@contextmanager
def exclusive(run: RunDir) -> Iterator[None]:
    """Hold the lab against others that would change it as a whole.

    :raises LabError: somebody else holds it.
    """
    run.lock.parent.mkdir(parents=True, exist_ok=True)
    with run.lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LabError(f"lab {run.name} is being changed by another command") from error
        yield


def wanted(distro: str, salt: str, topology: Path, pillar: Path) -> tuple[Record, Topology]:
    """Return the record of a lab that is to be started; its images are still open.

    :raises LabError: the topology has faults.
    """
    doc = topology_file.load(topology)
    parsed = topology_file.parse(doc, str(topology))
    # As it will be read back from the record, where TOML's types became JSON's.
    doc = json.loads(json.dumps(doc))
    return Record("starting", distro, salt, doc, str(pillar.resolve()), "", {}, {}, ""), parsed


def up(run: RunDir, record: Record, topology: Topology, progress: Progress) -> bool:
    """Bring the lab up; returns False when it was up already.

    :raises LabError: it cannot run here, runs with other parameters, or did not come up.
    """
    with exclusive(run):
        found = effects.observe(run)
        steps = plan.for_up(record, topology, found)
        if not steps:
            return False
        preflight.check(run, topology)
        record = found.record if found.usable and found.record else _with_images(record, progress)
        _Start(run, record, topology, lambda: effects.make_disks(run, topology), progress).carry_out(steps)
    return True


def restore(run: RunDir, name: str, progress: Progress) -> None:
    """Bring the lab back to a snapshot, whatever it is now; also a lab that is down.

    :raises LabError: there is no such snapshot, it does not fit, or the lab cannot run here.
    """
    with exclusive(run):
        record = replace(snapshots.read(run, name), phase="starting")
        topology = topology_file.parse(record.topology)
        if not effects.observe(run).usable:
            preflight.check(run, topology)
        steps = plan.from_nothing(topology)
        _Start(run, record, topology, lambda: snapshots.bring_back(run, topology, name), progress).carry_out(steps)


def running(run: RunDir) -> tuple[Record, Topology]:
    """Return what the lab that runs was started with.

    :raises LabError: none does.
    """
    record = read_record(run.record)
    if record is None:
        raise LabError(f"lab {run.name} is not up")
    return record, topology_file.parse(record.topology)


def _with_images(record: Record, progress: Progress) -> Record:
    # The builder's lines bring its own seconds in brackets.
    made = images.ensure(record.distro, record.salt, lambda line: progress(line.partition("] ")[2] or line))
    bases = {role: str(path) for role, path in made.base.items()}
    marks = {role: snapshots.fingerprint(base) for role, base in bases.items()}
    return replace(record, kernel=str(made.kernel), bases=bases, images=marks, ssh_key=str(made.ssh_key))


@dataclass(frozen=True)
class _Start:
    """Carries out the steps of a plan for one lab; ``disks`` puts blank or saved disks in place."""

    run: RunDir
    record: Record
    topology: Topology
    disks: Callable[[], None]
    progress: Progress

    def carry_out(self, steps: list[Step]) -> None:
        for step in steps:
            self._do(step)
            if step.what != plan.WAIT:
                self.progress(f"{step.what} {step.node or ''}".rstrip())

    def _do(self, step: Step) -> None:
        match step.what:
            case plan.CLEAN:
                self._clean()
            case plan.NETWORK:
                effects.make_network(self.run, self.topology)
            case plan.DISKS:
                self.disks()
            case plan.BMC:
                effects.start_bmc(self.run, self.topology.node(str(step.node)))
            case plan.BOOT:
                effects.switch(self.run, str(step.node), chassis.ON)
            case plan.WAIT:
                self._wait()

    def _clean(self) -> None:
        effects.destroy(self.run)
        effects.make_directories(self.run, self.topology)
        write_record(self.run, self.record)
        effects.describe(self.run, self.record, self.topology)

    def _wait(self) -> None:
        pillar = Path(self.record.pillar)
        ready.wait(
            self.run, self.topology, self.progress,
            lambda: formula.push(self.run, self.topology, pillar, self.progress),
        )  # fmt: skip
        effects.retire_seeds(self.run, self.topology)
        write_record(self.run, replace(self.record, phase="up"))
