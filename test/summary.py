"""Add up the suites' reports in build/*.xml; the last line is what CI reads."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

SUITES = ("unit", "tool", "scenario")


def main() -> int:
    """Print one line per suite and the sum; return 1 when a suite failed, is missing or ran nothing."""
    total = {"passed": 0, "failed": 0, "skipped": 0}
    complete = True
    for suite in SUITES:
        report = Path("build") / f"{suite}.xml"
        if not report.exists():
            print(f"{suite}: no report")
            complete = False
            continue
        node = ElementTree.parse(report).getroot().find("testsuite")
        count = {key: int(node.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
        failed = count["failures"] + count["errors"]
        passed = count["tests"] - failed - count["skipped"]
        complete = complete and passed > 0
        print(
            f"{suite}: {passed} passed, {failed} failed, {count['skipped']} skipped in {float(node.get('time', 0)):.0f} s"
        )
        for key, value in (("passed", passed), ("failed", failed), ("skipped", count["skipped"])):
            total[key] += value
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 0 if complete and not total["failed"] else 1


if __name__ == "__main__":
    sys.exit(main())
