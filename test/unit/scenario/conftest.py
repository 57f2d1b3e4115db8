"""What tests of scenarios share."""

from __future__ import annotations

import pytest
from fake_stage import Clock, FakeLab
from scenario import faults_cluster, faults_fencing, faults_network, faults_takeover, stage, wait


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> FakeLab:
    """A lab without machines, in which waiting takes no time."""
    clock = Clock()
    for module in (faults_cluster, faults_fencing, faults_network, faults_takeover, stage, wait):
        monkeypatch.setattr(module, "time", clock)
    return FakeLab()
