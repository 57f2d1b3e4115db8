import pytest
from cib_document import document

from hadb_core.errors import HadbError, Refused
from support import load

CHANGE = {"primitive vip-nova param ip": {"old": "10.20.0.50", "new": "10.20.0.60"}}


def answer(changes=None, refused="", remarks=(), actions=(), not_ready=""):
    return {"changes": changes or {}, "refused": refused, "remarks": list(remarks), "actions": list(actions),
            "not_ready": not_ready}  # fmt: skip


class Cluster:
    """Stands for the execution module: plans what is given until it is applied."""

    def __init__(self, first, applied=None):
        self.answer, self.applied, self.calls = first, applied or answer(), []

    def plan(self, given, allow_restart):
        self.calls.append(("plan", allow_restart))
        return self.answer

    def apply(self, given, allow_restart):
        self.calls.append(("apply", allow_restart))
        self.answer = self.applied

    def functions(self):
        return {"pacemaker.plan": self.plan, "pacemaker.apply": self.apply}


def state(cluster, test=False):
    return load("_states/pacemaker.py", salt=cluster.functions(), opts={"test": test})


@pytest.mark.parametrize("test", [True, False])
def test_changes_are_the_same_in_both_modes(test):
    cluster = Cluster(answer(CHANGE, actions=["start db-fs on db1"]))
    ret = state(cluster, test).configured("x", document())
    assert ret["changes"] == CHANGE
    assert ret["result"] is (None if test else True)
    assert "start db-fs on db1" in ret["comment"]
    assert (("apply", False) in cluster.calls) is not test


@pytest.mark.parametrize("test", [True, False])
def test_a_refusal_fails_in_both_modes_and_applies_nothing(test):
    cluster = Cluster(answer(CHANGE, refused="would interrupt the database"))
    ret = state(cluster, test).configured("x", document())
    assert ret["result"] is False and ret["changes"] == {}
    assert "would interrupt the database" in ret["comment"]
    assert cluster.calls == [("plan", False)]


def test_a_cluster_that_is_not_ready_yet_is_predicted_but_not_configured():
    unready = answer(CHANGE, not_ready="the cluster has no quorum")
    predicted = state(Cluster(unready), test=True).configured("x", document())
    assert (predicted["result"], predicted["changes"]) == (None, CHANGE)
    assert "the cluster has no quorum" in predicted["comment"]
    cluster = Cluster(unready)
    ret = state(cluster).configured("x", document())
    assert (ret["result"], ret["changes"], cluster.calls) == (False, {}, [("plan", False)])
    assert "the cluster has no quorum" in ret["comment"]


def test_holds_are_told_when_there_is_nothing_to_do():
    ret = state(Cluster(answer(remarks=["Node db2 is in standby"]))).configured("x", document())
    assert ret["result"] is True and "Node db2 is in standby" in ret["comment"]


def test_leave_to_restart_comes_from_the_document():
    cluster = Cluster(answer(CHANGE))
    state(cluster).configured("x", document(pacemaker={"allow_restart": True}))
    assert ("apply", True) in cluster.calls


def test_what_is_still_different_afterwards_fails():
    ret = state(Cluster(answer(CHANGE), answer(CHANGE))).configured("x", document())
    assert ret["result"] is False and "still not as wanted" in ret["comment"]


def test_an_unknown_argument_fails():
    with pytest.raises(TypeError):
        state(Cluster(answer())).configured("x", document(), force=True)


@pytest.mark.parametrize(
    ("test", "settled", "result"),
    [(False, True, True), (False, False, False), (True, True, True), (True, False, None)],
)
def test_settled_waits_only_in_a_real_run(test, settled, result):
    asked = []

    def wait(timeout, expected):
        asked.append(timeout)
        return {"settled": settled, "waited": 3.0, "lacking": [] if settled else ["db-fs is not running"]}

    loaded = load("_states/pacemaker.py", salt={"pacemaker.settled": wait}, opts={"test": test})
    ret = loaded.settled("x", timeout=60)
    assert ret["result"] is result and ret["changes"] == {}
    assert asked == [0 if test else 60]
    assert ("db-fs is not running" in ret["comment"]) is not settled


def test_settled_tells_an_error():
    def wait(timeout, expected):
        raise HadbError("crm_mon is broken")

    ret = load("_states/pacemaker.py", salt={"pacemaker.settled": wait}).settled("x")
    assert ret["result"] is False and "crm_mon is broken" in ret["comment"]


def nodes(online=True, standby=False, running=True):
    return {
        "running": running,
        "reason": "stopped",
        "nodes": {"db2": {"online": online, "standby": standby}} if running else {},
    }


def test_node_online_ends_a_standby():
    seen, calls = [nodes(standby=True), nodes()], []
    salt = {"pacemaker.status": lambda: seen.pop(0), "pacemaker.online": lambda node: calls.append(node)}
    ret = load("_states/pacemaker.py", salt=salt).node_online("db2")
    assert ret["result"] is True and calls == ["db2"]
    assert ret["changes"] == {"node db2 standby": {"old": True, "new": False}}


@pytest.mark.parametrize(
    ("found", "words"),
    [(nodes(online=False), "does not take part"), (nodes(running=False), "nothing can be said")],
)
def test_node_online_cannot_start_a_node(found, words):
    ret = load("_states/pacemaker.py", salt={"pacemaker.status": lambda: found}).node_online("db2")
    assert ret["result"] is False and words in ret["comment"]


def test_a_refused_apply_fails_the_state():
    cluster = Cluster(answer(CHANGE))

    def refuse(given, allow_restart):
        raise Refused("Pacemaker does not run here")

    loaded = load("_states/pacemaker.py", salt={**cluster.functions(), "pacemaker.apply": refuse})
    ret = loaded.configured("x", document())
    assert ret["result"] is False and "does not run here" in ret["comment"] and ret["changes"] == {}


class Mode:
    """A cluster that is in maintenance mode or is not."""

    def __init__(self, on, works=True):
        self.on, self.works, self.calls = on, works, []

    def functions(self):
        return {
            "pacemaker.status": lambda: {"running": True, "reason": "", "cluster": {"maintenance": self.on}},
            "pacemaker.maintenance": self.switch,
        }

    def switch(self, enabled):
        self.calls.append(enabled)
        self.on = enabled if self.works else self.on


@pytest.mark.parametrize("enabled", [True, False])
def test_maintenance_is_switched_once_and_predicted_exactly(enabled):
    cluster = Mode(not enabled)
    predicted = state(cluster, test=True).maintenance("x", enabled)
    assert predicted["result"] is None and cluster.calls == []
    ret = state(cluster).maintenance("x", enabled)
    assert (ret["result"], ret["changes"]) == (True, predicted["changes"])
    assert state(cluster).maintenance("x", enabled)["changes"] == {}
    assert cluster.calls == [enabled]


def test_a_maintenance_that_somebody_ends_at_once_fails():
    ret = state(Mode(False, works=False)).maintenance("x")
    assert ret["result"] is False and "cluster maintenance-mode" in ret["comment"]


def test_maintenance_takes_only_a_boolean_and_needs_a_cluster():
    assert "true or false" in state(Mode(False)).maintenance("x", "on")["comment"]
    found = {"running": False, "reason": "Pacemaker is not installed here"}
    ret = load("_states/pacemaker.py", salt={"pacemaker.status": lambda: found}).maintenance("x")
    assert ret["result"] is False and "not installed" in ret["comment"]
