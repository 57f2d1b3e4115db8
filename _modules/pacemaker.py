"""Read a Pacemaker cluster, foresee what a change would do, and change its configuration, through its own tools.

The configuration is one document: it is read once, merged in memory, judged by ``crm_verify``
and ``crm_simulate``, and written as one patch that fails when somebody else was faster.

What operators do by hand (``standby``, ``move``, ``fence``, ...) has the same name for Salt and
is in ``pacemaker_operate.py``.
"""

import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

import salt.utils.path

from hadb_core import (
    cib_agents,
    cib_change,
    cib_guard,
    cib_holds,
    cib_merge,
    cib_plan,
    cib_simulation,
    cib_status,
    cib_wanted,
)
from hadb_core.cib_facts import secrets, shown_all
from hadb_core.cib_group import GROUP
from hadb_core.errors import CommandFailed, HadbError, Invalid, NotReady, Refused, Unreadable
from hadb_core.process import run

__virtualname__ = "pacemaker"

# Where Pacemaker keeps the CIB while it is stopped.
_SAVED = Path("/var/lib/pacemaker/cib/cib.xml")
# crm_exit_t of Pacemaker's include/crm/common/results.h
_NOT_CONNECTED = 102
_OLD = 103
_CONFIG = 78
_USAGE = 64
_ERROR = 1
# How often a patch is made anew when the CIB changed meanwhile; each try takes about 0.3 s.
_TRIES = 10
# Where Debian and where Red Hat keep the daemons, which know the properties before Pacemaker 3.
_FOLDERS = ("/usr/lib/pacemaker", "/usr/libexec/pacemaker")
_DAEMONS = ("pacemaker-schedulerd", "pacemaker-controld", "pacemaker-based")


def __virtual__():
    return __virtualname__


def _run(argv, **how):
    if not salt.utils.path.which(argv[0]):
        raise CommandFailed(argv, 127, err=f"{argv[0]} is not installed")
    return run(__salt__["cmd.run_all"], argv, **how)


def _read(reader, text):
    """Return what a reader makes of a tool's output; when it cannot, the error names the tool's version."""
    try:
        return reader(text)
    except Unreadable as error:
        try:
            version = _run(["pacemakerd", "--version"]).out.partition("\n")[0]
        except CommandFailed:
            version = ""
        raise error.of(version) from error


def _live():
    """Return ``(CIB, "")`` of the running cluster, or ``(last known CIB, why it does not run)``."""
    if not salt.utils.path.which("cibadmin"):
        return cib_merge.parse(cib_merge.BLANK), "Pacemaker is not installed here"
    answer = _run(["cibadmin", "--query"], answers=(0, _NOT_CONNECTED))
    if answer.code == 0:
        return _read(cib_merge.parse, answer.out), ""
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
            else _read(cib_status.status, answer.out)
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

    Returns ``changes``, ``remarks``, ``actions``, ``refused`` and ``not_ready`` (``""`` or why: the cluster would never
    take the change, or not before it has quorum and its nodes). While the cluster does not run here, the changes are
    those against its last configuration, on a blank node against none.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.plan "$(cat document.json)"
    """
    wanted = cib_wanted.wanted(document)
    cib, absent = _live()
    found = cib_plan.plan(cib, wanted)
    answer = {"changes": found.changes(), "remarks": list(found.remarks), "actions": [], "refused": "", "not_ready": ""}
    if absent or not found:
        return answer
    try:
        answer["actions"] = [str(action) for action in _judged(cib, wanted, allow_restart)]
    except NotReady as error:
        answer["not_ready"] = str(error)
    except Refused as error:
        answer["refused"] = str(error)
    return answer


def simulate(document=None, standby=None, online=None, lost=None, move=None, ban=None, resource=GROUP):
    """
    Return what Pacemaker would do after one change, before the change is made.

    document
        The configuration that would be applied, as in ``plan``.
    standby, online
        The node that would be put into standby, or taken out of it.
    lost
        The node that would fail: lost to the others without a word.
    move, ban
        The node to which ``resource`` would be moved, or on which it would be forbidden.
    resource
        The id of a resource or group, for ``move`` and ``ban``; default: the database group.

    Exactly one change. Returns ``actions`` (each with ``what``: ``start``, ``stop``, ``restart``, ``move``,
    ``recover`` or ``fence``, ``target``, ``node``, ``to``, ``reason``), ``fenced`` (nodes), ``interrupted``
    (running resources other than fencing devices that the change would take away, be it for a moment) and
    ``anyway`` (sentences: what Pacemaker is about to do without the change). Raises an error when
    Pacemaker does not run here, or has no such node or resource. Nothing is changed.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.simulate standby=db1
        salt db1 pacemaker.simulate lost=db2
        salt db1 pacemaker.simulate document="$(cat document.json)"
    """
    nodes = {"standby": standby, "online": online, "lost": lost, "move": move, "ban": ban}
    asked = [name for name, value in {"document": document, **nodes}.items() if value is not None]
    if len(asked) != 1:
        raise Invalid([f"exactly one change can be simulated, not {', '.join(asked) or 'none'}"])
    cib, absent = _live()
    if absent:
        raise HadbError(f"nothing can be simulated: {absent}")
    known = [node.get("uname") for node in cib.iterfind("configuration/nodes/node")]
    change, node = asked[0], nodes.get(asked[0])
    if node is not None and node not in known:
        raise HadbError(f"the cluster has no node {node}; it has {', '.join(known)}")
    if change in ("move", "ban"):
        cib_change.refuse_unknown(cib_plan.snapshot(cib), resource)
    changed = {
        "document": lambda: cib_merge.merge(cib, cib_wanted.wanted(document)),
        "standby": lambda: cib_change.standby(cib, node, True),
        "online": lambda: cib_change.standby(cib, node, False),
        "lost": lambda: cib_change.lost(cib, node),
        "move": lambda: cib_change.move(cib, resource, node),
        "ban": lambda: cib_change.ban(cib, resource, node),
    }[change]()
    return cib_simulation.answer(_simulated(changed), _simulated(cib), cib)


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
    new = cib_merge.merge(cib, wanted)
    cib_guard.refuse_missing_agents(cib_agents.named(new) - cib_agents.named(cib), _installed)
    verify = ["crm_verify", "--verbose", "--xml-pipe"]
    verified = _run(verify, stdin=_text(new), answers=(0, _CONFIG), hide=secrets(cib))
    errors = cib_guard.verify_errors(verified.code, f"{verified.out}\n{verified.err}")
    if errors:
        raise Refused(
            f"Pacemaker would not accept this configuration: {'; '.join(errors)}", "correct the pillar"
        )
    planned, anyway = _simulated(new), _simulated(cib)
    members = {*wanted.service(), *(item for item in cib_merge.owned(cib) if not item.startswith("fence-"))}
    found = cib_simulation.disruptions(planned, anyway, members)
    if not allow_restart or any(action.what == "fence" for action in found):
        cib_guard.refuse_disruptions(found)
    return planned


def _installed(family):
    """Return the agents of a family that this node has; none, which Pacemaker has no exit code for, is an answer."""
    answer = _run(["crm_resource", f"--list-agents={family}", "--output-as=xml"], answers=(0, _ERROR))
    if answer.code == _ERROR and "No agents found" in answer.out + answer.err:
        return []
    return _read(cib_agents.agents, answer.out)


def _simulated(cib):
    ask = ["crm_simulate", "--simulate", "--xml-pipe", "--output-as=xml"]
    report = _run(ask, stdin=_text(cib), hide=secrets(cib))
    return _read(cib_simulation.actions, report.out)


def _text(cib):
    return ET.tostring(cib, encoding="unicode")


def _patched(old, new):
    """Write the difference as one patch; return whether it was made against the configuration still in force."""
    patch, seen = _difference(old, new), cib_merge.version(old)
    for _ in range(_TRIES):
        guarded = cib_merge.guarded(patch, seen[2])
        push = ["cibadmin", "--patch", "--xml-pipe"]
        if _run(push, stdin=guarded, answers=(0, _OLD), hide=secrets(old)).code == 0:
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


def agents(standard="ocf:heartbeat"):
    """
    Return the names of the agents that are installed on this node, sorted.

    standard
        ``ocf:heartbeat``, ``ocf:pacemaker``, ``stonith`` (fence agents), ``systemd``, ``service`` or ``lsb``.

    Raises an error when Pacemaker knows no such standard, or none of its agents is installed.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.agents stonith
    """
    answer = _run(["crm_resource", f"--list-agents={standard}", "--output-as=xml"])
    return _read(cib_agents.agents, answer.out)


def metadata(agent):
    """
    Return what an agent says about itself: its parameters, its operations and what timeouts it advises.

    agent
        Its full name, as ``ocf:heartbeat:Filesystem`` or ``stonith:fence_ipmilan``.

    Returns ``name``, ``version``, ``short``, ``long``, ``parameters`` (by name: ``required``, ``unique``,
    ``type``, ``default``, ``values``, ``short``, ``long``) and ``actions`` (each with ``name``, ``timeout``,
    ``interval``, as the agent advises them). Raises an error when there is no such agent on this node.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.metadata ocf:heartbeat:mysql
    """
    return _read(cib_agents.metadata, _run(["crm_resource", f"--show-metadata={agent}"]).out)


def properties():
    """
    Return the cluster properties that the Pacemaker of this node knows, by name.

    Each has ``type``, ``default``, ``values`` (the allowed words, if there are only some), ``short`` and
    ``long``. Pacemaker itself stores and ignores any other name without a word.

    CLI Example:

    .. code-block:: bash

        salt db1 pacemaker.properties
    """
    answer = _run(["crm_attribute", "--list-options=cluster", "--all", "--output-as=xml"], answers=(0, _USAGE))
    if answer.code == 0:
        return _read(cib_agents.properties, answer.out)
    # Before Pacemaker 3 each daemon knows its own, and crm_attribute does not know the option.
    programs = [f"{folder}/{name}" for folder in _FOLDERS for name in _DAEMONS]
    answers = [_run([name, "metadata"]).out for name in filter(salt.utils.path.which, programs)]
    return {name: told for text in answers for name, told in _read(cib_agents.properties, text).items()}
