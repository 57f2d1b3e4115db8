"""Puts what was measured into pages of the documentation, between two marks: no figure is typed by hand."""

from __future__ import annotations


def filled(page: str, name: str, block: str) -> str:
    """Return a page with ``block`` between the marks ``<!-- NAME: begin -->`` and ``<!-- NAME: end -->``.

    Raises ValueError when the marks are not there, once each and in order.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, first, rest = page.partition(begin)
    _, second, after = rest.partition(end)
    if not first or not second or begin in rest or end in after:
        raise ValueError(f"the page needs {begin} and after it {end}, once each")
    return f"{before}{begin}\n{block.strip()}\n{end}{after}"
