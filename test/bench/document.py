"""Fills docs/performance.md from build/bench/results.json."""

from __future__ import annotations

import shutil
from pathlib import Path

from pages import filled

from bench import results, table

PAGE = Path(__file__).resolve().parents[2] / "docs/performance.md"
PLOT = "timeline.svg"


def fill(build: Path = results.BUILD, page: Path = PAGE) -> None:
    """Put the figures and the plot of the last bench into the documentation.

    Raises ValueError when there are no results, or the page has no place for them.
    """
    block = f"![timeline of the outages]({PLOT})\n\n{table.markdown(results.read(build / 'results.json'))}"
    text = filled(page.read_text(encoding="utf-8"), "bench", block)
    shutil.copyfile(build / PLOT, page.parent / PLOT)
    page.write_text(text, encoding="utf-8")
