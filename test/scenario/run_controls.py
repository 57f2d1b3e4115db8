"""``python -m scenario.run_controls [--only a,b] [--list]``: what ``make controls`` runs.

Breaks one setting after the other in a lab of its own and sees that the suite notices; after each the lab is restored.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from hadblab.errors import LabError
from scenario import control, long_run
from scenario.control import UNKNOWN, Control, Outcome
from scenario.control_checks import CHECKS
from scenario.controls import CONTROLS
from scenario.lab import CHECKOUT, Lab, commit, keep
from scenario.long_run import FAILED, INTERRUPTED, TROUBLE, USAGE, said
from scenario.scenario import Scenario, play
from scenario.scenarios import BY_NAME
from scenario.session import CONVERGED, Session, down, up
from scenario.stage import Stage
from scenario.writer import Writer

BUILD = CHECKOUT / "build/controls"
# A lab that cannot even be restored twice in a row controls nothing any more.
_MOST_LOST = 2
# Three times what it takes where nothing is broken. Many of these clusters are never whole again.
_WHOLE_SECONDS = 90.0
_say = partial(long_run.say, "controls")


class Controls:
    """Controls under way.

    tell
        Takes lines for whoever watches.
    build
        Where results and evidence go.
    """

    def __init__(self, session: Session, tell: Callable[[str], None], build: Path) -> None:
        self.outcomes: list[Outcome] = []
        self._session, self._tell, self._build = session, tell, build
        self._before: dict[str, list[str]] = {}
        self._commit = commit()
        if session.state == CONVERGED:
            # A kept lab may have a setting broken that does not keep its cluster from being whole.
            session.touched()

    def run(self, wanted: Sequence[Control]) -> None:
        """Play controls, each from a whole cluster; what is known so far is written down after each."""
        lost = 0
        for number, one in enumerate(wanted, 1):
            self._tell(f"{number}/{len(wanted)} {one.name}: {one.broken}; must be caught by: {one.catcher}")
            began = time.monotonic()
            try:
                lab = self._session.converged()
                lost = 0
            except TROUBLE as error:
                lost += 1
                self._keep(control.outcome(one, (UNKNOWN, f"the lab cannot be had whole: {said(error)}")))
                if lost == _MOST_LOST:
                    raise LabError(f"the lab cannot be restored, {len(wanted) - number} controls were not played") from error
                continue
            self._session.touched()
            verdict, findings = self._one(lab, one)
            self._keep(control.outcome(one, verdict, findings, time.monotonic() - began))

    def close(self) -> None:
        """Take the lab down, or leave it as it was before anything was broken when it is to be kept."""
        if keep():
            with suppress(*TROUBLE):
                self._session.converged()
        down(self._session.lab)

    def _one(self, lab: Lab, one: Control) -> tuple[tuple[str, str], list[str]]:
        """Return the verdict on a control, and all that was found."""
        try:
            if one.catcher in CHECKS:
                return self._checked(lab, one)
            return self._played(lab, one)
        except TROUBLE as error:
            return control.judge(one.pattern, [], trouble=said(error)), []

    def _checked(self, lab: Lab, one: Control) -> tuple[tuple[str, str], list[str]]:
        stage = Stage(lab, Writer(lab, one.name, self._build), lab.status(lab.nodes[0]))
        check = CHECKS[one.catcher]
        if one.catcher not in self._before:
            self._before[one.catcher] = check(stage)
        one.breaks(stage)
        findings = check(stage)
        return control.judge(one.pattern, findings, self._before[one.catcher]), findings

    def _played(self, lab: Lab, one: Control) -> tuple[tuple[str, str], list[str]]:
        trouble: list[str] = []
        findings = play(lab, broken(one, BY_NAME[one.catcher], trouble), self._build).findings
        if trouble and findings:
            trouble.append(findings[0])
        return control.judge(one.pattern, findings, trouble="; ".join(trouble)), findings

    def _keep(self, outcome: Outcome) -> None:
        outcome = replace(outcome, commit=self._commit)
        self.outcomes.append(outcome)
        control.write(self.outcomes, self._build)
        self._tell(f"  {outcome.verdict}: {outcome.why[:300]}")


def broken(one: Control, scenario: Scenario, trouble: list[str]) -> Scenario:
    """Return a scenario in which a setting is broken first.

    After it has begun: it begins with a whole cluster, which some broken settings do not let be, and with somebody looking.

    trouble
        Says that the setting is not broken until it is; what is found then says nothing about the suite.
    """
    def act(stage: Stage) -> None:
        one.breaks(stage)
        trouble.clear()
        scenario.act(stage)

    act.__doc__ = f"Broken: {one.broken}. {scenario.words}"
    trouble.append("the setting could not be broken")
    return replace(scenario, name=one.name, act=act, whole=_WHOLE_SECONDS)


def main(words: list[str]) -> int:
    """Carry out one command line; return 0 when every control was caught."""
    given = _parser().parse_args(words)
    try:
        wanted = control.chosen(CONTROLS, given.only)
    except ValueError as error:
        return _say(str(error), USAGE)
    if given.list:
        print("\n".join(f"{one.area:9} {one.name:36} {one.catcher:38} {one.broken}" for one in wanted))
        return 0
    long_run.prepare("controls")
    return _play(wanted)


def _play(wanted: Sequence[Control]) -> int:
    tell, status = long_run.progress(), 0
    outcomes: list[Outcome] = []
    try:
        tell("lab: starting, and building the cluster unless a kept one is there (10 min)")
        controls = Controls(up(Lab()), tell, BUILD)
        outcomes = controls.outcomes
        try:
            controls.run(wanted)
        finally:
            controls.close()
    except KeyboardInterrupt:
        status = _say("interrupted", INTERRUPTED)
    except TROUBLE as error:
        status = _say(said(error), FAILED)
    print("".join(f"{one.line}\n" for one in outcomes), end="")
    print(f"findings and evidence of each: {BUILD}/")
    print(control.summary(outcomes))
    return status or (0 if control.all_caught(outcomes, len(wanted)) else FAILED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="controls", description="Does the suite notice what is broken?", allow_abbrev=False)
    parser.add_argument("--only", default="", metavar="a,b", help="only these (all)")
    parser.add_argument("--list", action="store_true", help="only print which there are")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
