"""A control: a setting that is broken on purpose, and what of ours has to notice it. Pure.

A suite that is never red shows nothing. So each control has to make one scenario or check red, and for its own reason:
red for another one would be luck.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from scenario.stage import Stage

CAUGHT, MISSED, OTHERWISE, UNKNOWN = "caught", "NOT CAUGHT", "RED FOR ANOTHER REASON", "unknown"
# What says something about the lab, or about nothing.
_TROUBLE = re.compile(r"(LabError|FrontEndError|OSError|TimeoutExpired|BrokenPipeError): |I2: nobody looked at ")


@dataclass(frozen=True)
class Control:
    """A broken setting.

    area
        What kind of setting it is: pillar, fencing, quorum, cluster, storage, database, monitors, network, secrets.
    broken
        What is wrong, in words.
    catcher
        The scenario that is then played, or the check that is then made (``control_checks.CHECKS``).
    pattern
        What one of its findings has to match for the control to be caught; a regular expression that is searched for.
    breaks
        Breaks it, on a whole cluster, and returns once it is broken. Nobody puts it back: the lab is restored afterwards.
    """

    name: str
    area: str
    broken: str
    catcher: str
    pattern: str
    breaks: Callable[[Stage], None]


@dataclass(frozen=True)
class Outcome:
    """What became of a control.

    verdict
        One of the words above.
    why
        The finding that caught it, or why it is not caught.
    findings
        Everything that was found.
    took
        Seconds, with bringing back a whole cluster first.
    commit
        Of which version of the formula.
    """

    name: str
    area: str
    broken: str
    catcher: str
    pattern: str
    verdict: str
    why: str
    findings: list[str] = field(default_factory=list)
    took: float = 0.0
    commit: str = ""

    @property
    def line(self) -> str:
        """The control in one line, and a second one with the reason unless it was caught."""
        told = "" if self.verdict == CAUGHT else f"\n    {self.why[:300]}"
        return f"{self.area:9} {self.name:36} {self.catcher:38} {self.took:4.0f} s  {self.verdict}{told}"


def judge(pattern: str, findings: Sequence[str], before: Iterable[str] = (), trouble: str = "") -> tuple[str, str]:
    """Return the verdict on a control and its reason.

    findings
        What the catcher found with the broken setting.
    before
        What it finds without: then it proves nothing.
    trouble
        Why the setting could not be broken, or the catcher not be asked.
    """
    if trouble:
        return UNKNOWN, trouble
    if already := _matching(pattern, before):
        return OTHERWISE, f"red before anything was broken: {already}"
    if found := _matching(pattern, findings):
        return CAUGHT, found
    if not findings:
        return MISSED, f"nothing was found; wanted: {pattern}"
    if all(_TROUBLE.match(finding) for finding in findings):
        return UNKNOWN, findings[0]
    return OTHERWISE, f"nothing matches {pattern}: {'; '.join(findings)}"


def outcome(control: Control, verdict: tuple[str, str], findings: Sequence[str] = (), took: float = 0.0) -> Outcome:
    """Return what became of a control."""
    word, why = verdict
    return Outcome(control.name, control.area, control.broken, control.catcher, control.pattern, word, why, list(findings),
                   round(took, 1))  # fmt: skip


def chosen(controls: Sequence[Control], names: str) -> list[Control]:
    """Return the controls with these names, separated by commas, in the table's order; all when there is none.

    Raises ValueError with the names that there are not.
    """
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    known = [control.name for control in controls]
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(f"no control named {', '.join(unknown)}; there are {', '.join(known)}")
    return [control for control in controls if not wanted or control.name in wanted]


def summary(outcomes: Iterable[Outcome]) -> str:
    """Return the last line: how many controls were caught, how many not, and of how many nothing is known."""
    count = Counter(one.verdict for one in outcomes)
    failed, unknown = count[MISSED] + count[OTHERWISE], count[UNKNOWN]
    return f"{count[CAUGHT]} passed, {failed} failed" + (f", {unknown} unknown" if unknown else "")


def all_caught(outcomes: Sequence[Outcome], wanted: int) -> bool:
    """Return whether as many controls as wanted were played, and each was caught."""
    return len(outcomes) == wanted > 0 and all(one.verdict == CAUGHT for one in outcomes)


def write(outcomes: Sequence[Outcome], directory: Path) -> None:
    """Write ``results.json`` and ``table.txt``; called after each control, so that none is lost."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "results.json").write_text(json.dumps([asdict(one) for one in outcomes], indent=1) + "\n", encoding="utf-8")
    (directory / "table.txt").write_text("".join(f"{line}\n" for line in [*(one.line for one in outcomes), summary(outcomes)]),
                                         encoding="utf-8")  # fmt: skip


def _matching(pattern: str, findings: Iterable[str]) -> str:
    return next((finding for finding in findings if re.search(pattern, finding)), "")
