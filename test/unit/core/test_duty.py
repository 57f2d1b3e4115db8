"""Exactly one node carries out the once-only steps, and none when it cannot be told."""

from __future__ import annotations

import pytest

from hadb_core.duty import duty

STOPPED = {"running": False}


def running(owner):
    return {"running": True, "resources": {"db-fs": {"node": owner}}}


@pytest.mark.parametrize(
    ("node", "cluster", "configured", "here"),
    [
        ("db1", STOPPED, False, True),
        ("db2", STOPPED, False, False),
        ("db1", STOPPED, True, False),
        ("db1", {"running": True, "resources": {}}, False, True),
        ("db2", {"running": True, "resources": {}}, False, False),
        ("db2", running("db2"), True, True),
        ("db1", running("db2"), True, False),
        ("db1", running(None), True, False),
    ],
)
def test_duty(node, cluster, configured, here):
    assert duty(node, "db1", cluster, configured).here is here


@pytest.mark.parametrize(
    "cluster", [STOPPED, {"running": True, "resources": {}}, running("db1"), running("db2"), running(None)]
)
@pytest.mark.parametrize("configured", [True, False])
def test_never_both_nodes(cluster, configured):
    assert sum(duty(node, "db1", cluster, configured).here for node in ("db1", "db2")) <= 1


IDLE = {"running": True, "resources": {}}


@pytest.mark.parametrize(
    ("node", "cluster", "configured", "told"),
    [
        ("db1", STOPPED, False, (True, "this is the bootstrap node and there is no cluster yet")),
        ("db2", STOPPED, False, (False, "db1 is the bootstrap node")),
        ("db1", IDLE, True, (True, "this is the bootstrap node and there is no cluster yet")),
        ("db2", IDLE, True, (False, "db1 is the bootstrap node")),
        ("db1", STOPPED, True, (False, "Pacemaker is stopped here but owns the volume; start it first")),
        ("db2", running("db2"), True, (True, "the database runs here")),
        ("db1", running("db2"), True, (False, "the database runs on db2")),
        (
            "db1",
            running(None),
            True,
            (False, "Pacemaker owns the volume and the database is stopped; it is left alone"),
        ),
    ],
)
def test_the_reason_is_told(node, cluster, configured, told):
    assert duty(node, "db1", cluster, configured) == told
