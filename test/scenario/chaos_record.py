"""What a chaos run showed: verdicts, the rate of failures that they leave possible, and how it is told. Pure but for the files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from math import comb
from pathlib import Path

from scenario.chaos_plan import Step
from scenario.fault_cases import coverage
from scenario.results import Result, clock
from scenario.verdicts import FAIL, PASS, UNKNOWN, verdict

BUILD = Path(__file__).resolve().parents[2] / "build/chaos"
_CONFIDENCE = 0.95
# Without a failure, and with some.
_RULE_OF_THREE = "rule of three, 3/n: Hanley and Lippman-Hand, JAMA 249 (1983) 1743"
_EXACT = "exact: Clopper and Pearson, Biometrika 26 (1934) 404"


@dataclass(frozen=True)
class Outcome:
    """What one step showed; fields as those of :class:`scenario.results.Result`."""

    number: int
    kind: str
    text: str
    verdict: str
    outage: float | None = None
    fenced: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)
    took: float = 0.0
    writes: int = 0
    commit: str = ""

    @property
    def line(self) -> str:
        """The step in one line."""
        outage = "-" if self.outage is None else f"{self.outage:.1f} s"
        fenced = ",".join(self.fenced) or "-"
        return f"{self.number:4}  {self.text:90}  outage {outage:>7}  fenced {fenced:8} {self.took:4.0f} s  {self.verdict}"


@dataclass(frozen=True)
class Record:
    """What all steps of a plan showed so far.

    plan
        The plan's fingerprint: steps of another plan are not added up with these.
    """

    seed: int
    count: int
    plan: str
    outcomes: list[Outcome] = field(default_factory=list)

    def number_of(self, verdict: str) -> int:
        """Return how many steps ended so."""
        return sum(outcome.verdict == verdict for outcome in self.outcomes)


def outcome(step: Step, result: Result, commit: str) -> Outcome:
    """Return what is kept of a step's result."""
    return Outcome(step.number, step.kind, step.text, verdict(result.findings), result.outage, result.fenced,
                   result.findings, list(result.cases), result.took, result.writes, commit)  # fmt: skip


def upper_bound(failures: int, steps: int) -> float | None:
    """Return the rate of failures that is exceeded with a probability of 5 % at most; None without any step.

    3/n without a failure, else the one-sided bound of Clopper and Pearson: the rate at which so few failures have a
    probability of 5 %. That a run ends at its first failure makes it no smaller than it should be.
    """
    if steps < 1:
        return None
    if failures == 0:
        return min(3 / steps, 1.0)
    if failures >= steps:
        return 1.0
    low, high = failures / steps, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(failures, steps, middle) > 1 - _CONFIDENCE else (low, middle)
    return high


def progress(found: Outcome, count: int, left: float) -> str:
    """Return the line that is printed after a step: number, faults, outage, verdict, time left in seconds as people read it."""
    outage = "-" if found.outage is None else f"{found.outage:.1f} s"
    return f"{found.number}/{count} {found.text}: outage {outage}, {found.verdict}, {clock(left)} left"


def summary(record: Record) -> list[str]:
    """Return what is printed at the end; the last line is what counts."""
    passed, failed, unknown = (record.number_of(verdict) for verdict in (PASS, FAIL, UNKNOWN))
    played = coverage(case for found in record.outcomes if found.verdict == PASS for case in found.cases)
    cases, _, missing = played.partition("; ")
    found = [f"{one.number}: {finding}" for one in record.outcomes if one.verdict != PASS for finding in one.findings]
    return [
        *found, *([missing] if missing else []),
        f"{len(record.outcomes)} of {record.count} steps, seed {record.seed}, {cases}, {_rate(failed, passed + failed)}; "
        f"{passed} passed, {failed} failed, {unknown} unknown",
    ]  # fmt: skip


def write(record: Record, directory: Path = BUILD) -> None:
    """Write ``results.json`` and ``table.txt``; called after each step, so that an interrupt loses none."""
    directory.mkdir(parents=True, exist_ok=True)
    table = [*(found.line for found in record.outcomes), *summary(record)]
    documents = {"results.json": json.dumps(asdict(record), indent=1), "table.txt": "\n".join(table)}
    for name, text in documents.items():
        fresh = directory / f"{name}.new"
        fresh.write_text(f"{text}\n", encoding="utf-8")
        fresh.replace(directory / name)


def read(path: Path = BUILD / "results.json") -> Record | None:
    """Return what a run wrote, or None when there is nothing.

    Raises ValueError for a file that is not a run's.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Record(**{**document, "outcomes": [Outcome(**found) for found in document["outcomes"]]})
    except FileNotFoundError:
        return None
    except (TypeError, KeyError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: not results of chaos: {error}") from error


def earlier(found: Record | None, fresh: Record, start: int) -> list[Outcome]:
    """Return what an earlier run of the same plan showed of the steps before ``start``."""
    same = found is not None and (found.seed, found.count, found.plan) == (fresh.seed, fresh.count, fresh.plan)
    return [one for one in found.outcomes if one.number < start] if found and same else []


def _at_most(failures: int, steps: int, rate: float) -> float:
    """Return the probability of so many failures or fewer."""
    return sum(comb(steps, k) * rate**k * (1 - rate) ** (steps - k) for k in range(failures + 1))


def _rate(failures: int, steps: int) -> str:
    bound = upper_bound(failures, steps)
    if bound is None:
        return "no rate of failures without a verdict"
    source = _EXACT if failures else _RULE_OF_THREE
    return f"failures in {100 * bound:.3g} % at most ({100 * _CONFIDENCE:.0f} % bound of {steps} verdicts; {source})"
