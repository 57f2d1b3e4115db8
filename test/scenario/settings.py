"""Another pillar, carried out: on both nodes, and in the cluster's configuration. For scenarios that need what the lab's has not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from scenario import pillars
from scenario.lab import Lab, document
from scenario.salt_result import failed, minions
from scenario.stage import wait_whole

_CIB = "hadb.cluster.cib"
# What restarts is the whole group, perhaps on the other node.
_SETTLED_SECONDS = 180.0


@contextmanager
def in_force(lab: Lab, more: pillars.More) -> Iterator[None]:
    """Let the pillar say more, and the cluster be so, for a while. Nothing more to say: nothing is done.

    Raises AssertionError when a state fails, TooLateError when the cluster is not whole with it, or without it again.
    """
    if not more:
        yield
        return
    leave = {"hadb:pacemaker:allow_restart": True}
    with pillars.saying(lab, {**more, **leave}):
        _carry_out(lab)
        yield
    with pillars.saying(lab, leave):
        _carry_out(lab)


def _carry_out(lab: Lab) -> None:
    for node, states in minions(document(lab.apply())).items():
        assert not failed(states), f"{node}: {failed(states)}"
    configured = lab.sls(lab.nodes[0], _CIB)
    assert not failed(configured), failed(configured)
    lab.ask(lab.nodes[0], "crm_resource --wait", timeout=_SETTLED_SECONDS)
    wait_whole(lab)
