"""``python -m scenario.chaos [--seed N] [--count N] [--from N] [--dry-run]``: what ``make chaos`` runs.

Random faults on a whole cluster while a client writes, all invariants after each. It ends at the first violation.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from hadblab.errors import LabError
from scenario import chaos_record, evidence, long_run
from scenario.chaos_act import scenario_of
from scenario.chaos_faults import TABLE
from scenario.chaos_plan import Step, fingerprint, lines, plan, seconds_left
from scenario.chaos_record import BUILD, Outcome, Record, outcome, progress, summary
from scenario.lab import Lab, commit
from scenario.long_run import FAILED, INTERRUPTED, TROUBLE, USAGE, said
from scenario.results import Result, clock
from scenario.scenario import play
from scenario.session import Session, down, up
from scenario.verdicts import FAIL, PASS, UNKNOWN

SEED, COUNT = 1, 20
# A lab that is in trouble so often in a row says nothing about the cluster any more.
MOST_UNKNOWN = 3
_tell = partial(long_run.say, "chaos", status=0)


class Chaos:
    """A run under way.

    steps
        What is to be done, in order.
    record
        What is known of steps before these; the outcomes are added to it.
    say, tell
        Take a line for whoever wants the results, and for whoever watches.
    """

    def __init__(
        self, steps: Sequence[Step], record: Record, say: Callable[[str], None], tell: Callable[[str], None]
    ) -> None:
        self.steps = steps
        self.record = record
        self._say = say
        self._tell = tell
        self._commit = commit()
        self._took: dict[str, list[float]] = {}

    def run(self) -> None:
        """Play the steps up to the first violation. Raises one of ``TROUBLE`` when there is no lab to play in."""
        lab = Lab()
        self._tell("lab: starting, and building the cluster unless a kept one is there (10 min)")
        try:
            session = up(lab)
            session.converged()
            self._carry_out(session)
        finally:
            chaos_record.write(self.record)
            down(lab)

    def _carry_out(self, session: Session) -> None:
        unknown = 0
        for position, step in enumerate(self.steps):
            found = self._step(session, step)
            self.record.outcomes.append(found)
            chaos_record.write(self.record)
            left = seconds_left(self.steps[position + 1:], self._took)
            self._say(progress(found, self.record.count, left))
            unknown = unknown + 1 if found.verdict == UNKNOWN else 0
            if found.verdict == FAIL:
                return
            if unknown == MOST_UNKNOWN:
                raise LabError(f"{unknown} steps in a row without a verdict, the lab restored after each")

    def _step(self, session: Session, step: Step) -> Outcome:
        """Play one step on a whole cluster. The lab is brought back first when the step before left it in pieces."""
        began = time.monotonic()
        try:
            session.converged()
        except TROUBLE as error:
            why = f"the lab cannot be brought back: {said(error)}"
            return Outcome(step.number, step.kind, step.text, UNKNOWN, findings=[why], commit=self._commit)
        # Until the verdict is known: whatever ends this step, the next one starts from the snapshot.
        session.touched()
        found = outcome(step, _played(session, step), self._commit)
        self._took.setdefault(step.kind, []).append(time.monotonic() - began)
        if found.verdict == PASS:
            # Hundreds of them would fill the disk, and there is nothing to look into.
            shutil.rmtree(BUILD / step.name, ignore_errors=True)
        return found


def _played(session: Session, step: Step) -> Result:
    """Return what a step showed, also when it could not be played, or when the cluster did not stay whole after it."""
    began, result = time.monotonic(), Result(step.name, None, [])
    try:
        result = play(session.lab, scenario_of(step), BUILD)
        if not result.findings:
            session.settled()
    except TROUBLE as error:
        result = replace(result, findings=[*result.findings, said(error)])
        with suppress(*TROUBLE):
            evidence.collect(session.lab, evidence.nothing(session.lab, BUILD / step.name, began), result.findings)
    return result


def main(words: list[str]) -> int:
    """Carry out one command line; return 0 when every step was played and passed."""
    chosen = _parser().parse_args(words)
    if not 1 <= chosen.start <= chosen.count:
        return _tell("--count: at least 1; --from: from 1 to the count", status=USAGE)
    steps = plan(chosen.seed, chosen.count, TABLE)
    wanted = steps[chosen.start - 1:]
    if chosen.dry_run:
        print("\n".join([*lines(wanted), f"plan {fingerprint(steps)}: {len(wanted)} steps, about "
                         f"{clock(seconds_left(wanted, {}))} beside starting the lab"]))  # fmt: skip
        return 0
    record = Record(chosen.seed, chosen.count, fingerprint(steps))
    try:
        _prepare(record, chosen.start)
    except ValueError as error:
        return _tell(str(error), status=USAGE)
    long_run.prepare("chaos")
    return _run(Chaos(wanted, record, lambda line: print(line, flush=True), _tell))


def _prepare(record: Record, start: int) -> None:
    """Take over what an earlier run of this plan showed of the steps before ``start``, or make room for a run from the first."""
    if start == 1:
        shutil.rmtree(BUILD, ignore_errors=True)
        return
    record.outcomes.extend(chaos_record.earlier(chaos_record.read(BUILD / "results.json"), record, start))
    missing = start - 1 - len(record.outcomes)
    if missing:
        _tell(f"{missing} of the steps before {start} are not in {BUILD / 'results.json'} as steps of this plan: not counted")


def _run(chaos: Chaos) -> int:
    status = 0
    try:
        chaos.run()
    except KeyboardInterrupt:
        status = INTERRUPTED
    except TROUBLE as error:
        status = _tell(said(error), status=FAILED)
    record = chaos.record
    following = max([chaos.steps[0].number, *(found.number + 1 for found in record.outcomes)])
    if following <= record.count:
        _tell(f"ended before step {following}: SEED={record.seed} COUNT={record.count} FROM={following} goes on from there")
    if record.number_of(PASS) < len(record.outcomes):
        _tell(f"evidence of each step that did not pass: {BUILD}/")
    print("\n".join(summary(record)), flush=True)
    return status or (0 if record.number_of(PASS) == len(record.outcomes) else FAILED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="chaos", description="Random faults on a whole cluster while a client writes.",
                                     allow_abbrev=False)  # fmt: skip
    parser.add_argument("--seed", type=int, default=SEED, metavar="N", help=f"what the plan is drawn from ({SEED})")
    parser.add_argument("--count", type=int, default=COUNT, metavar="N", help=f"how many steps the plan has ({COUNT})")
    parser.add_argument("--from", dest="start", type=int, default=1, metavar="N", help="step to begin with (1)")
    parser.add_argument("--dry-run", action="store_true", help="only print the plan")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
