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
