"""The operator's verbs on the master: build with live progress, look, verify.

.. code-block:: bash

    salt-run hadb.deploy            # = salt-run state.orchestrate hadb.orch, with live progress
    salt-run hadb.status            # what runs where, and what is held or wrong
    salt-run hadb.verify            # all proofs, read-only
"""

import contextlib
import sys
import time

import salt.client
import salt.loader
import salt.minion
import salt.pillar
import salt.runner
import salt.utils.event

from hadb_core import document as documents
from hadb_core import preflight, progress, proofs, standstill
from hadb_core.errors import HadbError
from hadb_core.findings import report

__virtualname__ = "hadb"

# Seconds after which the master asks a node that has not answered whether it is still at it: as long as that, and Salt's
# gather_job_timeout besides, a node that is away holds up a verb. Who asks for the state is in a hurry.
_QUICK, _PATIENT = 10, 60


def __virtual__():
    return __virtualname__


def deploy(test=False):
    """
    Run ``hadb.orch`` and print each phase, node and result as it happens, with the time passed.

    test
        Only predict.

    The exit code is the orchestration's: 0 when every phase and proof succeeded. Interrupting it
    (Ctrl-C) stops the watching; the step under way on the nodes runs to its end, and the next run
    goes on from there.

    CLI Example:

    .. code-block:: bash

        salt-run hadb.deploy
    """
    with (
        _closing(salt.runner.RunnerClient(__opts__)) as client,
        salt.utils.event.get_master_event(__opts__, __opts__["sock_dir"], listen=True) as bus,
    ):
        job = client.asynchronous(
            "state.orchestrate", {"arg": ["hadb.orch"], "kwarg": {"test": bool(test)}}, local=True
        )
        ended = _follow(bus, f"salt/run/{job['jid']}/ret")
    result = ended["return"]
    if not isinstance(result, dict) or "data" not in result:
        return _failed({"result": "FAILED", "failed": result})
    shown = progress.summary(next(iter(result["data"].values())))
    return _failed(shown) if shown["result"] == "FAILED" else shown


def watch():
    """
    Print what hadb does on the nodes as it happens, until interrupted; for a second terminal.

    CLI Example:

    .. code-block:: bash

        salt-run hadb.watch
    """
    with salt.utils.event.get_master_event(__opts__, __opts__["sock_dir"], listen=True) as bus:
        _follow(bus, None)


def status():
    """
    Return what runs where, what the cluster waits for, what failed, what operators hold, and where fencing stands ready.

    ``waits_for`` says why the cluster is not whole, root causes first, each with what can be done about it.

    CLI Example:

    .. code-block:: bash

        salt-run hadb.status
    """
    settings = _settings()
    facts = _facts(settings, ["cluster"], _QUICK)
    clusters = {node: known["cluster"] for node, known in facts.items() if "cluster" in known and "error" not in known["cluster"]}
    cluster = standstill.best(clusters)
    return {
        "nodes": {node: _node_status(facts.get(node)) for node in settings["nodes"]},
        "database": standstill.where(cluster, "db-server"),
        "vips": {vip["address"]: standstill.where(cluster, f"vip-{name}") for name, vip in settings["vips"].items()},
        "fencing": {f"fence-{node}": standstill.where(cluster, f"fence-{node}") for node in settings["nodes"]},
        "waits_for": standstill.waits(clusters, settings["pacemaker"]["failure_timeout"]),
        "failures": standstill.failures(cluster),
        "holds": sorted({hold for known in clusters.values() for hold in known["holds"]}),
    }


def verify():
    """
    Make every proof, changing nothing; the exit code is 1 and the findings are returned when one does not hold.

    CLI Example:

    .. code-block:: bash

        salt-run hadb.verify
    """
    settings = _settings()
    facts = _facts(settings, sorted({topic for topics in proofs.TOPICS.values() for topic in topics}))
    findings = {proof: proofs.prove(proof, settings, facts) for proof in proofs.TOPICS}
    result = {proof: report(found) if found else "proven" for proof, found in findings.items()}
    return _failed(result) if any(findings.values()) else result


def check():
    """
    Ask what the preflight asks, changing nothing: is the pillar valid, are both nodes, LUNs and BMCs as they should be?

    CLI Example:

    .. code-block:: bash

        salt-run hadb.check
    """
    functions = _functions()
    faults = functions["hadb.faults"]()
    if faults:
        return _failed({"pillar": faults})
    settings = functions["hadb.document"]()
    found = preflight.check(settings, _facts(settings, ["system", "luns", "bmc", "cipher_zero"]))
    if found:
        return _failed({"pillar": "valid", "preflight": report(found)})
    return {"pillar": "valid", "preflight": "nothing speaks against going on"}


def _failed(result):
    """Return a runner's result so that the job counts as failed, and `salt-run`, which looks into the result, ends with 1."""
    __context__["retcode"] = 1
    return {**result, "retcode": 1}


def _follow(bus, until):
    """Print the progress lines of events until the one tagged ``until`` comes; return its data."""
    started, view = time.monotonic(), progress.View()
    while True:
        event = bus.get_event(wait=1, full=True)
        if event is None:
            continue
        if until and event["tag"] == until:
            return event["data"]
        for line in view.lines(event["tag"], event["data"]):
            sys.stderr.write(f"[{time.monotonic() - started:6.1f} s] {line}\n")
            sys.stderr.flush()


@contextlib.contextmanager
def _closing(salts):
    """Use one of Salt's clients and close it; 3008 complains of those that are not, 3006 cannot close them."""
    try:
        yield salts
    finally:
        getattr(salts, "destroy", lambda: None)()


def _functions():
    """Return the execution functions as orchestrations have them: the master as a minion, with its own pillar."""
    with _closing(salt.minion.MasterMinion(dict(__opts__, file_client="local"))) as minion:
        opts = minion.opts
    # MasterMinion drops a pillar that it is given; orchestrations compile theirs in the same way.
    opts["grains"] = salt.loader.grains(opts)
    opts["pillar"] = salt.pillar.get_pillar(opts, opts["grains"], __opts__["id"], "base").compile_pillar()
    return salt.loader.minion_mods(opts)


def _settings():
    settings = _functions()["hadb.document"]()
    if not settings.get("nodes"):
        raise HadbError(
            "the master has no hadb pillar: give '*_master' in top.sls the same hadb pillar as the nodes"
        )
    return settings


def _facts(settings, topics, seconds=_PATIENT):
    ids = {minion: node for node, minion in documents.minion_ids(settings).items()}
    with salt.client.get_local_client(__opts__["conf_file"]) as client:
        answers = client.cmd(sorted(ids), "hadb.facts", arg=[topics], tgt_type="list", timeout=seconds)
    return {ids[minion]: answer for minion, answer in answers.items() if isinstance(answer, dict)}


def _node_status(known):
    cluster = (known or {}).get("cluster")
    if cluster is None or "error" in cluster:
        return "no answer" if cluster is None else cluster["error"]
    return "Pacemaker runs" if cluster["running"] else "Pacemaker does not run"
