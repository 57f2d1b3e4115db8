"""Answers of real servers, captured by ``test/tool/database_capture.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hadb_core import db_facts

FIXTURES = Path(__file__).parent / "fixtures"
FLAVOURS = {"bookworm": "mariadb", "trixie": "mariadb", "sid": "mysql"}


def rows(suite: str, name: str) -> list[dict[str, Any]]:
    """Return the rows of one answer."""
    return db_facts.rows((FIXTURES / suite / f"{name}.jsonl").read_text(encoding="utf-8"), suite)
