"""Read and change a Pacemaker cluster through its own tools.

The configuration is one document: it is read once, merged in memory, judged by ``crm_verify``
and ``crm_simulate``, and written as one patch that fails when somebody else was faster.
"""

import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import salt.utils.path

from hadb_core import cib_guard, cib_holds, cib_merge, cib_plan, cib_simulation, cib_status, cib_wanted
from hadb_core.cib_facts import shown_all
from hadb_core.errors import HadbError, Refused
from hadb_core.process import run

__virtualname__ = "pacemaker"

# Where Pacemaker keeps the CIB while it is stopped.
_SAVED = Path("/var/lib/pacemaker/cib/cib.xml")
# crm_exit_t of Pacemaker's include/crm/common/results.h
_NOT_CONNECTED = 102
_OLD = 103
_CONFIG = 78
_TIMED_OUT = 124
# How often a patch is made anew when the CIB changed meanwhile; each try takes about 0.3 s.
_TRIES = 10
# Seconds between two looks at a cluster that is not settled yet.
_PAUSE = 1


def __virtual__():
    return __virtualname__


def _run(argv, **how):
    return run(__salt__["cmd.run_all"], argv, **how)


def _live():
    """Return ``(CIB, "")`` of the running cluster, or ``(last known CIB, why it does not run)``."""
    if not salt.utils.path.which("cibadmin"):
        return cib_merge.parse(cib_merge.BLANK), "Pacemaker is not installed here"
    answer = _run(["cibadmin", "--query"], answers=(0, _NOT_CONNECTED))
    if answer.code == 0:
        return cib_merge.parse(answer.out), ""
    saved = _SAVED.read_text(encoding="utf-8") if _SAVED.exists() else cib_merge.BLANK
    return cib_merge.parse(saved, str(_SAVED)), "Pacemaker does not run here"


def status():
    """
    Return the state of the cluster as this node sees it.

    ``running`` (with the ``reason`` if not), ``cluster`` (``name``, ``dc``, ``version``,
    ``with_quorum``, ``maintenance``), ``nodes``, ``resources`` (each with ``node``, ``active``,
    ``failed``, ...), ``failures``, ``fencing_history`` and ``holds`` (sentences about what
    operators keep from running).

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.status
    """
    cib, absent = _live()
    state = cib_status.stopped(absent)
    if not absent:
        answer = _run(["crm_mon", "--one-shot", "--output-as=xml"], answers=(0, _NOT_CONNECTED))
        stopping = answer.code == _NOT_CONNECTED
        state = (
            cib_status.stopped("Pacemaker is starting or stopping")
            if stopping
            else cib_status.status(answer.out)
        )
    state["cluster"]["name"] = cib_merge.property_value(cib, "cluster-name")
    state["holds"] = cib_holds.holds(cib)
    return state


def where(resource="db-server"):
    """
    Return the node on which a resource runs, ``""`` if it runs nowhere.

    resource
        The id of a primitive.

    Raises an error when that is not known: no cluster here, or no such resource.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.where db-server
    """
    state = status()
    if not state["running"]:
        raise HadbError(f"it is not known where {resource} runs: {state['reason']}")
    if resource not in state["resources"]:
        raise HadbError(f"the cluster has no resource {resource}")
    return state["resources"][resource]["node"]


def configuration():
    """
    Return the configuration in force: its version, the facts of every object, and which are hadb's.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.configuration
    """
    cib, absent = _live()
    return {
        "running": not absent,
        "version": ".".join(str(number) for number in cib_merge.version(cib)),
        "schema": cib.get("validate-with", ""),
        "owned": cib_merge.owned(cib),
        "objects": {name: shown_all(facts) for name, facts in cib_plan.snapshot(cib).items()},
    }


def plan(document, allow_restart=False):
    """
    Return what ``apply`` would change, what Pacemaker would do then, and whether it is refused.

    document
        What ``hadb/cluster/cib.sls`` passes on, see ``hadb_core.cib_wanted.wanted``.
    allow_restart
        Accept a change that restarts, stops or moves the database.

    Returns ``changes``, ``remarks``, ``actions`` and ``refused`` (``""`` or why). While the cluster does not
    run here, the changes are those against its last configuration, on a blank node against none.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.plan "$(cat document.json)"
    """
    wanted = cib_wanted.wanted(document)
    cib, absent = _live()
    found = cib_plan.plan(cib, wanted)
    answer = {"changes": found.changes(), "remarks": list(found.remarks), "actions": [], "refused": ""}
    if absent or not found:
        return answer
    try:
        answer["actions"] = [str(action) for action in _judged(cib, wanted, allow_restart)]
    except Refused as error:
        answer["refused"] = str(error)
    return answer


def apply(document, allow_restart=False):
    """
    Bring what is wanted into the CIB as one transaction: one patch, one epoch, one transition.

    document, allow_restart
        As in ``plan``.

    Returns what Pacemaker does then; nothing if nothing had to change. Refuses when the cluster is not
    ready, when a node would be fenced, and, unless allowed, when the database would be interrupted.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.apply "$(cat document.json)"
    """
    wanted = cib_wanted.wanted(document)
    for _ in range(_TRIES):
        cib, absent = _live()
        if absent:
            raise Refused(
                f"the cluster cannot be configured: {absent}", "apply hadb.cluster.start on both nodes"
            )
        if not cib_plan.plan(cib, wanted):
            return []
        planned = _judged(cib, wanted, allow_restart)
        if _patched(cib, cib_merge.merge(cib, wanted)):
            return [str(action) for action in planned]
    raise HadbError(
        f"the cluster's configuration changed under our hands {_TRIES} times; is something else writing it?"
    )


def _judged(cib, wanted, allow_restart):
    """Return what Pacemaker would do with the wanted CIB; refuse what must not happen."""
    cib_guard.refuse_unready(status(), wanted.nodes, first=not cib_merge.owned(cib))
    new = ET.tostring(cib_merge.merge(cib, wanted), encoding="unicode")
    verified = _run(["crm_verify", "--verbose", "--xml-pipe"], stdin=new, answers=(0, _CONFIG))
    errors = cib_guard.verify_errors(verified.code, f"{verified.out}\n{verified.err}")
    if errors:
        raise Refused(
            f"Pacemaker would not accept this configuration: {'; '.join(errors)}", "correct the pillar"
        )
    planned, anyway = _simulated(new), _simulated(ET.tostring(cib, encoding="unicode"))
    members = {*wanted.members(), *(item for item in cib_merge.owned(cib) if not item.startswith("fence-"))}
    found = cib_simulation.disruptions(planned, anyway, members)
    if not allow_restart or any(action.what == "fence" for action in found):
        cib_guard.refuse_disruptions(found)
    return planned


def _simulated(cib):
    report = _run(["crm_simulate", "--simulate", "--xml-pipe", "--output-as=xml"], stdin=cib)
    return cib_simulation.actions(report.out)


def _patched(old, new):
    """Write the difference as one patch; return whether it was made against the configuration still in force."""
    patch, seen = _difference(old, new), cib_merge.version(old)
    for _ in range(_TRIES):
        guarded = cib_merge.guarded(patch, seen[2])
        if _run(["cibadmin", "--patch", "--xml-pipe"], stdin=guarded, answers=(0, _OLD)).code == 0:
            return True
        # A busy cluster updates the status section all the time; that does not touch the configuration.
        now, absent = _live()
        seen = cib_merge.version(now)
        if absent or seen[:2] != cib_merge.version(old)[:2]:
            return False
    return False


def _difference(old, new):
    with tempfile.TemporaryDirectory(prefix="hadb-cib-") as directory:
        files = []
        for name, cib in (("old", old), ("new", new)):
            path = Path(directory, f"{name}.xml")
            path.touch(mode=0o600)
            path.write_bytes(ET.tostring(cib))
            files.append(str(path))
        return _run(["crm_diff", "--original", files[0], "--new", files[1]], answers=(1,)).out


def settled(timeout=120, expected=None):
    """
    Wait until Pacemaker has nothing left to do and every resource is active.

    timeout
        Seconds to wait at most.
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
        state = status()
        lacking = cib_status.unsettled(state, expected)
        if state["running"] and state["cluster"]["dc"] and left >= 1:
            # It simulates the live CIB until no action is left, so it also sees what is not begun yet.
            wait = ["crm_resource", "--wait", f"--timeout={int(left)}"]
            busy = _run(wait, answers=(0, _TIMED_OUT), timeout=left + 10).code == _TIMED_OUT
            lacking = cib_status.unsettled(status(), expected) + (
                ["a transition is in progress"] if busy else []
            )
        waited = time.monotonic() - begun
        if not lacking or waited >= timeout:
            return {"settled": not lacking, "waited": round(waited, 1), "lacking": lacking}
        time.sleep(_PAUSE)


def standby(node):
    """
    Put a node into standby, until ``online`` is called: its resources move away.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.standby db2
    """
    _run(
        [
            "crm_attribute",
            "--node",
            _known(node),
            "--name",
            "standby",
            "--update",
            "on",
            "--lifetime",
            "forever",
        ]
    )
    return settled()


def online(node):
    """
    End a node's standby, the lasting one and the one until its next restart.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.online db2
    """
    for lifetime in ("forever", "reboot"):
        _run(
            ["crm_attribute", "--node", _known(node), "--name", "standby", "--delete", "--lifetime", lifetime]
        )
    return settled()


def maintenance(on):
    """
    Switch the maintenance mode of the whole cluster; in it Pacemaker starts, stops and monitors nothing.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.maintenance True
    """
    if not isinstance(on, bool):
        raise HadbError(f"maintenance takes True or False, not {on!r}")
    _run(["crm_attribute", "--name", "maintenance-mode", *(["--update", "true"] if on else ["--delete"])])
    return status()["cluster"]["maintenance"]


def cleanup(resource=None):
    """
    Forget failures, so that Pacemaker tries again.

    resource
        The id of a resource; default: all.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.cleanup db-server
    """
    _run(["crm_resource", "--cleanup", *(["--resource", resource] if resource else [])])
    return settled()


def move(node, resource=cib_wanted.GROUP, timeout=300):
    """
    Move a resource to another node and leave no constraint behind.

    node
        Where to.
    resource
        The id of a group or primitive; default: the database group.
    timeout
        Seconds that the move may take.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.move db2
    """
    _run(["crm_resource", "--move", "--resource", resource, "--node", _known(node)])
    try:
        return settled(timeout)
    finally:
        # The preference has done its work; resource-stickiness keeps the resource where it is now.
        _run(["crm_resource", "--clear", "--resource", resource])


def fence(node, confirm):
    """
    Fence a node: its power is cut, now.

    confirm
        The node's name again. Anything else refuses.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.fence db2 confirm=db2
    """
    if confirm != _known(node):
        raise Refused(f"{node} is not fenced without a confirmation", f"call it with confirm={node}")
    _run(["stonith_admin", "--reboot", node], timeout=600)
    return status()["fencing_history"][:1]


def _known(node):
    state = status()
    if not state["running"]:
        raise HadbError(f"nothing can be said about {node}: {state['reason']}")
    if node not in state["nodes"]:
        raise HadbError(f"the cluster has no node {node}; it has {', '.join(state['nodes'])}")
    return node
