"""One scenario from start to verdict: a fault while a client writes and a sampler looks on, then all invariants."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from hadblab.errors import LabError
from scenario import events, evidence, invariants, pillars, refused, results, settings
from scenario.client_log import ClientLog
from scenario.events import Power
from scenario.evidence import Kept
from scenario.journal import EVERYTHING, KERNEL
from scenario.journals import Journals
from scenario.lab import Lab
from scenario.report import Head
from scenario.results import Result
from scenario.sample import Sample
from scenario.sampler import Sampler
from scenario.stage import WHOLE_SECONDS, Stage, clean_up, faults, filesystem, heal, wait_paths, wait_whole
from scenario.status import Status
from scenario.writer import Writer

# Seconds. Nothing that leaves the database where it is may cost a client more than a moment; two busy cores.
NO_OUTAGE = 5.0
FAILOVER = 90.0
# Both nodes boot from nothing.
COLD_START = 240.0
# A path that was gone for a moment may be looked at only now: multipathd does so every 5 to 20 s, and then sees it return.
_PATHS_SECONDS = 45.0


@dataclass(frozen=True)
class Scenario:
    """A fault and what is to become of it.

    act
        Brings the fault about and waits until the client is served again.
    fenced, perhaps
        Which parts (``active``, ``passive``) are to be fenced, and which may be besides; once each, and no others.
    fencing_fails
        Of which parts fencing may fail before it succeeds, because that is the fault.
    budget
        Seconds that a client may wait at most.
    whole
        Seconds within which the cluster has to be whole again once the fault is taken back.
    explained
        Resources whose failed action is the fault itself: the cluster may remember it until it is cleaned up.
    cases
        What of ``fault_cases.CASES`` it plays.
    refused
        Of which parts the array refuses what they write once they stand still, because nobody switches them off: they may look
        like second owners until then and for some seconds after they go on, see ``refused.py``.
    pillar
        What the pillar says besides, carried out before and taken back after, see ``settings.in_force``.
    eyes
        The network over which nodes are looked at and asked, when the fault is in the one that is there for it.
    """

    name: str
    act: Callable[[Stage], None]
    fenced: tuple[str, ...] = ()
    budget: float = NO_OUTAGE
    whole: float = WHOLE_SECONDS
    explained: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    fencing_fails: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    pillar: pillars.More = field(default_factory=dict)
    eyes: str = ""

    @property
    def words(self) -> str:
        """The fault in words: what its function says of itself."""
        return getattr(self.act, "func", self.act).__doc__ or ""


def play(lab: Lab, scenario: Scenario, build: Path = results.BUILD) -> Result:
    """Play a scenario on a whole cluster and return its verdict. A timeline is kept, and evidence of a failure.

    build
        Where its directory is made.

    What goes wrong in the middle is a finding too: the hardware is healed and the invariants are checked in any case.
    """
    result: Result | None = None
    try:
        with settings.in_force(lab, scenario.pillar):
            result = _play(lab, scenario, build)
    except (LabError, AssertionError, ValueError) as error:
        if result is None:
            raise
        # The pillar could not be taken back.
        result = replace(result, findings=[*result.findings, f"{type(error).__name__}: {error}"])
    return result


def _play(lab: Lab, scenario: Scenario, build: Path) -> Result:
    directory = results.place(scenario.name, build)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    before = wait_whole(lab)
    lab.look_over(scenario.eyes)
    began, wall = time.monotonic(), time.time()
    writer = Writer(lab, scenario.name, directory)
    facts = {"mount": lab.mount, "volume": lab.volume, "addresses": lab.addresses}
    sampler = Sampler(lab.run, lab.nodes, facts, lab.ways)
    stage = Stage(lab, writer, before, sampler)
    with Journals(lab.run, {**dict.fromkeys(lab.nodes, EVERYTHING), lab.array: KERNEL}, lab.ways) as said:
        try:
            findings = [
                *_faults_of(lambda: (said.wait_open(), sampler.start(), writer.start(), scenario.act(stage))),
                *_faults_of(lambda: heal(lab)),
                *_faults_of(lambda: wait_whole(lab, scenario.whole)),
                *_faults_of(lambda: stage.wait_served(time.monotonic())),
            ]
        finally:
            end = writer.stop()
            seen = sampler.stop()
            lab.look_over("")
        findings += _faults_of(lambda: _judge(stage, scenario, began, end, seen))
    result = _result(stage, scenario, findings, began, end, len(seen))
    kept = Kept(directory, began, wall, end, seen, said, sampler.deliveries())
    head = Head(scenario.words, stage.active, stage.passive, before.dc, result)
    untold = _faults_of(lambda: evidence.timeline(lab, kept, head))
    result = replace(result, findings=[*findings, *untold])
    if result.findings:
        evidence.collect(lab, kept, result.findings)
    return result


def _judge(stage: Stage, scenario: Scenario, began: float, end: float, seen: list[Sample]) -> list[str]:
    """Return what does not hold of all invariants."""
    lab, log = stage.lab, stage.writer.read()
    happened = lab.events(began)
    powers = events.powers(happened)
    # What was recorded comes first: a database or a cluster that cannot be asked any more must not hide it.
    zombies = stage.named(scenario.refused)
    found = invariants.never_two_owners(seen, powers, lab.nodes, lab.facts, end, refused.excuse(zombies, happened))
    found += invariants.looked_at_all_the_time(seen, lab.nodes, events.freezes(happened))
    found += invariants.outage_within(log, end, scenario.budget)
    found += _faults_of(lambda: _judge_data(stage, log))
    return found + _faults_of(lambda: _judge_cluster(stage, scenario, powers))


def _judge_data(stage: Stage, log: ClientLog) -> list[str]:
    kept = stage.writer.read_back()

    def intact() -> list[str]:
        home = _status(stage).home("db-server")
        return invariants.data_intact(kept["check"], *(filesystem(stage.lab, home) if home else (0, False)))

    return invariants.no_acknowledged_write_lost(log, kept["ids"]) + _faults_of(intact)


def _judge_cluster(stage: Stage, scenario: Scenario, powers: list[Power]) -> list[str]:
    lab, after = stage.lab, _status(stage)
    found = invariants.expected_node_fenced(
        stage.named(scenario.fenced), stage.before.fencing, after.fencing, powers, stage.named(scenario.perhaps),
        stage.named(scenario.fencing_fails), stage.named(scenario.refused),
    )  # fmt: skip
    found += _faults_of(lambda: wait_paths(lab, _PATHS_SECONDS))
    found += faults(lab)
    found += invariants.no_unexplained_failure(after.failures, scenario.explained)
    found += _faults_of(lambda: clean_up(lab, {failure.resource for failure in after.failures} & set(scenario.explained)))
    return found


def _status(stage: Stage) -> Status:
    """Return the cluster as the first node that can tell sees it. Raises AssertionError when none can."""
    found = next((view for node in stage.lab.nodes if (view := stage.view(node))), None)
    assert found, "I5: no node tells what has become of the cluster"
    return found


def _result(stage: Stage, scenario: Scenario, findings: list[str], began: float, end: float, seen: int) -> Result:
    log = stage.writer.read()
    outage = round(log.longest_gap(end).seconds, 2) if log.acked else None
    fenced = sorted({event.node for event in events.powers(stage.lab.events(began)) if event.source == events.BMC})
    took = time.monotonic() - began
    return Result(scenario.name, outage, fenced, findings, round(took, 1), len(log.acked), seen, scenario.cases)


def _faults_of(step: Callable[[], object]) -> list[str]:
    """Carry out one step and return its findings, or what went wrong: a scenario always gets to its verdict."""
    try:
        found = step()
        return list(found) if isinstance(found, list) else []
    except Exception as error:  # noqa: BLE001 - every fault of a step is a finding, not the end of the verdict
        return [f"{type(error).__name__}: {error}"]
