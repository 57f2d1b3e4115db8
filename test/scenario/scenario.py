"""One scenario from start to verdict: a fault while a client writes and a sampler looks on, then all invariants."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass

from scenario import events, evidence, invariants, results, sample
from scenario.lab import Lab
from scenario.results import Result
from scenario.sample import Sample
from scenario.sampler import Sampler
from scenario.stage import Stage, clean_up, faults, filesystem, heal, wait_whole
from scenario.writer import Writer

# Seconds. Nothing that leaves the database where it is may cost a client more than a moment; two busy cores.
NO_OUTAGE = 5.0
FAILOVER = 90.0
# Both nodes boot from nothing.
COLD_START = 240.0


@dataclass(frozen=True)
class Scenario:
    """A fault and what is to become of it.

    act
        Brings the fault about and waits until the client is served again.
    fenced, may_be_fenced
        Which parts (``active``, ``passive``) are to be fenced, and which need not but may be; no others.
    fencing_fails
        Of which parts fencing may fail before it succeeds, because that is the fault.
    budget
        Seconds that a client may wait at most.
    explained
        Resources whose failed action is the fault itself: the cluster may remember it until it is cleaned up.
    cases
        What of ``fault_cases.CASES`` it plays.
    eyes
        The network over which nodes are looked at and asked, when the fault is in the one that is there for it.
    """

    name: str
    act: Callable[[Stage], None]
    fenced: tuple[str, ...] = ()
    may_be_fenced: tuple[str, ...] = ()
    fencing_fails: tuple[str, ...] = ()
    budget: float = NO_OUTAGE
    explained: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    eyes: str = ""


def play(lab: Lab, scenario: Scenario) -> Result:
    """Play a scenario on a whole cluster and return its verdict; evidence of a failure is kept.

    What goes wrong in the middle is a finding too: the hardware is healed and the invariants are checked in any case.
    """
    directory = results.BUILD / scenario.name.replace(" ", "-")
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    before = wait_whole(lab)
    lab.look_over(scenario.eyes)
    began = time.monotonic()
    writer = Writer(lab, scenario.name, directory)
    facts = {"mount": lab.mount, "volume": lab.volume, "addresses": lab.addresses}
    sampler = Sampler(lab.run, lab.nodes, facts, lab.ways)
    stage = Stage(lab, writer, before)
    try:
        findings = [
            *_faults_of(lambda: (sampler.start(), writer.start(), scenario.act(stage))),
            *_faults_of(lambda: heal(lab)),
            *_faults_of(lambda: wait_whole(lab)),
            *_faults_of(lambda: stage.wait_served(time.monotonic())),
        ]
    finally:
        end = writer.stop()
        seen = sampler.stop()
        lab.look_over("")
    findings += _faults_of(lambda: _judge(stage, scenario, began, end, seen))
    result = _result(stage, scenario, findings, began, end, len(seen))
    if findings:
        evidence.samples(directory, seen)
        evidence.collect(lab, directory, began)
        (directory / "findings.txt").write_text("".join(f"{line}\n" for line in findings), encoding="utf-8")
    return result


def _judge(stage: Stage, scenario: Scenario, began: float, end: float, seen: list[Sample]) -> list[str]:
    """Return what does not hold of all invariants."""
    lab, log = stage.lab, stage.writer.read()
    happened = lab.events(began)
    powers = events.powers(happened)
    after = lab.status(lab.nodes[0])
    facts = [sample.MOUNT, sample.VOLUME, sample.SERVER, *lab.addresses]
    kept = stage.writer.read_back()
    home = after.home("db-server")
    found = invariants.no_acknowledged_write_lost(log, kept["ids"])
    found += invariants.never_two_owners(seen, powers, lab.nodes, facts, end)
    found += invariants.looked_at_all_the_time(seen, lab.nodes, events.freezes(happened))
    found += invariants.data_intact(kept["check"], *(filesystem(lab, home) if home else (0, False)))
    found += invariants.expected_node_fenced(
        stage.named(scenario.fenced), stage.before.fencing, after.fencing, powers,
        may=stage.named(scenario.may_be_fenced), fails=stage.named(scenario.fencing_fails),
    )  # fmt: skip
    found += faults(lab)
    found += invariants.no_unexplained_failure(after.failures, scenario.explained)
    found += invariants.outage_within(log, end, scenario.budget)
    clean_up(lab, {failure.resource for failure in after.failures} & set(scenario.explained))
    return found


def _result(stage: Stage, scenario: Scenario, findings: list[str], began: float, end: float, seen: int) -> Result:
    log = stage.writer.read()
    outage = round(log.longest_gap(end).seconds, 2) if log.acked else None
    fenced = sorted({event.node for event in events.powers(stage.lab.events(began)) if event.source == "bmc"})
    took = time.monotonic() - began
    return Result(scenario.name, outage, fenced, findings, round(took, 1), len(log.acked), seen, scenario.cases)


def _faults_of(step: Callable[[], object]) -> list[str]:
    """Carry out one step and return its findings, or what went wrong: a scenario always gets to its verdict."""
    try:
        found = step()
        return list(found) if isinstance(found, list) else []
    except Exception as error:  # noqa: BLE001 - every fault of a step is a finding, not the end of the verdict
        return [f"{type(error).__name__}: {error}"]
