"""Figures go between two marks of a page, and nowhere else."""

from __future__ import annotations

import pytest
from pages import filled

BEGIN, END = "<!-- x: begin -->", "<!-- x: end -->"


def test_block_replaces_what_is_between_the_marks() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter <!-- y: end -->\n"
    assert filled(page, "x", "new\n") == f"before\n{BEGIN}\nnew\n{END}\nafter <!-- y: end -->\n"


@pytest.mark.parametrize("page", ["", BEGIN, f"{END}{BEGIN}", 2 * f"{BEGIN}{END}", f"{BEGIN}{END}{END}"])
def test_page_without_its_marks_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="once each"):
        filled(page, "x", "new")
