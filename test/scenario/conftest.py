"""One lab session for all scenarios: blank, built, converged, then one fault after the other."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

# A lab of its own: `make test` leaves the one that `make demo` shows alone.
os.environ.setdefault("HADB_LAB", "scenario")

from scenario import fault_cases, results  # noqa: E402 - the lab's name must be known before the lab is looked for
from scenario.lab import Lab, commit  # noqa: E402
from scenario.progress import speaker  # noqa: E402
from scenario.results import Result  # noqa: E402
from scenario.scenarios import EVERYTHING  # noqa: E402
from scenario.session import Session, down, up  # noqa: E402
from scenario.verdicts import verdict  # noqa: E402

# `make faults` names them, `make scenario` does not.
collect_ignore = [] if EVERYTHING else ["test_security.py"]


@pytest.fixture(scope="session")
def session() -> Iterator[Session]:
    """The lab, up; taken down at the end unless HADB_SCENARIO_KEEP=1."""
    lab = Lab()
    yield up(lab)
    down(lab)


@pytest.fixture
def lab(session: Session) -> Lab:
    """The lab as the test before left it."""
    return session.lab


@pytest.fixture
def blank(session: Session) -> Lab:
    """The lab with database nodes on which nothing was ever done."""
    return session.blank()


@pytest.fixture
def converged(session: Session) -> Lab:
    """The lab with a whole cluster, built now if the tests before did not leave one."""
    return session.converged()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of scenarios."""
    table = results.BUILD / "table.txt"
    if _played and table.exists():
        terminalreporter.section("scenarios")
        terminalreporter.write(table.read_text(encoding="utf-8"))
        terminalreporter.section("fault cases")
        last = {result.name: result for result in _played}
        if twice := len(_played) - len(last):
            terminalreporter.write_line(f"{twice} scenarios were played twice: the lab could not show them the first time")
        verdicts = fault_cases.verdicts_of([(result.cases, verdict(result.findings)) for result in last.values()], _tests)
        (results.BUILD / "cases.json").write_text(json.dumps(verdicts, indent=1) + "\n", encoding="utf-8")
        for line in fault_cases.report(verdicts, everything=EVERYTHING):
            terminalreporter.write_line(line)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Take down which tests passed: some play fault cases, as scenarios do."""
    if report.when == "call" or report.failed:
        name = fault_cases.key_of(report.nodeid)
        _tests[name] = report.passed and _tests.get(name, True)


_played: list[Result] = []
_tests: dict[str, bool] = {}


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Print a line at once, whatever becomes of the test."""
    return speaker(request.config)


@pytest.fixture(scope="session")
def code() -> str:
    """Of which version of the formula the results are."""
    return commit()


@pytest.fixture
def record(say: Callable[[str], None], code: str) -> Callable[[Result], None]:
    """Take a scenario's result into the table, and say it at once."""

    def take(result: Result) -> None:
        _played.append(replace(result, commit=code))
        results.write(_played)
        say(result.line)

    return take
