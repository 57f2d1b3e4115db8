"""What the tests of the database's modules and of its resource agent share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest
from database_chroot import Node, small


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return where an instance of a suite is that was made by hadb, to be copied: making one takes seconds."""

    @functools.cache
    def template(suite: str) -> Path:
        made = Node(suite, tmp_path_factory.mktemp(suite))
        made.made(small(made.flavour))
        return made.work / "dbmnt/mysql"

    return template
