"""What the execution module answers on a node that has no Corosync, or not all of it."""

from __future__ import annotations

from types import ModuleType

import pytest

from hadb_core.errors import Unreadable
from hadb_core.process import Result
from support import load


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module on a node without a corosync.conf."""
    loaded = load("_modules/corosync.py")
    monkeypatch.setattr(loaded, "configuration", lambda: None)
    return loaded


def test_a_blank_node_runs_nothing_and_has_nothing_pending(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(argv: list[str], **_how: object) -> Result:
        raise AssertionError(f"{argv} is not installed yet")

    monkeypatch.setattr(module, "installed", lambda: False)
    monkeypatch.setattr(module, "_run", run)
    assert module.pending() == {"running": False, "file": None, "impact": "none", "changes": {}}


def test_a_running_corosync_without_a_file_is_not_taken_for_settled(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "running", lambda: True)
    with pytest.raises(Unreadable, match="corosync.conf"):
        module.pending()
