"""``salt-run hadb.*``: what the operator sees and with which exit code; Salt's clients are faked, hadb's functions are real."""

from __future__ import annotations

import contextlib
import inspect
from typing import Any

import pytest
import salt.client
import salt.loader
import salt.minion
import salt.pillar
import salt.runner
import salt.utils.event
from core_shapes import whole
from facts import cluster

import documents
from hadb_core.cib_status import stopped
from hadb_core.errors import HadbError
from support import load

OPTS = {"id": "salt_master", "conf_file": "/etc/salt/master", "sock_dir": "/run/salt", "test": False}
GRAINS = {"os_family": "Debian", "osmajorrelease": 13}
END = "salt/run/20261125/ret"
NEW = ("salt/job/1/new", {"fun": "state.sls", "arg": ["hadb"], "minions": ["db1"]})
RET = ("salt/job/1/ret/db1", {"fun": "state.sls", "return": {"a": {"result": True, "changes": {}}}})


class Master:
    """The master: ``events`` come over its bus, ``facts`` are the nodes' answers, ``pillar`` is its own.

    ``order`` notes what was opened, started and closed; every call has to fit the real client's signature.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.order: list[str] = []
        self.events: list[Any] = []
        self.facts: dict[str, Any] = {}
        self.asked: list[dict[str, Any]] = []
        self.started: list[tuple[str, dict[str, Any]]] = []
        self.pillar = documents.load("test/lab/pillar.sls")
        self.closable = True
        for module, name in ((salt.runner, "RunnerClient"), (salt.utils.event, "get_master_event"),
                             (salt.minion, "MasterMinion"), (salt.pillar, "get_pillar"),
                             (salt.client, "get_local_client")):
            monkeypatch.setattr(module, name, self._fits(getattr(module, name), getattr(self, f"_{name}")))
        monkeypatch.setattr(salt.loader, "grains", self._fits(salt.loader.grains, lambda opts: dict(GRAINS)))
        monkeypatch.setattr(salt.loader, "minion_mods", self._fits(salt.loader.minion_mods, self._minion_mods))
        self.runner = load("_runners/hadb.py", opts=OPTS)

    @staticmethod
    def _fits(real: Any, fake: Any) -> Any:
        signature = inspect.signature(real)

        def call(*args: Any, **kwargs: Any) -> Any:
            signature.bind(*args, **kwargs)
            return fake(*args, **kwargs)

        return call

    def _client(self, name: str, **methods: Any) -> Any:
        if self.closable:
            methods["destroy"] = lambda self_: self.order.append(f"{name} closed")
        return type(name, (), methods)()

    def _RunnerClient(self, opts: dict[str, Any]) -> Any:
        def asynchronous(client: Any, fun: str, low: dict[str, Any], user: str = "", pub: Any = None, local: bool = True) -> Any:
            self.order.append("job started")
            self.started.append((fun, low))
            return {"jid": "20261125", "tag": "salt/run/20261125"}

        return self._client("RunnerClient", asynchronous=asynchronous)

    @contextlib.contextmanager
    def _get_master_event(self, opts: dict[str, Any], sock_dir: str, listen: bool):
        assert listen and sock_dir == OPTS["sock_dir"]
        self.order.append("bus opened")
        events = iter(self.events)

        def get_event(bus: Any, wait: int, full: bool) -> Any:
            assert full, "without it an event has no tag"
            event = next(events)
            if isinstance(event, BaseException):
                raise event
            return event and {"tag": event[0], "data": event[1]}

        yield type("Bus", (), {"get_event": get_event})()
        self.order.append("bus closed")

    def _MasterMinion(self, opts: dict[str, Any]) -> Any:
        assert opts["file_client"] == "local", "the master reads its own files"
        # As the real one does: the pillar is dropped.
        return self._client("MasterMinion", opts={**opts, "pillar": {}})

    def _get_pillar(self, opts: dict[str, Any], grains: dict[str, Any], minion: str, saltenv: str) -> Any:
        assert (grains, minion, saltenv) == (GRAINS, OPTS["id"], "base")
        return type("Pillar", (), {"compile_pillar": lambda pillar: self.pillar})()

    def _minion_mods(self, opts: dict[str, Any]) -> dict[str, Any]:
        def content(url: str) -> Any:
            path = documents.ROOT / url.removeprefix("salt://")
            return path.read_text() if path.exists() else False

        module = load("_modules/hadb.py", salt={"cp.get_file_str": content}, opts=opts,
                      pillar=opts["pillar"], grains=opts["grains"])
        return {"hadb.document": module.document, "hadb.faults": module.faults}

    @contextlib.contextmanager
    def _get_local_client(self, c_path: str):
        assert c_path == OPTS["conf_file"]
        signature = inspect.signature(salt.client.LocalClient.cmd)

        def cmd(client: Any, tgt: Any, fun: str, **how: Any) -> dict[str, Any]:
            signature.bind(client, tgt, fun, **how)
            self.asked.append({"tgt": tgt, "fun": fun, **how})
            return self.facts

        yield type("Client", (), {"cmd": cmd})()


@pytest.fixture
def master(monkeypatch):
    return Master(monkeypatch)


def states(**results):
    return {f"salt_|-{name}_|-{name}_|-state": {"__id__": name, "__run_num__": number, "result": result,
                                               "changes": {}, "comment": "why"}
            for number, (name, result) in enumerate(results.items())}  # fmt: skip


def end(result):
    return (END, {"return": result, "success": True})


def test_a_deployment_is_shown_as_it_happens_and_summed_up(master, capsys):
    master.events = [None, NEW, ("salt/auth", {}), RET, end({"data": {"salt_master": states(first=True)}})]
    assert master.runner.deploy() == {"phases": 1, "changed": [], "result": "ok"}
    shown = capsys.readouterr()
    assert [line.partition(" s] ")[2] for line in shown.err.splitlines()] == [
        "apply hadb: db1 ...", "apply hadb: db1 done: 1 states, 0 changed"]
    assert all(line.startswith("[   ") for line in shown.err.splitlines())
    assert shown.out == "", "the result is salt-run's to print"


def test_the_bus_is_listened_to_before_the_job_can_say_anything_and_all_is_closed(master):
    master.events = [end({"data": {"salt_master": states(first=True)}})]
    master.runner.deploy()
    assert master.order == ["bus opened", "job started", "bus closed", "RunnerClient closed"]


@pytest.mark.parametrize("test", [True, False])
def test_a_deployment_is_hadb_orch_predicted_when_asked(master, test):
    master.events = [end({"data": {"salt_master": states(first=None if test else True)}})]
    shown = master.runner.deploy(test=test)
    assert master.started == [("state.orchestrate", {"arg": ["hadb.orch"], "kwarg": {"test": test}})]
    assert shown["result"] == ("predicted" if test else "ok")
    assert "retcode" not in shown


def test_unless_asked_a_deployment_is_not_a_prediction(master):
    master.events = [end({"data": {"salt_master": {}}})]
    master.runner.deploy()
    assert master.started[0][1]["kwarg"] == {"test": False}


def test_a_failed_phase_is_named_and_ends_salt_run_with_1(master):
    master.events = [end({"data": {"salt_master": states(first=True, second=False)}})]
    assert master.runner.deploy() == {
        "phases": 2, "changed": [], "result": "FAILED", "failed": {"second": ["why"]}, "retcode": 1}


@pytest.mark.parametrize("said", ["Exception occurred in runner state.orchestrate: no hadb.orch", ["Rendering failed"],
                                  {"outputter": "highstate"}, None])
def test_an_orchestration_that_never_began_is_a_failure_in_its_own_words(master, said):
    master.events = [end(said)]
    assert master.runner.deploy() == {"result": "FAILED", "failed": said, "retcode": 1}


def test_the_end_of_another_run_does_not_end_the_watching(master):
    other = ("salt/run/19990101/ret", {"return": "of somebody else"})
    master.events = [other, end({"data": {"salt_master": states(first=True)}})]
    assert master.runner.deploy()["result"] == "ok"


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), OSError("the bus is gone")])
def test_what_interrupts_the_watching_comes_through_and_the_client_is_closed(master, stop):
    master.events = [NEW, stop]
    with pytest.raises(type(stop)):
        master.runner.deploy()
    assert master.order[-1] == "RunnerClient closed"


def test_clients_that_cannot_be_closed_are_used_all_the_same(master):
    master.closable = False
    master.facts = whole()
    master.events = [end({"data": {"salt_master": states(first=True)}})]
    assert master.runner.deploy()["result"] == "ok"
    assert master.runner.check()["pillar"] == "valid"


def test_a_second_terminal_watches_until_interrupted_beyond_the_end_of_a_run(master, capsys):
    master.events = [end("x"), NEW, None, RET, KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        master.runner.watch()
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert master.order == ["bus opened"], "nothing is started"


def test_the_status_says_what_runs_where(master):
    master.facts = whole()
    assert master.runner.status() == {
        "nodes": {"db1": "Pacemaker runs", "db2": "Pacemaker runs"},
        "database": "db1",
        "vips": {"10.20.0.50": "db1", "10.20.0.51": "db1"},
        "fencing": {"fence-db1": "db2", "fence-db2": "db1"},
        "waits_for": [],
        "failures": [],
        "holds": [],
    }
    assert master.asked == [{"tgt": ["db1", "db2"], "fun": "hadb.facts", "arg": [["cluster"]],
                             "tgt_type": "list", "timeout": 10}]


def test_the_status_of_a_held_and_stopped_database(master):
    master.facts = {node: {"cluster": cluster(owner=None, holds=["db: stopped", "db2: standby", "db1: ban"][at:])}
                    for at, node in enumerate(("db1", "db2"))}
    shown = master.runner.status()
    assert (shown["database"], set(shown["vips"].values())) == ("stopped", {"stopped"})
    assert shown["holds"] == ["db1: ban", "db2: standby", "db: stopped"]


@pytest.mark.parametrize(("answer", "said"), [
    (..., "no answer"), ("Minion did not return. [Not connected]", "no answer"), (False, "no answer"), ({}, "no answer"),
    ({"cluster": {"error": "crm_mon failed"}}, "crm_mon failed"),
    ({"cluster": stopped("there is no CIB")}, "Pacemaker does not run"),
])
def test_the_status_tells_a_node_without_cluster_and_asks_the_other_one(master, answer, said):
    master.facts = {"db1": answer, "db2": {"cluster": cluster(owner="db2")}}
    if answer is ...:
        del master.facts["db1"]
    shown = master.runner.status()
    assert shown["nodes"] == {"db1": said, "db2": "Pacemaker runs"}
    assert shown["database"] == "db2"
    assert shown["waits_for"] == (["Pacemaker does not run on db1: there is no CIB"] if "not run" in said else [])


def test_what_no_node_knows_is_unknown_not_stopped(master):
    assert master.runner.status() == {
        "nodes": {"db1": "no answer", "db2": "no answer"},
        "database": "unknown",
        "vips": {"10.20.0.50": "unknown", "10.20.0.51": "unknown"},
        "fencing": {"fence-db1": "unknown", "fence-db2": "unknown"},
        "waits_for": [],
        "failures": [],
        "holds": [],
    }


def test_minions_may_have_other_names_than_their_nodes(master):
    master.pillar["hadb"]["nodes"]["db1"]["minion_id"] = "rack4-left"
    facts = whole()
    master.facts = {"rack4-left": facts["db1"], "db2": facts["db2"]}
    assert master.runner.status()["nodes"] == {"db1": "Pacemaker runs", "db2": "Pacemaker runs"}
    assert master.asked[0]["tgt"] == ["db2", "rack4-left"]


def test_every_proof_is_made_and_said_to_hold(master):
    master.facts = whole()
    assert master.runner.verify() == dict.fromkeys(
        ("volume", "membership", "cluster", "fencing", "reservations", "placement", "clients"), "proven")
    assert master.asked[0]["arg"] == [["bmc", "clients", "cluster", "corosync", "reservations", "system", "volume"]]


def test_a_proof_that_does_not_hold_is_told_beside_the_others_and_ends_salt_run_with_1(master):
    master.facts = whole()
    master.facts["db2"]["bmc"] = {"power": "off"}
    shown = master.runner.verify()
    assert shown.pop("fencing") == (
        "db2, fencing: expected the BMC of db1 to say that its power is on; found off. "
        "What to do: check hadb:nodes:db1:bmc and the way from db2 to it")
    assert shown == dict.fromkeys(("volume", "membership", "cluster", "reservations", "placement", "clients"), "proven") | {"retcode": 1}


@pytest.mark.parametrize("verb", ["status", "verify"])
def test_a_master_without_pillar_is_told_where_to_give_it(master, verb):
    master.pillar = {}
    with pytest.raises(HadbError) as raised:
        getattr(master.runner, verb)()
    assert str(raised.value) == (
        "the master has no hadb pillar: give '*_master' in top.sls the same hadb pillar as the nodes")


def test_the_check_lets_good_nodes_pass(master):
    master.facts = whole()
    assert master.runner.check() == {"pillar": "valid", "preflight": "nothing speaks against going on"}
    assert master.asked[0]["arg"] == [["system", "luns", "bmc", "cipher_zero"]]


def test_the_check_names_what_speaks_against_going_on(master):
    master.facts = whole()
    del master.facts["db1"]
    assert master.runner.check() == {
        "pillar": "valid",
        "preflight": "db1, minion: expected an answer from its Salt minion; found none. What to do: "
                     "look whether the node is up and salt-minion runs; both nodes are needed",
        "retcode": 1,
    }


def test_a_broken_pillar_is_told_before_any_node_is_asked(master):
    master.pillar["hadb"]["bootstrap_node"] = "db9"
    assert master.runner.check() == {
        "pillar": ["hadb:bootstrap_node: 'db9' is not one of the nodes (db1, db2); name one of them or leave it out"],
        "retcode": 1,
    }
    assert master.asked == []


def test_a_minion_made_for_its_functions_is_closed(master):
    master.facts = whole()
    master.runner.check()
    assert master.order == ["MasterMinion closed"]


def test_it_is_called_hadb(master):
    assert master.runner.__virtual__() == "hadb"
