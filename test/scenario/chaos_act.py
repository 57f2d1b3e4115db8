"""How a pair of faults is played: as a scenario like any other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace

from scenario import events
from scenario.chaos_plan import Step
from scenario.chaos_rules import ADDRESS, BACK, FENCED, Fault, Moment, Pair, expected
from scenario.faults import SEEN_SECONDS
from scenario.sample import Sample
from scenario.scenario import COLD_START, Scenario
from scenario.stage import Stage
from scenario.wait import until

# Seconds: about as often as samples come; and the log of events is read whole each time.
_POLL, _LOG_POLL = 0.05, 0.2


def scenario_of(step: Step) -> Scenario:
    """Return what is to be played, under the step's own name."""
    if isinstance(step.what, Scenario):
        return replace(step.what, name=step.name)
    pair, wanted = step.what, expected(step.what)

    def both(stage: Stage) -> None:
        act(pair, stage)

    both.__doc__ = pair.text
    return Scenario(
        step.name, both, fenced=wanted.fenced, perhaps=wanted.perhaps, budget=wanted.budget,
        explained=wanted.explained, cases=wanted.cases,
    )  # fmt: skip


def act(pair: Pair, stage: Stage) -> None:
    """Bring both faults about, wait until the client is served again, look on, and take them back.

    Raises TooLateError when the cluster does not get to the moment of the second fault, or beyond both.
    """
    with ExitStack() as taken_back:
        since = time.monotonic()
        come = _sign(pair.moment, stage, since) if pair.moment else None
        _strike(pair.first, stage, taken_back)
        if pair.moment and come:
            bound = COLD_START if pair.moment.fact == BACK else max(pair.first.budget, SEEN_SECONDS)
            poll = _LOG_POLL if pair.moment.fact == FENCED else _POLL
            until(come, bound, f"it does not come to this: {pair.moment.text}", poll)
            # Not to wait for anything: where in that step the fault comes is part of the plan.
            time.sleep(pair.pause)
        _strike(pair.second, stage, taken_back)
        _settle(pair, stage, time.monotonic())


def appeared(samples: Iterable[Sample], fact: str) -> bool:
    """Return whether samples of a node, in order, show it without something and then with it."""
    without = False
    for sample in samples:
        if fact not in sample.held:
            without = True
        elif without:
            return True
    return False


def booted(samples: Iterable[Sample], before: Iterable[str]) -> bool:
    """Return whether samples of a node are of another boot than those before."""
    known = set(before)
    return any(sample.boot not in known for sample in samples)


def _strike(fault: Fault, stage: Stage, taken_back: ExitStack) -> None:
    taken_back.enter_context(fault.harm(stage, stage.node(fault.at) if fault.at else ""))


def _sign(moment: Moment, stage: Stage, since: float) -> Callable[[], bool]:
    """Return the question whether a moment has come; to be had before the first fault.

    since
        Seconds of the host's monotonic clock.
    """
    node = stage.node(moment.part)
    if moment.fact == FENCED:
        # A node without power is not cut again, but its BMC is told to switch it on.
        return lambda: any(one.node == node and one.source == "bmc" for one in events.powers(stage.lab.events(since)))
    if moment.fact == BACK:
        before = {sample.boot for sample in stage.seen(node)}
        return lambda: booted(stage.seen(node, since), before)
    fact = stage.lab.addresses[0] if moment.fact == ADDRESS else moment.fact
    return lambda: appeared(stage.seen(node, since), fact)


def _settle(pair: Pair, stage: Stage, since: float) -> None:
    """Wait until everybody is fenced who is to be and the client is served again, and look on for a while.

    since
        When both faults had been brought about, in seconds of the host's monotonic clock.
    """
    wanted = expected(pair)
    for part in dict.fromkeys(wanted.fenced):
        stage.wait_fenced(stage.node(part), max(wanted.budget, SEEN_SECONDS))
    stage.writer.wait_writing(since, wanted.budget)
    if calm := min(pair.first.calm, pair.second.calm):
        stage.watch(calm)
