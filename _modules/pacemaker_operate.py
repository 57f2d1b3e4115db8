"""What operators do to a Pacemaker cluster by hand, as ``pacemaker.standby``, ``pacemaker.move``, ...

The second half of the module ``pacemaker``: Salt's loader joins files of one virtual name. Every verb
checks the names that it is given, waits until the cluster has settled, and tells what is lacking.
"""

import time

from hadb_core import cib_change, cib_status
from hadb_core.cib_group import GROUP
from hadb_core.errors import HadbError, Invalid, Refused
from hadb_core.process import run

__virtualname__ = "pacemaker"

# crm_exit_t of Pacemaker's include/crm/common/results.h
_TIMED_OUT = 124
# Seconds between two looks at a cluster that is not settled yet.
_PAUSE = 1
# Seconds until a group has stopped on one node and started on the other, a slow unmount included.
_MOVE = 300
# Seconds for an off and an on of a slow BMC, with Pacemaker's own repetitions.
_FENCE = 600


def __virtual__():
    return __virtualname__


def _run(argv, **how):
    return run(__salt__["cmd.run_all"], argv, **how)


def _status():
    return __salt__["pacemaker.status"]()


def _running():
    """Return the state of the cluster, which must run here."""
    state = _status()
    if not state["running"]:
        raise HadbError(f"nothing can be done: {state['reason']}")
    return state


def settled(timeout=120, expected=None):
    """
    Wait until Pacemaker has nothing left to do and every resource is active.

    timeout
        Seconds to wait at most; 0 only looks.
    expected
        Ids of the resources that must be active; default: all that nobody holds.

    Returns ``{"settled": bool, "waited": seconds, "lacking": [sentences]}``.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.settled timeout=60
    """
    begun = time.monotonic()
    while True:
        left = timeout - (time.monotonic() - begun)
        state = _status()
        lacking = cib_status.unsettled(state, expected)
        if state["running"] and state["cluster"]["dc"] and left >= 1:
            busy = _busy(left)
            lacking = cib_status.unsettled(_status(), expected)
            lacking += ["a transition is in progress"] if busy else []
        waited = time.monotonic() - begun
        if not lacking or waited >= timeout:
            return {"settled": not lacking, "waited": round(waited, 1), "lacking": lacking}
        time.sleep(_PAUSE)


def standby(node, timeout=120):
    """
    Put a node into standby, until ``online`` is called: its resources move away.

    node
        Its name in the cluster.
    timeout
        Seconds to wait until everything has moved.

    Returns what ``settled`` returns. ``pacemaker.simulate standby=db2`` tells before what will move.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.standby db2
    """
    _attribute("--node", _known(node), "--name", "standby", "--update", "on", "--lifetime", "forever")
    return settled(timeout)


def online(node, timeout=120):
    """
    End a node's standby, the lasting one and the one until its next restart.

    node
        Its name in the cluster.
    timeout
        Seconds to wait until everything that belongs there has started.

    Returns what ``settled`` returns.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.online db2
    """
    _known(node)
    for lifetime in ("forever", "reboot"):
        _attribute("--node", node, "--name", "standby", "--delete", "--lifetime", lifetime)
    return settled(timeout)


def maintenance(enabled):
    """
    Switch the maintenance mode of the whole cluster; in it Pacemaker starts, stops and monitors nothing.

    enabled
        ``True`` or ``False``.

    Returns whether the cluster is in maintenance mode now. Resources go on running and are not watched;
    a node that is lost is still fenced.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.maintenance True
    """
    if not isinstance(enabled, bool):
        raise Invalid([f"maintenance takes True or False, not {enabled!r}"])
    _running()
    _attribute("--name", "maintenance-mode", *(["--update", "true"] if enabled else ["--delete"]))
    return _status()["cluster"]["maintenance"]


def cleanup(resource=None, timeout=120):
    """
    Forget failures, so that Pacemaker tries again.

    resource
        The id of a resource or group; default: all.
    timeout
        Seconds to wait until Pacemaker has nothing left to do, and again until what was tried anew runs. 0 waits
        for neither.

    Returns what ``settled`` returns. Refuses when Pacemaker is still at work after that time: a cleanup takes the
    resource from the node's executor for a moment, and a start that meets this ends the controller's connection to it.
    Everything on the node counts as failed then, and the node is fenced (Pacemaker 3.0.0, docs/runbook.md).

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.cleanup db-server
    """
    state = _running()
    if resource is not None:
        _objects(resource)
    if state["cluster"]["dc"] and timeout >= 1 and _busy(timeout):
        raise Refused(
            f"Pacemaker is still at work after {timeout} s, and a cleanup now could meet an action that is just being started",
            "`crm_mon -1rf` and `salt-run hadb.status` say what it is at; if it waits for this cleanup, call it with timeout=0",
        )
    _run(["crm_resource", "--cleanup", *(["--resource", resource] if resource else [])])
    return settled(timeout)


def move(node, resource=GROUP, timeout=_MOVE):
    """
    Move a resource to another node and leave no constraint behind.

    node
        Where to.
    resource
        The id of a group or primitive; default: the database group.
    timeout
        Seconds that the move may take.

    Returns what ``settled`` returns; where the resource is not on the node afterwards (it went back, or the
    time was too short), that is lacking. Refuses when an operator's own preference or ban would be lifted
    by it. A resource that is there already is not moved.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.move db2
    """
    _known(node)
    objects = _objects(resource)
    cib_change.refuse_placed(objects, resource, node)
    if not _elsewhere(objects, resource, node):
        return settled(timeout)
    try:
        _run(["crm_resource", "--move", "--resource", resource, "--node", node])
        answer = settled(timeout)
    finally:
        # The preference has done its work; resource-stickiness keeps the resource where it is now. Only this
        # node's: without it every ban of the resource would be lifted, also an operator's.
        _run(["crm_resource", "--clear", "--resource", resource, "--node", node])
    lacking = answer["lacking"] + _elsewhere(objects, resource, node)
    return {**answer, "settled": not lacking, "lacking": lacking}


def ban(resource, node, timeout=120):
    """
    Forbid a resource to run on a node, until ``clear`` is called.

    resource
        The id of a resource or group.
    node
        The node's name in the cluster.
    timeout
        Seconds to wait until it has left the node.

    Returns what ``settled`` returns. ``status`` lists the ban among the holds, and no run of hadb lifts it.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.ban db db2
    """
    _known(node)
    _objects(resource)
    _run(["crm_resource", "--ban", "--resource", resource, "--node", node])
    return settled(timeout)


def clear(resource, node=None, timeout=120):
    """
    Lift the bans and preferences of a resource that ``ban`` or a tool's ``move`` has left.

    resource
        The id of a resource or group.
    node
        Only those for this node; default: all.
    timeout
        Seconds to wait until everything has settled.

    Returns what ``settled`` returns. Constraints of the configuration are not touched.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.clear db
    """
    _running()
    _objects(resource)
    only = [] if node is None else ["--node", _known(node)]
    _run(["crm_resource", "--clear", "--resource", resource, *only])
    return settled(timeout)


def fence(node, confirm):
    """
    Fence a node: its power is cut, now.

    node
        Its name in the cluster.
    confirm
        The node's name again. Anything else refuses.

    Returns the newest entry of the fencing history, as a list. Waits until fencing has ended, 600 s at most;
    raises an error when it failed.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.fence db2 confirm=db2
    """
    if confirm != _known(node):
        raise Refused(f"{node} is not fenced without a confirmation", f"call it with confirm={node}")
    _run(["stonith_admin", "--reboot", node], timeout=_FENCE)
    return _status()["fencing_history"][:1]


def _busy(timeout):
    """Wait until Pacemaker has nothing left to do, and return whether it has still something after so many seconds."""
    # It simulates the live CIB until no action is left, so it also sees what is not begun yet.
    wait = ["crm_resource", "--wait", f"--timeout={int(timeout)}"]
    return _run(wait, answers=(0, _TIMED_OUT), timeout=timeout + 10).code == _TIMED_OUT


def _attribute(*words):
    _run(["crm_attribute", *words])


def _known(node):
    state = _running()
    if node not in state["nodes"]:
        raise HadbError(f"the cluster has no node {node}; it has {', '.join(state['nodes'])}")
    return node


def _objects(resource):
    """Return the objects of the configuration, in which the resource must be."""
    objects = __salt__["pacemaker.configuration"]()["objects"]
    cib_change.refuse_unknown(objects, resource)
    return objects


def _elsewhere(objects, resource, node):
    """Return a sentence for each part of a resource that does not run on the node."""
    found = _status()["resources"]
    parts = ((name, found[name]["node"]) for name in cib_change.members(objects, resource) if name in found)
    return [f"{name} runs on {where or 'no node'}, not on {node}" for name, where in parts if where != node]
