"""Fills docs/performance.md from build/bench/results.json, between its two marks: no figure is typed by hand."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench import results, table

PAGE = Path(__file__).resolve().parents[2] / "docs/performance.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
PLOT = "timeline.svg"


def filled(page: str, block: str) -> str:
    """Return a page with ``block`` between its marks.

    Raises ValueError when the marks are not there, once each and in order.
    """
    before, first, rest = page.partition(BEGIN)
    _, second, after = rest.partition(END)
    if not first or not second or BEGIN in rest or END in after:
        raise ValueError(f"the page needs {BEGIN} and after it {END}, once each")
    return f"{before}{BEGIN}\n{block.strip()}\n{END}{after}"


def fill(build: Path = results.BUILD, page: Path = PAGE) -> None:
    """Put the figures and the plot of the last bench into the documentation.

    Raises ValueError when there are no results, or the page has no place for them.
    """
    block = f"![timeline of the outages]({PLOT})\n\n{table.markdown(results.read(build / 'results.json'))}"
    text = filled(page.read_text(encoding="utf-8"), block)
    shutil.copyfile(build / PLOT, page.parent / PLOT)
    page.write_text(text, encoding="utf-8")
