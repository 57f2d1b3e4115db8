"""Lines for a person who watches a run; the events have the shape of Salt 3008.3's."""

from __future__ import annotations

from hadb_core.progress import View, summary


def feed(*events):
    view = View()
    return [line for tag, data in events for line in view.lines(tag, data)]


NEW = (
    "salt/job/1/new",
    {"fun": "state.sls", "arg": ["hadb", {"__kwarg__": True}], "minions": ["db2", "db1"]},
)


def test_shows_a_phase_its_nodes_and_its_result():
    ret = (
        "salt/job/1/ret/db1",
        {
            "fun": "state.sls",
            "return": {"a": {"result": True, "changes": {"x": 1}}, "b": {"result": False, "changes": {}}},
        },
    )
    assert feed(NEW, ret) == [
        "apply hadb: db1, db2 ...",
        "apply hadb: db1 FAILED: 2 states, 1 changed, 1 failed",
    ]


def test_shows_changed_slow_and_failed_states_only():
    def state(**result):
        return (
            "salt/job/1/prog/db1/3",
            {"data": {"ret": {"name": "n", "__id__": "it", "changes": {}, "duration": 10, **result}}},
        )

    assert feed(NEW, state(result=True))[1:] == []
    assert feed(NEW, state(result=True, duration=2500))[1:] == ["  db1: it ok (2.5 s)"]
    assert feed(NEW, state(result=True, changes={"a": 1}))[1:] == ["  db1: it changed (0.0 s)"]
    assert feed(NEW, state(result=False))[1:] == ["  db1: it FAILED (0.0 s)"]
    assert feed(NEW, state(result=None))[1:] == ["  db1: it would change (0.0 s)"]


def test_ignores_housekeeping_and_foreign_tags():
    assert (
        feed(
            ("salt/job/2/new", {"fun": "saltutil.find_job", "minions": ["db1"]}),
            ("salt/auth", {}),
            ("minion_start", {}),
        )
        == []
    )


def test_a_question_asked_again_and_again_is_one_line():
    def ask(jid):
        return (f"salt/job/{jid}/new", {"fun": "hadb.facts", "arg": [["cluster"]], "minions": ["db1"]})

    ret = ("salt/job/1/ret/db1", {"fun": "hadb.facts", "return": {}, "success": True})
    assert feed(ask(1), ret, ask(2), ask(3)) == ["look at cluster: db1 ..."]


def test_a_summary_names_the_first_failure_and_its_reason():
    states = {
        "a": {"__run_num__": 1, "__id__": "first", "result": True, "changes": {"x": 1}, "comment": ""},
        "b": {
            "__run_num__": 2,
            "__id__": "second",
            "result": False,
            "comment": "Run failed on minions: db1",
            "changes": {"ret": {"db1": {"s": {"__id__": "inner", "result": False, "comment": "no space"}}, "db2": False}},
        },
        "c": {"__run_num__": 3, "__id__": "third", "result": False, "changes": {}, "comment": "requisite failed"},
    }
    assert summary(states) == {
        "phases": 3,
        "changed": ["first", "second"],
        "result": "FAILED",
        "failed": {"second": ["Run failed on minions: db1", "db1: inner: no space", "db2: False"]},
    }
