"""Real output of Pacemaker 2.1.5, 3.0.0 and 3.0.3 (test/tool/capture_cluster.py): two nodes, live daemons, hadb's own configuration."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from command_queue import Commands
from joined_module import pacemaker

from hadb_core import cib_merge

VERSIONS = ("2.1.5", "3.0.0", "3.0.3")


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def real(version: str) -> Callable[[str], str]:
    """Return a reader of fixtures of one Pacemaker version."""
    return lambda name: (Path(__file__).parent / "fixtures" / f"{name}-{version}.xml").read_text(
        encoding="utf-8"
    )


@pytest.fixture
def running(real: Callable[[str], str]) -> ET.Element:
    """The live CIB of a settled cluster that hadb configured."""
    return cib_merge.parse(real("cib-running"))


@pytest.fixture
def held(real: Callable[[str], str]) -> ET.Element:
    """The same with a standby, a maintenance, a ban, an unmanaged and a stopped resource."""
    return cib_merge.parse(real("cib-held"))


@pytest.fixture
def commands() -> Iterator[Commands]:
    queue = Commands()
    yield queue
    assert queue.expected == []


@pytest.fixture
def module(commands: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """The execution module on a node that has Pacemaker."""
    loaded = pacemaker(commands.run_all)
    monkeypatch.setattr(loaded.pacemaker, "_SAVED", tmp_path / "cib.xml")
    monkeypatch.setattr(loaded.pacemaker_operate, "_PAUSE", 0)
    return loaded
