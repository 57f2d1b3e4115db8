"""Conditions of the whole cluster.

``pillar_valid`` and ``node_reported`` run on a node; the others run on the master inside an
orchestration (``salt-run state.orchestrate hadb.orch``) and ask both nodes.
"""

import json
import time
from pathlib import Path

import salt.fileserver

from hadb_core import VERSION, preflight, proofs, remote, turn
from hadb_core import document as documents
from hadb_core.errors import HadbError
from hadb_core.findings import Finding, no_answer, report
from hadb_core.outcome import carry_out, converge
from hadb_core.plan import Plan, Step

__virtualname__ = "hadb"

# Seconds a node may take to answer a question; a lab node needs up to 10 for all topics.
_ANSWER = 60
# What hadb consists of on a minion; sync_all asks for twenty other kinds too.
_KINDS = ("utils", "modules", "states")
# Seconds between two looks while a proof is awaited.
_PAUSE = 2
# Seconds that a run waits for another one; a build from blank takes 5 minutes in the lab, more with large LUNs.
_TURN = 1800


def __virtual__():
    return __virtualname__


def _ret(name, result, comment, changes=None):
    return {"name": name, "result": result, "comment": comment, "changes": changes or {}}


def pillar_valid(name):
    """
    The pillar under ``hadb`` has no fault; otherwise all faults are named at once.

    .. code-block:: yaml

        hadb pillar is valid:
          hadb.pillar_valid:
            - failhard: True
    """
    try:
        faults = __salt__["hadb.faults"]()
    except HadbError as error:
        return _ret(name, False, str(error))
    if faults:
        listed = "\n".join(f"  {fault}" for fault in faults)
        return _ret(name, False, f"{len(faults)} faults in the pillar, nothing was touched:\n{listed}")
    return _ret(name, True, "The pillar is valid")


def turn_taken(name):
    """
    No other ``hadb.orch`` runs on this master: one that does is waited for, up to half an hour.

    The turn ends with the process of the run, also when that is killed.

    .. code-block:: yaml

        hadb no other run is under way:
          hadb.turn_taken: []
    """
    try:
        waited_for = turn.take(Path(__opts__["cachedir"]) / "hadb-orch.lock", _TURN)
    except HadbError as error:
        return _ret(name, False, str(error))
    return _ret(name, True, f"Waited for {waited_for}" if waited_for else "No other run is under way")


def packages_whole(name):
    """
    No installation was left half-done; one that a power cut interrupted is finished.

    .. code-block:: yaml

        hadb packages are whole:
          hadb.packages_whole: []
    """

    def plan():
        if __salt__["hadb.half_installed"]():
            return Plan((Step("finish_installation", "packages", "half installed", "installed"),))
        return Plan()

    return converge(
        name,
        plan=plan,
        apply=lambda steps: carry_out(__salt__, "hadb_write", steps),
        test=__opts__["test"],
        done="No installation was left half-done",
    )


def modules_synced(name, nodes):
    """
    Both minions have hadb's modules, of the master's version; syncs them, also in test mode.

    nodes
        ``{node: minion id}``.

    Syncing copies files into the minion's cache and changes nothing of the system; without it a
    test run could not predict anything on a blank node.

    .. code-block:: yaml

        hadb modules are on both nodes:
          hadb.modules_synced:
            - nodes: {db1: db1.example.org, db2: db2.example.org}
    """
    changes = {}
    # A sync that finds nothing new takes 6 s in the lab, this question 1 s.
    held = _ask(nodes, "hadb.outdated", arg=[_code()])
    for kind in _KINDS if held.failed or any(held.found.values()) else ():
        synced = _ask(nodes, f"saltutil.sync_{kind}", kwarg={"refresh": True})
        if synced.failed:
            return _ret(name, False, report(no_answer(node, "minion", why) for node, why in synced.failed.items()))
        changes.update({f"{node} {kind}": {"old": None, "new": sorted(new)} for node, new in synced.found.items() if new})
    held = _ask(nodes, "hadb.version")
    stale = [finding for node in nodes if (finding := _stale(node, held))]
    if stale:
        return _ret(name, False, report(stale))
    return _ret(name, True, f"Both nodes have hadb {VERSION}", changes)


def preflight_passed(name, topics):
    """
    Nothing speaks against going on: asks both nodes for facts and checks them together.

    topics
        What to look at, see ``hadb.facts``; ``bmc`` is left out where ipmitool is not there yet.

    .. code-block:: yaml

        hadb preflight has passed:
          hadb.preflight_passed:
            - topics: [system, luns]
    """
    try:
        document = _document()
        facts = _facts(document, topics)
    except HadbError as error:
        return _ret(name, False, str(error))
    found = preflight.check(document, facts)
    if found:
        return _ret(name, False, f"{len(found)} findings, nothing was touched:\n{report(found)}")
    return _ret(name, True, f"Nothing speaks against going on ({', '.join(topics)})")


def proven(name, proof, within=0):
    """
    The proof of one step holds on both nodes.

    proof
        ``volume``, ``membership``, ``cluster``, ``fencing``, ``reservations``, ``placement`` or ``clients``.
    within
        Seconds to wait for it; what just has been started needs some.

    In test mode a proof that does not hold yet is not a failure: it is what the run would bring about.

    .. code-block:: yaml

        hadb both nodes are online:
          hadb.proven:
            - proof: cluster
            - within: 180
    """
    document = _document()
    deadline = time.monotonic() + (0 if __opts__["test"] else within)
    while True:
        found = proofs.prove(proof, document, _facts(document, proofs.TOPICS[proof]))
        if not found or time.monotonic() > deadline:
            break
        time.sleep(_PAUSE)
    if not found:
        return _ret(name, True, f"Proven: {proof}")
    if __opts__["test"]:
        return _ret(name, None, f"Not yet:\n{report(found)}")
    return _ret(name, False, f"The proof '{proof}' failed:\n{report(found)}")


def node_reported(name):
    """
    Tell what this node still lacks until it is part of the cluster; never fails, never changes anything.

    .. code-block:: yaml

        hadb node is told what it lacks:
          hadb.node_reported: []
    """
    try:
        lacking = __salt__["hadb.lacking"]()
    except HadbError as error:
        return _ret(name, True, f"Cannot tell what is missing: {error}")
    if lacking:
        return _ret(name, True, "Prepared; still missing: " + "; ".join(lacking))
    return _ret(name, True, "This node is part of the cluster")


def _document():
    """Return the master's own view of the document, without secrets."""
    document = __salt__["hadb.document"]()
    if not document.get("nodes"):
        raise HadbError(
            "the master has no hadb pillar: give '*_master' in top.sls the same hadb pillar as the nodes"
        )
    return document


def _code():
    """Return the checksums of what the master's file server would sync: ``{"modules/halvm.py": checksum}``."""
    files = salt.fileserver.Fileserver(__opts__)
    paths = [path for kind in _KINDS for path in files.file_list({"saltenv": "base", "prefix": f"_{kind}/"})]
    return {path.removeprefix("_"): files.file_hash({"saltenv": "base", "path": path})["hsum"]
            for path in paths if path.endswith(".py")}


def _stale(node, held):
    """Return the finding that a minion works with other code than it was given, if it does."""
    if node in held.failed:
        return no_answer(node, "modules", held.failed[node])
    version = held.found[node]
    # A module from before this was told is older itself.
    parts = version.get("stale", ["hadb"])
    if version["core"] == VERSION and not parts:
        return None
    older = f"hadb {version['core']}" + (f" with older {', '.join(parts)}" if parts else "")
    return Finding(node, "modules", f"hadb {VERSION}, as on the master", older,
                   f"restart salt-minion on {node}: it holds an older hadb_core in memory")


def _facts(document, topics):
    """Return ``{node: facts}``; a node that does not answer is missing, one whose modules fail has an error."""
    answered = _ask(documents.minion_ids(document), "hadb.facts", arg=[list(topics)])
    errors = {node: {"facts": {"error": why}} for node, why in answered.failed.items() if why != remote.SILENT}
    return {**answered.found, **errors}


def _ask(nodes, function, arg=(), kwarg=None):
    """Call a function on the minions of ``nodes`` (node -> minion id); return what came back by node."""
    returned = __salt__["saltutil.cmd"](
        list(nodes.values()), function, arg=arg, tgt_type="list", timeout=_ANSWER, kwarg=kwarg
    )
    by_node = {node: returned.get(minion) for node, minion in nodes.items()}
    read = remote.read(by_node, by_node)
    # json: what Salt brings back may be a mapping of its own kind.
    return remote.Read(json.loads(json.dumps(read.found)), read.failed)
