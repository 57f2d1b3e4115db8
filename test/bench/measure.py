"""One run: a fault while a client writes, until the cluster is whole again and nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scenario import invariants, phases
from scenario.client_log import Gap
from scenario.lab import Lab
from scenario.loglines import Moment, moments
from scenario.stage import Stage, heal, wait_whole
from scenario.wait import until
from scenario.writer import Writer

from bench import acts
from bench.cases import Case
from bench.clocks import calibrate
from bench.outage import outage
from bench.results import Run
from hadblab.errors import LabError

_CLEAN_SECONDS = 30.0
_JOURNAL = "journalctl --no-pager --output=short-unix --since=@{since:.0f} --identifier=pacemakerd --identifier=corosync " \
           "--identifier=pacemaker-controld --identifier=pacemaker-fenced --identifier=pacemaker-schedulerd"  # fmt: skip


def play(lab: Lab, case: Case, config: str, number: int, directory: Path) -> tuple[Run, bool]:
    """Play one case and return what was measured, and whether the cluster is whole again.

    directory
        Where the client's log and both journals are kept.

    Nothing is raised but KeyboardInterrupt: what goes wrong is a finding of the run.
    """
    run = Run(case.id, config, number)
    directory.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    writer = Writer(lab, f"bench {case.id} {config} {number}", directory)
    struck: list[_Struck] = []
    try:
        _step(run, lambda: struck.append(_strike(lab, case, run, writer)))
    finally:
        writer.stop()
    _step(run, lambda: heal(lab))
    whole = _step(run, lambda: _recover(lab, run, writer))
    for found in struck:
        _step(run, lambda found=found: _explain(lab, run, found, directory))
    run.took = round(time.monotonic() - started, 1)
    return run, whole


@dataclass(frozen=True)
class _Struck:
    """When a fault began and the outage was, on the host's clock, and how the nodes' clocks relate to that."""

    began: float
    gap: Gap
    offsets: dict[str, float]


def _strike(lab: Lab, case: Case, run: Run, writer: Writer) -> _Struck:
    stage = Stage(lab, writer, wait_whole(lab))
    run.active = stage.active
    offsets = calibrate(lab)
    writer.start()
    began = time.monotonic()
    acts.act(case, stage)
    ended = acts.wait_over(case, stage, began)
    # Before anything is healed: a node that boots takes the machine's time from the client.
    end = writer.stop()
    run.fenced = acts.fenced(stage.lab, began)
    with writer.log.open(encoding="utf-8") as lines:
        gap = outage(lines, end)
    run.outage = round(gap.seconds, 3) if ended else None
    run.measured = True
    acts.take_back(case, stage)
    return _Struck(began, gap, offsets)


def _explain(lab: Lab, run: Run, struck: _Struck, directory: Path) -> None:
    """Read both journals and say where the time went."""
    gap, seen = struck.gap, list[Moment]()
    for node, offset in struck.offsets.items():
        # A second before, since a journal is asked by whole seconds.
        text = lab.ask(node, _JOURNAL.format(since=min(struck.began, gap.start) - offset - 1.0)).stdout
        (directory / f"{node}-journal.txt").write_text(text, encoding="utf-8")
        seen += moments(text, offset)
    run.marks = {"fault": round(struck.began - gap.start, 3), **phases.marks(seen, gap)}
    if run.outage is not None:
        run.phases = phases.divide(gap, phases.spans(seen, gap))


def _recover(lab: Lab, run: Run, writer: Writer) -> None:
    """See that everything is whole, forget the failures that were the fault, and count the writes."""
    wait_whole(lab)
    lab.ask(lab.nodes[0], "crm_resource --cleanup")
    until(lambda: not lab.status(lab.nodes[0]).failures, _CLEAN_SECONDS, "failed actions are not forgotten")
    wait_whole(lab)
    log = writer.read()
    if not log.acked:
        return
    present = writer.read_back()["ids"]
    run.lost = len(log.acked.keys() - set(present))
    run.findings += [finding for finding in invariants.no_acknowledged_write_lost(log, present) if "rows were" in finding]


def _step(run: Run, step: Callable[[], None]) -> bool:
    """Carry out a step and return whether it worked; what went wrong becomes a finding."""
    try:
        step()
    except (LabError, AssertionError, ValueError, OSError) as error:
        run.findings.append(f"{type(error).__name__}: {error}")
        return False
    return True
