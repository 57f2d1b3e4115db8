"""Conditions of the Pacemaker cluster; each is applied on one node and holds for the whole cluster."""

from hadb_core.errors import HadbError, Invalid, Refused
from hadb_core.outcome import carry_out, converge
from hadb_core.plan import Plan, Step

__virtualname__ = "pacemaker"


def __virtual__():
    return __virtualname__


def configured(name, document):
    """
    The CIB holds everything that hadb wants, in one transaction if anything is missing.

    document
        ``nodes`` (each with ``bmc`` address and username), ``storage``, ``database``, ``vips``,
        ``fencing`` and ``pacemaker`` of the merged pillar; no secrets. With
        ``pacemaker: {allow_restart: true}`` a change may restart or move the database.

    What operators hold (standby, bans, maintenance, stopped resources) and whatever is not hadb's is
    kept and reported. In test mode, and on a node where Pacemaker is not installed yet, the changes are
    those of the real run; a run that would be refused fails in test mode too. A cluster that only lacks quorum or a
    node is no refusal in test mode: the steps of ``hadb.orch`` before this one bring them.

    .. code-block:: yaml

        hadb cluster is configured:
          pacemaker.configured:
            - document: {{ document | json }}
    """
    allow_restart = document["pacemaker"]["allow_restart"]

    def plan():
        answer = __salt__["pacemaker.plan"](document, allow_restart)
        refused = answer["refused"] or ("" if __opts__["test"] else answer["not_ready"])
        if refused:
            raise Refused(refused)
        remarks = answer["remarks"]
        if answer["not_ready"]:
            remarks = [*remarks, f"Not before the cluster is ready: {answer['not_ready']}"]
        if answer["actions"]:
            remarks = [*remarks, f"Pacemaker's answer to this change: {'; '.join(answer['actions'])}"]
        steps = [
            Step("apply", path, change["old"], change["new"]) for path, change in answer["changes"].items()
        ]
        return Plan(tuple(steps), tuple(remarks))

    return converge(
        name,
        plan=plan,
        apply=lambda _: __salt__["pacemaker.apply"](document, allow_restart),
        test=__opts__["test"],
        done="The cluster is configured",
    )


def settled(name, timeout=120, expected=None):
    """
    Pacemaker has nothing left to do and the resources are active. Changes nothing.

    timeout
        Seconds to wait for it; in test mode it is only looked at.
    expected
        Ids of the resources that must be active; default: all that nobody holds.

    .. code-block:: yaml

        hadb cluster is settled:
          pacemaker.settled:
            - timeout: 180
    """
    test = __opts__["test"]
    ret = {"name": name, "result": True, "changes": {}, "comment": "The cluster is settled"}
    try:
        answer = __salt__["pacemaker.settled"](0 if test else timeout, expected)
    except HadbError as error:
        return {**ret, "result": False, "comment": str(error)}
    if not answer["settled"]:
        lacking = "; ".join(answer["lacking"])
        ret["result"] = None if test else False
        ret["comment"] = (
            f"Would wait: {lacking}" if test else f"Not settled after {answer['waited']} s: {lacking}"
        )
    return ret


def node_online(name, node=None):
    """
    A node takes part in the cluster and is not in standby.

    node
        The node's name; default: ``name``.

    For procedures that put a node into standby themselves; nothing in ``hadb`` applies it, because a
    standby is an operator's decision.

    .. code-block:: yaml

        db2 takes part in the cluster:
          pacemaker.node_online:
            - node: db2
    """
    node = node or name

    def plan():
        state = __salt__["pacemaker.status"]()
        if not state["running"]:
            raise HadbError(f"nothing can be said about {node}: {state['reason']}")
        known = state["nodes"].get(node)
        if known is None or not known["online"]:
            raise Refused(f"{node} does not take part in the cluster", "start Corosync and Pacemaker there")
        steps = [Step("online", f"node {node} standby", True, False, {"node": node})] if known["standby"] else []
        return Plan(tuple(steps))

    return converge(
        name,
        plan=plan,
        apply=lambda steps: carry_out(__salt__, "pacemaker", steps),
        test=__opts__["test"],
        done=f"{node} is online",
    )


def maintenance(name, enabled=True):
    """
    The cluster is in maintenance mode, or is not; in it Pacemaker starts, stops and monitors nothing.

    enabled
        ``True`` or ``False``.

    For procedures that need it around a step of their own; nothing in ``hadb`` applies it, because
    maintenance is an operator's decision.

    .. code-block:: yaml

        database may be touched by hand:
          pacemaker.maintenance:
            - enabled: true
    """

    def plan():
        if not isinstance(enabled, bool):
            raise Invalid([f"maintenance takes true or false, not {enabled!r}"])
        state = __salt__["pacemaker.status"]()
        if not state["running"]:
            raise HadbError(f"nothing can be said about maintenance: {state['reason']}")
        now = state["cluster"]["maintenance"]
        step = Step("maintenance", "cluster maintenance-mode", now, enabled, {"enabled": enabled})
        return Plan((step,) if now != enabled else ())

    return converge(
        name,
        plan=plan,
        apply=lambda steps: carry_out(__salt__, "pacemaker", steps),
        test=__opts__["test"],
        done="The cluster is in maintenance mode" if enabled else "The cluster is not in maintenance mode",
    )
