"""Carries out the plan: one thing after the other, each kept at once, with the time left."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from scenario.results import clock

from bench import calm, chart, floor, formula, measure, results, table
from bench.cases import CALM, FORMULA, OURS
from bench.plan import FLOOR, Item, seconds_left
from bench.results import BUILD, OUTAGES, Results, Run
from bench.stand import Stand, machine
from bench.switch import Switch
from documents import document
from hadblab.errors import LabError

_FAULTS = (LabError, AssertionError, ValueError, OSError)
# A lab that cannot even be restored twice in a row measures nothing any more.
_MOST_RESTORES_IN_A_ROW = 2


class Bench:
    """A bench under way.

    minutes
        How long each part of the calm lasts.
    tell
        Takes lines for whoever watches.
    """

    def __init__(self, items: Sequence[Item], rounds: int, minutes: float, tell: Callable[[str], None]) -> None:
        self.items = items
        self._rounds = rounds
        self._minutes = minutes
        self.results = Results(rounds=rounds)
        with suppress(ValueError):
            self.results.keep(results.read(), {OUTAGES if item.case else item.kind for item in items})
        self._tell = tell
        self._took: dict[tuple[str, str], list[float]] = {}

    def run(self) -> Results:
        """Measure everything and return it. Raises LabError or AssertionError when there is no lab to measure in."""
        shutil.rmtree(BUILD / "runs", ignore_errors=True)
        self._tell("lab: starting, and building the cluster unless a kept one is there (10 min)")
        stand = Stand(BUILD)
        try:
            stand.converged()
            self.results.machine = machine(stand.lab)
            self._carry_out(stand)
        finally:
            self.keep()
            stand.close()
        return self.results

    def keep(self) -> None:
        """Write down what there is: figures, table and plot."""
        results.write(self.results)
        (BUILD / "table.txt").write_text(table.text(self.results), encoding="utf-8")
        (BUILD / "timeline.svg").write_text(chart.svg(self.results), encoding="utf-8")

    def _carry_out(self, stand: Stand) -> None:
        switch = Switch(stand.lab)
        switch.check()
        restores = 0
        for number, item in enumerate(self.items):
            left = seconds_left(self.items[number:], self._took)
            self._tell(f"{number + 1}/{len(self.items)} {item.name}, {clock(left)} left")
            began = time.monotonic()
            whole = self._do(item, stand, switch)
            key = (item.case.id if item.case else item.kind, item.config)
            self._took.setdefault(key, []).append(time.monotonic() - began)
            self.keep()
            restores = 0 if whole else restores + 1
            if not whole and number + 1 < len(self.items):
                if restores > _MOST_RESTORES_IN_A_ROW:
                    raise LabError(f"{restores} failures in a row, the lab restored after each: see {BUILD / 'table.txt'}")
                self._tell("the cluster is not whole: going back to the one that was built")
                stand.back()
                switch.restored()

    def _do(self, item: Item, stand: Stand, switch: Switch) -> bool:
        """Do one thing and return whether the cluster is whole afterwards."""
        try:
            switch.use(item.config)
            if item.case:
                run, whole = measure.play(stand.lab, item.case, item.config, item.round, BUILD / "runs" / item.name)
                self.results.runs.append(run)
                self._tell(said(run))
                return whole
            if item.kind == FLOOR:
                self.results.floor = floor.measure(stand.lab, document()["database"], BUILD / "runs" / FLOOR)
                switch.use(OURS, again=True)
            elif item.kind == FORMULA:
                formula.measure(stand.lab, self._rounds, self._keep_formula, self._tell)
            elif item.kind == CALM:
                calm.measure(stand.lab, self._minutes, BUILD / "runs" / CALM, self._keep_calm, self._tell)
        except _FAULTS as error:
            self._failed(item, f"{type(error).__name__}: {error}")
            return False
        return True

    def _keep_formula(self, found: dict[str, object]) -> None:
        self.results.formula = found
        self.keep()

    def _keep_calm(self, found: dict[str, object]) -> None:
        self.results.calm = found
        self.keep()

    def _failed(self, item: Item, why: str) -> None:
        self._tell(f"{item.name}: {why}")
        if item.case:
            self.results.runs.append(Run(item.case.id, item.config, item.round, findings=[why]))
        else:
            self.results.problems.append(f"{item.name}: {why}")


def said(run: Run) -> str:
    """Return a run in one line."""
    outage = "never" if run.outage is None else f"{run.outage:.2f} s"
    where = ", ".join(f"{phase} {seconds:.1f}" for phase, seconds in run.phases.items() if seconds >= 0.05)
    return "; ".join([f"  {run.case} {run.config}: {outage if run.measured else 'not measured'}", *([where] if where else []),
                      *run.findings])  # fmt: skip
