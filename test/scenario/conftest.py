"""One lab session for all scenarios: blank, built, converged, then one fault after the other."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

# A lab of its own: `make test` leaves the one that `make demo` shows alone.
os.environ.setdefault("HADB_LAB", "scenario")

from scenario import fault_cases, results  # noqa: E402 - the lab's name must be known before the lab is looked for
from scenario.lab import UP_SECONDS, Lab, keep  # noqa: E402
from scenario.results import Result  # noqa: E402
from scenario.session import Session  # noqa: E402


@pytest.fixture(scope="session")
def session() -> Iterator[Session]:
    """The lab, up; taken down at the end unless HADB_SCENARIO_KEEP=1."""
    lab = Lab()
    if not keep():
        lab.verb("down")
    words = ["--distro", os.environ.get("DISTRO", "debian13"), "--salt", os.environ.get("SALT", "3008.3")]
    lab.verb("up", *words, timeout=UP_SECONDS)
    yield Session(lab)
    if not keep():
        lab.verb("down")


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
        terminalreporter.write_line(f"held in {fault_cases.coverage(fault_cases.held(_played))}")


_played: list[Result] = []


@pytest.fixture
def record(request: pytest.FixtureRequest):
    """Take a scenario's result into the table, and say it at once."""
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")

    def take(result: Result) -> None:
        _played.append(result)
        results.write(_played)
        reporter.ensure_newline()
        reporter.write_line(result.line)

    return take
