"""A line that a test says is seen, also when the test passes."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenario import progress

pytest_plugins = ["pytester"]


def test_line_is_printed_though_the_test_passes_and_its_own_output_is_not(pytester: pytest.Pytester) -> None:
    pytester.makeini(f"[pytest]\npythonpath = {Path(progress.__file__).parents[1]}")
    pytester.makepyfile("""
        from scenario.progress import speaker

        def test_one(request):
            print("its own")
            speaker(request.config)("server killed: held")
    """)
    printed = pytester.runpytest_subprocess("-q").outlines
    assert "server killed: held" in printed
    assert "its own" not in printed
