"""No ``test=True`` run changes anything, whatever condition the nodes are in; what each state said is kept.

In every stage ``hadb.orch`` is run with ``test=True``, and then every state on both nodes; before and after it disks,
files, packages, accounts, units, processes, addresses, the CIB and the database's own accounts are read. The stages:

blank
    Nothing was ever done (``test_build.py``, whose first test this is).
half-built
    In the middle of the build (``test_build.py``): the bootstrap node lost its power among the steps that happen
    once, and is back. Both nodes are prepared and have the key; there is a volume, perhaps with a part of a database.
    Pacemaker runs on the one that booted, alone and with an empty CIB.
converged
    A whole cluster.
drifted
    The same, after hands were at it: files gone, altered and opened up, a heartbeat address gone, a cluster property and a
    grant taken away, one node on standby. The real run that follows then does what was predicted and nothing else, while a
    client writes.

``build/scenario/predictions.json`` has, for each stage, what was different afterwards, the functions that were run, and
each state's result, changes and comment.
"""

from __future__ import annotations

from typing import Any

import pytest

from scenario import digest, predictions, results
from scenario.function_call import STATES
from scenario.function_table import BY_THE_FORMULA, CALLS
from scenario.lab import Lab, document
from scenario.predictions import Prediction
from scenario.salt_result import changed, failed, minions
from scenario.session import Session
from scenario.stage import wait_whole
from scenario.writer import Writer

STAGES = ("blank", "half-built", "converged", "drifted")
# Seconds. No run of the formula may cost a client more than a commit that two busy cores delay.
_UNDISTURBED = 3.0
# States of Salt's own have words of their own for what they did.
_OURS = {function.partition(".")[0] for function in BY_THE_FORMULA}


def test_converged_cluster_is_left_alone_and_nothing_is_predicted(converged: Lab) -> None:
    prediction = Prediction(converged, "converged")
    assert (prediction.different, prediction.returncode, prediction.failed, prediction.wrong()) == ([], 0, {}, [])
    assert changed(prediction.master) == {}
    active = wait_whole(converged).home("db-server")
    for node, states in prediction.nodes.items():
        # What is on the volume is the duty of the node that has it; the other one tells what an empty one would get.
        asked = {tag: state for tag, state in states.items() if node == active or not tag.startswith("dbinstance_|-")}
        # An operator's maintenance is what no run of hadb asks for; it is in the table of more states.
        assert set(changed(asked)) == {"pacemaker.maintenance True"}, changed(asked)


def test_drift_is_predicted_as_it_is_repaired_and_left_alone_meanwhile(converged: Lab, session: Session) -> None:
    session.touched()
    active = wait_whole(converged).home("db-server") or ""
    before = {node: digest.node(converged, node) for node in converged.nodes}
    _drift(converged, active)
    prediction = Prediction(converged, "drifted")
    assert (prediction.different, prediction.returncode, prediction.failed, prediction.wrong()) == ([], 0, {}, [])
    for node in converged.nodes:
        assert len(_ours(prediction.nodes[node])) >= 3, "the drift is not seen"
    writer = Writer(converged, "drift", results.BUILD)
    writer.start()
    try:
        applied = minions(document(converged.apply()))
    finally:
        end = writer.stop()
    for node, states in applied.items():
        assert failed(states) == {}
        _same(states, prediction.nodes[node])
    assert writer.read().longest_gap(end).seconds < _UNDISTURBED
    # The steps that happen once and their configuration, where the database is.
    once = converged.sls(active, "hadb.cluster.accounts", "hadb.cluster.cib")
    assert failed(once) == {}
    assert {tag.partition("_|-")[0] for tag in _ours(once)} == {"dbinstance", "pacemaker"}
    _same(once, prediction.nodes[active])
    converged.ask(active, f"crm node online {converged.peer(active)}")
    assert wait_whole(converged).home("db-server") == active
    assert {node: digest.node(converged, node) for node in converged.nodes} == before
    session.settled()


def test_every_state_was_run_in_every_stage() -> None:
    """The last one of all: it looks at what the tests before have recorded."""
    every = {call.function for call in CALLS if call.kind == STATES} | set(BY_THE_FORMULA)
    record = predictions.record()
    if "blank" not in record:
        pytest.skip("test_build.py was not run, or started from the kept cluster")
    assert sorted(record) == sorted(STAGES)
    assert {stage: every - set(found["functions"]) for stage, found in record.items()} == dict.fromkeys(record, set())


def _drift(lab: Lab, active: str) -> None:
    """Damage what the formula looks after, without touching the service."""
    for node in lab.nodes:
        lab.ask(node, "rm /etc/multipath.conf; echo '# drift' >> /etc/corosync/corosync.conf; chmod 0644 /etc/corosync/authkey;"
                      " echo '# drift' >> /etc/hadb/my.cnf; chmod 0644 /etc/hadb/bmc/*; systemctl -q unmask mariadb.service")  # fmt: skip
    passive = lab.peer(active)
    lab.ask(passive, f"ip address del {lab.pillar['nodes'][passive]['links'][0]}/24 dev {lab.pillar['heartbeat']['interfaces'][0]}")
    lab.ask(active, "mariadb --execute \"REVOKE ALL PRIVILEGES ON glance.* FROM 'glance'@'%'\"")
    lab.ask(active, "crm_attribute --name cluster-recheck-interval --update 299s")
    lab.ask(active, f"crm node standby {passive}")
    lab.ask(active, "crm_resource --wait --timeout=60", timeout=90)


def _ours(states: dict[str, Any]) -> dict[str, Any]:
    """Return the changes of hadb's own states by tag."""
    return {tag: state["changes"] for tag, state in states.items() if state["changes"] and tag.partition("_|-")[0] in _OURS}


def _same(real: dict[str, Any], predicted: dict[str, Any]) -> None:
    """Fail unless a real run changed exactly what was predicted of its states."""
    asked = {tag: state for tag, state in predicted.items() if tag in real}
    assert asked.keys() >= {tag for tag in real if tag.partition("_|-")[0] in _OURS}
    assert _ours(real) == _ours(asked)
