"""``python -m scenario.figures``: what ``make reliability`` runs.

Puts the figures of the last `make faults`, `make controls` and `make chaos` into docs/reliability.md, and the results that
they were made from into docs/runs. What was not run since the build directory was made keeps the figures that it has.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pages import filled

from scenario import chaos_record, fault_cases
from scenario.lab import CHECKOUT
from scenario.results import clock

PAGE = CHECKOUT / "docs/reliability.md"
BUILD = CHECKOUT / "build"


def faults(path: Path) -> str:
    """Return the figures of `make faults` from its results. Raises FileNotFoundError when there are none."""
    played = json.loads(path.read_text(encoding="utf-8"))
    verdicts = json.loads(path.with_name("cases.json").read_text(encoding="utf-8"))
    rows = [(one["name"], ", ".join(one["cases"]) or "-", _seconds(one["outage"]), ", ".join(one["fenced"]) or "-", one["writes"],
             "held" if not one["findings"] else "FAILED") for one in played]  # fmt: skip
    held = sum(not one["findings"] for one in played)
    writes, samples, took = (sum(one[key] for one in played) for key in ("writes", "samples", "took"))
    return "\n".join([
        _origin(path, (one["commit"] for one in played)),
        f"{fault_cases.report(verdicts, everything=False)[-1]}.",
        f"{held} of {len(played)} scenarios held, in {clock(took)}: {writes} acknowledged writes, {samples} samples.", "",
        *_table(("scenario", "cases", "outage", "fenced", "acknowledged writes", "verdict"), rows),
    ])  # fmt: skip


def controls(path: Path) -> str:
    """Return the figures of `make controls` from its results. Raises FileNotFoundError when there are none."""
    played = json.loads(path.read_text(encoding="utf-8"))
    rows = [(one["broken"], one["catcher"], one["verdict"]) for one in played]
    caught = sum(one["verdict"] == "caught" for one in played)
    return "\n".join([
        _origin(path, (one["commit"] for one in played)),
        f"{caught} of {len(played)} were caught, in {clock(sum(one['took'] for one in played))}.", "",
        *_table(("broken", "by", "verdict"), rows),
    ])  # fmt: skip


def chaos(path: Path) -> str:
    """Return the figures of `make chaos` from its results. Raises FileNotFoundError when there are none."""
    record = chaos_record.read(path)
    if record is None:
        raise FileNotFoundError(path)
    took = clock(sum(one.took for one in record.outcomes))
    outages = [one.outage for one in record.outcomes if one.outage is not None]
    longest = f"; the longest outage of a client was {max(outages):.0f} s" if outages else ""
    writes = sum(one.writes for one in record.outcomes)
    origin = _origin(path, (one.commit for one in record.outcomes))
    return "\n".join([origin, *chaos_record.summary(record), "", f"In {took}, with {writes} acknowledged writes{longest}."])


# Where a command's results are below build/, and what makes figures of them.
PARTS: Mapping[str, tuple[str, Callable[[Path], str]]] = {
    "faults": ("scenario/results.json", faults),
    "controls": ("controls/results.json", controls),
    "chaos": ("chaos/results.json", chaos),
}


def fill(build: Path = BUILD, page: Path = PAGE) -> list[str]:
    """Put all figures that there are into the page, their sources beside it, and return their names.

    Raises ValueError when the page has no place for them.
    """
    runs = page.with_name("runs")
    runs.mkdir(exist_ok=True)
    text, done = page.read_text(encoding="utf-8"), []
    for name, (place, part) in PARTS.items():
        path = build / place
        try:
            block = part(path)
        except FileNotFoundError:
            continue
        text = filled(text, name, block)
        shutil.copy(path, runs / f"{name}.json")
        done.append(name)
    page.write_text(text, encoding="utf-8")
    return done


def _origin(path: Path, commits: Iterable[str]) -> str:
    """Return with what code a run's results came about, and on what day they were written."""
    day = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
    return f"Code {', '.join(dict.fromkeys(commits))}, {day:%Y-%m-%d}."


def _table(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> list[str]:
    return [f"| {' | '.join(str(cell) for cell in row)} |" for row in (head, ("---",) * len(head), *rows)]


def _seconds(outage: float | None) -> str:
    return "-" if outage is None else f"{outage:.1f} s"


if __name__ == "__main__":
    filled_in = fill()
    print(f"docs/reliability.md has the figures of: {', '.join(filled_in) or 'nothing, there are none in build/'}")
    sys.exit(0 if filled_in else 1)
