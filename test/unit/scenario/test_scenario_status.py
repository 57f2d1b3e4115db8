"""The cluster's own view, read from what real clusters printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenario.status import Failure, Fencing, Member, epoch, parse

# Captured from Pacemaker 2.1.5 and 3.0.0 for the formula's own reader; this is another reader.
FIXTURES = Path(__file__).parents[1] / "pacemaker/fixtures"


@pytest.mark.parametrize("version", ["2.1.5", "3.0.0"])
def test_running_cluster_is_read(version: str) -> None:
    status = parse((FIXTURES / f"crm_mon-running-{version}.xml").read_text(encoding="utf-8"))
    assert status.quorum
    assert all(member.online and not member.trouble for member in status.members.values())
    homes = {status.home(name) for name in ("db-lvm", "db-fs", "vip-nova", "vip-glance", "db-server")}
    assert len(homes) == 1
    assert status.home("fence-db1") == "db2"
    assert status.home("fence-db2") == "db1"


@pytest.mark.parametrize("version", ["2.1.5", "3.0.0"])
def test_fenced_node_stopped_device_and_remembered_failure_are_read(version: str) -> None:
    status = parse((FIXTURES / f"crm_mon-fenced-{version}.xml").read_text(encoding="utf-8"))
    assert status.members["db2"] == Member("db2", False, ())
    assert status.home("fence-db1") is None
    (fencing,) = status.fencing
    assert isinstance(fencing, Fencing)
    assert (fencing.target, fencing.status) == ("db2", "success")
    assert fencing.completed
    assert [(failure.resource, failure.task, failure.node) for failure in status.failures] == [("db-server", "monitor", "db1")]
    assert isinstance(status.failures[0], Failure)


def test_failure_without_a_task_of_its_own_is_read() -> None:
    """Captured when the fencer was killed while a device was monitored: such a failure has no time, and crm_mon tells no task."""
    text = (Path(__file__).parent / "fixtures/crm_mon-fencer-lost-3.0.0.xml").read_text(encoding="utf-8")
    assert parse(text).failures == (Failure("fence-db1", "monitor", "db2", "Lost connection to fencer"),)


@pytest.mark.parametrize("text", ["", "<a", "<pacemaker-result/>", "Error: cluster is not available on this node"])
def test_what_is_no_report_of_a_cluster_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="crm_mon"):
        parse(text)


def test_changes_of_the_configuration_are_counted_by_the_epoch_alone() -> None:
    # epoch="6" num_updates="58" admin_epoch="0"
    assert epoch((FIXTURES / "cib-running-3.0.0.xml").read_text(encoding="utf-8")) == 6


@pytest.mark.parametrize("text", ["", "<cib/>", "Could not connect to the CIB manager"])
def test_what_is_no_cib_has_no_epoch(text: str) -> None:
    with pytest.raises(ValueError, match="not a CIB"):
        epoch(text)
