"""A line to whoever waits, from inside a test."""

from __future__ import annotations

from collections.abc import Callable

import pytest


def speaker(config: pytest.Config) -> Callable[[str], None]:
    """Return what prints a line at once, whatever becomes of the test that says it."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")

    def tell(line: str) -> None:
        # What the reporter writes in a test is taken for the test's own output, which is shown only when it fails.
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(line)

    return tell
