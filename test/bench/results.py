"""What was measured, as one document; written after every run, so that an interrupted bench keeps what it has."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.cases import CALM, FORMULA, Case
from bench.stats import Summary, summary

BUILD = Path(__file__).resolve().parents[2] / "build/bench"
OUTAGES = "outages"
# What can be measured by itself, and where it is among the results.
PARTS = {OUTAGES: ("runs", "floor", "rounds"), FORMULA: ("formula",), CALM: ("calm",)}


@dataclass
class Run:
    """One fault with one configuration.

    outage
        Seconds; None: it did not end within the case's bound.
    lost
        Acknowledged writes that were gone afterwards; None: the table could not be read back.
    phases, marks
        Seconds by phase, and moments after the outage began.
    findings
        What kept the run from being measured, or what is wrong with it; normally nothing.
    took
        Seconds, with everything around it.
    """

    case: str
    config: str
    round: int
    outage: float | None = None
    lost: int | None = None
    active: str = ""
    fenced: list[str] = field(default_factory=list)
    phases: dict[str, float] = field(default_factory=dict)
    marks: dict[str, float] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    measured: bool = False
    took: float = 0.0


@dataclass
class Results:
    """Everything that one ``make bench`` measured.

    machine
        What it ran on, and when.
    floor
        Seconds of the database's own work: lists by ``stop``, ``start``, ``recovery``.
    formula
        See :mod:`bench.formula`.
    calm
        See :mod:`bench.calm`.
    kept
        By part (one of ``PARTS``) that an earlier bench measured: the machine and the moment then.
    """

    machine: dict[str, str] = field(default_factory=dict)
    rounds: int = 0
    runs: list[Run] = field(default_factory=list)
    floor: dict[str, list[float]] = field(default_factory=dict)
    formula: dict[str, Any] = field(default_factory=dict)
    calm: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    kept: dict[str, dict[str, str]] = field(default_factory=dict)

    def keep(self, former: Results, measured: Collection[str]) -> None:
        """Take over from an earlier bench the parts that this one does not measure.

        measured
            Those of ``PARTS`` that it does.
        """
        for part, names in PARTS.items():
            if part not in measured and any(getattr(former, name) for name in names):
                self.kept[part] = former.kept.get(part, former.machine)
                for name in names:
                    setattr(self, name, getattr(former, name))

    def of(self, case: Case, config: str) -> list[Run]:
        """Return the measured runs of a case with a configuration."""
        return [run for run in self.runs if (run.case, run.config) == (case.id, config) and run.measured]

    def summary(self, case: Case, config: str) -> Summary | None:
        """Return what the runs of a case with a configuration showed, or None without any."""
        return summary([run.outage for run in self.of(case, config)], case.bound)


def write(results: Results, path: Path = BUILD / "results.json") -> None:
    """Replace the file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(results), indent=1) + "\n", encoding="utf-8")
    fresh.replace(path)


def read(path: Path = BUILD / "results.json") -> Results:
    """Return what a bench wrote.

    Raises ValueError when there is no such file, or it is not one of the bench.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Results(**{**document, "runs": [Run(**run) for run in document["runs"]]})
    except FileNotFoundError as error:
        raise ValueError(f"{path}: no such file; `make bench` writes it") from error
    except (TypeError, KeyError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: not results of this bench: {error}") from error
