"""Ensure what Corosync needs. No state here starts, stops or restarts Corosync."""

from typing import Any

from hadb_core import corosync_authkey, corosync_plan, corosync_wanted, remote
from hadb_core.errors import Refused
from hadb_core.outcome import carry_out, converge
from hadb_core.plan import Plan

__virtualname__ = "corosync"

# A minion answers in well under a second; 15 s outlasts one that is busy installing packages.
_ASK_SECONDS = 15


def __virtual__() -> str:
    return __virtualname__


def configured(
    name: str, cluster_name: str, nodes: dict[str, list[str]], settings: dict[str, Any]
) -> dict[str, Any]:
    """Ensure that this node's corosync.conf is the one that follows from the pillar.

    name
        The file.
    cluster_name, nodes, settings
        See :func:`hadb_core.corosync_wanted.wanted`.

    A running Corosync is left alone; the comment says what it takes for the change to count.

    .. code-block:: yaml

        /etc/corosync/corosync.conf:
          corosync.configured:
            - cluster_name: nova-db
            - nodes: {db1: [172.16.1.1, 172.16.2.1], db2: [172.16.1.2, 172.16.2.2]}
            - settings: {port: 5405, token: 3000, crypto_cipher: aes256, crypto_hash: sha256}
    """

    def plan() -> Plan:
        wanted = corosync_wanted.wanted(cluster_name, nodes, settings)
        text, running = __salt__["corosync.configuration"](name), __salt__["corosync.running"]()
        return corosync_plan.plan(text, wanted, name, running=running)

    return converge(
        name,
        plan=plan,
        apply=lambda steps: carry_out(__salt__, "corosync", steps),
        test=__opts__["test"],
        done=f"{name} is as wanted",
    )


def authkey_present(name: str, pillar_key: str = "hadb:corosync:authkey") -> dict[str, Any]:
    """Ensure that this node's key is the pillar's, if the pillar has one, and is readable by root only.

    name
        A sentence for the operator; the key's place is Corosync's own.
    pillar_key
        Where the pillar may have the key, base64. Only its fingerprint is ever shown.

    Without a key in the pillar an existing key is kept, and none is made: see :func:`authkey_agreed`.

    .. code-block:: yaml

        hadb corosync key is in place:
          corosync.authkey_present:
            - pillar_key: hadb:corosync:authkey
    """

    def plan() -> Plan:
        want = __salt__["corosync.authkey_pillar_fingerprint"](pillar_key)
        have, running = __salt__["corosync.authkey"](), __salt__["corosync.running"]()
        return corosync_authkey.plan_node(have, want, pillar_key, running=running)

    return converge(
        name,
        plan=plan,
        apply=lambda steps: carry_out(__salt__, "corosync", steps),
        test=__opts__["test"],
        done="The Corosync key is as wanted",
    )


def authkey_agreed(name: str, nodes: dict[str, str], bootstrap: str) -> dict[str, Any]:
    """Ensure that all nodes have the same Corosync key. Runs **on the master**, in an orchestration.

    name
        A sentence for the operator.
    nodes
        Node -> minion id.
    bootstrap
        The node on which the key is made when no node has one.

    A key that only one node has is given to the other; different keys are refused. The key
    travels sealed for the minion that receives it, so neither the master's job cache nor a log
    can show it.

    .. code-block:: yaml

        hadb nodes have the same corosync key:
          corosync.authkey_agreed:
            - nodes: {db1: db1.example.org, db2: db2.example.org}
            - bootstrap: db1
    """
    if bootstrap not in nodes:
        return {
            "name": name,
            "result": False,
            "changes": {},
            "comment": f"bootstrap {bootstrap!r} is not one of the nodes",
        }

    def plan() -> Plan:
        found = _ask(nodes, "corosync.authkey_fingerprint")
        return corosync_authkey.plan_agreement(found, bootstrap)

    def apply(steps: Plan) -> None:
        for step in steps.steps:
            if step.do == "generate":
                node = step.args["node"]
                _ask({node: nodes[node]}, "corosync.authkey_generate")
            else:
                _copy_key(nodes, step.args["source"], step.args["target"])

    return converge(
        name,
        plan=plan,
        apply=apply,
        test=__opts__["test"],
        done=f"{' and '.join(sorted(nodes))} have the same Corosync key",
    )


def loaded(name: str, nodes: dict[str, str]) -> dict[str, Any]:
    """Ensure that the running Corosync does what its file says. Runs **on the master**, in an orchestration.

    name
        A sentence for the operator.
    nodes
        Node -> minion id.

    One reload covers all nodes, so it is done only when all have the same file. What only a
    restart could change is refused with a remedy, never done. Nodes where Corosync does not
    run are left alone.

    .. code-block:: yaml

        hadb corosync has loaded its configuration:
          corosync.loaded:
            - nodes: {db1: db1.example.org, db2: db2.example.org}
    """

    def plan() -> Plan:
        return corosync_plan.plan_reload(_ask(nodes, "corosync.pending"))

    def apply(steps: Plan) -> None:
        for step in steps.steps:
            node = step.args["node"]
            _ask({node: nodes[node]}, "corosync.reload")

    return converge(
        name, plan=plan, apply=apply, test=__opts__["test"], done="Corosync does what its file says"
    )


def _copy_key(nodes: dict[str, str], source: str, target: str) -> None:
    recipient = _ask({target: nodes[target]}, "corosync.minion_public_key")[target]
    sealed = _ask({source: nodes[source]}, "corosync.authkey_export", [recipient])[source]
    _ask({target: nodes[target]}, "corosync.authkey_import", [sealed])


def _ask(nodes: dict[str, str], function: str, arguments: list[str] | None = None) -> dict[str, Any]:
    """Call a function on the minions of ``nodes`` and return node -> answer; a missing answer raises."""
    if "saltutil.cmd" not in __salt__:
        raise Refused(
            "this state runs on the master",
            "call it from an orchestration: salt-run state.orchestrate hadb.orch",
        )
    minions = list(nodes.values())
    returned = __salt__["saltutil.cmd"](
        tgt=minions, fun=function, arg=arguments or [], tgt_type="list", timeout=_ASK_SECONDS
    )
    found = remote.answers(function, minions, returned)
    return {node: found[minion] for node, minion in nodes.items()}
