"""One line per scenario, for people and for programs."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

BUILD = Path(__file__).resolve().parents[2] / "build/scenario"


@dataclass(frozen=True)
class Result:
    """What a scenario showed.

    outage
        Seconds: the longest time that the client waited for an answer; None when it could not be measured.
    findings
        What did not hold; none means that every invariant held.
    took
        Seconds, with the wait until the cluster was whole again.
    cases
        What of ``fault_cases.CASES`` was played.
    commit
        Of which version of the formula.
    """

    name: str
    outage: float | None
    fenced: list[str]
    findings: list[str] = field(default_factory=list)
    took: float = 0.0
    writes: int = 0
    samples: int = 0
    cases: tuple[str, ...] = ()
    commit: str = ""

    @property
    def line(self) -> str:
        """The scenario in one line."""
        outage = "-" if self.outage is None else f"{self.outage:.1f} s"
        verdict = "held" if not self.findings else f"FAILED ({len(self.findings)})"
        fenced = ",".join(self.fenced) or "-"
        return f"{self.name:42} outage {outage:>7}  fenced {fenced:8} {self.writes:6} writes  {self.took:4.0f} s  {verdict}"


def clock(seconds: float) -> str:
    """Return seconds as people read them: ``42 s``, ``3 min``, ``1 h 05 min``."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def place(name: str, build: Path = BUILD) -> Path:
    """Return the directory of a scenario."""
    return build / name.replace(" ", "-")


def set_aside(name: str, build: Path = BUILD) -> None:
    """Keep what a scenario has left under another name, so that it can be played again."""
    kept = place(f"{name} unknown", build)
    shutil.rmtree(kept, ignore_errors=True)
    place(name, build).rename(kept)


def write(results: list[Result], directory: Path = BUILD) -> None:
    """Write ``results.json`` and ``table.txt``; called after each scenario, so that none is lost."""
    directory.mkdir(parents=True, exist_ok=True)
    document = [asdict(result) for result in results]
    (directory / "results.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (directory / "table.txt").write_text("".join(f"{result.line}\n" for result in results), encoding="utf-8")
