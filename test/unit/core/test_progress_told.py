"""What a watcher reads of events that are incomplete, odd or of other versions of Salt."""

from __future__ import annotations

from typing import Any

import pytest

from hadb_core.progress import View, summary


def feed(*events: tuple[str, dict[str, Any]]) -> list[str]:
    view = View()
    return [line for tag, data in events for line in view.lines(tag, data)]


def new(jid: int = 1, **data: Any) -> tuple[str, dict[str, Any]]:
    return f"salt/job/{jid}/new", {"fun": "state.apply", "minions": ["db1"], **data}


def ret(returned: Any, **data: Any) -> tuple[str, dict[str, Any]]:
    return "salt/job/1/ret/db1", {"fun": "state.apply", "return": returned, **data}


@pytest.mark.parametrize(("data", "line"), [
    ({"fun": "state.apply", "minions": ["db1"]}, "apply highstate: db1 ..."),
    ({"arg": [{"__kwarg__": True}]}, "apply highstate: db1 ..."),
    ({"arg": ["hadb.cluster", "x"]}, "apply hadb.cluster: db1 ..."),
    ({"fun": "hadb.facts", "arg": ["x", ["cluster", "bmc"]]}, "look at cluster, bmc: db1 ..."),
    ({"fun": "hadb.facts"}, "look at : db1 ..."),
    ({"fun": "hadb.facts", "arg": []}, "look at : db1 ..."),
    *(({"fun": f"saltutil.sync_{kind}", "minions": ["db2", "db1"]}, "sync modules: db1, db2 ...")
      for kind in ("utils", "modules", "states")),
])  # fmt: skip
def test_a_phase_is_named_after_what_is_called(data, line):
    assert feed(new(**data)) == [line]


def test_a_phase_without_nodes_is_told_too():
    assert feed(("salt/job/1/new", {"fun": "state.sls", "arg": ["hadb"]})) == ["apply hadb:  ..."]


def test_only_the_same_line_right_after_itself_is_left_out():
    first, second = new(1, arg=["a"]), new(2, arg=["b"])
    assert feed(first, second, first) == ["apply a: db1 ...", "apply b: db1 ...", "apply a: db1 ..."]


OK, CHANGED, BAD = ({"result": True, "changes": {}}, {"result": True, "changes": {"a": 1}}, {"result": False})


@pytest.mark.parametrize(("returned", "data", "line"), [
    ({"a": OK, "b": OK}, {}, "done: 2 states, 0 changed"),
    ({"a": CHANGED, "b": {"result": None, "changes": {"a": 1}}}, {}, "done: 2 states, 2 changed"),
    ({"a": OK, "b": BAD, "c": BAD}, {"success": False}, "FAILED: 3 states, 0 changed, 2 failed"),
    # What is no state result is a list of errors, or another function's value.
    (["Rendering SLS failed"], {"success": False}, "FAILED"),
    (["Rendering SLS failed"], {"retcode": 1}, "FAILED"),
    ({"a": OK, "b": "text"}, {"retcode": 0}, "done"),
    ({"a": {"changes": {}}}, {"success": True, "retcode": 1}, "done"),
    ("text with the word result", {}, "done"),
])
def test_a_result_is_told_in_a_line(returned, data, line):
    assert feed(new(arg=["hadb"]), ret(returned, **data))[1:] == [f"apply hadb: db1 {line}"]


@pytest.mark.parametrize("fun", ["hadb.facts", "saltutil.sync_utils"])
def test_of_a_question_only_the_failure_is_told(fun):
    assert len(feed(new(fun=fun), ret({}, fun=fun, success=True))) == 1
    assert len(feed(new(fun=fun), ret({}, fun=fun))) == 1
    assert feed(new(fun=fun), ret("Traceback", fun=fun, success=False))[1].endswith(": db1 FAILED")


def test_the_result_of_a_job_that_was_not_shown_is_not_told():
    assert feed(ret({"a": OK})) == []


@pytest.mark.parametrize("tag", ["salt/job/1", "salt/job", "other/job/1/new", "salt/jobs/1/new", "salt/job/1/prog", "x"])
def test_tags_of_other_things_are_passed_over(tag):
    assert feed((tag, {"fun": "state.apply", "minions": ["db1"], "ret": {"result": False, "name": "n"}})) == []


def progress(result: Any, wrap: bool = True) -> list[str]:
    data = {"ret": result}
    return feed(("salt/job/1/prog/db1/3", {"data": data} if wrap else data))


@pytest.mark.parametrize(("result", "line"), [
    ({"name": "n", "result": False}, "  db1: n FAILED (0.0 s)"),
    ({"__id__": "it", "name": "n", "result": False, "duration": None}, "  db1: it FAILED (0.0 s)"),
    ({"__id__": "", "name": "n", "result": True, "duration": 2000}, "  db1: n ok (2.0 s)"),
    ({"__id__": "it", "result": True, "changes": {"a": 1}, "duration": "90050"}, "  db1: it changed (90.0 s)"),
])
@pytest.mark.parametrize("wrap", [True, False])
def test_a_state_is_told_by_its_id_or_its_name(result, line, wrap):
    assert progress(result, wrap) == [line]


@pytest.mark.parametrize("result", [
    {"name": "n", "result": True, "duration": 1999.9}, {"name": "n"}, {}, "result", None, ["result"]])
def test_what_is_quick_or_no_state_is_not_told(result):
    assert progress(result) == []
    assert feed(("salt/job/1/prog/db1/3", {"data": {}})) == []


def test_progress_is_shown_whatever_follows_the_minion():
    failed = {"data": {"ret": {"name": "n", "result": False}}}
    assert feed(("salt/job/1/prog/db1", failed)) == ["  db1: n FAILED (0.0 s)"]


def step(number: int | None, result: bool | None, **other: Any) -> dict[str, Any]:
    return {"result": result, "comment": "why", **({} if number is None else {"__run_num__": number}), **other}


@pytest.mark.parametrize(("results", "told"), [
    ([True, True], "ok"), ([True, None], "predicted"), ([None, None], "predicted"), ([None, False], "FAILED"), ([], "ok")])
def test_the_summary_s_one_word(results, told):
    shown = summary({str(number): step(number, result, name="n") for number, result in enumerate(results)})
    assert shown["result"] == told
    assert ("failed" in shown) is (told == "FAILED")


def test_the_summary_follows_the_order_of_the_run_not_of_the_answer():
    late, early = step(10, False, name="late", changes={"a": 1}), step(9, False, name="early", changes={"a": 1})
    assert summary({"a": late, "b": early}) == {
        "phases": 2, "changed": ["early", "late"], "result": "FAILED", "failed": {"early": ["why"]}}


def test_a_step_without_number_comes_first_beside_the_first():
    unknown = step(None, False, __id__="unknown", name="n")
    assert list(summary({"b": unknown, "a": step(0, False, name="first")})["failed"]) == ["unknown"]
    assert list(summary({"a": step(1, False, name="first"), "b": unknown})["failed"]) == ["unknown"]


def test_the_reason_of_a_failed_step_is_every_failed_state_of_every_minion():
    ok, bad = {"__id__": "fine", "result": True, "comment": "-"}, {"name": "n", "result": False, "comment": "no space"}
    returned = {"db1": "Minion did not return", "db2": {"a": ok, "b": bad, "c": "text", "d": {**bad, "__id__": "it"}}}
    failed = step(0, False, __id__="apply", changes={"ret": returned})
    assert summary({"a": failed})["failed"] == {
        "apply": ["why", "db1: Minion did not return", "db2: n: no space", "db2: it: no space"]}


@pytest.mark.parametrize("changes", [{}, {"ret": "text"}, {"ret": None}, {"old": 1}])
def test_a_step_that_reached_no_minion_has_only_its_own_reason(changes):
    assert summary({"a": step(0, False, name="n", changes=changes)})["failed"] == {"n": ["why"]}
