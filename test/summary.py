"""Add up the suites' reports in build/*.xml, with a reason for whatever was skipped; the last line is what CI reads."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

SUITES = ("unit", "unit-3006", "orchestration", "orchestration-3006", "tool", "scenario")


@dataclass(frozen=True)
class Report:
    """What one suite's report says."""

    passed: int
    failed: int
    skipped: int
    seconds: float
    reasons: Counter[str]


def read(path: Path) -> Report:
    """Return what a JUnit report says."""
    node = ElementTree.parse(path).getroot().find("testsuite")
    assert node is not None, path
    count = {key: int(node.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
    failed = count["failures"] + count["errors"]
    reasons = Counter(one.get("message") or "no reason given" for one in node.iter("skipped"))
    passed = count["tests"] - failed - count["skipped"]
    return Report(passed, failed, count["skipped"], float(node.get("time", 0)), reasons)


def main(folder: Path = Path("build")) -> int:
    """Print one line per suite, the reasons of its skips, and the sum.

    :returns: 1 when a suite failed, is missing or ran nothing.
    """
    reports: dict[str, Report] = {}
    for suite in SUITES:
        path = folder / f"{suite}.xml"
        if not path.exists():
            print(f"{suite}: no report")
            continue
        report = reports[suite] = read(path)
        print(
            f"{suite}: {report.passed} passed, {report.failed} failed, {report.skipped} skipped in {report.seconds:.0f} s"
        )
        for reason, times in report.reasons.most_common():
            print(f"  skipped {times} x: {reason}")
    passed, failed, skipped = (sum(getattr(one, what) for one in reports.values()) for what in ("passed", "failed", "skipped"))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    complete = len(reports) == len(SUITES) and all(report.passed for report in reports.values())
    return 0 if complete and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
