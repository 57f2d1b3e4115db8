"""The conditions of the whole cluster, asked by the master: nobody's silence, and no older code, passes for a yes."""

from __future__ import annotations

from typing import Any

import facts
import pytest

from documents import document
from hadb_core import VERSION
from hadb_core.errors import HadbError
from support import load

NODES = {"db1": "m1", "db2": "m2"}
GOOD = {"core": VERSION, "core_path": "", "module_path": "", "stale": []}


class Master:
    """``saltutil.cmd`` of a master; ``answers`` is function -> minion -> its envelope (or a bare value)."""

    def __init__(self, **answers: dict[str, Any]) -> None:
        self.answers, self.asked = answers, []

    def cmd(self, tgt: list[str], function: str, arg: Any = (), **_: Any) -> dict[str, Any]:
        self.asked.append(function)
        found = self.answers[function.replace(".", "_")]
        found = found.pop(0) if isinstance(found, list) else found
        return {minion: value if value is False or "ret" in value else {"ret": value, "retcode": 0}
                for minion, value in found.items()}  # fmt: skip

    def states(self, *, test: bool = False, settings: Any = None, **functions: Any) -> Any:
        module = load("_states/hadb.py", opts={"test": test}, salt={
            "saltutil.cmd": self.cmd, "hadb.document": lambda: document() if settings is None else settings, **functions})
        module._PAUSE = 0
        module._code = lambda: {"modules/hadb.py": "new"}
        return module


def both(value: Any) -> dict[str, Any]:
    return {"m1": value, "m2": value}


def synced(**new: dict[str, Any]) -> dict[str, Any]:
    """Return what nodes with other modules answer, and the three syncs: nothing new but what is given by kind."""
    return {"hadb_outdated": both(["modules/hadb.py"]),
            **{f"saltutil_sync_{kind}": new.get(kind, both([])) for kind in ("utils", "modules", "states")}}


def test_modules_that_are_on_both_minions_are_no_news():
    master = Master(hadb_outdated=both([]), hadb_version=both(GOOD))
    ret = master.states().modules_synced("x", NODES)
    assert (ret["result"], ret["changes"], master.asked) == (True, {}, ["hadb.outdated", "hadb.version"])


@pytest.mark.parametrize("answer", [["utils/hadb_core/plan.py"], {"ret": "'hadb.outdated' is not available.", "retcode": 254}, False])
def test_one_minion_that_has_other_modules_or_cannot_tell_makes_both_sync(answer):
    master = Master(**{**synced(), "hadb_outdated": {"m1": [], "m2": answer}}, hadb_version=both(GOOD))
    assert master.states().modules_synced("x", NODES)["result"] is True
    assert [function for function in master.asked if "sync" in function] == [
        "saltutil.sync_utils", "saltutil.sync_modules", "saltutil.sync_states"]


def test_what_was_synced_is_told_by_node():
    master = Master(**synced(modules={"m1": ["modules.hadb"], "m2": []}), hadb_version=both(GOOD))
    assert master.states().modules_synced("x", NODES)["changes"] == {"db1 modules": {"old": None, "new": ["modules.hadb"]}}


@pytest.mark.parametrize("silent", [{"m1": []}, {"m1": [], "m2": False}])
def test_a_minion_that_is_down_fails_the_sync_and_is_named(silent):
    ret = Master(**synced(utils=silent)).states().modules_synced("x", NODES)
    assert ret["result"] is False and "db2, minion" in ret["comment"] and "db1" not in ret["comment"]


@pytest.mark.parametrize(("version", "words"), [
    ({**GOOD, "core": "0.0.9"}, "hadb 0.0.9"), ({**GOOD, "stale": ["hadb_core.plan"]}, "older hadb_core.plan"),
    ({"ret": "Traceback\nKeyError: 'x'", "retcode": 1}, "KeyError"), ({"core": VERSION}, "older hadb"),
])
def test_a_minion_that_holds_older_code_is_named_with_what_to_do(version, words):
    master = Master(**synced(), hadb_version={"m1": GOOD, "m2": version})
    ret = master.states().modules_synced("x", NODES)
    assert ret["result"] is False and "db2, modules" in ret["comment"] and words in ret["comment"]
    assert "salt-minion" in ret["comment"]


def lab_facts() -> dict[str, Any]:
    return {minion: {"system": facts.system(node), "luns": [facts.lun()]}
            for node, minion in {"db1": "db1", "db2": "db2"}.items()}  # fmt: skip


def test_preflight_passes_on_blank_nodes():
    assert Master(hadb_facts=lab_facts()).states().preflight_passed("x", ["system", "luns"])["result"] is True


def test_preflight_names_a_silent_node_and_one_whose_modules_fail():
    answers = lab_facts()
    answers["db1"], answers["db2"] = {"ret": "hadb_core.errors.HadbError: no formula", "retcode": 1}, False
    ret = Master(hadb_facts=answers).states().preflight_passed("x", ["system", "luns"])
    assert ret["result"] is False and ret["changes"] == {}
    assert "db1, facts: expected" in ret["comment"] and "no formula" in ret["comment"]
    assert "db2, minion: expected an answer" in ret["comment"]


@pytest.mark.parametrize("settings", [{}, {"nodes": {}}])
def test_a_master_without_the_pillar_is_told_so(settings):
    ret = Master().states(settings=settings).preflight_passed("x", ["system"])
    assert ret["result"] is False and "*_master" in ret["comment"]


def volumes(active: bool) -> dict[str, Any]:
    known = {"volume": facts.volume(active=active), "cluster": {**facts.cluster(), "running": False}}
    return {"db1": known, "db2": known}


def test_a_proof_that_holds():
    assert Master(hadb_facts=volumes(False)).states().proven("x", "volume")["result"] is True


@pytest.mark.parametrize(("test", "result"), [(True, None), (False, False)])
def test_a_proof_that_does_not_hold_fails_and_is_only_told_in_a_test_run(test, result):
    ret = Master(hadb_facts=volumes(True)).states(test=test).proven("x", "volume")
    assert ret["result"] is result and "not active here" in ret["comment"]


def test_a_proof_is_waited_for():
    master = Master(hadb_facts=[volumes(True), volumes(False)])
    assert master.states().proven("x", "volume", within=60)["result"] is True
    assert len(master.asked) == 2


@pytest.mark.parametrize(("faults", "result"), [([], True), (["hadb:nodez: unknown key", "b"], False)])
def test_a_pillar_is_valid_or_all_its_faults_are_named(faults, result):
    ret = Master().states(**{"hadb.faults": lambda: faults}).pillar_valid("x")
    assert ret["result"] is result and all(fault in ret["comment"] for fault in faults)


def failing() -> Any:
    raise HadbError("no formula")


def test_without_the_formula_no_pillar_is_valid_and_nothing_is_known_of_the_node():
    states = Master().states(**{"hadb.faults": failing, "hadb.lacking": failing})
    assert states.pillar_valid("x")["result"] is False
    assert "no formula" in states.node_reported("x")["comment"]


@pytest.mark.parametrize(("lacking", "words"), [([], "part of the cluster"), (["the key"], "still missing: the key")])
def test_what_a_node_lacks_is_told_and_never_a_failure(lacking, words):
    ret = Master().states(**{"hadb.lacking": lambda: lacking}).node_reported("x")
    assert ret["result"] is True and words in ret["comment"]


def test_a_half_installed_node_is_finished_once():
    half = [True]

    def state(test: bool) -> Any:
        return Master().states(test=test, **{
            "hadb.half_installed": lambda: half[0], "hadb_write.finish_installation": lambda: half.__setitem__(0, False)},
        ).packages_whole("x")  # fmt: skip

    predicted = state(test=True)
    assert half == [True] and predicted["result"] is None
    real = state(test=False)
    assert (real["result"], real["changes"]) == (True, predicted["changes"])
    assert state(test=False)["changes"] == {}
